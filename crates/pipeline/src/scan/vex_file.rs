//! VEX documents in files.

use std::path::Path;

use distil_vulns::vex::{self, VexDocument};

use super::ScanError;
use crate::regular_file;

/// Reads a VEX document, `OpenVEX` or CSAF. Nobody looks whether it is signed.
///
/// # Errors
/// [`ScanError::File`] and [`ScanError::Vex`].
pub fn read_vex(path: &Path) -> Result<VexDocument, ScanError> {
    read_vex_bytes(path, &vex_bytes(path)?)
}

/// The bytes of the file of a document.
///
/// # Errors
/// [`ScanError::File`]
pub(crate) fn vex_bytes(path: &Path) -> Result<Vec<u8>, ScanError> {
    regular_file::read_up_to(path, vex::MAX_BYTES).map_err(|source| ScanError::File { path: path.to_owned(), source })
}

/// Reads the bytes of a document that were in this file.
///
/// # Errors
/// [`ScanError::Vex`]
pub(crate) fn read_vex_bytes(path: &Path, bytes: &[u8]) -> Result<VexDocument, ScanError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    vex::read(bytes, &name).map_err(|source| ScanError::Vex { path: path.to_owned(), source: Box::new(source) })
}
