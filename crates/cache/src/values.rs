//! What was derived from something, kept under a key that says from what.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::CacheError;
use crate::gate::LOCK;
use crate::key::ContentKey;
use crate::new_file::{NewFile, make_dir};
use crate::session::{Session, lock_file};
use crate::used;

/// Values by kind and key. A value that is damaged on disk is absent, so that only what can be made again, or what may
/// be forgotten, belongs here. Whoever changes the form of a value changes the kind, too.
///
/// | | derived: [`Values::get`], [`Values::put`] | remembered: [`Values::recall`], [`Values::update`] |
/// |---|---|---|
/// | losing it costs | time | knowledge of what was seen |
/// | written | without waiting for the disk | flushed |
/// | pruned | the least recently used first | never |
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let values = distil_cache::Values::open(dir.path())?;
/// values.put("length-1", "a key of any length", b"19")?;
/// assert_eq!(values.get("length-1", "a key of any length")?.as_deref(), Some(&b"19"[..]));
/// assert_eq!(values.get("length-2", "a key of any length")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Values {
    session: Session,
    root: PathBuf,
}

/// Whether a value can be made again. The two never meet, even under one kind and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    Derived,
    Remembered,
}

/// A value's file: this, the SHA-256 of kind, key and value, and the value.
const MAGIC: &[u8; 8] = b"distil 1";
/// Where values lie in the cache.
pub(crate) const FOLDER: &str = "values";
const HEAD: usize = MAGIC.len() + 32;
/// Values are read into memory.
const MOST: u64 = 1 << 30;

impl Values {
    /// Opens the cache at `root`, which is made if it is not there.
    ///
    /// # Errors
    /// [`CacheError`] where its directories cannot be made.
    pub fn open(root: &Path) -> Result<Self, CacheError> {
        Self::in_session(&Session::start(root)?)
    }

    /// The same in a session that was started before, which then lives as long as this.
    ///
    /// # Errors
    /// [`CacheError`] where its directories cannot be made.
    pub fn in_session(session: &Session) -> Result<Self, CacheError> {
        let root = session.root().join(FOLDER);
        make_dir(&root)?;
        Ok(Self { session: session.clone(), root })
    }

    /// The derived value, if there is one that is sound. It counts as used now.
    ///
    /// # Errors
    /// [`CacheError`] where its file cannot be read.
    pub fn get(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>, CacheError> {
        self.read(Worth::Derived, kind, key)
    }

    /// Whether there is a file for a derived value, which may be damaged. It does not count as used for that.
    #[must_use]
    pub fn has(&self, kind: &str, key: &str) -> bool {
        self.path(Worth::Derived, kind, key).is_file()
    }

    /// Puts a derived value in the place of what is there, without waiting for the disk. A machine that loses power soon
    /// after may keep the name and lose bytes: the value is damaged then, and so absent.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be written. What was there is there still.
    pub fn put(&self, kind: &str, key: &str, value: &[u8]) -> Result<(), CacheError> {
        let (file, path) = (self.write(kind, key, value)?, self.path(Worth::Derived, kind, key));
        self.session.beside_prune(|| file.keep(&path))
    }

    /// The remembered value, if there is one that is sound.
    ///
    /// # Errors
    /// [`CacheError`] where its file cannot be read.
    pub fn recall(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>, CacheError> {
        self.read(Worth::Remembered, kind, key)
    }

    /// Remembers what `change` makes of the value that is remembered; nothing where that is `None`. Between its look and
    /// the end of the writing, no other process or thread updates anything, so that no update is lost.
    ///
    /// # Errors
    /// [`CacheError`] where the value cannot be read, locked or written. What was there is there still.
    pub fn update(
        &self,
        kind: &str,
        key: &str,
        change: impl FnOnce(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<(), CacheError> {
        // Held while values are updated.
        let path = self.root.join(LOCK);
        // Never removed, and closing it ends the lock.
        let lock = lock_file(&path)?;
        lock.lock().map_err(CacheError::at("lock", &path))?;
        let Some(value) = change(self.recall(kind, key)?.as_deref()) else { return Ok(()) };
        let file = self.write(kind, key, &value)?;
        file.sync()?;
        file.keep(&self.path(Worth::Remembered, kind, key))
    }

    fn read(&self, worth: Worth, kind: &str, key: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let path = self.path(worth, kind, key);
        // Opening a pipe would wait for its writer.
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(None);
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(CacheError::at("open", &path)(e)),
        };
        if worth == Worth::Derived {
            used::mark_open(&file);
        }
        let mut bytes = Vec::new();
        // One byte more than a value may have cuts longer ones, which are damaged then.
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(CacheError::at("read", &path))?;
        let Some((head, value)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
        if *head != Self::head(kind, key, value) {
            return Ok(None);
        }
        bytes.drain(..HEAD);
        Ok(Some(bytes))
    }

    fn write(&self, kind: &str, key: &str, value: &[u8]) -> Result<NewFile, CacheError> {
        let path = self.session.unused();
        let mut file = NewFile::create(path.clone())?;
        let written = file.write_all(&Self::head(kind, key, value)).and_then(|()| file.write_all(value));
        written.map_err(CacheError::at("write", &path))?;
        Ok(file)
    }

    fn path(&self, worth: Worth, kind: &str, key: &str) -> PathBuf {
        let name = ContentKey::from_sha256(Sha256::digest(key.as_bytes()).into()).to_string();
        // A kind is a word of ours. Were it not, it must still not lead elsewhere.
        let kind: String = kind.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.root.join(worth.folder()).join(kind).join(name)
    }

    /// Kind and key are part of it: a file that was renamed or copied by hand is none of ours.
    fn head(kind: &str, key: &str, value: &[u8]) -> [u8; HEAD] {
        let mut hasher = Sha256::new();
        for part in [kind.as_bytes(), key.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(value);
        let mut head = [0; HEAD];
        let (magic, sum) = head.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        sum.copy_from_slice(&hasher.finalize());
        head
    }
}

impl Worth {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Derived => "derived",
            Self::Remembered => "remembered",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::thread;

    use super::*;

    #[test]
    fn no_update_is_lost() {
        let root = tempfile::tempdir().unwrap();
        let add = |before: Option<&[u8]>| Some(vec![before.map_or(1, |before| before[0] + 1)]);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let values = Values::open(root.path()).unwrap();
                    (0..25).for_each(|_| values.update("kind", "key", add).unwrap());
                });
            }
        });
        let values = Values::open(root.path()).unwrap();
        values.update("kind", "key", |_| None).unwrap();
        assert_eq!(values.recall("kind", "key").unwrap().unwrap(), [100]);
        assert_eq!(values.get("kind", "key").unwrap(), None, "what is remembered is not what is derived");
    }

