//! Files under the SHA-256 of their bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::area::Area;
use crate::content_writer::{ContentWriter, DerivedWriter, Expected};
use crate::error::CacheError;
use crate::key::ContentKey;
use crate::key_lock::KeyLock;
use crate::new_file::{NewFile, make_dir};
use crate::session::Session;
use crate::used;

/// Files that are kept between runs, each under its SHA-256, and each at most once in its area. A file that was looked for
/// and found is marked as used; as long as the session lives, it stays.
///
/// ```
/// use std::io::{Read, Write};
/// use distil_cache::{Area, Content, Expected};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let content = Content::open(dir.path(), Area::Packages)?;
/// let key = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".parse()?;
/// let mut writer = content.writer(Expected { key: Some(key), size: None })?;
/// writer.write_all(b"hello")?;
/// assert_eq!(writer.commit()?.size(), 5);
/// let mut back = Vec::new();
/// content.get(&key, Some(5))?.expect("it was written").open_verified()?.read_to_end(&mut back)?;
/// assert_eq!(back, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Content {
    session: Session,
    objects: PathBuf,
    locks: PathBuf,
}

/// Where the files of an area lie in its folder.
pub(crate) const OBJECTS: &str = "sha256";
/// Where the locks of those who make files lie in it.
pub(crate) const LOCKS: &str = "locks";

/// A file that is in the cache. Where its bytes are found to be damaged, anybody may remove it; what is open stays
/// readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    key: ContentKey,
    path: PathBuf,
    size: u64,
}

impl Content {
    /// Opens an area of the cache at `root`, which is made if it is not there.
    ///
    /// # Errors
    /// [`CacheError`] where its directories cannot be made.
    pub fn open(root: &Path, area: Area) -> Result<Self, CacheError> {
        Self::in_session(&Session::start(root)?, area)
    }

    /// The same in a session that was started before, which then lives as long as this.
    ///
    /// # Errors
    /// [`CacheError`] where its directories cannot be made.
    pub fn in_session(session: &Session, area: Area) -> Result<Self, CacheError> {
        let session = session.clone();
        let folder = session.root().join(area.folder());
        let (objects, locks) = (folder.join(OBJECTS), folder.join(LOCKS));
        make_dir(&objects)?;
        make_dir(&locks)?;
        Ok(Self { session, objects, locks })
    }

    /// The file of this key, if it is there. It counts as used now. One of another size than `size` is damaged, and is
    /// removed.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be looked at.
    pub fn get(&self, key: &ContentKey, size: Option<u64>) -> Result<Option<CachedFile>, CacheError> {
        let path = self.path(key);
        // Between the look and the mark nobody may find that it was not used for long.
        let look = || fs::symlink_metadata(&path).inspect(|_| used::mark(&path));
        let metadata = match self.session.beside_prune(look) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(CacheError::at("look at", &path)(e)),
        };
        let file = CachedFile { key: *key, path, size: metadata.len() };
        if !metadata.is_file() || size.is_some_and(|size| size != metadata.len()) {
            file.discard()?;
            return Ok(None);
        }
        Ok(Some(file))
    }

    /// Starts a new file.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be made.
    pub fn writer(&self, expected: Expected) -> Result<ContentWriter<'_>, CacheError> {
        Ok(ContentWriter::new(self, NewFile::create(self.session.unused())?, expected))
    }

    /// Starts a new file that can be made again, and that its maker hashes.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be made.
    pub fn derived_writer(&self) -> Result<DerivedWriter<'_>, CacheError> {
        Ok(DerivedWriter::new(self, NewFile::create(self.session.unused())?))
    }

    /// Keeps other threads and processes from making the same file at the same time. They wait at most as long as they
    /// want to, and then make it all the same: whoever holds the lock may hang. `None` is given then, and where
    /// `give_up`, which is asked several times a second, says so.
    ///
    /// # Errors
    /// [`CacheError`] where there is no place for locks.
    pub fn lock(
        &self,
        key: &ContentKey,
        longest: Duration,
        give_up: &dyn Fn() -> bool,
    ) -> Result<Option<KeyLock>, CacheError> {
        KeyLock::wait(self.locks.join(key.to_string()), longest, give_up)
    }

    pub(crate) fn path(&self, key: &ContentKey) -> PathBuf {
        let name = key.to_string();
        // Directories with very many entries are slow on some file systems.
        let shard = name.get(..2).unwrap_or_default();
        self.objects.join(shard).join(&name)
    }

    /// Gives a finished file its name.
    pub(crate) fn keep(&self, file: NewFile, key: ContentKey) -> Result<CachedFile, CacheError> {
        let (path, size) = (self.path(&key), file.size());
        self.session.beside_prune(|| file.keep(&path))?;
        Ok(CachedFile { key, path, size })
    }
}

