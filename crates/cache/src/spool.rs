//! Files that live as long as somebody reads them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::CacheError;
use crate::new_file::create;

/// A spool being written. Dropped without [`SpoolWriter::finish`], it is removed.
#[derive(Debug)]
pub struct SpoolWriter {
    file: File,
    spool: Spool,
}

/// Bytes on disk that are removed when dropped.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
}

impl SpoolWriter {
    pub(crate) fn create(path: PathBuf) -> Result<Self, CacheError> {
        let file = create(&path).map_err(CacheError::at("make the spool file", &path))?;
        Ok(Self { file, spool: Spool { path } })
    }

    /// Ends writing.
    ///
    /// # Errors
    /// None today; a spool that buffers would report its last write here.
    pub fn finish(self) -> Result<Spool, CacheError> {
        Ok(self.spool)
    }
}

/// Unbuffered: layers are written in large parts.
impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            // The caller writes the rest again, as the contract of `Write` has it.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            result => Ok(result.map_err(CacheError::at("write to the spool file", &self.spool.path))?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Spool {
    /// Opens it for reading from the start.
    ///
    /// # Errors
    /// [`CacheError`] where the file is gone or cannot be opened.
    pub fn open(&self) -> Result<File, CacheError> {
        File::open(&self.path).map_err(CacheError::at("open the spool file", &self.path))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A leftover goes with the session's directory.
        let _: io::Result<()> = fs::remove_file(&self.path);
    }
}
