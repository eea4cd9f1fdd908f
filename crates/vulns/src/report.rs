//! Reports of scanners, in one form.
//!
//! What a scanner wrote is read as it is, without the scanner: Trivy's and Grype's JSON of any version, osv-scanner's JSON, and
//! SARIF of anybody, which has less detail. Which of them a report is, is told by what it holds, not by its name.

mod grype;
mod osv_scanner;
mod probe;
mod rated;
mod resolve;
mod sarif;
mod trivy;

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::Escaped;
use jiff::Timestamp;

use crate::finding::{Finding, FixState, Origin, OriginKind, Status};

pub use resolve::{BinaryPackage, Resolved, name_cves, resolve};

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Whose it is.
    pub kind: ReportKind,
    /// The name of the program, where the report says it.
    pub tool: Option<String>,
    /// The version of the program.
    pub version: Option<String>,
    /// What was looked at, as the report names it.
    pub target: Option<String>,
    /// Digests that the report knows the image by, as in `sha256:…`, sorted.
    pub digests: BTreeSet<String>,
    /// The distribution of the image.
    pub system: Option<ReportSystem>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// What was found, in the order of the report.
    pub findings: Vec<Reported>,
    /// What a reader should know of it: what it leaves out, what was not taken from it.
    pub notes: Vec<String>,
}

/// Whose report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// Trivy's JSON.
    Trivy,
    /// Grype's JSON.
    Grype,
    /// osv-scanner's JSON.
    OsvScanner,
    /// SARIF 2.1.0 of any program.
    Sarif,
}

impl ReportKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trivy => "trivy",
            Self::Grype => "grype",
            Self::OsvScanner => "osv-scanner",
            Self::Sarif => "sarif",
        }
    }

    /// The kind of origin of what it finds.
    #[must_use]
    pub fn origin(self) -> OriginKind {
        match self {
            Self::Trivy => OriginKind::Trivy,
            Self::Grype => OriginKind::Grype,
            Self::OsvScanner => OriginKind::OsvScanner,
            Self::Sarif => OriginKind::Sarif,
        }
    }
}

/// The distribution that a report says it looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSystem {
    /// As in `debian`.
    pub family: String,
    /// As in `12`, or `12.5`; empty where the report does not say.
    pub version: String,
}

/// A finding of a report. Its release is not told, and the source package is the binary one where the report only names that:
/// [`resolve()`] knows more.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The type of the package's URL, as in `deb`; none where the report does not say.
    pub kind: Option<String>,
    /// Whether the report names the source package.
    pub names_source: bool,
    /// What was found.
    pub finding: Finding,
}

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// More bytes than are read.
    #[error("it has {size} bytes, where {MAX_BYTES} are the most that is read")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// More values than any real report has in as many bytes.
    #[error("it has more than {MAX_OBJECTS} objects or {MAX_VALUES} values")]
    TooMany,
    /// More findings than are read.
    #[error("it has {found} findings, where {MAX_FINDINGS} are the most that is read")]
    TooManyFindings {
        /// How many.
        found: usize,
    },
    /// JSON that is broken, or not what the kind of report has there. The message names line and column.
    #[error("it is not what a report of {kind} has")]
    Json {
        /// Whose report it looks like.
        kind: &'static str,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// JSON of another kind.
    #[error("it is no report of Trivy, Grype or osv-scanner in JSON, and no SARIF")]
    Unknown,
}

/// Bytes of a report that are read.
pub const MAX_BYTES: usize = 64 << 20;
/// Findings of a report that are read: ten times what the worst images have. Each takes some kilobytes of memory.
pub const MAX_FINDINGS: usize = 100_000;
/// Objects in a report, counted by opening braces. A vulnerability of a real report has about ten, in kilobytes.
pub const MAX_OBJECTS: usize = 1_000_000;
/// Values in a report, counted by commas.
pub const MAX_VALUES: usize = 4_000_000;
/// Bytes of a title that are kept.
const MAX_TITLE: usize = 512;

