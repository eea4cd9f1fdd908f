//! `[vulnerabilities]`: within what time they have to be resolved, and which are refused at once.

use distil_vulns::{Level, Status};

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
