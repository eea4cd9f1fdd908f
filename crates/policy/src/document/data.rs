//! `[data]`: how fresh the data about vulnerabilities has to be, and what its gaps mean.

use jiff::SignedDuration;

/// What is asked of the data about vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Where the newest of the advisories is older than this, nothing is decided.
    pub max_data_age: SignedDuration,
    /// What becomes of vulnerabilities of which nobody knows yet whether the package is affected.
    pub undetermined: Undetermined,
}

/// What becomes of vulnerabilities of which nobody knows yet whether the package is affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undetermined {
    /// They are told, and do not count.
    #[default]
    Report,
    /// They count as if the package was affected.
    Count,
    /// They are left out.
    Ignore,
}

impl Default for Data {
    fn default() -> Self {
        Self { max_data_age: SignedDuration::from_hours(48), undetermined: Undetermined::default() }
    }
}
