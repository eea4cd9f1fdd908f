//! `[packages]`: what must be in an image, and what must not.

use super::glob::Glob;

/// What must be in an image, and what must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packages {
    /// Binary packages that must be there; any of those that a pattern fits is enough.
    pub required: Vec<Glob>,
    /// Binary packages that must not be there.
    pub forbidden: Vec<Glob>,
}
