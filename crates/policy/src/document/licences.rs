//! `[licences]`: under which licences packages may be.

use super::admission::Response;
use super::reading::or;
use crate::problem::{PolicyProblem, Problems};
use distil_settings::{Keys, Section, Value};
use spdx::Expression;

/// Under which licences packages may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licences {
    /// The licences that are in order: identifiers of SPDX, alone or `WITH` an exception, or `LicenseRef-…`. All that are not
    /// forbidden where there is none.
    pub allowed: Vec<String>,
    /// The licences that are not, in the same form.
    pub forbidden: Vec<String>,
    /// What follows for a package whose licences are not known.
    pub unknown: Response,
}

impl Default for Licences {
    fn default() -> Self {
        Self { allowed: Vec::new(), forbidden: Vec::new(), unknown: Response::Warn }
    }
}

impl Licences {
    /// Whether anything is asked at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.forbidden.is_empty() && self.unknown != Response::Deny
    }
}

pub(crate) const KEYS: Keys = Keys::all(&["allowed", "forbidden", "unknown"]);

const LICENCE: &str = "one licence of SPDX's list as in Apache-2.0, alone or WITH an exception, or a LicenseRef-";

impl Licences {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let allowed = or(section, "allowed", Vec::new(), problems, |value, problems| value.list(problems, licence));
        let forbidden = section.value("forbidden").and_then(|value| {
            value.list(problems, |value, text, problems| {
                let licence = licence(value, text, problems)?;
                if allowed.contains(&licence) {
                    let (found, allowed) = (licence, "licences.allowed");
                    return value.problem(problems, |key| PolicyProblem::Contradiction { key, found, allowed });
                }
                Some(licence)
            })
        });
        Self {
            forbidden: forbidden.unwrap_or_default(),
            unknown: or(section, "unknown", Self::default().unknown, problems, Response::read),
            allowed,
        }
    }
}

/// One licence, in the one spelling of the list.
fn licence(value: &Value<'_, '_>, text: &str, problems: &mut Problems<'_>) -> Option<String> {
    let simple = !text.is_empty() && text.len() <= 200 && !text.contains(['(', ')', '+']);
    let parsed = simple.then(|| Expression::parse(text).ok()).flatten();
    let only = parsed.filter(|parsed| parsed.requirements().count() == 1);
    only.map(|only| only.to_string()).filter(|one| one == text).or_else(|| value.malformed(text, LICENCE, problems))
}
