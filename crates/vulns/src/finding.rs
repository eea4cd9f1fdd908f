//! A vulnerability of a package in an image.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::advisory::{Epss, Kev};
use crate::severity::Rating;

/// A vulnerability of a source package in an image, whoever found it. There is one for each CVE, source package and source
/// version, however many binary packages and advisories tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The CVE, or where there is none the identifier of who found it: `TEMP-…`, `DSA-…`.
    pub id: String,
    /// Its other identifiers, advisories among them.
    pub aliases: BTreeSet<String>,
    /// The codename of the release, as in `bookworm`; none for what is no Debian package, or where a report does not say.
    pub release: Option<String>,
    /// The source package.
    pub source: String,
    /// The version of the source package in the image.
    pub source_version: String,
    /// The binary packages that were built from it, with their versions.
    pub packages: BTreeMap<String, String>,
    /// Where it stands.
    pub status: Status,
    /// The lowest version of the source package that is not affected any more.
    pub fixed: Option<String>,
    /// Whether that version is to be had.
    pub fix_state: FixState,
    /// What raters say; the policy's order decides between them.
    pub ratings: Vec<Rating>,
    /// When it was published.
    #[schemars(with = "Option<String>")]
    pub published: Option<Date>,
    /// When the fixed version came out.
    #[schemars(with = "Option<String>")]
    pub fix_available: Option<Date>,
    /// That it is known to be exploited.
    pub kev: Option<Kev>,
    /// How likely it is to be exploited.
    pub epss: Option<Epss>,
    /// One line about it, as somebody wrote it: not fit for a terminal or a page as it is.
    pub title: Option<String>,
    /// Who found it.
    pub origins: BTreeSet<Origin>,
    /// What VEX documents say of it that was taken into account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vex: Vec<VexNote>,
}

/// Where a vulnerability stands in a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Repaired in a version that the image does not have.
    Fixed,
    /// There, and not repaired yet.
    Affected,
    /// There, and too minor for an advisory of its own.
    NoDsa,
    /// There, and to be repaired later, with something else.
    FixDeferred,
    /// There, and not to be repaired.
    WillNotFix,
    /// There, and the release or package has no support any more.
    EndOfLife,
    /// Nobody knows yet whether the package is affected.
    UnderInvestigation,
    /// The image's version is newer than all that the feed knows of, so that it does not tell.
    Unknown,
    /// Looked at, and not affected, in any version of this release.
    NotAffected,
    /// Repaired in the image's version.
    Resolved,
}

impl Status {
    /// Whether the image has the vulnerability, as far as is known.
    #[must_use]
    pub fn is_affected(self) -> bool {
        !matches!(self, Self::UnderInvestigation | Self::Unknown | Self::NotAffected | Self::Resolved)
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::NoDsa => "no-dsa",
            Self::FixDeferred => "fix-deferred",
            Self::WillNotFix => "will-not-fix",
            Self::EndOfLife => "end-of-life",
            Self::UnderInvestigation => "under-investigation",
            Self::Unknown => "unknown",
            Self::NotAffected => "not-affected",
            Self::Resolved => "resolved",
        }
    }
}

/// Whether a version that repairs it is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FixState {
    /// Nothing repairs it.
    None,
    /// A version is known; nobody could tell whether it is to be had. A policy takes it as if it were.
    Unchecked,
    /// A version is known, and is not in the release yet.
    Announced,
    /// A version that repairs it is in the release.
    InSuite,
}

/// Who found it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// What kind of source.
    pub kind: OriginKind,
    /// Its own identifier of it.
    pub id: String,
    /// The report's file; none for the database.
    pub report: Option<String>,
}

/// A kind of source of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// The Debian security tracker.
    Tracker,
    /// OSV records.
    Osv,
    /// Debian security advisories.
    Dsa,
    /// Advisories of Debian's long-term support.
    Dla,
    /// A report of Trivy.
    Trivy,
    /// A report of Grype.
    Grype,
    /// A report of osv-scanner.
    OsvScanner,
    /// A report in SARIF, with less detail.
    Sarif,
}

/// What a VEX document says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VexNote {
    /// The document: its identifier, or its file.
    pub document: String,
    /// Its author.
    pub author: Option<String>,
    /// `not-affected`, `affected`, `fixed` or `under-investigation`.
    pub status: String,
    /// The justification, as in `vulnerable_code_not_present`.
    pub justification: Option<String>,
    /// Words about the impact.
    pub impact: Option<String>,
    /// The day of the statement.
    #[schemars(with = "Option<String>")]
    pub date: Option<Date>,
    /// Whether a signature of the document was verified.
    pub is_verified: bool,
}
