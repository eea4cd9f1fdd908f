//! The lock of whoever changes a layout's index.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dir::Dir;
use crate::error::Error;

/// Name of the lock file. It is there only while somebody holds the lock, so that equal layouts have equal files.
pub(crate) const NAME: &str = ".distil.lock";

/// How often a waiting writer looks.
const PAUSE: Duration = Duration::from_millis(20);

/// An advisory lock of a directory against other writers, given back when dropped, and by the kernel when its process
/// dies.
#[derive(Debug)]
pub(crate) struct WriteLock {
    dir: Arc<Dir>,
    _file: File,
}

impl WriteLock {
    /// Takes the lock, waiting `wait` at most for another holder.
    pub(crate) fn acquire(dir: &Arc<Dir>, wait: Duration) -> Result<Self, Error> {
        let start = Instant::now();
        loop {
            let file = dir.writable(NAME)?;
            let failed = || Error::io("lock", dir.path_of(NAME));
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if start.elapsed() < wait => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Locked { path: dir.path().to_owned(), holder: holder(file) });
                }
                Err(TryLockError::Error(e)) => return Err(failed()(e)),
            }
            // The holder before may have removed the file after it was opened here; then another one is the lock.
            let inode = file.metadata().map_err(failed())?.ino();
            if dir.stat(NAME)?.is_none_or(|stat| stat.st_ino != inode) {
                continue;
            }
            file.set_len(0).map_err(failed())?;
            (&file).write_all(std::process::id().to_string().as_bytes()).map_err(failed())?;
            return Ok(Self { dir: Arc::clone(dir), _file: file });
        }
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // Removed while the lock is still held. A file that stays is taken over by the next writer.
        let _ = self.dir.remove(NAME);
    }
}

fn holder(file: File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.parse().ok()
}
