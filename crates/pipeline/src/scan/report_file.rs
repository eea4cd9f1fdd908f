//! Reports of scanners in files.

use std::path::Path;

use distil_imgcore::Digest;
use distil_policy::facts::SourceFacts;
use distil_vulns::report::{self, Report};
use sha2::{Digest as _, Sha256};

use super::ScanError;
use crate::regular_file;

/// A report that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportFile {
    /// What it says.
    pub report: Report,
    /// Its file, and what is known of it.
    pub source: SourceFacts,
}

/// Reads a report of Trivy, Grype or osv-scanner in JSON, or SARIF of any scanner.
///
/// # Errors
/// [`ScanError::File`] and [`ScanError::Report`].
pub fn read_report(path: &Path) -> Result<ReportFile, ScanError> {
    let bytes = regular_file::read_up_to(path, report::MAX_BYTES)
        .map_err(|source| ScanError::File { path: path.to_owned(), source })?;
    let report =
        report::read(&bytes).map_err(|source| ScanError::Report { path: path.to_owned(), source: Box::new(source) })?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let source = SourceFacts {
        kind: report.kind.as_str().to_owned(),
        name,
        sha256: hex::encode(Sha256::digest(&bytes)),
        date: report.created,
        fetched: None,
        valid_until: None,
        records: report.findings.len() as u64,
    };
    Ok(ReportFile { report, source })
}

/// The reports that may be about the image of one platform: those that name a digest of its own, or that of the whole image, or
/// none that is known. Its own are those of its manifest and of its configuration: the manifest that Grype names of an archive is
/// one that it made itself.
pub(super) fn about<'a>(
    reports: &'a [ReportFile],
    root: &Digest,
    own: &[String],
    known: &[String],
) -> Vec<&'a ReportFile> {
    let root = root.to_string();
    let is_about = |file: &&ReportFile| {
        let digests = &file.report.digests;
        let is_named = digests.contains(&root) || own.iter().any(|own| digests.contains(own));
        is_named || !known.iter().any(|other| digests.contains(other))
    };
    reports.iter().filter(is_about).collect()
}

/// Reports that name digests, none of which is that of the image or of one of its platforms.
pub(super) fn about_others(reports: &[ReportFile], root: &Digest, known: &[String]) -> Vec<String> {
    let root = root.to_string();
    let is_other = |file: &&ReportFile| {
        let digests = &file.report.digests;
        !digests.is_empty() && !digests.contains(&root) && !known.iter().any(|known| digests.contains(known))
    };
    reports.iter().filter(is_other).map(|file| file.source.name.clone()).collect()
}
