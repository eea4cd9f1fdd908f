//! One thing that a document says.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::Product;

/// The words of both formats for why a product is not affected.
pub const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// How a vulnerability and some products stand to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The vulnerability, by any of its identifiers.
    pub ids: BTreeSet<String>,
    /// What it is about.
    pub products: Vec<Arc<Product>>,
    /// Where they stand.
    pub status: VexStatus,
    /// Why they are not affected: one of [`JUSTIFICATIONS`].
    pub justification: Option<String>,
    /// Words about the impact.
    pub impact: Option<String>,
    /// What to do.
    pub action: Option<String>,
    /// When it was said; none where neither it nor its document says.
    pub timestamp: Option<Timestamp>,
}

impl Statement {
    /// Whether the statement can be used for any image.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.ids.is_empty() {
            return Err("it names no vulnerability".to_owned());
        }
        if let Some(word) = self.justification.as_deref().filter(|word| !JUSTIFICATIONS.contains(word)) {
            return Err(format!("{} is no justification", distil_imgcore::Escaped(word.as_bytes())));
        }
        if self.status == VexStatus::NotAffected && self.justification.is_none() && self.impact.is_none() {
            return Err("it says not_affected without a justification or an impact statement".to_owned());
        }
        self.check_products(None)
    }

    /// Whether it can be about an image with packages of this vendor.
    pub(super) fn check_for(&self, vendor: &str) -> Result<(), String> {
        self.check_products(Some(vendor))
    }

    fn check_products(&self, vendor: Option<&str>) -> Result<(), String> {
        let mut reasons = self.products.iter().map(|product| product.why_not_bound(vendor));
        match reasons.next() {
            None => Err("it names no product".to_owned()),
            Some(Some(first)) if reasons.all(|reason| reason.is_some()) => Err(first),
            Some(_) => Ok(()),
        }
    }
}

/// Where a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VexStatus {
    /// The vulnerability was repaired in it.
    Fixed,
    /// The vulnerability does not concern it.
    NotAffected,
    /// Nobody knows yet.
    UnderInvestigation,
    /// It is vulnerable.
    Affected,
}

impl VexStatus {
    /// The word as in [`VexNote::status`](crate::VexNote::status).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
            Self::UnderInvestigation => "under-investigation",
            Self::Affected => "affected",
        }
    }

    /// Whether a finding can be left out because of it.
    #[must_use]
    pub fn suppresses(self) -> bool {
        matches!(self, Self::Fixed | Self::NotAffected)
    }

    /// The status of a word, with either kind of line between its parts.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "fixed" => Some(Self::Fixed),
            "not_affected" | "not-affected" => Some(Self::NotAffected),
            "under_investigation" | "under-investigation" => Some(Self::UnderInvestigation),
            "affected" => Some(Self::Affected),
            _ => None,
        }
    }
}

impl fmt::Display for VexStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
