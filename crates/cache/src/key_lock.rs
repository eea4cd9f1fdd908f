//! One at a time, for one key.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::CacheError;
use crate::session::lock_file;

/// Held while a file is made. It ends when dropped, or with its process.
#[derive(Debug)]
pub struct KeyLock {
    path: PathBuf,
    /// Closing it ends the lock.
    _file: File,
}

const POLL: Duration = Duration::from_millis(50);

impl KeyLock {
    pub(crate) fn wait(
        path: PathBuf,
        longest: Duration,
        give_up: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, CacheError> {
        let start = Instant::now();
        loop {
            // Opened anew each time, since the one before removes the file when it is done.
            let file = lock_file(&path)?;
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { path, _file: file })),
                // Where files cannot be locked, nobody holds any.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(CacheError::at("lock", &path)(e)),
                Err(TryLockError::WouldBlock) => {}
            }
            if start.elapsed() >= longest || give_up() {
                return Ok(None);
            }
            thread::sleep(POLL.min(longest));
        }
    }
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // Removed while it is held. Somebody who opened it before and locks it now holds a lock that nobody else sees:
        // then two make the same file, which costs time alone.
        let _: io::Result<()> = fs::remove_file(&self.path);
    }
}
