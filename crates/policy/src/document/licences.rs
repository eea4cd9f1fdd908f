//! `[licences]`: under which licences packages may be.

use super::admission::Response;

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
