//! The data archive of a .deb: the files that a package installs, as a stream.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use distil_imgcore::tar::{self, Dialect, TarReader};
use distil_imgcore::{Entry, EntryKind, ImagePath};
use md5::{Digest, Md5};

use crate::ar::MemberName;
use crate::control_archive::ControlArchive;
use crate::deb::{LastMember, Limits};
use crate::decompress::{Codec, Decoder, Decoding, OutputLimits};
use crate::error::{DebError, Place};
use crate::integrity::Integrity;
use crate::md5sums::Md5Sum;

/// Reads the entries of a package one by one; [`Read`] gives the content of the current one. Its errors hold a
/// [`DebError`].
#[derive(Debug)]
pub struct DataReader<R> {
    archive: TarReader<Decoder<LastMember<R>>>,
    member: MemberName,
    package: ControlArchive,
    conffiles: BTreeSet<ImagePath>,
    integrity: Integrity,
    current: Option<CurrentFile>,
    /// Sums of files that the package states none for: configuration files, mostly.
    unlisted: BTreeMap<ImagePath, Md5Sum>,
    conffile_sums: BTreeMap<ImagePath, Md5Sum>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Failed,
}

/// What is known once a package was read to its end.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// What the package says of itself.
    pub package: ControlArchive,
    /// The MD5 sums of the configuration files that it ships, by its own paths.
    pub conffile_sums: BTreeMap<ImagePath, Md5Sum>,
}

/// A regular file whose content is being read and hashed.
#[derive(Debug)]
struct CurrentFile {
    path: ImagePath,
    hash: Option<Md5>,
}

impl<R: Read> DataReader<R> {
    pub(crate) fn new(
        content: LastMember<R>,
        member: MemberName,
        codec: Codec,
        limits: &Limits,
        package: ControlArchive,
        decoding: Decoding,
    ) -> Result<Self, DebError> {
        let output = OutputLimits { bytes: limits.data_archive, ratio: limits.data_ratio, free: limits.data_free };
        let decoder = Decoder::with(content, codec, output, decoding)
            .map_err(|e| Place { member: &member, entry: None, offset: 0 }.explain(e))?;
        let bounds = tar::Limits { entries: limits.data_entries, content: limits.data_archive };
        let archive = TarReader::new(decoder, Dialect::Debian, bounds);
        Ok(Self {
            archive,
            member,
            conffiles: package.conffiles().iter().map(|conffile| conffile.path.clone()).collect(),
            package,
            integrity: decoding.integrity,
            current: None,
            unlisted: BTreeMap::new(),
            conffile_sums: BTreeMap::new(),
            state: State::Reading,
        })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn control_archive(&self) -> &ControlArchive {
        &self.package
    }

    /// The next entry; what is left of the content of the one before is read for its sum. `None` comes only after the
    /// whole file was read: its checksums were right and nothing followed that another reader would see.
    ///
    /// # Errors
    /// [`DebError`] for everything that is not in order. After an error, or after one from [`Read`], it never says that
    /// the end was reached.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, DebError> {
        match self.state {
            State::Ended => return Ok(None),
            State::Failed => return Err(DebError::AfterError { member: self.member.clone() }),
            State::Reading => {}
        }
        let next = self.advance();
        self.state = match next {
            Ok(Some(_)) => State::Reading,
            Ok(None) => State::Ended,
            Err(_) => State::Failed,
        };
        next
    }

    /// Reads what is left, so that the whole file was checked, and gives what was learnt.
    ///
    /// # Errors
    /// As [`DataReader::next_entry`].
    pub fn finish(mut self) -> Result<Unpacked, DebError> {
        while self.next_entry()?.is_some() {}
        Ok(Unpacked { package: self.package, conffile_sums: self.conffile_sums })
    }

    fn advance(&mut self) -> Result<Option<Entry>, DebError> {
        self.finish_file()?;
        let next = self.archive.next_entry();
        let Some(entry) = next.map_err(|e| self.place().explain_tar(e))? else { return Ok(None) };
        self.check_place(&entry)?;
        match &entry.kind {
            EntryKind::File { .. } => {
                let hash = self.wants_sum(&entry.path).then(Md5::new);
                self.current = Some(CurrentFile { path: entry.path.clone(), hash });
            }
            EntryKind::Hardlink { target } => {
                if let Some(sum) = self.known_sum(target) {
                    self.take_sum(&entry.path, sum)?;
                }
            }
            _ => {}
        }
        Ok(Some(entry))
    }

