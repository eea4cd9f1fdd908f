//! What can go wrong on disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::key::ContentKey;

/// A file operation of the cache that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct CacheError {
    /// What was tried.
    pub action: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl CacheError {
    /// Turns an I/O error into one that names the place.
    pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

/// A file that does not get into the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The disk failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Another number of bytes was written than the file has.
    #[error("expected {expected} bytes, found {found}")]
    Size {
        /// The size of the file.
        expected: u64,
        /// What was written.
        found: u64,
    },
    /// Other bytes were written than the file has.
    #[error("expected SHA-256 {expected}, found {found}")]
    Digest {
        /// The digest of the file.
        expected: ContentKey,
        /// That of what was written.
        found: ContentKey,
    },
}

/// Lets writers and readers of [`std::io`] carry the error; the kind stays.
impl From<CacheError> for io::Error {
    fn from(error: CacheError) -> Self {
        Self::new(error.source.kind(), error)
    }
}