    #[test]
    fn the_last_value_stays_and_a_damaged_one_is_absent() {
        let root = tempfile::tempdir().unwrap();
        let values = Values::open(root.path()).unwrap();
        assert_eq!(values.get("kind", "key").unwrap(), None);
        values.put("kind", "key", b"first").unwrap();
        values.put("kind", "key", b"").unwrap();
        values.put("kind", "other", b"second").unwrap();
        let other = Values::open(root.path()).unwrap();
        assert_eq!(other.get("kind", "key").unwrap().unwrap(), b"");
        assert_eq!(other.get("kind", "other").unwrap().unwrap(), b"second");
        assert_eq!(other.get("../kind", "other").unwrap(), None);
        assert!(other.has("kind", "other") && !other.has("kind", "third") && !other.has("other", "kind"));

        fs::copy(values.path(Worth::Derived, "kind", "other"), values.path(Worth::Derived, "kind", "key")).unwrap();
        assert_eq!(values.get("kind", "key").unwrap(), None, "the value of another key");
        let path = values.path(Worth::Derived, "kind", "other");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for length in [45, 40, 39, 0] {
            file.set_len(length).unwrap();
            assert_eq!(values.get("kind", "other").unwrap(), None, "{length}");
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(values.path(Worth::Derived, "kind", "key"), &path).unwrap();
        values.put("kind", "key", b"first").unwrap();
        assert_eq!(values.get("kind", "other").unwrap(), None, "no file of its own");
        let folder = values.path(Worth::Derived, "kind", "folder");
        fs::create_dir(&folder).unwrap();
        assert_eq!(values.get("kind", "folder").unwrap(), None, "no file at all");
        fs::create_dir(folder.join("more")).unwrap();
        values.put("kind", "folder", b"third").unwrap();
        assert_eq!(values.get("kind", "folder").unwrap().unwrap(), b"third", "written in place of the folder");
        values.put("kind", "other", b"second").unwrap();
        assert_eq!(values.get("kind", "key").unwrap().unwrap(), b"first", "written past the link");
        drop((values, other));
        assert_eq!(
            fs::read_dir(root.path().join("sessions")).unwrap().count(),
            1,
            "only the lock of the sessions stays"
        );
    }
}
