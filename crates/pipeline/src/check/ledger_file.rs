//! The file of a ledger: read, judged with, and written while nobody else does the same.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use distil_imgcore::Escaped;
use distil_policy::Ledger;
use distil_policy::ledger::{LedgerError, MAX_LEDGER};

use crate::regular_file;
use crate::whole_file;

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerFileError {
    /// It cannot be read, written or locked.
    #[error("cannot {action} the ledger {}", Escaped::path(.path))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is not in order", Escaped::path(.path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, and what is wrong with it.
        source: LedgerError,
    },
}

/// Reads the ledger (an empty one where there is no file yet), gives it to `judge`, and writes what that gives back. Others
/// who do the same at the same time wait, so that nothing is lost: the folder is locked, since the file itself is replaced.
///
/// # Errors
/// [`LedgerFileError`]; the file is as it was then.
pub(super) fn update<T>(path: &Path, judge: impl FnOnce(Ledger) -> (T, Ledger)) -> Result<T, LedgerFileError> {
    let error = |action| move |source| LedgerFileError::Io { action, path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = File::open(folder).map_err(error("lock"))?;
    folder.lock().map_err(error("lock"))?;
    let before = read(path)?;
    let text = before.to_text();
    let (judged, after) = judge(before);
    let written = after.to_text();
    if written != text || !path.exists() {
        whole_file::deliver(path, written.as_bytes()).map_err(error("write"))?;
    }
    Ok(judged)
}

/// Reads the ledger; an empty one where there is no file yet.
///
/// # Errors
/// [`LedgerFileError`]
pub(super) fn read(path: &Path) -> Result<Ledger, LedgerFileError> {
    let bytes = match regular_file::read_up_to(path, MAX_LEDGER) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Ledger::default()),
        Err(source) => return Err(LedgerFileError::Io { action: "read", path: path.to_owned(), source }),
    };
    Ledger::parse(&bytes).map_err(|source| LedgerFileError::Malformed { path: path.to_owned(), source })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write plain files")]
mod tests {
    use std::{fs, thread};

    use distil_policy::document::Reopen;
    use distil_policy::ledger::{Key, Seen};

    use super::*;

    fn see(ledger: &Ledger, id: String) -> Ledger {
        let key = Key { release: "bookworm".into(), source: "zlib".into(), id };
        let seen = [Seen { key, fixable: None, level: None }];
        ledger.after(&seen, |_, _| false, "2026-03-01".parse().unwrap(), Reopen::Continue)
    }

    #[test]
    fn runs_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        thread::scope(|scope| {
            for run in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for number in 0..10 {
                        update(path, |ledger| ((), see(&ledger, format!("CVE-{run}-{number}")))).unwrap();
                    }
                });
            }
        });
        assert_eq!(read(&path).unwrap().entries().len(), 40);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the ledger is left");
    }

    #[test]
    fn what_is_no_ledger_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        fs::write(&path, "no ledger\n").unwrap();
        let error = update(&path, |ledger| ((), ledger)).unwrap_err();
        assert!(matches!(error, LedgerFileError::Malformed { source: LedgerError { line: 1, .. }, .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"no ledger\n");
        assert!(matches!(read(dir.path()), Err(LedgerFileError::Io { action: "read", .. })));
        assert!(update(&dir.path().join("no/ledger"), |ledger| ((), ledger)).is_err());
    }
}
