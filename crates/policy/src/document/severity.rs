//! `[severity]`: whose word decides how bad a vulnerability is.

use distil_vulns::{Level, Rater};

use super::glob::Glob;

/// Whose word decides how bad a vulnerability is. What the policy itself says goes before all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRules {
    /// Who is asked in turn; [`Rater::Override`] is not among them. Who is missing is not asked.
    pub order: Vec<Rater>,
    /// What Debian's "unimportant" means.
    pub unimportant: Level,
    /// What it means that Debian has not assigned an urgency yet; none to ask the next one.
    pub not_yet_assigned: Option<Level>,
    /// What counts where nobody says.
    pub unknown: Level,
    /// Which version of CVSS decides where a rater gives several, the first before the others.
    pub cvss_preference: Vec<CvssVersion>,
    /// What the policy itself says; of several that fit, the first.
    pub overrides: Vec<Override>,
}

/// What the policy itself says of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// The source or binary packages that it is about.
    pub package: Glob,
    /// How bad it is.
    pub level: Level,
    /// Why.
    pub reason: Option<String>,
}

/// A version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0
    V2,
    /// 3.0
    V30,
    /// 3.1
    V31,
    /// 4.0
    V4,
}

impl CvssVersion {
    /// The version as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V4 => "4.0",
        }
    }
}

impl Default for SeverityRules {
    fn default() -> Self {
        Self {
            order: vec![Rater::DebianUrgency, Rater::NvdCvss, Rater::CnaCvss, Rater::Vendor],
            unimportant: Level::Negligible,
            not_yet_assigned: None,
            unknown: Level::Moderate,
            cvss_preference: vec![CvssVersion::V4, CvssVersion::V31, CvssVersion::V30, CvssVersion::V2],
            overrides: Vec::new(),
        }
    }
}
