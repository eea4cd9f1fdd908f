//! `[vex]`: whose statements that a vulnerability does not matter are believed.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// Whose statements are believed, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vex {
    /// The justifications that are enough, in the words of `OpenVEX`, as in `component_not_present`.
    pub accept_justifications: BTreeSet<String>,
    /// The authors who are believed; all where there is none.
    pub trusted_authors: Vec<String>,
    /// Whether a signature of the document must have been verified.
    pub require_signature: bool,
    /// Older statements are not believed.
    pub max_age: Option<SignedDuration>,
}

impl Default for Vex {
    fn default() -> Self {
        let justifications = ["component_not_present", "vulnerable_code_not_present"];
        Self {
            accept_justifications: justifications.map(str::to_owned).into(),
            trusted_authors: Vec::new(),
            require_signature: false,
            max_age: Some(SignedDuration::from_hours(365 * 24)),
        }
    }
}