/// Reads a report of any known kind.
///
/// # Errors
/// [`ReportError`] where it is too large, broken or of no known kind.
pub fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReportError::TooLarge { size: bytes.len() });
    }
    let (objects, values) = bytes.iter().fold((0, 0), |(objects, values), byte| {
        (objects + usize::from(*byte == b'{'), values + usize::from(*byte == b','))
    });
    if objects > MAX_OBJECTS || values > MAX_VALUES {
        return Err(ReportError::TooMany);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let report = match probe::kind(bytes)? {
        ReportKind::Trivy => trivy::read(bytes),
        ReportKind::Grype => grype::read(bytes),
        ReportKind::OsvScanner => osv_scanner::read(bytes),
        ReportKind::Sarif => sarif::read(bytes),
    }?;
    match report.findings.len() {
        found if found > MAX_FINDINGS => Err(ReportError::TooManyFindings { found }),
        _ => Ok(report),
    }
}

impl Report {
    fn new(kind: ReportKind) -> Self {
        Self {
            kind,
            tool: None,
            version: None,
            target: None,
            digests: BTreeSet::new(),
            system: None,
            created: None,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes in references with digests, as in `nginx@sha256:…`, or digests.
    fn add_digests<'a>(&mut self, references: impl IntoIterator<Item = &'a String>) {
        let digest =
            |reference: &'a String| reference.rsplit_once('@').map_or(reference.as_str(), |(_, digest)| digest);
        let is_digest = |text: &&str| text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64);
        self.digests.extend(references.into_iter().map(digest).filter(is_digest).map(str::to_owned));
    }
}

impl Reported {
    /// A finding of which only this is known.
    fn new(report: ReportKind, id: &str, package: &str, version: &str) -> Self {
        let finding = Finding {
            id: id.to_owned(),
            aliases: BTreeSet::new(),
            release: None,
            source: package.to_owned(),
            source_version: version.to_owned(),
            packages: BTreeMap::from([(package.to_owned(), version.to_owned())]),
            status: Status::Affected,
            fixed: None,
            fix_state: FixState::None,
            ratings: Vec::new(),
            published: None,
            fix_available: None,
            kev: None,
            epss: None,
            title: None,
            origins: BTreeSet::from([Origin { kind: report.origin(), id: id.to_owned(), report: None }]),
            vex: Vec::new(),
        };
        Self { kind: None, names_source: false, finding }
    }

    fn fixed_in(mut self, versions: &[&str]) -> Self {
        if let Some(version) = repair(self.kind.as_deref(), &self.finding.source_version, versions) {
            self.finding.fixed = Some(version);
            self.finding.fix_state = FixState::Unchecked;
        }
        self
    }

    fn titled(mut self, title: Option<&str>) -> Self {
        self.finding.title = title.and_then(|title| {
            let line = title.lines().map(str::trim).find(|line| !line.is_empty())?;
            let end = (0..=MAX_TITLE.min(line.len())).rev().find(|end| line.is_char_boundary(*end))?;
            line.get(..end).map(str::to_owned)
        });
        self
    }
}

/// Of several versions that repair something in several series, the one for the installed version.
fn repair(kind: Option<&str>, installed: &str, versions: &[&str]) -> Option<String> {
    use distil_debunpack::Version;
    let versions: Vec<&str> = versions.iter().map(|version| version.trim()).filter(|v| !v.is_empty()).collect();
    if kind == Some(DEB) {
        let parse = |text: &str| text.parse::<Version>().ok();
        let installed = parse(installed);
        let above =
            versions.iter().filter_map(|version| parse(version)).filter(|v| installed.as_ref().is_none_or(|i| v > i));
        if let Some(version) = above.min() {
            return Some(version.to_string());
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

/// The type of package URLs of Debian packages.
const DEB: &str = "deb";

/// Something of a report, fit for a note.
fn shown(text: &str) -> Escaped<'_> {
    Escaped(text.as_bytes())
}

fn json(kind: ReportKind) -> impl FnOnce(serde_json::Error) -> ReportError {
    move |source| ReportError::Json { kind: kind.as_str(), source }
}

#[cfg(test)]
mod tests;
