//! All that a verdict is made from, beside the policy: it can be kept, and judged again years later.

use std::collections::{BTreeMap, BTreeSet};

use distil_vulns::Finding;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::observation::Observation;

/// The name of the form of [`Facts`].
pub const FACTS: &str = "distil.facts/v1";

/// What is known of an image at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Facts {
    /// [`FACTS`].
    pub schema: String,
    /// The moment; an argument may stand in its place.
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// The image as it was asked for.
    pub reference: String,
    /// The digest that this stood for.
    pub digest: String,
    /// One for each platform that was looked at, by name.
    pub platforms: BTreeMap<String, PlatformFacts>,
    /// Signatures that were verified, and what was tried.
    pub signatures: SignatureFacts,
    /// What is attached to the image.
    pub attached: Vec<AttachedFacts>,
    /// The data that findings come from.
    pub data: DataFacts,
    /// Support of releases, by codename.
    pub support: BTreeMap<String, SupportFacts>,
    /// What was seen first when.
    pub ledger: Ledger,
    /// Where the ledger, or a part of it, was attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_from: Option<LedgerOrigin>,
    /// What ignore files of scanners leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<ImportedIgnore>,
    /// Entries of ignore files that are not taken over, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores_left_out: Vec<String>,
    /// Statements of VEX documents that could not be used, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vex_unusable: Vec<String>,
    /// What a reader should know of reports and statements, a line each. It changes no verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What could not be found out and would be needed, a line each: nothing is decided then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Whether it is judged as an image that is made at this moment, whatever date it bears. A reproducible image bears that of
    /// what it was made from.
    #[serde(default)]
    pub is_new: bool,
    /// What was recorded for the tag by which the image was asked for; none where nothing was, or there is no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RecordedFacts>,
}

/// An image beside which a ledger was found, in statements that the policy's authorities signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LedgerOrigin {
    /// The image as it was asked for.
    pub reference: String,
    /// The digest that this stood for.
    pub digest: String,
    /// The digests of the statements.
    pub statements: BTreeSet<String>,
}

/// A vulnerability that an ignore file of a scanner leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImportedIgnore {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// A pattern of the packages in which it is left out; none for all.
    pub package: Option<String>,
    /// Whether the pattern is one of source packages, with all that was built from them, and not of binary ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_source: bool,
    /// The version of that package for which alone it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// From the start of this day (UTC) on it counts again; none where the file does not say.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// Why.
    pub reason: Option<String>,
    /// The file, without folders.
    pub origin: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// An image of one platform.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlatformFacts {
    /// The digest of its manifest.
    pub digest: String,
    /// Bytes of all its layers as they are stored.
    pub size: u64,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerFacts>,
    /// What its configuration says.
    pub config: ConfigFacts,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// When it was made, where something other than a zero date says so.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// `ID` of its `os-release`.
    pub system: Option<String>,
    /// The codename of its release, as in `bookworm`; none where it is not known.
    pub release: Option<String>,
    /// Its packages, by name and version.
    pub packages: Vec<PackageFacts>,
    /// Records of packages that could not be read.
    pub unreadable: Vec<String>,
    /// What is in its files that a rule may be about.
    pub observations: Vec<Observation>,
    /// Known vulnerabilities.
    pub findings: Vec<Finding>,
    /// What the build says in statements that are attached; none where there is no such statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<BuiltFacts>,
    /// What the tag of its base stands for; none where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseFacts>,
    /// Source packages of it that have less support than the release, where lists of these were imported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub less_support: Vec<PackageSupportFacts>,
}

/// What an image says that it was built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedBase<'a> {
    /// Its name, as it is written.
    pub name: &'a str,
    /// Its digest, as it is written.
    pub digest: Option<&'a str>,
}

impl PlatformFacts {
    /// The base that annotations of the manifest name, or else labels; none for an image that was built on nothing.
    #[must_use]
    pub fn stated_base(&self) -> Option<StatedBase<'_>> {
        let said = |key: &str| self.annotations.get(key).or_else(|| self.config.labels.get(key)).map(String::as_str);
        let said = |key| said(key).filter(|text| !text.is_empty());
        let name = said(BASE_NAME).filter(|name| *name != "scratch")?;
        Some(StatedBase { name, digest: said(BASE_DIGEST) })
    }
}

/// The annotation that names a base.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// The annotation that has its digest.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// What the tag of a base stands for at the moment of the facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BaseFacts {
    /// The digest; none where it could not be found out.
    pub digest: Option<String>,
    /// Those of the images of single platforms below it, since tools note either.
    pub manifests: BTreeSet<String>,
    /// Why it could not be found out, in one line.
    pub obstacle: Option<String>,
}

/// What a record of releases says of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecordedFacts {
    /// The digest that was last recorded for it.
    pub digest: String,
    /// When, as the record says.
    pub when: String,
    /// The digest that the reference stood for. It is another one than that of the facts where one platform is judged.
    pub present: String,
}