impl CachedFile {
    /// Its SHA-256.
    #[must_use]
    pub fn key(&self) -> &ContentKey {
        &self.key
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it as it is on disk. Its bytes were right when they were written.
    ///
    /// # Errors
    /// [`CacheError`] where it is gone or cannot be opened.
    pub fn open(&self) -> Result<File, CacheError> {
        File::open(&self.path).map_err(CacheError::at("open", &self.path))
    }

    /// Opens it for a reader who wants to know whether the disk has changed it. Whoever reads to the end has checked it.
    ///
    /// # Errors
    /// [`CacheError`] where it is gone or cannot be opened.
    pub fn open_verified(&self) -> Result<VerifyingFile, CacheError> {
        let state = State::Reading(Sha256::new());
        Ok(VerifyingFile { file: self.open()?, cached: self.clone(), left: self.size, state })
    }

    /// Removes it from the cache. No error if it is gone already.
    ///
    /// # Errors
    /// [`CacheError`] where it cannot be removed.
    pub fn discard(&self) -> Result<(), CacheError> {
        let removed = match fs::remove_file(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::IsADirectory => fs::remove_dir_all(&self.path),
            removed => removed,
        };
        match removed {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(CacheError::at("remove", &self.path)(e)),
            _ => Ok(()),
        }
    }
}

/// Reads a file of the cache. Before the end of it is reported, its digest has been checked; where that is another than
/// it should be, the file is removed from the cache, and the error is of the kind [`io::ErrorKind::InvalidData`].
#[derive(Debug)]
pub struct VerifyingFile {
    file: File,
    cached: CachedFile,
    /// Bytes that are still to come.
    left: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading(Sha256),
    Sound,
    Damaged,
}

impl Read for VerifyingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let State::Reading(hasher) = &mut self.state else {
            return if matches!(self.state, State::Sound) { Ok(0) } else { Err(self.damaged()) };
        };
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = match self.file.read(buffer) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e),
            Err(e) => return Err(CacheError::at("read", &self.cached.path)(e).into()),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        hasher.update(bytes);
        match (self.left.checked_sub(read as u64), read) {
            (Some(left), 1..) => self.left = left,
            (Some(0), 0) if ContentKey::from_sha256(hasher.finalize_reset().into()) == self.cached.key => {
                self.state = State::Sound;
            }
            _ => {
                self.state = State::Damaged;
                self.discard();
                return Err(self.damaged());
            }
        }
        Ok(read)
    }
}

impl VerifyingFile {
    /// Removes what was read. Where somebody has put another file in its place meanwhile, that one stays.
    fn discard(&self) {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (read, there) = (self.file.metadata(), fs::symlink_metadata(&self.cached.path));
        if let (Ok(read), Ok(there)) = (read, there)
            && identity(read) == identity(there)
        {
            // One that cannot be removed is found damaged again.
            let _: Result<(), CacheError> = self.cached.discard();
        }
    }

    fn damaged(&self) -> io::Error {
        let source = io::Error::new(io::ErrorKind::InvalidData, "its bytes are not those that were written");
        CacheError { action: "rely on", path: self.cached.path.clone(), source }.into()
    }
}

#[cfg(test)]
mod tests;
