//! When a file was last used: its time of modification, since its bytes never change.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW};

/// A time of the file system's own clock, in seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64, i64);

impl Moment {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self(metadata.mtime(), metadata.mtime_nsec())
    }
}

const NOW: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
};

/// Marks a file as used now. Where that is not allowed, it is only pruned earlier.
pub(crate) fn mark(path: &Path) {
    let _: rustix::io::Result<()> = rustix::fs::utimensat(CWD, path, &NOW, AtFlags::SYMLINK_NOFOLLOW);
}

/// The same for an open file.
pub(crate) fn mark_open(file: &File) {
    let _: rustix::io::Result<()> = rustix::fs::futimens(file, &NOW);
}