    fn finish_file(&mut self) -> Result<(), DebError> {
        if self.current.as_ref().is_some_and(|file| file.hash.is_some()) {
            let copied = io::copy(self, &mut io::sink());
            copied.map_err(|e| self.place().explain(e))?;
        }
        match self.current.take() {
            Some(CurrentFile { path, hash: Some(hash) }) => self.take_sum(&path, Md5Sum(hash.finalize().into())),
            _ => Ok(()),
        }
    }

    /// A hard link further on may have a sum that its first name has not, so every file is hashed where sums are stated.
    fn wants_sum(&self, path: &ImagePath) -> bool {
        (self.integrity == Integrity::Unverified && !self.package.md5sums().lines().is_empty())
            || self.conffiles.contains(path)
    }

    /// The sum of a file that was read before.
    fn known_sum(&self, path: &ImagePath) -> Option<Md5Sum> {
        let listed = self.package.md5sums().of(path).filter(|_| self.integrity == Integrity::Unverified);
        listed.or_else(|| self.unlisted.get(path).copied())
    }

    fn take_sum(&mut self, path: &ImagePath, found: Md5Sum) -> Result<(), DebError> {
        if self.conffiles.contains(path) {
            self.conffile_sums.insert(path.clone(), found);
        }
        match self.package.md5sums().of(path) {
            Some(expected) if expected != found && self.integrity == Integrity::Unverified => {
                let package = self.package.control().package().clone();
                Err(DebError::Md5Mismatch { package, path: path.clone(), expected, found })
            }
            Some(_) if self.integrity == Integrity::Unverified => Ok(()),
            _ => {
                self.unlisted.insert(path.clone(), found);
                Ok(())
            }
        }
    }

    /// Refuses names that would change other files of a layer, or the records that scanners read.
    fn check_place(&self, entry: &Entry) -> Result<(), DebError> {
        let package = || self.package.control().package().clone();
        if entry.looks_like_whiteout() {
            return Err(DebError::Whiteout { package: package(), path: entry.path.clone() });
        }
        if is_reserved(entry) {
            let kind = entry.kind.noun();
            return Err(DebError::Reserved { package: package(), path: entry.path.clone(), kind });
        }
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        let entry = self.current.as_ref().map(|file| &file.path);
        Place { member: &self.member, entry, offset: self.archive.position() }
    }
}

impl<R: Read> Read for DataReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = match self.archive.read(buf) {
            Ok(length) => length,
            Err(e) => {
                self.state = State::Failed;
                return Err(io::Error::other(self.place().explain(e)));
            }
        };
        if let Some(hash) = self.current.as_mut().and_then(|file| file.hash.as_mut()) {
            hash.update(buf.get(..length).unwrap_or_default());
        }
        Ok(length)
    }
}

