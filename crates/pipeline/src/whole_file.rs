//! Small files of text that appear under their names when they are complete.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file where none is yet. Its directory is made where it is missing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where something is there, even a link to nowhere, and whatever the system says.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    Staged::write(path, &mut &*content, FOR_ALL)?.create()
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
    Staged::write(path, content, FOR_ALL)?.replace()
}

/// Writes to where somebody pointed: into what is no file, such as a pipe, and into whatever `/dev/stdout` leads to, all of
/// which stay; or else as [`replace`] does, in the place of the file itself where the name is a link to it, and
/// with its mode and owner.
///
/// # Errors
/// Whatever the system says.
pub fn deliver(path: &Path, content: &[u8]) -> io::Result<()> {
    let is_open_already = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    match fs::metadata(path) {
        Ok(found) if found.is_file() && !is_open_already => {
            let path = fs::canonicalize(path)?;
            let staged = Staged::write(&path, &mut &*content, FOR_ALL)?;
            staged.take_after(&found)?;
            staged.replace()
        }
        Err(_) if fs::symlink_metadata(path).is_err() => replace(path, content),
        _ => OpenOptions::new().write(true).create(true).truncate(true).open(path)?.write_all(content),
    }
}

/// What the umask leaves of it is who may read and write a file.
const FOR_ALL: u32 = 0o666;

/// A file that is whole, beside where it is to be. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    file: NamedTempFile,
    path: &'a Path,
}

impl<'a> Staged<'a> {
    /// Writes the file, for those whom `mode` and the umask let at it. The directory is made where it is missing.
    pub(crate) fn write(path: &'a Path, content: &mut dyn Read, mode: u32) -> io::Result<Self> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempfile_in(dir)?;
        io::copy(content, &mut file)?;
        file.as_file().sync_all()?;
        Ok(Self { file, path })
    }

    /// Gives it the mode of another file, and its owner where that is allowed.
    fn take_after(&self, other: &Metadata) -> io::Result<()> {
        let file = self.file.as_file();
        match fchown(file, Some(other.uid()), Some(other.gid())) {
            // Who may read it matters more than whose it is.
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(error),
            _ => {}
        }
        file.set_permissions(other.permissions())
    }

    /// Gives it its name, which nothing must have yet.
    pub(crate) fn create(self) -> io::Result<()> {
        self.file.persist_noclobber(self.path)?;
        Ok(())
    }

    /// Gives it its name, whatever had it.
    pub(crate) fn replace(self) -> io::Result<()> {
        self.file.persist(self.path)?;
        Ok(())
    }
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
    fn what_is_no_file_is_written_to_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("file"));
        for target in ["/dev/null", "file"] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            deliver(&link, b"long").unwrap();
            deliver(&link, b"x").unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), Path::new(target));
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read(&file).unwrap(), b"x");
        deliver(&file, b"y").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"y");
        assert!(deliver(dir.path(), b"x").is_err());
    }

    #[test]
    fn a_file_behind_a_link_is_replaced_whole_and_one_that_is_open_is_written_to() {
        use std::os::fd::AsRawFd as _;

        let dir = tempfile::tempdir().unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("file"));
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&file, b"old").unwrap();
        let inode = || fs::metadata(&file).unwrap().ino();
        let before = inode();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        deliver(&link, b"new").unwrap();
        assert_ne!(inode(), before);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let (open, before) = (fs::File::open(&file).unwrap(), inode());
        deliver(Path::new(&format!("/proc/self/fd/{}", open.as_raw_fd())), b"through").unwrap();
        assert_eq!((fs::read(&file).unwrap(), inode()), (b"through".to_vec(), before));
    }

    #[test]
    fn a_file_that_cannot_take_its_place_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        assert!(replace(&dir.path().join("a"), b"x").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
