//! Opening what must be a regular file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file for reading. A pipe that nobody writes to would hold its reader for ever, signals or not, and a
/// device may have no end.
///
/// # Errors
/// Whatever the system says, and [`io::ErrorKind::InvalidInput`] for something else than a file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let without_waiting = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(without_waiting).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// Reads a whole regular file of at most so many bytes.
///
/// # Errors
/// As [`open`], and [`io::ErrorKind::FileTooLarge`].
pub(crate) fn read_up_to(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let refused = |path: &Path| open(path).unwrap_err().kind();
        assert_eq!(refused(&pipe), io::ErrorKind::InvalidInput);
        assert_eq!(refused(Path::new("/dev/zero")), io::ErrorKind::InvalidInput);
        assert_eq!(refused(dir.path()), io::ErrorKind::IsADirectory);
        assert_eq!(refused(&dir.path().join("none")), io::ErrorKind::NotFound);
        assert!(open(tempfile::NamedTempFile::new_in(dir.path()).unwrap().path()).is_ok());
    }
}
