//! The lock on disk, beside its recipe.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use distil_aptrepo::lock::{Lock, LockError as LockFileError, MAX_LOCK};

use super::error::LockError;
use crate::{regular_file, whole_file};

/// Where the lock of a recipe is: beside it, with its name and another ending.
#[must_use]
pub fn lock_path(recipe: &Path) -> PathBuf {
    recipe.with_extension("lock")
}

/// Reads a lock, if it is there.
pub(crate) fn read(path: &Path) -> Result<Option<Lock>, LockError> {
    let failed = |source| LockError::Read { path: path.to_owned(), source };
    let file = match regular_file::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_LOCK as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let wrong = |source| LockError::File { path: path.to_owned(), source: Box::new(source) };
    let text = String::from_utf8(bytes).map_err(|error| wrong(no_text(&error)))?;
    Lock::parse(&text).map(Some).map_err(wrong)
}

/// Where a lock stops being text.
fn no_text(error: &FromUtf8Error) -> LockFileError {
    let (good, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
    let good = String::from_utf8_lossy(good);
    let last = good.rsplit('\n').next().unwrap_or_default();
    LockFileError::Syntax {
        line: good.matches('\n').count() + 1,
        column: last.chars().count() + 1,
        message: "bytes that are no UTF-8".to_owned(),
    }
}

/// Writes a lock in the place of the one that is there. What is there and the same stays untouched.
pub(crate) fn write(path: &Path, lock: &Lock) -> Result<(), LockError> {
    let text = lock.to_toml();
    if std::fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let failed = |source| LockError::Write { path: path.to_owned(), source };
    whole_file::deliver(path, text.as_bytes()).map_err(failed)
}
