//! Small files of text that appear under their names when they are complete.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file where none is yet. Its directory is made where it is missing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where something is there, even a link to nowhere, and whatever the system says.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    written_beside(path, &mut &*content)?.persist_noclobber(path)?;
    Ok(())
}

/// Writes a file in the place of what is there, which stays until the new one is whole. Its directory is made where it is
/// missing.
///
/// # Errors
/// Whatever the system says.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_from(path, &mut &*content)
}

/// Writes a file out of a stream in the place of what is there, which stays until the new one is whole: an error of the
/// stream leaves it. Its directory is made where it is missing.
///
/// # Errors
/// Whatever the stream and the system say.
pub fn replace_from(path: &Path, content: &mut dyn Read) -> io::Result<()> {
    written_beside(path, content)?.persist(path)?;
    Ok(())
}

fn written_beside(path: &Path, content: &mut dyn Read) -> io::Result<NamedTempFile> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    // The temporary file would be readable by its owner alone; the umask takes away what others must not have.
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(dir)?;
    io::copy(content, &mut file)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_replaced_only_on_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        create(&path, b"one").unwrap();
        assert_eq!(create(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_take_its_place_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        assert!(replace(&dir.path().join("a"), b"x").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
