//! The answer.

use std::collections::BTreeMap;

use distil_imgcore::Digest;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::SourceFacts;

/// The name of the form of [`Verdict`].
pub const VERDICT: &str = "distil.check/v1";

/// Whether an image may go out, with every reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// [`VERDICT`].
    pub schema: String,
    /// The answer.
    pub verdict: Outcome,
    /// The image as it was asked for.
    pub reference: String,
    /// The digest that was judged.
    pub digest: String,
    /// The moment for which it was judged.
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// Until when the answer holds if nothing new is found: the first deadline or date that would change it.
    #[schemars(with = "Option<String>")]
    pub good_until: Option<Date>,
    /// The name of the policy.
    pub policy: String,
    /// The SHA-256 of the policy's text, in hexadecimal digits.
    pub policy_sha256: String,
    /// The data that was taken into account.
    pub sources: Vec<SourceFacts>,
    /// What is against it, and what is only told, the worst first.
    pub violations: Vec<Violation>,
    /// What would be against it, and is excepted.
    pub suppressed: Vec<Suppressed>,
    /// What keeps it from being decided.
    pub undecided: Vec<String>,
    /// What no image can show, and somebody has to look after: rules by identifier, with their words.
    pub manual: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing is against it.
    Pass,
    /// Something is against it.
    Fail,
    /// Data is missing or stale, so that nobody can tell. Where something is against it all the same, that is the answer.
    Undecided,
}

/// How much a violation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It is against the image.
    Error,
    /// It is told.
    Warning,
    /// It is told to those who ask.
    Note,
}

/// Something that a rule is against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Violation {
    /// The rule, as in `DSTL-VUL-001`.
    pub rule: String,
    /// How much it counts.
    pub weight: Weight,
    /// What it is about: a path, a package, a vulnerability and its source package, a key of the configuration.
    pub subject: String,
    /// What was seen, in one line.
    pub evidence: String,
    /// What to do about it.
    pub fix: String,
    /// The last day on which it is in order, or was.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Date>,
    /// Days from now to that day; negative where it has passed.
    pub days_left: Option<i64>,
    /// The platforms that it is about; none for all.
    pub platforms: Vec<String>,
    /// The file of the image where a reader finds it, relative to the root.
    pub location: Option<String>,
    /// The vulnerability, where it is about one.
    pub vulnerability: Option<VulnerabilityNote>,
}

/// What outputs need of a vulnerability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VulnerabilityNote {
    /// The vulnerability.
    pub id: String,
    /// The source package.
    pub source: String,
    /// Its version.
    pub installed: String,
    /// The version that repairs it.
    pub fixed: Option<String>,
    /// The binary packages.
    pub packages: Vec<String>,
    /// How bad it is, and who says so.
    pub severity: distil_vulns::Severity,
    /// Where it stands.
    pub status: distil_vulns::Status,
    /// One line about it, as somebody wrote it.
    pub title: Option<String>,
    /// The release.
    pub release: Option<String>,
}

/// What would be a violation, and is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Suppressed {
    /// What it would be.
    pub violation: Violation,
    /// Who or what says that it is in order: an exception of the policy, a VEX document, a status that the policy leaves out.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when, exclusive: from the start of this day (UTC) on it counts.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
}

/// That one image, by its digest, may go out. Only a verdict makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    digest: Digest,
    policy_sha256: String,
}

impl Approval {
    /// The digest that may go out.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The SHA-256 of the policy that says so, in hexadecimal digits.
    #[must_use]
    pub fn policy_sha256(&self) -> &str {
        &self.policy_sha256
    }
}

impl Verdict {
    /// The approval of a clean verdict about this digest; none for any other answer, or another digest.
    #[must_use]
    pub fn approve(&self, digest: &Digest) -> Option<Approval> {
        let is_clean = self.verdict == Outcome::Pass
            && self.undecided.is_empty()
            && self.violations.iter().all(|violation| violation.weight != Weight::Error);
        (is_clean && self.digest == digest.to_string())
            .then(|| Approval { digest: digest.clone(), policy_sha256: self.policy_sha256.clone() })
    }
}
