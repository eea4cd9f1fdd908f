//! Who may start, look and prune at the same time.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::CacheError;
use crate::session::lock_file;

/// The lock of the whole cache, held for moments only. Sessions start alone, and so are batches of files pruned; files are
/// looked up and named beside each other, but never while something is pruned.
#[derive(Debug)]
pub(crate) struct Gate {
    path: PathBuf,
    /// Locks belong to the open file, so that threads take turns.
    file: Mutex<File>,
}

pub(crate) const LOCK: &str = "lock";

impl Gate {
    pub(crate) fn open(sessions: &Path) -> Result<Self, CacheError> {
        let path = sessions.join(LOCK);
        Ok(Self { file: Mutex::new(lock_file(&path)?), path })
    }

    /// Does something while nobody else is inside.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> T) -> Result<T, CacheError> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock().map_err(CacheError::at("lock", &self.path))?;
        Ok(Self::left(&file, work()))
    }

    /// Does something while nobody is alone inside. Where files cannot be locked, nobody is.
    pub(crate) fn beside<T>(&self, work: impl FnOnce() -> T) -> T {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _: io::Result<()> = file.lock_shared();
        Self::left(&file, work())
    }

    fn left<T>(file: &File, done: T) -> T {
        // Closing the file unlocks it at the latest.
        let _: io::Result<()> = file.unlock();
        done
    }
}
