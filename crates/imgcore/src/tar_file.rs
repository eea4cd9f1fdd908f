//! A tar file whose members are read and written at their place in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use crate::digest::{Digest, Hasher};
use crate::dir::Dir;
use crate::entry::{Entry, EntryKind, Metadata};
use crate::error::Error;
use crate::path::ImagePath;
use crate::tar::writer::{END, headers, padding};
use crate::tar::{Dialect, Limits, TarError, TarReader};
use crate::temp::{TempFile, sweep};

/// Bytes read at a time.
const CHUNK: usize = 128 << 10;
/// Members of an archive of images.
const MAX_MEMBERS: u64 = 200_000;

/// Bytes of a file, in their place.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Section {
    pub(crate) fn size(&self) -> u64 {
        self.left
    }
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let n = self.file.read_at(buf.get_mut(..wanted).unwrap_or_default(), self.at)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// A member that a reader of images asks for.
#[derive(Debug)]
pub(crate) enum Member {
    /// A regular file, with its digest where that was wanted.
    File(Section, Option<Digest>),
    /// A link, which old archives have from one layer to an equal one.
    Link(ImagePath),
}

/// The members of a tar file, found in one strict pass.
#[derive(Debug)]
pub(crate) struct TarFile {
    path: PathBuf,
    members: BTreeMap<ImagePath, Member>,
}

/// Whether the digests of all members are computed in the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digests {
    Compute,
    Skip,
}

impl TarFile {
    pub(crate) fn open(path: &Path, digests: Digests) -> Result<Self, Error> {
        // A pipe would hang whoever opens it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let file = Arc::new(File::from(opened.map_err(|e| Error::io("open", path)(e.into()))?));
        let metadata = file.metadata().map_err(Error::io("read", path))?;
        if !metadata.is_file() {
            return Err(Error::NotRegular { path: path.to_owned(), expected: "regular file" });
        }
        let limits = Limits { entries: MAX_MEMBERS, content: metadata.len() };
        let whole = Section { file: Arc::clone(&file), at: 0, left: metadata.len() };
        let mut reader = TarReader::new(BufReader::with_capacity(CHUNK, whole), Dialect::Foreign, limits);
        let mut members = BTreeMap::new();
        let broken = |e: TarError| match e.io() {
            Some(io) => Error::io("read", path)(io.kind().into()),
            None => Error::Tar { path: path.to_owned(), source: Box::new(e) },
        };
        while let Some(entry) = reader.next_entry().map_err(broken)? {
            let member = match entry.kind {
                EntryKind::File { size } => {
                    let section = Section { file: Arc::clone(&file), at: reader.position(), left: size };
                    let digest = match digests {
                        Digests::Compute => Some(digest(&mut reader).map_err(Error::io("read", path))?),
                        Digests::Skip => None,
                    };
                    Member::File(section, digest)
                }
                EntryKind::Hardlink { target } => Member::Link(target),
                EntryKind::Symlink { target } => match link(&entry.path, &target) {
                    Some(target) => Member::Link(target),
                    None => continue,
                },
                _ => continue,
            };
            members.insert(entry.path, member);
        }
        Ok(Self { path: path.to_owned(), members })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file by its name, through one link at most.
    pub(crate) fn file(&self, name: &ImagePath) -> Option<(&Section, Option<&Digest>)> {
        let found = match self.members.get(name)? {
            Member::Link(target) => self.members.get(target)?,
            file @ Member::File(..) => file,
        };
        match found {
            Member::File(section, digest) => Some((section, digest.as_ref())),
            Member::Link(_) => None,
        }
    }

    /// The regular files in the order in which they lie there.
    pub(crate) fn files(&self) -> Vec<(&ImagePath, &Section)> {
        let mut files = Vec::new();
        for (path, member) in &self.members {
            if let Member::File(section, _) = member {
                files.push((path, section));
            }
        }
        files.sort_by_key(|(_, section)| section.at);
        files
    }

    /// Whether the path still leads to the file that was opened.
    pub(crate) fn is_in_place(&self) -> bool {
        let opened = self.members.values().find_map(|member| match member {
            Member::File(section, _) => section.file.metadata().ok(),
            Member::Link(_) => None,
        });
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino(), metadata.len());
        opened.map(identity) == std::fs::metadata(&self.path).ok().map(identity)
    }

