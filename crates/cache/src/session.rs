//! One process's use of the cache.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::error::CacheError;
use crate::spool::SpoolWriter;

/// A directory of this process alone inside the cache, removed when dropped. One that a killed process left behind is
/// removed by the next session: its owner no longer holds its lock.
#[derive(Debug)]
pub struct Session {
    dir: TempDir,
    /// Held as long as the session lives. It is never written to: its time is when the session started.
    _lock: File,
    /// Locks belong to the open file, so that threads take turns.
    gate: Mutex<File>,
    next: AtomicU64,
}

const LOCK: &str = "lock";
const PREFIX: &str = "session-";

impl Session {
    /// Makes the cache at `root` if it is not there, and a session in it.
    ///
    /// # Errors
    /// [`CacheError`] where the directory cannot be made or locked.
    pub fn start(root: &Path) -> Result<Self, CacheError> {
        let sessions = root.join("sessions");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&sessions)
            .map_err(CacheError::at("make the directory", &sessions))?;
        // Nobody starts or cleans up while another does: a session is never seen before its lock is held.
        let gate = lock_file(&sessions.join(LOCK))?;
        gate.lock().map_err(CacheError::at("lock", &sessions.join(LOCK)))?;
        remove_abandoned(&sessions);
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&sessions)
            .map_err(CacheError::at("make a directory in", &sessions))?;
        let path = dir.path().join(LOCK);
        let lock = lock_file(&path)?;
        lock.lock().map_err(CacheError::at("lock", &path))?;
        gate.unlock().map_err(CacheError::at("unlock", &sessions.join(LOCK)))?;
        Ok(Self { dir, _lock: lock, gate: Mutex::new(gate), next: AtomicU64::new(0) })
    }

    /// Does something short while nothing is pruned. Where files cannot be locked, nobody prunes.
    pub(crate) fn beside_prune<T>(&self, work: impl FnOnce() -> T) -> T {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let _: io::Result<()> = gate.lock_shared();
        let done = work();
        let _: io::Result<()> = gate.unlock();
        done
    }

    /// A new file to write.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be made.
    pub fn spool(&self) -> Result<SpoolWriter, CacheError> {
        SpoolWriter::create(self.unused())
    }

    /// A path in it that nobody has.
    pub(crate) fn unused(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.dir.path().join(number.to_string())
    }

    /// Where the spools lie.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }
}

pub(crate) fn lock_file(path: &Path) -> Result<File, CacheError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        // Some file systems want a file that is shared to be open for reading.
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .map_err(CacheError::at("open the lock file", path))
}

/// Leftovers are in nobody's way but the disk's, so that failing to remove one is no error.
fn remove_abandoned(sessions: &Path) {
    let Ok(found) = fs::read_dir(sessions) else { return };
    for path in found.flatten().map(|entry| entry.path()) {
        let is_session = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if is_session && !is_held(&path.join(LOCK)) {
            let _: io::Result<()> = fs::remove_dir_all(&path);
        }
    }
}

fn is_held(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => file.try_lock().is_err(),
        // Without a lock file its owner died between making the directory and the file.
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_session_leaves_nothing_and_spares_the_living() {
        let root = tempfile::tempdir().unwrap();
        let sessions = root.path().join("sessions");
        let first = Session::start(root.path()).unwrap();
        let mut writer = first.spool().unwrap();
        writer.write_all(b"abc").unwrap();
        let spool = writer.finish().unwrap();

        let dead = sessions.join("session-dead");
        fs::create_dir(&dead).unwrap();
        lock_file(&dead.join(LOCK)).unwrap();
        let second = Session::start(root.path()).unwrap();
        assert!(!dead.exists());

        let mut back = Vec::new();
        spool.open().unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back, b"abc");
        drop((spool, first, second));
        assert_eq!(fs::read_dir(&sessions).unwrap().count(), 1, "only the lock of the sessions stays");
    }

    #[test]
    fn a_place_that_is_no_directory_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        lock_file(&file).unwrap();
        let error = Session::start(&file).unwrap_err();
        assert!(error.path.starts_with(&file));
    }
}
