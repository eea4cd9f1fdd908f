//! `[vulnerabilities]`: within what time they have to be resolved, and which are refused at once.

use super::reading::{LEVEL_OF_WORDS, days, days_or_none, flag, names_list, or, text};
use crate::problem::Problems;
use distil_settings::{Keys, Section, Value, ValueProblem};
use distil_vulns::{Level, Status};
use std::path::PathBuf;

use super::glob::Glob;

/// What is asked about known vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerabilities {
    /// The days within which one has to be resolved.
    pub resolution: Resolution,
    /// From when these days are counted.
    pub start: Start,
    /// What becomes of those that no version repairs.
    pub unfixed: Unfixed,
    /// What becomes of the days when one was gone and is there again.
    pub reopen: Reopen,
    /// So many days before its time is over, a vulnerability is a warning.
    pub warn_before: u32,
    /// Whether the date in CISA's catalogue shortens the time of those that are known to be exploited.
    pub kev_due_date: bool,
    /// The file of the ledger, relative to the policy's folder, for where no other one is named.
    pub ledger: Option<PathBuf>,
    /// What it takes that a vulnerability can be repaired.
    pub fixable_means: FixableMeans,
    /// Those that stand so are told, and do not count.
    pub ignore_statuses: Vec<Status>,
    /// Those of these source or binary packages are told, and do not count.
    pub ignore_packages: Vec<Glob>,
    /// What is refused whatever time is left.
    pub at_creation: AtCreation,
    /// What is refused always; each alone is enough.
    pub deny: Vec<Deny>,
}

/// Days by severity; none where there is no such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// Those of critical ones.
    pub critical: Option<u32>,
    /// Those of high ones.
    pub high: Option<u32>,
    /// Those of moderate ones.
    pub moderate: Option<u32>,
    /// Those of low ones.
    pub low: Option<u32>,
    /// Those of negligible ones.
    pub negligible: Option<u32>,
}

impl Resolution {
    /// The days of a severity.
    #[must_use]
    pub fn days(&self, level: Level) -> Option<u32> {
        match level {
            Level::Critical => self.critical,
            Level::High => self.high,
            Level::Moderate => self.moderate,
            Level::Low => self.low,
            Level::Negligible => self.negligible,
        }
    }
}

/// From when the days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// The day it was first seen in any image.
    #[default]
    FirstSeen,
    /// The day it was published.
    Published,
    /// The day a version that repairs it came out.
    FixAvailable,
    /// The earliest of these that is known.
    Earliest,
}

/// What becomes of vulnerabilities that no version repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unfixed {
    /// Their days are counted like those of others.
    Count,
    /// Their days begin on the day that a version repairs them; until then they are told.
    #[default]
    HoldUntilFix,
    /// They do not count.
    Ignore,
}

/// What becomes of the days when a vulnerability was gone and is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reopen {
    /// They are counted from the first time.
    #[default]
    Continue,
    /// They begin anew.
    Restart,
}

/// What it takes that a vulnerability can be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FixableMeans {
    /// A version that repairs it is in the suites that the image is made from.
    #[default]
    InSuite,
    /// An advisory names a version that repairs it.
    Announced,
}

/// What is refused whatever time is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtCreation {
    /// This severity and worse; none to refuse nothing.
    pub fail_on: Option<Level>,
    /// Whether only those count that can be repaired.
    pub only_fixable: bool,
}

/// What is refused always, whatever its severity and its time. All that it asks must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deny {
    /// That it is known to be exploited.
    pub kev: bool,
}

impl Default for Vulnerabilities {
    fn default() -> Self {
        Self {
            resolution: Resolution::default(),
            start: Start::default(),
            unfixed: Unfixed::default(),
            reopen: Reopen::default(),
            warn_before: 3,
            kev_due_date: true,
            ledger: None,
            fixable_means: FixableMeans::default(),
            ignore_statuses: Vec::new(),
            ignore_packages: Vec::new(),
            at_creation: AtCreation::default(),
            deny: vec![Deny { kev: true }],
        }
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self { critical: Some(7), high: Some(30), moderate: Some(90), low: Some(180), negligible: None }
    }
}

impl Default for AtCreation {
    fn default() -> Self {
        Self { fail_on: Some(Level::High), only_fixable: true }
    }
}

