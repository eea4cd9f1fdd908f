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
        let file = |name: &str| files.get(name.as_bytes()).map(Vec::as_slice);
        let control = file("control").ok_or_else(|| DebError::NoControl { member: member.clone() })?;
        Ok(Self {
            control: Control::parse(control)?,
            control_time,
            conffiles: parse_conffiles(file("conffiles").unwrap_or_default())?,
            md5sums: Md5sums::parse(file("md5sums").unwrap_or_default())?,
            files,
        })
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