/// Whether an entry stands where scanners look for records of packages. Only the image's builder writes those. The
/// directories themselves are in many packages; a link or file in their place would redirect the records.
fn is_reserved(entry: &Entry) -> bool {
    let is_dir = entry.kind.is_dir();
    match entry.path.as_bytes() {
        b"var" | b"var/lib" | b"var/lib/dpkg" | b"var/lib/dpkg/status" | b"var/lib/dpkg/status.d" => !is_dir,
        path => path.starts_with(b"var/lib/dpkg/status.d/") || (path.starts_with(b"var/lib/dpkg/status/") && !is_dir),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Deb;
    use crate::testdeb::{CONTROL, Kind, deb};

    const MD5_OF_A: &str = "0cc175b9c0f1b6a831c399e269772661";
    const MD5_OF_B: &str = "92eb5ffee6ae2fec3ad71c777531578f";

    fn reader(md5sums: &str, data: &[(&str, Kind<'_>)], integrity: Integrity) -> DataReader<io::Cursor<Vec<u8>>> {
        let control = [
            ("control", Kind::File(CONTROL)),
            ("conffiles", Kind::File(b"/etc/conf\n/etc/gone\n")),
            ("md5sums", Kind::File(md5sums.as_bytes())),
        ];
        let file = io::Cursor::new(deb(&control, data));
        Deb::open(file, Limits::default()).unwrap().into_data(integrity).unwrap()
    }

    fn read(md5sums: &str, data: &[(&str, Kind<'_>)]) -> Result<Unpacked, DebError> {
        reader(md5sums, data, Integrity::Unverified).finish()
    }

    #[test]
    fn sums_of_conffiles_are_collected() {
        let data = [("etc/", Kind::Directory), ("etc/conf", Kind::File(b"a")), ("etc/other", Kind::File(b"b"))];
        for integrity in [Integrity::Unverified, Integrity::Verified] {
            let unpacked = reader("", &data, integrity).finish().unwrap();
            let sums: Vec<_> = unpacked.conffile_sums.iter().map(|(p, s)| (p.to_string(), s.to_string())).collect();
            assert_eq!(sums, [("/etc/conf".to_owned(), MD5_OF_A.to_owned())]);
        }
    }

    #[test]
    fn files_are_what_md5sums_says() {
        let right = format!("{MD5_OF_A}  a\n{MD5_OF_A}  not/there\n");
        let wrong = format!("{MD5_OF_B}  a\n");
        let data = [("a", Kind::File(b"a")), ("not-listed", Kind::File(b"b"))];
        read(&right, &data).unwrap();
        match read(&wrong, &data) {
            Err(DebError::Md5Mismatch { path, expected, found, .. }) => {
                assert_eq!((path.to_string(), expected.to_string()), ("/a".into(), MD5_OF_B.into()));
                assert_eq!(found.to_string(), MD5_OF_A);
            }
            other => panic!("{other:?}"),
        }
        reader(&wrong, &data, Integrity::Verified).finish().unwrap();
    }

    #[test]
    fn hard_links_have_the_sum_of_their_file() {
        let data = [("a", Kind::File(b"a")), ("link", Kind::Hardlink("a"))];
        for listed in ["", &format!("{MD5_OF_A}  a\n")] {
            read(&format!("{listed}{MD5_OF_A}  link\n"), &data).unwrap();
            let found = read(&format!("{listed}{MD5_OF_B}  link\n"), &data);
            assert!(matches!(found, Err(DebError::Md5Mismatch { .. })), "{found:?}");
        }
    }

    #[test]
    fn a_sum_covers_what_the_caller_did_not_read() {
        let data = [("a", Kind::File(b"a longer content")), ("b", Kind::File(b"b"))];
        let mut reader = reader(&format!("{MD5_OF_B}  a\n"), &data, Integrity::Unverified);
        reader.next_entry().unwrap();
        assert_eq!(reader.read(&mut [0; 3]).unwrap(), 3);
        assert!(matches!(reader.next_entry(), Err(DebError::Md5Mismatch { .. })));
        assert!(matches!(reader.next_entry(), Err(DebError::AfterError { .. })));
        assert!(matches!(reader.finish(), Err(DebError::AfterError { .. })));
    }

    #[test]
    fn whiteouts_are_refused() {
        for name in ["usr/.wh.sh", "usr/.wh..wh..opq", "usr/.wh.d/x", "usr/.wh."] {
            let found = read("", &[("usr/", Kind::Directory), (name, Kind::File(b""))]);
            assert!(matches!(found, Err(DebError::Whiteout { .. })), "{name}: {found:?}");
        }
    }

    #[test]
    fn records_of_packages_are_not_for_packages() {
        let directories = ["var/", "var/lib/", "var/lib/dpkg/", "var/lib/dpkg/status.d/"].map(|d| (d, Kind::Directory));
        read("", &directories).unwrap();
        for (depth, name, kind) in [
            (0, "var", Kind::Symlink("tmp")),
            (1, "var/lib", Kind::File(b"")),
            (2, "var/lib/dpkg", Kind::Symlink("/tmp")),
            (3, "var/lib/dpkg/status", Kind::File(b"")),
            (3, "var/lib/dpkg/status", Kind::Symlink("x")),
            (3, "var/lib/dpkg/status.d", Kind::Symlink("x")),
            (4, "var/lib/dpkg/status.d/openssl", Kind::File(b"")),
            (4, "./var/lib//dpkg/status.d/openssl", Kind::Symlink("x")),
            (4, "var/lib/dpkg/status.d/sub/", Kind::Directory),
        ] {
            let entries: Vec<_> = directories.into_iter().take(depth).chain([(name, kind)]).collect();
            let found = read("", &entries);
            assert!(matches!(found, Err(DebError::Reserved { .. })), "{name}: {found:?}");
        }
        let beside = [("var/lib/dpkg/info/", Kind::Directory), ("var/lib/dpkg/statusx", Kind::File(b""))];
        let entries: Vec<_> = directories.into_iter().take(3).chain(beside).collect();
        read("", &entries).unwrap();
    }

    #[test]
    fn limits_of_the_data_archive_hold() {
        let zeros = vec![0; 4096];
        let file = deb(&[("control", Kind::File(CONTROL))], &[("a", Kind::File(&zeros)), ("b", Kind::File(b""))]);
        let read = |limits| Deb::open(file.as_slice(), limits)?.into_data(Integrity::Unverified)?.finish();
        assert!(read(Limits::default()).is_ok());
        let found = read(Limits { data_entries: 1, ..Limits::default() });
        assert!(matches!(found, Err(DebError::Tar { .. })), "{found:?}");
        let found = read(Limits { data_archive: 5000, ..Limits::default() });
        assert!(matches!(found, Err(DebError::Decode { .. })), "{found:?}");
    }
}