    /// Reads a file whole, one byte more than `limit` at most; `None` where there is none.
    pub(crate) fn read(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        let path = ImagePath::from_archive(name.as_bytes()).ok();
        let Some((section, _)) = path.and_then(|path| self.file(&path)) else { return Ok(None) };
        let mut bytes = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        section.clone().take(limit).read_to_end(&mut bytes).map_err(Error::io("read", &self.path))?;
        Ok(Some(bytes))
    }
}

fn digest(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::sha256();
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(hasher.finish()),
            n => hasher.update(chunk.get(..n).unwrap_or_default()),
        }
    }
}

/// Where a symbolic link leads inside the archive; `None` where it leads out of it.
fn link(from: &ImagePath, target: &[u8]) -> Option<ImagePath> {
    if target.starts_with(b"/") {
        return None;
    }
    let mut parts: Vec<&[u8]> = from.as_bytes().split(|b| *b == b'/').collect();
    parts.pop();
    for part in target.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    ImagePath::from_archive(&parts.join(&b'/')).ok()
}

/// Writes a tar file that appears under its name when it is complete. Owners are root, times are 1970.
#[derive(Debug)]
pub(crate) struct TarFileWriter {
    dir: Arc<Dir>,
    name: String,
    temp: TempFile,
    file: Arc<File>,
    position: u64,
    directories: BTreeSet<String>,
}

