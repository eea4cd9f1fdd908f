//! One process's use of the cache.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use crate::error::CacheError;
use crate::gate::{Gate, LOCK};
use crate::new_file::make_dir;
use crate::spool::SpoolWriter;
use crate::used::Moment;

/// A directory of this process alone inside the cache. Clones are the same session, and it is removed when the last of
/// them is dropped. One that a killed process left behind is removed by the next session: its owner no longer holds its
/// lock.
#[derive(Debug, Clone)]
pub struct Session(Arc<Owned>);

#[derive(Debug)]
struct Owned {
    root: PathBuf,
    dir: TempDir,
    /// Held as long as the session lives. It is never written to: its time is when the session started.
    _lock: File,
    gate: Gate,
    next: AtomicU64,
}

/// Where sessions lie in the cache.
pub(crate) const SESSIONS: &str = "sessions";
/// How their names begin.
pub(crate) const PREFIX: &str = "session-";

impl Session {
    /// Makes the cache at `root` if it is not there, and a session in it.
    ///
    /// # Errors
    /// [`CacheError`] where the directory cannot be made or locked.
    pub fn start(root: &Path) -> Result<Self, CacheError> {
        let sessions = root.join(SESSIONS);
        make_dir(&sessions)?;
        let gate = Gate::open(&sessions)?;
        // A session is never seen before its lock is held.
        let (dir, lock) = gate.alone(|| {
            remove_abandoned(&sessions);
            Self::make(&sessions)
        })??;
        let root = root.to_owned();
        Ok(Self(Arc::new(Owned { root, dir, _lock: lock, gate, next: AtomicU64::new(0) })))
    }

    fn make(sessions: &Path) -> Result<(TempDir, File), CacheError> {
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(sessions)
            .map_err(CacheError::at("make a directory in", sessions))?;
        let path = dir.path().join(LOCK);
        let lock = lock_file(&path)?;
        lock.lock().map_err(CacheError::at("lock", &path))?;
        Ok((dir, lock))
    }

    /// Does something short while nothing is pruned.
    pub(crate) fn beside_prune<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.gate.beside(work)
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
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.dir.path().join(number.to_string())
    }

    /// Where the spools lie.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.dir.path().to_owned()
    }

    /// The directory of the cache.
    pub(crate) fn root(&self) -> &Path {
        &self.0.root
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

/// Sessions whose owners run, and when they started.
#[derive(Debug, Default)]
pub(crate) struct Living(BTreeMap<String, Moment>);

impl Living {
    /// Looks for them. One that is just being started is missed, unless nobody can start any.
    pub(crate) fn find(sessions: &Path) -> Result<Self, CacheError> {
        let mut living = BTreeMap::new();
        for (name, path) in named(sessions).map_err(CacheError::at("read the directory", sessions))? {
            let lock = path.join(LOCK);
            if let (true, Ok(metadata)) = (is_held(&lock), fs::symlink_metadata(&lock)) {
                living.insert(name, Moment::of(&metadata));
            }
        }
        Ok(Self(living))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether one of them may have found what was last used then.
    pub(crate) fn may_use(&self, used: Moment) -> bool {
        self.0.values().any(|start| *start <= used)
    }
}

/// Removes what killed processes left. It is in nobody's way but the disk's, so that failing is no error.
pub(crate) fn remove_abandoned(sessions: &Path) {
    for (_, path) in named(sessions).unwrap_or_default() {
        if !is_held(&path.join(LOCK)) {
            let _: io::Result<()> = fs::remove_dir_all(&path);
        }
    }
}

/// All directories that are named as sessions.
fn named(sessions: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(sessions) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let is_dir = entry.file_type().is_ok_and(|file_type| file_type.is_dir());
        if let (true, Ok(name)) = (is_dir, entry.file_name().into_string())
            && name.starts_with(PREFIX)
        {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
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
