//! When a vulnerability was first seen, kept from one evaluation to the next.

use std::collections::BTreeMap;

use distil_vulns::Level;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// First-seen dates by release, source package and vulnerability: never by image, so that a rebuild changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Ledger {
    /// The entries, sorted by their keys.
    entries: Vec<Entry>,
}

/// A line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// What it is about.
    #[serde(flatten)]
    pub key: Key,
    /// The day it was first seen.
    #[schemars(with = "String")]
    pub first_seen: Date,
    /// The day a version that repairs it was first to be had.
    #[schemars(with = "Option<String>")]
    pub first_fixable: Option<Date>,
    /// The day it was last seen.
    #[schemars(with = "String")]
    pub last_seen: Date,
    /// How bad it was then.
    pub severity_at_first_seen: Option<Level>,
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Key {
    /// The release; empty for what is in none.
    pub release: String,
    /// The source package.
    pub source: String,
    /// The vulnerability.
    pub id: String,
}

impl Ledger {
    /// A ledger of these entries; of two about the same, the one that was seen first.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut by_key: BTreeMap<Key, Entry> = BTreeMap::new();
        for entry in entries {
            match by_key.get(&entry.key) {
                Some(other) if other.first_seen <= entry.first_seen => {}
                _ => drop(by_key.insert(entry.key.clone(), entry)),
            }
        }
        Self { entries: by_key.into_values().collect() }
    }

    /// The entries, sorted by their keys.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry about something.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.key.cmp(key)).ok()?;
        self.entries.get(at)
    }
}
