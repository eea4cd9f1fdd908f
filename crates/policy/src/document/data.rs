//! `[data]`: how fresh the data about vulnerabilities has to be, and what its gaps mean.

use super::reading::{age, or};
use crate::problem::Problems;
use distil_settings::{Keys, Section};
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

pub(crate) const KEYS: Keys = Keys::all(&["max-data-age", "undetermined"]);

impl Data {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        Self {
            max_data_age: or(section, "max-data-age", default.max_data_age, problems, age),
            undetermined: or(section, "undetermined", default.undetermined, problems, |value, problems| {
                let values = [Undetermined::Report, Undetermined::Count, Undetermined::Ignore];
                value.choice(&["report", "count", "ignore"], &values, problems)
            }),
        }
    }
}
