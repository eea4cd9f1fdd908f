//! A directory below the root, found without following links.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

/// An open directory. What is removed from it is removed from this one, whatever its path leads to by then.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// The directory at `path` below `root`, where it is one and there are only directories on the way. The root itself may
    /// be a link.
    pub(crate) fn open(root: &Path, path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, root, flags | OFlags::RDONLY, Mode::empty());
        let folder = path.components().try_fold(opened?, |folder, name| {
            rustix::fs::openat(&folder, name.as_os_str(), flags | OFlags::NOFOLLOW | OFlags::RDONLY, Mode::empty())
        });
        match folder {
            Ok(folder) => Ok(Some(Self(folder))),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// What is there under a name, a link itself where it is one.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Metadata>> {
        // Opened as a mere place, which neither waits for pipes nor needs permission to read.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file).metadata().map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes a file. No error if it is gone already.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Err(e) if e != Errno::NOENT => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Removes a directory that is empty; another one stays.
    pub(crate) fn remove_empty(&self, name: &OsStr) {
        let _: rustix::io::Result<()> = rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR);
    }
}
