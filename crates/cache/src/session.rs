//! One process's use of the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::NamedTempFile;

use crate::error::CacheError;
use crate::gate::Gate;
use crate::new_file::make_dir;
use crate::spool::SpoolWriter;
use crate::used::Moment;

/// One process's place inside the cache: a lock, and a directory once something is written. Clones are the same session,
/// and it is removed when the last of them is dropped. What a killed process left behind is removed by the next session:
/// its owner no longer holds its lock.
#[derive(Debug, Clone)]
pub struct Session(Arc<Owned>);

#[derive(Debug)]
struct Owned {
    root: PathBuf,
    /// Made with the first file in it: making a directory takes longer than all else that a session does.
    dir: PathBuf,
    /// Held as long as the session lives. It is never written to: its time is when the session started.
    _lock: NamedTempFile,
    gate: Gate,
    next: AtomicU64,
}

/// Where sessions lie in the cache.
pub(crate) const SESSIONS: &str = "sessions";
/// How their names begin.
pub(crate) const PREFIX: &str = "session-";
/// What their locks have behind their names.
pub(crate) const SUFFIX: &str = ".lock";

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
        let lock = gate.alone(|| {
            remove_abandoned(&sessions);
            let file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(&sessions);
            let file = file.map_err(CacheError::at("make a file in", &sessions))?;
            file.as_file().lock().map_err(CacheError::at("lock", file.path()))?;
            Ok::<_, CacheError>(file)
        })??;
        let (root, dir) = (root.to_owned(), lock.path().with_extension(""));
        Ok(Self(Arc::new(Owned { root, dir, _lock: lock, gate, next: AtomicU64::new(0) })))
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

    /// A path in its directory that nobody has.
    pub(crate) fn unused(&self) -> PathBuf {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.dir.join(number.to_string())
    }

    /// The directory of the cache.
    pub(crate) fn root(&self) -> &Path {
        &self.0.root
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // The directory goes before the lock that protects it. A leftover is removed by the next session.
        let _: io::Result<()> = fs::remove_dir_all(&self.dir);
    }
}

pub(crate) fn lock_file(path: &Path) -> Result<File, CacheError> {
    let mut options = OpenOptions::new();
    // Some file systems want a file that is shared to be open for reading.
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    let opened = match options.open(path) {
        Err(_) if remove_impostor(path) => options.open(path),
        opened => opened,
    };
    opened.map_err(CacheError::at("open the lock file", path))
}

/// Removes a link or an empty directory, which nobody can hold a lock on. Says whether there was one.
fn remove_impostor(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir(path).is_ok(),
        Ok(metadata) if metadata.is_symlink() => fs::remove_file(path).is_ok(),
        _ => false,
    }
}

/// The sessions that there are.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// Those whose owners run, and when they started.
    pub(crate) living: BTreeMap<String, Moment>,
    /// What killed processes left.
    pub(crate) dead: BTreeSet<String>,
}

impl Sessions {
    /// Looks for them. One that is just being started is missed, unless nobody can start any.
    pub(crate) fn find(sessions: &Path) -> Result<Self, CacheError> {
        let mut found = Self::default();
        for name in names(sessions).map_err(CacheError::at("read the directory", sessions))? {
            match held_since(&sessions.join(format!("{name}{SUFFIX}"))) {
                Some(start) => drop(found.living.insert(name, start)),
                None => drop(found.dead.insert(name)),
            }
        }
        Ok(found)
    }

    /// Whether one that is living may have found what was last used then.
    pub(crate) fn may_use(&self, used: Moment) -> bool {
        self.living.values().any(|start| *start <= used)
    }
}

/// Removes what killed processes left. It is in nobody's way but the disk's, so that failing is no error.
pub(crate) fn remove_abandoned(sessions: &Path) {
    for name in Sessions::find(sessions).unwrap_or_default().dead {
        let _: io::Result<()> = fs::remove_dir_all(sessions.join(&name));
        let _: io::Result<()> = fs::remove_file(sessions.join(format!("{name}{SUFFIX}")));
    }
}

/// The names of all that have a directory or a lock.
fn names(sessions: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(sessions) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        let (Ok(file_type), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
        // Whatever else is called so is none of ours, links above all.
        let name = if file_type.is_dir() { Some(name.as_str()) } else { session_of_lock(&name, file_type) };
        names.extend(name.filter(|name| name.starts_with(PREFIX)).map(str::to_owned));
    }
    Ok(names)
}

fn session_of_lock(name: &str, file_type: FileType) -> Option<&str> {
    name.strip_suffix(SUFFIX).filter(|_| file_type.is_file())
}

/// When the holder of a lock started, where there is one.
fn held_since(lock: &Path) -> Option<Moment> {
    let metadata = fs::symlink_metadata(lock).ok().filter(fs::Metadata::is_file)?;
    match File::open(lock) {
        Ok(file) => file.try_lock().is_err(),
        // One that may not be looked at is nobody's to remove.
        Err(e) => e.kind() != io::ErrorKind::NotFound,
    }
    .then(|| Moment::of(&metadata))
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

        let killed = ["session-a", "session-b", "session-b.lock", "session-c.lock"].map(|name| sessions.join(name));
        for path in &killed {
            if path.extension().is_some() { drop(lock_file(path).unwrap()) } else { fs::create_dir(path).unwrap() }
        }
        lock_file(&killed[0].join("0")).unwrap();
        let second = Session::start(root.path()).unwrap();
        assert!(killed.iter().all(|path| !path.exists()));

        let mut back = Vec::new();
        spool.open().unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back, b"abc");
        drop((spool, first, second));
        assert_eq!(fs::read_dir(&sessions).unwrap().count(), 1, "only the lock of the sessions stays");
    }

    #[test]
    fn what_cannot_be_locked_gives_way_to_a_lock() {
        let root = tempfile::tempdir().unwrap();
        let (lock, other) = (root.path().join("lock"), root.path().join("other"));
        fs::create_dir(&lock).unwrap();
        assert!(lock_file(&lock).unwrap().metadata().unwrap().is_file());
        fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink(&other, &lock).unwrap();
        assert!(lock_file(&lock).unwrap().metadata().unwrap().is_file());
        assert!(!other.exists(), "no link is followed");
        fs::remove_file(&lock).unwrap();
        fs::create_dir_all(lock.join("somebodys")).unwrap();
        assert!(lock_file(&lock).is_err());
        assert!(lock.join("somebodys").exists());
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
