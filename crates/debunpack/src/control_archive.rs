//! The control archive of a .deb: small files, read into memory under limits and never written anywhere.

use std::collections::BTreeMap;
use std::io::Read;

use distil_imgcore::tar::{self, Dialect, TarReader};
use distil_imgcore::{Entry, EntryKind, ImagePath};

use crate::ar::MemberName;
use crate::conffiles::{Conffile, parse_conffiles};
use crate::control::Control;
use crate::deb::Limits;
use crate::decompress::{Codec, Decoder, OutputLimits};
use crate::error::{DebError, Place};
use crate::md5sums::Md5sums;

/// The files by which a package describes itself. Its scripts are bytes to look at; nothing here can run them.
#[derive(Debug, Clone)]
pub struct ControlArchive {
    control: Control,
    control_time: i64,
    conffiles: Vec<Conffile>,
    md5sums: Md5sums,
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

const SCRIPTS: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];
/// Real control archives have about ten entries.
const MAX_ENTRIES: u64 = 1000;

impl ControlArchive {
    /// The control file.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// When the control file was made, in seconds since 1970.
    #[must_use]
    pub fn control_time(&self) -> i64 {
        self.control_time
    }

    /// The configuration files, in the package's order.
    #[must_use]
    pub fn conffiles(&self) -> &[Conffile] {
        &self.conffiles
    }

    /// The MD5 sums that the package states; none where it states none.
    #[must_use]
    pub fn md5sums(&self) -> &Md5sums {
        &self.md5sums
    }

    /// The maintainer scripts that are there, by name: `preinst`, `postinst`, `prerm`, `postrm`, `config`.
    pub fn scripts(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        SCRIPTS.into_iter().filter_map(|name| Some((name, self.file(name)?)))
    }

    /// The content of any file: `triggers`, `shlibs`, `templates`.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// A form to be kept: the time, then name and content of each file, behind their lengths.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.control_time.to_le_bytes().to_vec();
        for piece in self.files.iter().flat_map(|(name, content)| [name, content]) {
            out.extend_from_slice(&(piece.len() as u64).to_le_bytes());
            out.extend_from_slice(piece);
        }
        out
    }

    /// What [`ControlArchive::to_bytes`] gave, if it is that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, mut rest) = bytes.split_first_chunk()?;
        let mut piece = || {
            let (length, bytes) = rest.split_first_chunk()?;
            let (piece, bytes) = bytes.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = bytes;
            Some(piece.to_vec())
        };
        let mut files = BTreeMap::new();
        while let Some(name) = piece() {
            files.insert(name, piece()?);
        }
        let whole = rest.is_empty();
        Self::of_files(files, i64::from_le_bytes(*time)).ok().flatten().filter(|_| whole)
    }

    /// Reads the archive to its end, and the files that have a form.
    pub(crate) fn read(
        content: impl Read,
        member: &MemberName,
        codec: Codec,
        limits: &Limits,
    ) -> Result<Self, DebError> {
        let output = OutputLimits { bytes: limits.control_archive, ratio: u64::MAX, free: u64::MAX };
        let decoder =
            Decoder::new(content, codec, output).map_err(|source| DebError::Io { member: member.clone(), source })?;
        let bounds = tar::Limits { entries: MAX_ENTRIES, content: limits.control_archive };
        let mut archive = TarReader::new(decoder, Dialect::Debian, bounds);
        let mut files = BTreeMap::new();
        let mut control_time = 0;
        loop {
            let place = |offset, entry| Place { member, entry, offset };
            let next = archive.next_entry().map_err(|e| place(archive.position(), None).explain_tar(e))?;
            let Some(entry) = next else { break };
            let Some(size) = plain_file(&entry, member)? else { continue };
            if size > limits.control_file {
                let (path, limit) = (entry.path, limits.control_file);
                return Err(DebError::ControlFileSize { member: member.clone(), path, size, limit });
            }
            let mut bytes = Vec::new();
            let read = archive.read_to_end(&mut bytes);
            read.map_err(|e| place(archive.position(), Some(&entry.path)).explain(e))?;
            if entry.path.as_bytes() == b"control" {
                control_time = entry.meta.mtime;
            }
            files.insert(entry.path.as_bytes().to_vec(), bytes);
        }
        Self::of_files(files, control_time)?.ok_or_else(|| DebError::NoControl { member: member.clone() })
    }

    /// Reads the files that have a form; nothing where there is no control file.
    fn of_files(files: BTreeMap<Vec<u8>, Vec<u8>>, control_time: i64) -> Result<Option<Self>, DebError> {
        let file = |name: &str| files.get(name.as_bytes()).map(Vec::as_slice);
        let Some(control) = file("control") else { return Ok(None) };
        Ok(Some(Self {
            control: Control::parse(control)?,
            control_time,
            conffiles: parse_conffiles(file("conffiles").unwrap_or_default())?,
            md5sums: Md5sums::parse(file("md5sums").unwrap_or_default())?,
            files,
        }))
    }
}

