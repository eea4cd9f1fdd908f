//! A file on its way into the cache.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::content::{CachedFile, Content};
use crate::error::{CacheError, ContentError};
use crate::key::ContentKey;

/// What is known of a file before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// Its SHA-256.
    pub key: Option<ContentKey>,
    /// Its size.
    pub size: Option<u64>,
}

/// Hashes a file while it is written. It gets into the cache with [`ContentWriter::commit`]; dropped without, it is gone.
#[derive(Debug)]
pub struct ContentWriter<'c> {
    content: &'c Content,
    file: File,
    path: PathBuf,
    expected: Expected,
    hasher: Sha256,
    size: u64,
    kept: bool,
}

impl<'c> ContentWriter<'c> {
    pub(crate) fn create(content: &'c Content, path: PathBuf, expected: Expected) -> Result<Self, CacheError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(CacheError::at("make the file", &path))?;
        Ok(Self { content, file, path, expected, hasher: Sha256::new(), size: 0, kept: false })
    }

    /// Forgets what was written so far.
    ///
    /// # Errors
    /// [`CacheError`] where the file cannot be cut.
    pub fn restart(&mut self) -> Result<(), CacheError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(CacheError::at("empty", &self.path))?;
        self.hasher = Sha256::new();
        self.size = 0;
        Ok(())
    }

    /// Checks what was written, flushes it and gives it its name.
    ///
    /// # Errors
    /// [`ContentError`] where it is not what was expected, or the disk fails. Nothing is kept then.
    pub fn commit(mut self) -> Result<CachedFile, ContentError> {
        if let Some(expected) = self.expected.size.filter(|expected| *expected != self.size) {
            return Err(ContentError::Size { expected, found: self.size });
        }
        let found = ContentKey::from_sha256(self.hasher.finalize_reset().into());
        if let Some(expected) = self.expected.key.filter(|expected| *expected != found) {
            return Err(ContentError::Digest { expected, found });
        }
        self.file.sync_data().map_err(CacheError::at("flush", &self.path))?;
        let kept = self.content.keep(&self.path, found, self.size)?;
        self.kept = true;
        Ok(kept)
    }
}

/// Unbuffered: what comes from a network comes in large pieces.
impl Write for ContentWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.file.write(bytes) {
            Ok(written) => written,
            // The caller writes the rest again, as the contract of `Write` has it.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e),
            Err(e) => return Err(CacheError::at("write to", &self.path)(e).into()),
        };
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for ContentWriter<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // A leftover goes with the session's directory.
            let _: io::Result<()> = fs::remove_file(&self.path);
        }
    }
}
