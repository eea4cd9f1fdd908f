//! `[freshness]`: how old an image may be, and how long its system has to be supported.

use super::reading::{age_or_none, days, or, weight_or_off};
use crate::problem::Problems;
use crate::verdict::Weight;
use distil_settings::{Keys, Section};
use jiff::SignedDuration;

/// How old things may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// An older image is a warning.
    pub max_image_age: Option<SignedDuration>,
    /// An older report of a scanner is a warning.
    pub max_scan_age: Option<SignedDuration>,
    /// Whose support the image's release must have.
    pub support_tier: SupportTier,
    /// So many days before that support ends, there is a warning.
    pub end_of_support_notice: u32,
    /// How much it counts that the tag of the base means another image now; none where nobody asks.
    pub base_image: Option<Weight>,
    /// How much it counts that the configured suites have a newer version of a package; none where it does not.
    pub packages: Option<Weight>,
    /// How much it counts that this is a security update.
    pub security_packages: Option<Weight>,
    /// How much it counts that a package has less support than its release.
    pub limited_support: Option<Weight>,
}

/// Whose support counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SupportTier {
    /// That of Debian's security team.
    Regular,
    /// That of Debian's long-term support as well.
    #[default]
    Lts,
    /// That of extended long-term support as well, which is sold by others.
    Elts,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            max_image_age: Some(SignedDuration::from_hours(60 * 24)),
            max_scan_age: Some(SignedDuration::from_hours(30 * 24)),
            support_tier: SupportTier::default(),
            end_of_support_notice: 90,
            base_image: Some(Weight::Warning),
            packages: Some(Weight::Warning),
            security_packages: Some(Weight::Error),
            limited_support: Some(Weight::Warning),
        }
    }
}

pub(crate) const KEYS: Keys = Keys::all(&[
    "max-image-age",
    "max-scan-age",
    "support-tier",
    "end-of-support-notice",
    "base-image",
    "packages",
    "security-packages",
    "limited-support",
]);

impl Freshness {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        Self {
            max_image_age: or(section, "max-image-age", default.max_image_age, problems, age_or_none),
            max_scan_age: or(section, "max-scan-age", default.max_scan_age, problems, age_or_none),
            support_tier: or(section, "support-tier", default.support_tier, problems, |value, problems| {
                let values = [SupportTier::Regular, SupportTier::Lts, SupportTier::Elts];
                value.choice(&["regular", "lts", "elts"], &values, problems)
            }),
            end_of_support_notice: or(section, "end-of-support-notice", default.end_of_support_notice, problems, days),
            base_image: or(section, "base-image", default.base_image, problems, weight_or_off),
            packages: or(section, "packages", default.packages, problems, weight_or_off),
            security_packages: or(section, "security-packages", default.security_packages, problems, weight_or_off),
            limited_support: or(section, "limited-support", default.limited_support, problems, weight_or_off),
        }
    }
}