/// The size of a file at the top of the archive; nothing for the top itself. dpkg unpacks whatever else is there, and
/// then reads through links, hangs on pipes or stumbles over directories.
fn plain_file(entry: &Entry, member: &MemberName) -> Result<Option<u64>, DebError> {
    let at_top = entry.path.parent() == Some(ImagePath::root());
    match entry.kind {
        EntryKind::File { size } if at_top => Ok(Some(size)),
        EntryKind::Directory if entry.path.is_root() => Ok(None),
        _ => Err(DebError::ControlEntry { member: member.clone(), path: entry.path.clone(), kind: entry.kind.noun() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testdeb::{CONTROL, Kind, deb};
    use crate::{ControlError, Deb};

    fn read(entries: &[(&str, Kind<'_>)]) -> Result<ControlArchive, DebError> {
        read_with(entries, Limits::default())
    }

    fn read_with(entries: &[(&str, Kind<'_>)], limits: Limits) -> Result<ControlArchive, DebError> {
        Deb::open(deb(entries, &[]).as_slice(), limits).map(|deb| deb.control_archive().clone())
    }

    #[test]
    fn files_are_kept_by_name() {
        let archive = read(&[
            ("./", Kind::Directory),
            ("./postinst", Kind::File(b"#!/bin/sh\n")),
            ("control", Kind::File(CONTROL)),
            ("./triggers", Kind::File(b"activate-noawait ldconfig\n")),
            ("./conffiles", Kind::File(b"/etc/a\n")),
        ])
        .unwrap();
        assert_eq!(archive.control().bytes(), CONTROL);
        assert_eq!(archive.control_time(), 1_700_000_000);
        assert_eq!(archive.scripts().collect::<Vec<_>>(), [("postinst", &b"#!/bin/sh\n"[..])]);
        assert_eq!(archive.file("triggers").unwrap(), b"activate-noawait ldconfig\n");
        assert_eq!((archive.conffiles().len(), archive.md5sums().lines().len()), (1, 0));
        assert_eq!(archive.file("postrm"), None);

        let kept = archive.to_bytes();
        let back = ControlArchive::from_bytes(&kept).unwrap();
        assert_eq!((back.control_time(), back.to_bytes()), (1_700_000_000, kept.clone()));
        assert_eq!(back.control().bytes(), CONTROL);
        assert!((0..kept.len()).filter_map(|end| ControlArchive::from_bytes(&kept[..end])).all(|cut| {
            // A cut between two files is a smaller archive.
            cut.to_bytes().len() < kept.len() && cut.control().bytes() == CONTROL
        }));
    }

    #[test]
    fn only_plain_files_at_the_top_are_let_in() {
        for (name, kind, noun) in [
            ("./control", Kind::Symlink("/etc/passwd"), "symbolic link"),
            ("./control/", Kind::Directory, "directory"),
            ("./sub/", Kind::Directory, "directory"),
            ("./md5sums", Kind::Symlink("control"), "symbolic link"),
            ("./sub/control", Kind::File(b""), "file"),
        ] {
            let found = read(&[(name, kind)]);
            assert!(matches!(&found, Err(DebError::ControlEntry { kind, .. }) if *kind == noun), "{name}: {found:?}");
        }
        let linked = read(&[("./a", Kind::File(CONTROL)), ("./control", Kind::Hardlink("./a"))]);
        assert!(matches!(linked, Err(DebError::ControlEntry { kind: "hard link", .. })), "{linked:?}");
        assert!(matches!(read(&[("./md5sums", Kind::File(b""))]), Err(DebError::NoControl { .. })));
    }

    #[test]
    fn sizes_are_bounded() {
        let entries = [("./control", Kind::File(CONTROL)), ("./big", Kind::File(&[0; 2000]))];
        let small_file = Limits { control_file: 1999, ..Limits::default() };
        let found = read_with(&entries, small_file);
        assert!(matches!(found, Err(DebError::ControlFileSize { size: 2000, limit: 1999, .. })), "{found:?}");
        let small_archive = Limits { control_archive: 4000, ..Limits::default() };
        assert!(matches!(read_with(&entries, small_archive), Err(DebError::Decode { .. })));
        assert!(read_with(&entries, Limits { control_file: 2000, ..Limits::default() }).is_ok());
    }

    #[test]
    fn files_that_have_a_form_must_keep_it() {
        let with = |name: &'static str, content: &'static [u8]| {
            read(&[("./control", Kind::File(CONTROL)), (name, Kind::File(content))])
        };
        assert!(matches!(with("./conffiles", b"etc/a\n"), Err(DebError::Conffiles(_))));
        assert!(matches!(with("./md5sums", b"no sum\n"), Err(DebError::Md5sums(_))));
        let found = read(&[("./control", Kind::File(b"Package: hello\n"))]);
        assert!(matches!(found, Err(DebError::Control(ControlError::Missing { field: "Version" }))), "{found:?}");
    }
}
