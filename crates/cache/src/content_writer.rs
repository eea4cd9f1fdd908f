//! A file on its way into the cache.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::content::{CachedFile, Content};
use crate::error::{CacheError, ContentError};
use crate::key::ContentKey;
use crate::new_file::NewFile;

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
    file: NewFile,
    expected: Expected,
    hasher: Sha256,
}

impl<'c> ContentWriter<'c> {
    pub(crate) fn new(content: &'c Content, file: NewFile, expected: Expected) -> Self {
        Self { content, file, expected, hasher: Sha256::new() }
    }

    /// Forgets what was written so far.
    ///
    /// # Errors
    /// [`CacheError`] where the file cannot be cut.
    pub fn restart(&mut self) -> Result<(), CacheError> {
        self.file.restart()?;
        self.hasher = Sha256::new();
        Ok(())
    }

    /// Checks what was written, flushes it and gives it its name.
    ///
    /// # Errors
    /// [`ContentError`] where it is not what was expected, or the disk fails. Nothing is kept then.
    pub fn commit(self) -> Result<CachedFile, ContentError> {
        let (content, file, key) = self.checked()?;
        file.sync()?;
        Ok(content.keep(file, key)?)
    }

    /// As [`ContentWriter::commit`], without waiting for the disk: for what can be made again. A machine that loses power
    /// soon after may keep the name and lose bytes, which is damage like any other and found when the file is read.
    ///
    /// # Errors
    /// [`ContentError`] where it is not what was expected, or the disk fails. Nothing is kept then.
    pub fn commit_derived(self) -> Result<CachedFile, ContentError> {
        let (content, file, key) = self.checked()?;
        Ok(content.keep(file, key)?)
    }

    fn checked(self) -> Result<(&'c Content, NewFile, ContentKey), ContentError> {
        let size = self.file.size();
        if let Some(expected) = self.expected.size.filter(|expected| *expected != size) {
            return Err(ContentError::Size { expected, found: size });
        }
        let found = ContentKey::from_sha256(self.hasher.finalize().into());
        if let Some(expected) = self.expected.key.filter(|expected| *expected != found) {
            return Err(ContentError::Digest { expected, found });
        }
        Ok((self.content, self.file, found))
    }
}

impl Write for ContentWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file that can be made again, and whose maker hashes it meanwhile for other reasons. It gets into the cache
/// with [`DerivedWriter::commit_as`]; dropped without, it is gone.
#[derive(Debug)]
pub struct DerivedWriter<'c> {
    content: &'c Content,
    file: NewFile,
}

impl<'c> DerivedWriter<'c> {
    pub(crate) fn new(content: &'c Content, file: NewFile) -> Self {
        Self { content, file }
    }

    /// How many bytes were written.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.size()
    }

    /// Gives the file its name, without hashing it and without waiting for the disk. Under a key that is not its SHA-256
    /// it is a damaged file, as it is where the machine loses power before its bytes are on the disk: both are found by
    /// who reads it with [`CachedFile::open_verified`].
    ///
    /// # Errors
    /// [`CacheError`] where the disk fails. Nothing is kept then.
    pub fn commit_as(self, key: ContentKey) -> Result<CachedFile, CacheError> {
        self.content.keep(self.file, key)
    }
}

impl Write for DerivedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
