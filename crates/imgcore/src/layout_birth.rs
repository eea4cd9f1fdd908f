//! A layout that is not one yet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::dir::Dir;
use crate::error::Error;
use crate::layout::{BLOBS, INDEX_JSON, OCI_LAYOUT};
use crate::lock::{self, WriteLock};
use crate::temp::{TempFile, is_temp, sweep};

/// What was made for a new layout; dropped without [`Birth::done`], it is removed.
///
/// Several processes may make one layout together. Each holds a [`TempFile`] in it, so that none takes away what another
/// counts on.
#[derive(Debug)]
pub(crate) struct Birth {
    dir: Arc<Dir>,
    wait: Duration,
    /// Directories that were made, the outermost first.
    made: Vec<PathBuf>,
    blobs: BTreeSet<Digest>,
    presence: Option<TempFile>,
}

/// Others may be removing the directory that is just being opened.
const ATTEMPTS: u32 = 8;

impl Birth {
    /// Makes the directory of a layout; where there is a layout already, there is no birth.
    pub(crate) fn prepare(path: &Path, wait: Duration) -> Result<(Arc<Dir>, Option<Self>), Error> {
        let mut attempt = 1;
        loop {
            match Self::attempt(path, wait) {
                Err(e) if e.is_not_found() && attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
        }
    }

    fn attempt(path: &Path, wait: Duration) -> Result<(Arc<Dir>, Option<Self>), Error> {
        let made = make_dirs(path)?;
        let dir = Arc::new(Dir::open(path)?);
        if dir.stat(INDEX_JSON)?.is_some() {
            return Ok((dir, None));
        }
        let mut birth = Self { dir: Arc::clone(&dir), wait, made, blobs: BTreeSet::new(), presence: None };
        // A crashed first writer leaves blobs, and maybe `oci-layout`, which is written just before the index.
        let expected =
            |name: &String| [BLOBS, OCI_LAYOUT, lock::NAME, INDEX_JSON].contains(&name.as_str()) || is_temp(name);
        if !dir.names()?.iter().all(expected) {
            return Err(Error::Occupied { path: path.to_owned() });
        }
        let _lock = WriteLock::acquire(&dir, wait)?;
        birth.presence = Some(TempFile::create(&dir)?);
        Ok((dir, Some(birth)))
    }

    /// Remembers a blob.
    pub(crate) fn wrote(&mut self, digest: &Digest) {
        self.blobs.insert(digest.clone());
    }

    /// Keeps everything, the directories in those above them too.
    pub(crate) fn done(mut self) -> Result<(), Error> {
        self.blobs.clear();
        self.presence = None;
        for made in std::mem::take(&mut self.made) {
            let parent = made.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Dir::open(parent)?.sync()?;
        }
        Ok(())
    }

    fn undo(&mut self) -> Result<(), Error> {
        if self.presence.take().is_some() {
            let _lock = WriteLock::acquire(&self.dir, self.wait)?;
            if self.dir.stat(INDEX_JSON)?.is_some() || sweep(&self.dir)? {
                return Ok(());
            }
            let blobs = self.dir.dir(BLOBS)?;
            let algorithms: BTreeSet<&str> = self.blobs.iter().map(Digest::algorithm).collect();
            for digest in &self.blobs {
                blobs.dir(digest.algorithm())?.remove(&digest.hex())?;
            }
            for algorithm in algorithms {
                blobs.remove_dir(algorithm)?;
            }
            self.dir.remove_dir(BLOBS)?;
        }
        Ok(())
    }
}

impl Drop for Birth {
    fn drop(&mut self) {
        // Nobody is left to tell. What stays is no layout, and the next writer takes it over.
        let _ = self.undo();
        for made in self.made.iter().rev() {
            let _ = std::fs::remove_dir(made);
        }
    }
}

/// Makes a directory and those above it; gives those that were missing, the outermost first.
fn make_dirs(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && std::fs::symlink_metadata(path).is_err();
    let mut wanted: Vec<PathBuf> = path.ancestors().take_while(missing).map(Path::to_owned).collect();
    wanted.reverse();
    let mut made = Vec::new();
    for dir in wanted {
        match std::fs::create_dir(&dir) {
            Ok(()) => made.push(dir),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                for made in made.iter().rev() {
                    let _ = std::fs::remove_dir(made);
                }
                return Err(Error::io("create", dir)(e));
            }
        }
    }
    Ok(made)
}