impl TarFileWriter {
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let invalid = || Error::io("create", path)(io::ErrorKind::InvalidInput.into());
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(invalid)?.to_owned();
        // Renaming replaces whatever has the name, `/dev/null` and the link `/dev/stdout` among it. A link to a file is
        // replaced too, and what it leads to stays.
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(Error::NotRegular { path: path.to_owned(), expected: "regular file" });
        }
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let dir = Arc::new(Dir::open(parent)?);
        sweep(&dir)?;
        let temp = TempFile::create(&dir)?;
        let file = Arc::new(temp.file().try_clone().map_err(Error::io("open", temp.path()))?);
        Ok(Self { dir, name, temp, file, position: 0, directories: BTreeSet::new() })
    }

    /// A file for content whose size has to be known before it can be a member.
    pub(crate) fn spool(&self) -> Result<TempFile, Error> {
        TempFile::create(&self.dir)
    }

    /// Writes a directory, once.
    pub(crate) fn directory(&mut self, name: &str) -> Result<(), Error> {
        if self.directories.insert(name.to_owned()) {
            let header = self.header(name, EntryKind::Directory, 0o755)?;
            self.write(&header)?;
        }
        Ok(())
    }

    /// Writes a file of stated size; `content` passes its bytes on. After an error the archive is as it was before.
    pub(crate) fn file(
        &mut self,
        name: &str,
        size: u64,
        content: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>,
    ) -> Result<Section, Error> {
        let before = self.position;
        let result = self.try_file(name, size, content);
        if result.is_err() {
            self.position = before;
            self.file.set_len(before).map_err(Error::io("write", self.temp.path()))?;
        }
        result
    }

    fn try_file(
        &mut self,
        name: &str,
        size: u64,
        content: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>,
    ) -> Result<Section, Error> {
        let header = self.header(name, EntryKind::File { size }, 0o644)?;
        self.write(&header)?;
        let at = self.position;
        content(&mut |bytes| self.write(bytes))?;
        if self.position - at != size {
            return Err(Error::io("write", self.temp.path())(io::ErrorKind::InvalidData.into()));
        }
        self.write(padding(size))?;
        Ok(Section { file: Arc::clone(&self.file), at, left: size })
    }

    /// Writes a file from memory.
    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<Section, Error> {
        self.file(name, bytes.len() as u64, |write| write(bytes))
    }

    /// Ends the archive, flushes it, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.write(&END)?;
        self.temp.keep(&self.dir, &self.name)
    }

    fn header(&self, name: &str, kind: EntryKind, mode: u32) -> Result<Vec<u8>, Error> {
        let invalid = |_| Error::io("write", self.temp.path())(io::ErrorKind::InvalidInput.into());
        let path = ImagePath::from_archive(name.as_bytes()).map_err(invalid)?;
        Ok(headers(&Entry { path, kind, meta: Metadata::root(mode, 0) }))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all_at(bytes, self.position).map_err(Error::io("write", self.temp.path()))?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::tar::TarWriter;

    fn path(text: &str) -> ImagePath {
        ImagePath::from_archive(text.as_bytes()).unwrap()
    }

    #[test]
    fn links_stay_inside_the_archive() {
        let check = |target: &str, expected: Option<&str>| {
            assert_eq!(link(&path("a/b/layer.tar"), target.as_bytes()), expected.map(path), "{target}");
        };
        check("../c/layer.tar", Some("a/c/layer.tar"));
        check("../../x", Some("x"));
        check("./y", Some("a/b/y"));
        check("../../../etc/passwd", None);
        check("/etc/passwd", None);
    }

    #[test]
    fn a_file_is_found_through_one_link() {
        let temp = TempDir::new().unwrap();
        let name = temp.path().join("a.tar");
        let mut tar = TarFileWriter::create(&name).unwrap();
        tar.bytes("x/layer.tar", b"content").unwrap();
        for (from, to) in [("y/layer.tar", "../x/layer.tar"), ("z/layer.tar", "../y/layer.tar"), ("out", "../x")] {
            let kind = EntryKind::Symlink { target: to.into() };
            let entry = Entry { path: path(from), kind, meta: Metadata::root(0o777, 0) };
            tar.write(&headers(&entry)).unwrap();
        }
        tar.finish().unwrap();
        let tar = TarFile::open(&name, Digests::Compute).unwrap();
        let (section, digest) = tar.file(&path("y/layer.tar")).unwrap();
        assert_eq!((section.size(), digest), (7, Some(&Digest::of(b"content"))));
        assert!(tar.file(&path("z/layer.tar")).is_none());
        assert!(tar.file(&path("out")).is_none());
        assert_eq!(tar.read("x/layer.tar", 100).unwrap().as_deref(), Some(&b"content"[..]));
    }

    #[test]
    fn only_files_and_links_to_them_are_replaced() {
        use std::os::unix::fs::symlink;
        let temp = TempDir::new().unwrap();
        let at = |name: &str| temp.path().join(name);
        let write = |name: &str| TarFileWriter::create(&at(name)).and_then(TarFileWriter::finish);
        symlink("/dev/null", at("device")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        for name in ["device", "directory"] {
            assert!(matches!(write(name), Err(Error::NotRegular { .. })), "{name}");
        }
        write("file").unwrap();
        symlink("file", at("link")).unwrap();
        File::options().write(true).open(at("file")).unwrap().set_len(1).unwrap();
        write("link").unwrap();
        assert_eq!(std::fs::symlink_metadata(at("link")).unwrap().len(), 1024);
        assert_eq!(std::fs::symlink_metadata(at("file")).unwrap().len(), 1);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_member_of_another_size_than_stated_is_taken_back() {
        let temp = TempDir::new().unwrap();
        let name = temp.path().join("a.tar");
        let mut tar = TarFileWriter::create(&name).unwrap();
        for content in [&b"ab"[..], b"abcd"] {
            assert!(tar.file("a", 3, |write| write(content)).is_err());
        }
        tar.bytes("b", b"b").unwrap();
        tar.finish().unwrap();
        let mut expected = TarWriter::new(Vec::new());
        let entry = Entry { path: path("b"), kind: EntryKind::File { size: 1 }, meta: Metadata::root(0o644, 0) };
        expected.append(&entry, &mut &b"b"[..]).unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), expected.finish().unwrap());
    }
}