pub(crate) const KEYS: Keys = Keys::all(&[
    "resolution",
    "start",
    "unfixed",
    "reopen",
    "warn-before",
    "kev-due-date",
    "ledger",
    "fixable-means",
    "ignore-statuses",
    "ignore-packages",
    "at-creation",
    "deny",
]);
pub(crate) const RESOLUTION_KEYS: Keys = Keys::all(&["critical", "high", "moderate", "medium", "low", "negligible"]);
pub(crate) const AT_CREATION_KEYS: Keys = Keys::all(&["fail-on", "only-fixable"]);
pub(crate) const DENY_KEYS: Keys = Keys::all(&["kev"]);

const STARTS: &[&str] = &["first-seen", "published", "fix-available", "earliest"];
const UNFIXED: &[&str] = &["count", "hold-until-fix", "ignore"];
const FAIL_ON: &[&str] = &["none", "critical", "high", "moderate", "medium", "low", "negligible"];
/// The statuses of those that are there.
const STATUSES: &[&str] = &["fixed", "affected", "no-dsa", "fix-deferred", "will-not-fix", "end-of-life"];

impl Vulnerabilities {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        Self {
            resolution: or(section, "resolution", default.resolution, problems, Resolution::read),
            start: or(section, "start", default.start, problems, |value, problems| {
                let values = [Start::FirstSeen, Start::Published, Start::FixAvailable, Start::Earliest];
                value.choice(STARTS, &values, problems)
            }),
            unfixed: or(section, "unfixed", default.unfixed, problems, |value, problems| {
                value.choice(UNFIXED, &[Unfixed::Count, Unfixed::HoldUntilFix, Unfixed::Ignore], problems)
            }),
            reopen: or(section, "reopen", default.reopen, problems, |value, problems| {
                value.choice(&["continue", "restart"], &[Reopen::Continue, Reopen::Restart], problems)
            }),
            warn_before: or(section, "warn-before", default.warn_before, problems, days),
            kev_due_date: flag(section, "kev-due-date", default.kev_due_date, problems),
            ledger: section.value("ledger").and_then(|value| text(&value, problems)).map(PathBuf::from),
            fixable_means: or(section, "fixable-means", default.fixable_means, problems, |value, problems| {
                value.choice(&["in-suite", "announced"], &[FixableMeans::InSuite, FixableMeans::Announced], problems)
            }),
            ignore_statuses: or(section, "ignore-statuses", default.ignore_statuses, problems, |value, problems| {
                let values = [
                    Status::Fixed,
                    Status::Affected,
                    Status::NoDsa,
                    Status::FixDeferred,
                    Status::WillNotFix,
                    Status::EndOfLife,
                ];
                value.list(problems, |value, word, problems| value.one_of(word, STATUSES, &values, problems))
            }),
            ignore_packages: or(section, "ignore-packages", default.ignore_packages, problems, names_list),
            at_creation: or(section, "at-creation", default.at_creation, problems, AtCreation::read),
            deny: or(section, "deny", default.deny, problems, |value, problems| {
                let tables = value.elements(problems)?;
                Some(tables.iter().filter_map(|table| Deny::read(table, problems)).collect())
            }),
        }
    }
}

impl Resolution {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(RESOLUTION_KEYS, problems)?;
        let default = Self::default();
        if let (Some(_), Some(medium)) = (section.value("moderate"), section.value("medium")) {
            let first = format!("{}.moderate", section.name);
            medium.problem::<(), _, _>(problems, |key| ValueProblem::Twice { key, first });
        }
        let mut read = |key, default| or(&section, key, default, problems, days_or_none);
        let moderate = read("moderate", default.moderate);
        Some(Self {
            critical: read("critical", default.critical),
            high: read("high", default.high),
            moderate: read("medium", moderate),
            low: read("low", default.low),
            negligible: read("negligible", default.negligible),
        })
    }
}

impl AtCreation {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(AT_CREATION_KEYS, problems)?;
        let default = Self::default();
        Some(Self {
            fail_on: or(&section, "fail-on", default.fail_on, problems, |value, problems| {
                let values: Vec<Option<Level>> =
                    std::iter::once(None).chain(LEVEL_OF_WORDS.iter().copied().map(Some)).collect();
                value.choice(FAIL_ON, &values, problems)
            }),
            only_fixable: flag(&section, "only-fixable", default.only_fixable, problems),
        })
    }
}

impl Deny {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(DENY_KEYS, problems)?;
        // A table that asks for nothing would refuse everything.
        let asks = section.required("kev", problems)?;
        if asks.boolean(problems)? {
            return Some(Self { kev: true });
        }
        asks.malformed("false", "true, or the whole table is left out", problems)
    }
}
