//! A package that is what a signed index says it is.

use std::io::{self, Read};

use distil_cache::{CacheError, CachedFile, VerifyingFile};
use distil_debunpack::ControlArchive;
use distil_imgcore::Digest;

/// A .deb in the cache whose size, SHA-256, name, version and architecture are those that were asked for. Only
/// [`crate::Acquirer::fetch`] makes one.
#[derive(Debug)]
pub struct VerifiedDeb {
    file: CachedFile,
    sha256: Digest,
    control: ControlArchive,
}

impl VerifiedDeb {
    pub(crate) fn new(file: CachedFile, sha256: Digest, control: ControlArchive) -> Self {
        Self { file, sha256, control }
    }

    /// What the package says of itself.
    #[must_use]
    pub fn control_archive(&self) -> &ControlArchive {
        &self.control
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.size()
    }

    /// Its SHA-256.
    #[must_use]
    pub fn sha256(&self) -> &Digest {
        &self.sha256
    }

    /// Opens it for reading from the start. Whoever reads to the end has checked that the disk has not changed it; one
    /// that was changed is gone from the cache then, and is fetched again by the next [`crate::Acquirer::fetch`].
    ///
    /// # Errors
    /// [`CacheError`] where it is gone or cannot be opened.
    pub fn open(&self) -> Result<DebReader, CacheError> {
        self.file.open_verified().map(DebReader)
    }
}

/// Reads a [`VerifiedDeb`]. Its end is reported only after its digest was checked once more.
#[derive(Debug)]
pub struct DebReader(VerifyingFile);

impl Read for DebReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}
