//! A directory whose files are opened without following links.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::Error;

/// An open directory. Names in it are single components that distil chose itself; links among them are never followed,
/// and it stays the same directory when somebody renames it or puts a link in its place.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens a directory that a user named, who may well use links.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path: path.to_owned() }),
            Err(Errno::NOTDIR) => Err(Error::NotRegular { path: path.to_owned(), expected: "directory" }),
            Err(e) => Err(Error::io("open", path)(e.into())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a directory in this one.
    pub(crate) fn dir(&self, name: &str) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.path_of(name);
        match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(Error::NotRegular { path, expected: "directory" }),
            Err(e) => Err(Error::io("open", path)(e.into())),
        }
    }

    /// Makes a directory in this one where there is none, and opens it.
    pub(crate) fn make_dir(&self, name: &str) -> Result<Self, Error> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(e) => return Err(Error::io("create", self.path_of(name))(e.into())),
        }
        self.dir(name)
    }

    /// Opens a regular file for reading. A pipe would hang whoever opens it, hence `NONBLOCK`.
    pub(crate) fn file(&self, name: &str) -> Result<File, Error> {
        self.open_file(name, OFlags::RDONLY)
    }

    /// Opens a regular file for writing, which is made where there is none.
    pub(crate) fn writable(&self, name: &str) -> Result<File, Error> {
        self.open_file(name, OFlags::RDWR | OFlags::CREATE)
    }

    fn open_file(&self, name: &str, mode: OFlags) -> Result<File, Error> {
        let flags = mode | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let path = self.path_of(name);
        let file = match rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o666)) {
            Ok(fd) => File::from(fd),
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => {
                return Err(Error::NotRegular { path, expected: "regular file" });
            }
            Err(e) => return Err(Error::io("open", path)(e.into())),
        };
        if !file.metadata().map_err(Error::io("read", &path))?.is_file() {
            return Err(Error::NotRegular { path, expected: "regular file" });
        }
        Ok(file)
    }

    /// Makes a file that is not there yet; `None` where it is.
    pub(crate) fn create(&self, name: &str) -> Result<Option<File>, Error> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o666)) {
            Ok(fd) => Ok(Some(File::from(fd))),
            Err(Errno::EXIST) => Ok(None),
            Err(e) => Err(Error::io("create", self.path_of(name))(e.into())),
        }
    }

    /// Reads a regular file whole, one byte more than `limit` at most, so that too large a file shows.
    pub(crate) fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = self.file(name)?.take(limit).read_to_end(&mut bytes);
        read.map_err(Error::io("read", self.path_of(name)))?;
        Ok(bytes)
    }

    /// What is there under a name, a link itself where it is one.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>, Error> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Error::io("read", self.path_of(name))(e.into())),
        }
    }

    /// The size of a regular file; `None` for everything else.
    pub(crate) fn size(&self, name: &str) -> Result<Option<u64>, Error> {
        let regular = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok(self.stat(name)?.filter(regular).and_then(|stat| u64::try_from(stat.st_size).ok()))
    }

    /// Moves a file to a name in another directory, in place of what is there.
    pub(crate) fn rename(&self, from: &str, to: &Self, name: &str) -> Result<(), Error> {
        rustix::fs::renameat(&self.fd, from, &to.fd, name).map_err(|e| Error::io("write", to.path_of(name))(e.into()))
    }

    /// Removes a file; it is no error where there is none.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        self.unlink(name, AtFlags::empty())
    }

    /// Removes an empty directory; it is no error where there is none.
    pub(crate) fn remove_dir(&self, name: &str) -> Result<(), Error> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.fd, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(Error::io("remove", self.path_of(name))(e.into())),
        }
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |e: Errno| Error::io("read", &self.path)(io::Error::from(e));
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes what was created, renamed or removed in it survive a crash.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        match rustix::fs::fsync(&self.fd) {
            // Some file systems have nothing to flush for a directory, and say so.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(e) => Err(Error::io("flush", &self.path)(e.into())),
        }
    }
}
