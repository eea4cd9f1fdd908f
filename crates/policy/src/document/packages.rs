//! `[packages]`: what must be in an image, and what must not.

use super::glob::Glob;
use super::reading::{names, names_list, or};
use crate::problem::{PolicyProblem, Problems};
use distil_settings::{Keys, Section};

/// What must be in an image, and what must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packages {
    /// Binary packages that must be there; any of those that a pattern fits is enough.
    pub required: Vec<Glob>,
    /// Binary packages that must not be there.
    pub forbidden: Vec<Glob>,
}

pub(crate) const KEYS: Keys = Keys::all(&["required", "forbidden"]);

impl Packages {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let required = or(section, "required", Vec::new(), problems, names_list);
        let forbidden = section.value("forbidden").and_then(|value| {
            value.list(problems, |value, text, problems| {
                if required.iter().any(|required| required.as_str() == text) {
                    let (found, allowed) = (text.to_owned(), "packages.required");
                    return value.problem(problems, |key| PolicyProblem::Contradiction { key, found, allowed });
                }
                names(value, problems)
            })
        });
        Self { required, forbidden: forbidden.unwrap_or_default() }
    }
}