/// The statements that say what an image was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BuiltFacts {
    /// Their digests.
    pub statements: BTreeSet<String>,
    /// The authorities that signed them, and were verified. Without any, it is what somebody says.
    pub verified: BTreeSet<String>,
    /// Whether the image starts from another one, of whose packages these say nothing.
    pub on_base: bool,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LayerFacts {
    /// The digest of its bytes as they are stored.
    pub digest: String,
    /// Bytes as they are stored.
    pub size: u64,
    /// Bytes when unpacked, where they were read.
    pub unpacked: Option<u64>,
}

/// What a configuration says, as it is written there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfigFacts {
    /// `User`.
    pub user: Option<String>,
    /// `Env`: names and values.
    pub env: Vec<(String, String)>,
    /// `Entrypoint`; none where it is missing.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`; none where it is missing.
    pub cmd: Option<Vec<String>>,
    /// `WorkingDir`.
    pub workdir: Option<String>,
    /// `ExposedPorts`.
    pub exposed_ports: BTreeSet<String>,
    /// `Volumes`.
    pub volumes: BTreeSet<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// Whether there is a `Healthcheck` other than `NONE`.
    pub has_healthcheck: bool,
    /// `created_by` of its history, the oldest first.
    pub history: Vec<String>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackageFacts {
    /// The type of its package URL: `deb`, `pypi`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The source package.
    pub source: String,
    /// The version of the source package.
    pub source_version: String,
    /// Debian's name of the architecture.
    pub architecture: Option<String>,
    /// The licences as an SPDX expression, where known.
    pub licences: Option<String>,
    /// `Origin` of the repository that it came from, where the build said so.
    pub repository: Option<String>,
    /// Whether advisories about the release are about it. Packages of others are not.
    pub has_advisories: bool,
    /// The newest version in the configured suites, where these were asked.
    pub candidate: Option<String>,
    /// The suite that has it, as in `bookworm-security`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate_suite: Option<String>,
    /// The version of the source package that it is built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate_source_version: Option<String>,
    /// The newest version in those of the suites that security updates come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_candidate: Option<String>,
    /// Whether the build says that it came from no repository.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_local: bool,
    /// Whether its record says that it was unpacked, or not even that wholly, and not configured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

/// A source package with less support than its release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackageSupportFacts {
    /// The source package.
    pub source: String,
    /// The day on which its support ends, or did; none where it is limited.
    #[schemars(with = "Option<String>")]
    pub ended: Option<Date>,
    /// The last version that had support; none where it is limited, or no version of the release had any.
    pub last_version: Option<String>,
    /// Why, in one line as somebody wrote it.
    pub text: Option<String>,
}

/// Signatures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignatureFacts {
    /// The names of the policy's authorities that signed the digest, and were verified.
    pub verified: BTreeSet<String>,
    /// What was found and is not good, or could not be looked for: a line each.
    pub refused: Vec<String>,
}

/// A document or statement that refers to the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AttachedFacts {
    /// Its digest.
    pub digest: String,
    /// Its predicate type for a statement, else its media type.
    pub kind: String,
    /// The authorities that signed it, and were verified.
    pub verified: BTreeSet<String>,
    /// The platform whose manifest it refers to; none for the whole image.
    pub platform: Option<String>,
    /// When it was made, where it says so.
    #[schemars(with = "Option<String>")]
    pub made: Option<Timestamp>,
    /// Whether it says that the image passed, where it is a summary of a verification; none for what says no such thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
}

/// The data that findings come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DataFacts {
    /// Feeds and reports.
    pub sources: Vec<SourceFacts>,
}

/// A feed or a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SourceFacts {
    /// `tracker`, `osv`, `dsa`, `dla`, `kev`, `epss`, `nvd`, `distro-info`, `suite`,
    /// `support-ended`, `support-limited`, `trivy`, `grype`, `osv-scanner`, `sarif`.
    pub kind: String,
    /// Its file, without folders; for a suite its codename, as in `bookworm-security`.
    pub name: String,
    /// The SHA-256 of its bytes, for a suite of the file that is signed, in hexadecimal digits.
    pub sha256: String,
    /// The newest time in it, or where it has none that of its file: how fresh it is.
    #[schemars(with = "Option<String>")]
    pub date: Option<Timestamp>,
    /// As of when a suite is known: when it was fetched, or the time of the snapshot. Suites that do not change keep their date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub fetched: Option<Timestamp>,
    /// Until when a suite says that it is to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub valid_until: Option<Timestamp>,
    /// How many records were taken from it.
    pub records: u64,
}

/// Until when a release is supported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SupportFacts {
    /// `VERSION_ID`, as in `12`.
    pub version: Option<String>,
    /// The last day of regular support.
    #[schemars(with = "Option<String>")]
    pub regular: Option<Date>,
    /// The last day of long-term support.
    #[schemars(with = "Option<String>")]
    pub lts: Option<Date>,
    /// The last day of extended long-term support.
    #[schemars(with = "Option<String>")]
    pub elts: Option<Date>,
}
