//! Files that appear under their name when they are complete.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write as _};
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(target_os = "linux")]
use rustix::fs::Advice;

use crate::descriptor::Descriptor;
use crate::digest::VerifyingReader;
use crate::dir::Dir;
use crate::error::Error;

/// A file under a passing name, removed unless it is [`keep`](TempFile::keep)t.
///
/// Its writer holds a lock on it as long as it lives, whatever container or machine it runs in; [`sweep`] removes files
/// whose lock is free. A process number in the name alone would not tell: another container has its own numbers.
#[derive(Debug)]
pub(crate) struct TempFile {
    dir: Arc<Dir>,
    name: String,
    file: File,
    /// Bytes that [`write`](TempFile::write) has written, and those of them whose way to the disk has begun.
    written: u64,
    begun: u64,
    kept: bool,
}

const PREFIX: &str = ".distil-";
const SUFFIX: &str = ".tmp";
/// Bytes copied at a time.
const CHUNK: usize = 256 << 10;
/// Bytes whose way to the disk begins together.
const BATCH: u64 = 4 << 20;

static NEXT: AtomicU64 = AtomicU64::new(0);

impl TempFile {
    pub(crate) fn create(dir: &Arc<Dir>) -> Result<Self, Error> {
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id());
            let Some(file) = dir.create(&name)? else { continue };
            let temp = Self { dir: Arc::clone(dir), name, file, written: 0, begun: 0, kept: false };
            match temp.file.lock() {
                Ok(()) => {}
                // Where files cannot be locked, nobody sweeps either.
                Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(e) => return Err(Error::io("lock", dir.path_of(&temp.name))(e)),
            }
            // A sweeper may have been between the two calls.
            let links = temp.file.metadata().map_err(Error::io("read", dir.path_of(&temp.name)))?.nlink();
            if links > 0 {
                return Ok(temp);
            }
        }
    }

    /// The file, for who writes to it at offsets.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// What messages call it.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path_of(&self.name)
    }

    /// Writes a blob, checked against its descriptor.
    pub(crate) fn write_blob(&mut self, blob: &Descriptor, content: &mut dyn Read, place: &str) -> Result<(), Error> {
        copy_verified(blob, content, place, |bytes| self.write(bytes))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::io("write", self.dir.path_of(&self.name)))?;
        self.written += bytes.len() as u64;
        if self.written - self.begun >= BATCH {
            self.begin_to_flush();
        }
        Ok(())
    }

    /// Has the kernel start what a flush would otherwise wait for at the end. Linux does so when it is told that pages are
    /// not needed, and keeps those that are not on the disk yet.
    fn begin_to_flush(&mut self) {
        #[cfg(target_os = "linux")]
        {
            let length = NonZeroU64::new(self.written - self.begun);
            // Only advice; what counts is the flush.
            let _ = rustix::fs::fadvise(&self.file, self.begun, length, Advice::DontNeed);
        }
        self.begun = self.written;
    }

    /// Flushes the file and gives it its name, in place of what has it.
    pub(crate) fn keep(self, to: &Dir, name: &str) -> Result<(), Error> {
        self.keep_until_crash(to, name)?;
        to.sync()
    }

    /// The same, but that the name may be lost when the machine crashes before [`Dir::sync`]; what is in the file is not.
    pub(crate) fn keep_until_crash(mut self, to: &Dir, name: &str) -> Result<(), Error> {
        // A failed flush is final: the kernel may have dropped the pages, and a second call would report success.
        self.file.sync_all().map_err(Error::io("flush", self.dir.path_of(&self.name)))?;
        self.dir.rename(&self.name, to, name)?;
        self.kept = true;
        Ok(())
    }
}

/// Passes a blob on in pieces, checked against its descriptor: when this returns, what was passed on is the blob.
pub(crate) fn copy_verified(
    blob: &Descriptor,
    content: &mut dyn Read,
    place: &str,
    mut write: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut content = VerifyingReader::new(content, blob.digest().clone(), blob.size());
    let mut chunk = vec![0; CHUNK];
    loop {
        match content.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => write(chunk.get(..n).unwrap_or_default())?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(Error::Blob { digest: blob.digest().clone(), place: place.to_owned(), source });
            }
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to tell; a file that stays is swept by the next writer.
            let _ = self.dir.remove(&self.name);
        }
    }
}

/// Removes what dead writers left, and says whether others are alive.
pub(crate) fn sweep(dir: &Dir) -> Result<bool, Error> {
    let mut alive = false;
    for name in dir.names()? {
        if !is_temp(&name) {
            continue;
        }
        let Ok(file) = dir.file(&name) else { continue };
        match file.try_lock() {
            Ok(()) => dir.remove(&name)?,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => alive = true,
        }
    }
    Ok(alive)
}

/// Whether a name is one that [`TempFile`] gives.
pub(crate) fn is_temp(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}
