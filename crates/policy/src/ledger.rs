//! When a vulnerability was first seen, kept from one evaluation to the next.

mod statement;
mod text;

use std::collections::BTreeMap;

use distil_vulns::Level;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::Reopen;

pub use self::statement::{LEDGER, StatementError};
pub use self::text::{LedgerError, LedgerErrorKind, MAX_LEDGER, MAX_LEDGER_ENTRIES, MAX_LEDGER_LINE};

/// First-seen dates by release, source package and vulnerability: never by image, so that a rebuild changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
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
    /// The day on which an image had the package, and the vulnerability no more. Left out again where it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub gone: Option<Date>,
    /// How bad it was when it was first seen.
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

/// A vulnerability as an evaluation sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What was seen.
    pub key: Key,
    /// The day a version that repairs it is known to have been to be had; none where there is none today.
    pub fixable: Option<Date>,
    /// How bad it is.
    pub level: Option<Level>,
}

impl Entry {
    /// What two entries about the same say together: the earliest beginning, and the latest day.
    fn joined(self, other: &Self) -> Self {
        let first = if self.first_seen <= other.first_seen { &self } else { other };
        let last_seen = self.last_seen.max(other.last_seen);
        Self {
            severity_at_first_seen: first
                .severity_at_first_seen
                .or(self.severity_at_first_seen.max(other.severity_at_first_seen)),
            first_seen: first.first_seen,
            first_fixable: [self.first_fixable, other.first_fixable].into_iter().flatten().min(),
            last_seen,
            gone: self.gone.max(other.gone).filter(|gone| *gone > last_seen),
            key: self.key,
        }
    }

    /// The entry after it was seen today.
    fn seen(&self, seen: &Seen, today: Date, back: Reopen) -> Self {
        if back == Reopen::Restart && self.gone.is_some_and(|gone| gone <= today) {
            return Self::first(seen, today);
        }
        Self {
            key: self.key.clone(),
            first_seen: self.first_seen.min(today),
            first_fixable: [self.first_fixable, seen.fixable].into_iter().flatten().min(),
            last_seen: self.last_seen.max(today),
            gone: None,
            severity_at_first_seen: self.severity_at_first_seen,
        }
    }

    fn first(seen: &Seen, today: Date) -> Self {
        Self {
            key: seen.key.clone(),
            first_seen: today,
            first_fixable: seen.fixable,
            last_seen: today,
            gone: None,
            severity_at_first_seen: seen.level,
        }
    }
}

impl Ledger {
    /// A ledger of these entries; of several about the same the earliest beginning and the latest day.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut by_key: BTreeMap<Key, Entry> = BTreeMap::new();
        for entry in entries {
            let entry = match by_key.remove(&entry.key) {
                Some(other) => other.joined(&entry),
                None => entry,
            };
            by_key.insert(entry.key.clone(), entry);
        }
        Self { entries: by_key.into_values().collect() }
    }

    /// What both have: of what is in both the earliest beginning and the latest day.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self::new(self.entries.iter().chain(&other.entries).cloned())
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

    /// The ledger after an evaluation, in which these were seen. An entry that was not seen although an image had its source
    /// package (`had`, by release and source) is marked as gone; every other one stays as it is, so that one ledger serves
    /// many images.
    #[must_use]
    pub fn after(&self, seen: &[Seen], had: impl Fn(&str, &str) -> bool, today: Date, back: Reopen) -> Self {
        let mut by_key: BTreeMap<Key, Entry> = BTreeMap::new();
        for entry in &self.entries {
            let mut entry = entry.clone();
            let is_gone = had(&entry.key.release, &entry.key.source) && today > entry.last_seen;
            if is_gone && entry.gone.is_none() {
                entry.gone = Some(today);
            }
            by_key.insert(entry.key.clone(), entry);
        }
        for seen in seen {
            let entry = match self.get(&seen.key) {
                Some(before) => before.seen(seen, today, back),
                None => Entry::first(seen, today),
            };
            by_key.insert(seen.key.clone(), entry);
        }
        Self { entries: by_key.into_values().collect() }
    }
}

impl From<Vec<Entry>> for Ledger {
    fn from(entries: Vec<Entry>) -> Self {
        Self::new(entries)
    }
}

impl From<Ledger> for Vec<Entry> {
    fn from(ledger: Ledger) -> Self {
        ledger.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn key(source: &str) -> Key {
        Key { release: "bookworm".into(), source: source.into(), id: "CVE-2026-0001".into() }
    }

    fn seen(source: &str, fixable: Option<&str>, level: Level) -> Seen {
        Seen { key: key(source), fixable: fixable.map(day), level: Some(level) }
    }

    #[test]
    fn the_first_day_stays_whatever_comes_later() {
        let one = Ledger::default().after(
            &[seen("zlib", None, Level::Low)],
            |_, _| true,
            day("2026-01-10"),
            Reopen::Continue,
        );
        let two = one.after(
            &[seen("zlib", Some("2026-02-01"), Level::Critical)],
            |_, _| true,
            day("2026-02-03"),
            Reopen::Continue,
        );
        let entry = two.get(&key("zlib")).unwrap();
        assert_eq!((entry.first_seen, entry.last_seen), (day("2026-01-10"), day("2026-02-03")));
        assert_eq!(entry.first_fixable, Some(day("2026-02-01")));
        assert_eq!(entry.severity_at_first_seen, Some(Level::Low));
        let earlier = two.after(&[seen("zlib", None, Level::Low)], |_, _| true, day("2025-12-31"), Reopen::Restart);
        let entry = earlier.get(&key("zlib")).unwrap();
        assert_eq!((entry.first_seen, entry.last_seen), (day("2025-12-31"), day("2026-02-03")));
    }

    #[test]
    fn what_goes_and_comes_back_goes_on_or_starts_anew() {
        let there = [seen("zlib", None, Level::Low)];
        let first = Ledger::default().after(&there, |_, _| true, day("2026-01-10"), Reopen::Continue);
        let other = first.after(&[], |_, source| source != "zlib", day("2026-02-10"), Reopen::Continue);
        assert_eq!(other, first, "an image without the package says nothing");
        let gone = first.after(&[], |_, _| true, day("2026-02-10"), Reopen::Continue);
        assert_eq!(gone.get(&key("zlib")).unwrap().gone, Some(day("2026-02-10")));
        for (back, start) in [(Reopen::Continue, "2026-01-10"), (Reopen::Restart, "2026-03-10")] {
            let again = gone.after(&there, |_, _| true, day("2026-03-10"), back);
            let entry = again.get(&key("zlib")).unwrap();
            assert_eq!((entry.first_seen, entry.gone), (day(start), None));
            let straight = first.after(&there, |_, _| true, day("2026-03-10"), back);
            assert_eq!(straight.get(&key("zlib")).unwrap().first_seen, day("2026-01-10"), "it was never gone");
        }
    }

    #[test]
    fn two_lines_about_one_are_the_earliest_and_the_latest() {
        let entry = |first: &str, last: &str, fixable: Option<&str>| Entry {
            key: key("zlib"),
            first_seen: day(first),
            first_fixable: fixable.map(day),
            last_seen: day(last),
            gone: None,
            severity_at_first_seen: None,
        };
        let one = entry("2026-01-01", "2026-03-01", Some("2026-02-01"));
        let two = entry("2026-01-05", "2026-04-01", Some("2026-01-20"));
        for both in [[one.clone(), two.clone()], [two, one]] {
            let joined = Ledger::new(both);
            assert_eq!(joined.entries(), [entry("2026-01-01", "2026-04-01", Some("2026-01-20"))]);
        }
    }
}
