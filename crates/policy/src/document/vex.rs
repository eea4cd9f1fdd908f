//! `[vex]`: whose statements that a vulnerability does not matter are believed.

use super::reading::{age_or_none, flag, or, texts};
use crate::problem::Problems;
use distil_settings::{Keys, Section, Value};
use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::glob::Glob;

/// Whose statements are believed, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vex {
    /// Patterns for files of documents, relative to the policy's folder. Each stands for one at least.
    pub documents: Vec<String>,
    /// The justifications that are enough, in the words of `OpenVEX`, as in `component_not_present`.
    pub accept_justifications: BTreeSet<String>,
    /// The authors who are believed; all where there is none.
    pub trusted_authors: Vec<String>,
    /// Whether a signature of the document must have been verified.
    pub require_signature: bool,
    /// Whether documents are read that one of the policy's authorities signed and attached to the image.
    pub discover_referrers: bool,
    /// Older statements are not believed.
    pub max_age: Option<SignedDuration>,
}

impl Default for Vex {
    fn default() -> Self {
        let justifications = ["component_not_present", "vulnerable_code_not_present"];
        Self {
            documents: Vec::new(),
            accept_justifications: justifications.map(str::to_owned).into(),
            trusted_authors: Vec::new(),
            require_signature: false,
            discover_referrers: true,
            max_age: Some(SignedDuration::from_hours(365 * 24)),
        }
    }
}

pub(crate) const KEYS: Keys = Keys::all(&[
    "documents",
    "accept-justifications",
    "trusted-authors",
    "require-signature",
    "discover-referrers",
    "max-age",
]);

const FILES: &str = "a file name, in which *, ?, [ab], {one,two} and ** stand for others";

const JUSTIFICATIONS: &[&str] = &[
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

impl Vex {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        let accepted = |value: &Value<'_, '_>, problems: &mut Problems<'_>| {
            let read = |value: &Value<'_, '_>, word: &str, problems: &mut Problems<'_>| {
                value.one_of(word, JUSTIFICATIONS, JUSTIFICATIONS, problems).map(str::to_owned)
            };
            Some(value.list(problems, read)?.into_iter().collect())
        };
        Self {
            documents: or(section, "documents", default.documents, problems, |value, problems| {
                value.list(problems, |value, text, problems| {
                    is_file_pattern(text).then(|| text.to_owned()).or_else(|| value.malformed(text, FILES, problems))
                })
            }),
            accept_justifications: or(
                section,
                "accept-justifications",
                default.accept_justifications,
                problems,
                accepted,
            ),
            trusted_authors: or(section, "trusted-authors", default.trusted_authors, problems, texts),
            require_signature: flag(section, "require-signature", default.require_signature, problems),
            discover_referrers: flag(section, "discover-referrers", default.discover_referrers, problems),
            max_age: or(section, "max-age", default.max_age, problems, age_or_none),
        }
    }
}

/// Whether each component is a pattern of names. Which files there are is not known here.
fn is_file_pattern(text: &str) -> bool {
    let names = || text.split('/').filter(|name| !matches!(*name, "" | "."));
    !text.ends_with('/')
        && !text.contains('\0')
        && names().next().is_some()
        && names().all(|name| Glob::of_paths(name).is_ok())
}
