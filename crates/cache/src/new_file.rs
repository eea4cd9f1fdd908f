//! A file that has no name in the cache yet.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::CacheError;

/// A file of a session. It gets its name with [`NewFile::keep`]; dropped without, it is gone.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    path: PathBuf,
    size: u64,
    kept: bool,
}

impl NewFile {
    pub(crate) fn create(path: PathBuf) -> Result<Self, CacheError> {
        let file = create(&path).map_err(CacheError::at("make the file", &path))?;
        Ok(Self { file, path, size: 0, kept: false })
    }

    /// How many bytes were written.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Forgets what was written so far.
    pub(crate) fn restart(&mut self) -> Result<(), CacheError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(CacheError::at("empty", &self.path))?;
        self.size = 0;
        Ok(())
    }

    /// Waits until the bytes are on the disk. Without that, a machine that loses power may keep the name and lose bytes.
    pub(crate) fn sync(&self) -> Result<(), CacheError> {
        self.file.sync_data().map_err(CacheError::at("flush", &self.path))
    }

    /// Gives it its name, in the place of what is there. The folder is made where it is missing.
    pub(crate) fn keep(mut self, path: &Path) -> Result<(), CacheError> {
        let renamed = match fs::rename(&self.path, path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    make_dir(folder)?;
                }
                fs::rename(&self.path, path)
            }
            // Nobody here makes a directory of that name, and it must not keep the file away for ever.
            Err(e) if e.kind() == io::ErrorKind::IsADirectory => {
                fs::remove_dir_all(path).and_then(|()| fs::rename(&self.path, path))
            }
            renamed => renamed,
        };
        renamed.map_err(CacheError::at("rename a file to", path))?;
        self.kept = true;
        Ok(())
    }
}

/// Unbuffered: what comes here comes in large pieces.
impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.file.write(bytes) {
            Ok(written) => written,
            // The caller writes the rest again, as the contract of `Write` has it.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e),
            Err(e) => return Err(CacheError::at("write to", &self.path)(e).into()),
        };
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // A leftover goes with the session's directory.
            let _: io::Result<()> = fs::remove_file(&self.path);
        }
    }
}

/// Makes a file that is not there, and its folder where that is missing.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    match (options.open(path), path.parent()) {
        (Err(e), Some(folder)) if e.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            options.open(path)
        }
        (opened, _) => opened,
    }
}

pub(crate) fn make_dir(path: &Path) -> Result<(), CacheError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(CacheError::at("make the directory", path))
}
