//! Files beside the image that a judgement is made from.

use std::path::{Path, PathBuf};

use distil_imgcore::Reference;
use distil_policy::MAX_POLICY;
use distil_policy::facts::ImportedIgnore;
use distil_vulns::ignore;

use super::CheckError;
use crate::regular_file;
use crate::scan::{ReportFile, read_report};

/// Bytes of a policy that is read.
pub const MAX_POLICY_FILE: usize = MAX_POLICY;

/// What is known beside the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The database of advisories; without one there are only the reports.
    pub database: Option<PathBuf>,
    /// Reports of scanners.
    pub reports: Vec<PathBuf>,
    /// VEX documents.
    pub vex: Vec<PathBuf>,
    /// Ignore files of scanners.
    pub ignores: Vec<PathBuf>,
    /// A log of promotions, by which it is judged whether the image's tag has moved.
    pub record: Option<PathBuf>,
    /// An image beside which a ledger is attested, that of the release before as a rule: judged with it, joined with that of
    /// the file where there is one.
    pub ledger_from: Option<Reference>,
}

impl Evidence {
    /// Reads the reports.
    pub(super) fn reports(&self) -> Result<Vec<ReportFile>, CheckError> {
        self.reports.iter().map(|path| read_report(path).map_err(CheckError::from)).collect()
    }

    /// Reads the ignore files: what they leave out, and a line for each entry that is not taken over.
    pub(super) fn ignores(&self) -> Result<(Vec<ImportedIgnore>, Vec<String>), CheckError> {
        let (mut found, mut left_out) = (Vec::new(), Vec::new());
        for path in &self.ignores {
            let failed = |source| CheckError::File { action: "read", path: path.clone(), source };
            let bytes = regular_file::read_up_to(path, ignore::MAX_BYTES).map_err(failed)?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let read = ignore::read(&bytes, &name);
            let read = read.map_err(|source| CheckError::Ignore { path: path.clone(), source: Box::new(source) })?;
            left_out.extend(read.left_out.iter().map(|entry| format!("{name}, line {}: {}", entry.line, entry.reason)));
            found.extend(read.entries.into_iter().map(|entry| ImportedIgnore {
                id: entry.id,
                package: entry.package,
                is_source: entry.is_source,
                version: entry.version,
                expires: entry.expires,
                reason: entry.reason,
                origin: entry.origin,
                line: entry.line,
            }));
        }
        found.sort();
        Ok((found, left_out))
    }
}

/// Reads the text of a policy.
///
/// # Errors
/// [`CheckError`] where the file cannot be read, is far longer than any policy, or is no text.
pub fn read_policy(path: &Path) -> Result<String, CheckError> {
    let failed = |source| CheckError::File { action: "read", path: path.to_owned(), source };
    let bytes = regular_file::read_up_to(path, MAX_POLICY_FILE).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| CheckError::NotText { path: path.to_owned() })
}
