//! What can go wrong on disk.

use std::io;
use std::path::{Path, PathBuf};

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

/// Lets writers and readers of [`std::io`] carry the error; the kind stays.
impl From<CacheError> for io::Error {
    fn from(error: CacheError) -> Self {
        Self::new(error.source.kind(), error)
    }
}
