//! Tar archives: a strict bounded reader and a deterministic writer.

use std::io::{self, Read};

use crate::entry::Entry;

/// Which archives are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The data or control archive of a Debian package, as dpkg unpacks it.
    Debian,
    /// A layer that somebody else made.
    Foreign,
    /// A tar that a user adds to an image.
    Own,
}

/// Bounds on what one archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of content of all entries together.
    pub content: u64,
}

/// Why bytes are not an archive with one meaning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// Reading failed.
    #[error("cannot read the archive")]
    Io(#[from] io::Error),
}

/// Reads an archive as a stream: an entry, then its content through [`Read`], then the next entry.
#[derive(Debug)]
pub struct TarReader<R> {
    inner: R,
}

impl<R: Read> TarReader<R> {
    /// Reads from `inner`, which must end where the archive ends.
    pub fn new(inner: R, dialect: Dialect, limits: Limits) -> Self {
        let _ = (dialect, limits);
        Self { inner }
    }

    /// The next entry; what is left of the content of the one before is skipped. `None` comes only when the end of the
    /// archive and of the stream was seen.
    ///
    /// # Errors
    /// [`TarError`] for everything that two readers could understand differently.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        todo!()
    }
}

/// The content of the entry that was given last.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf)
    }
}
