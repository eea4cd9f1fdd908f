//! One entry of a file tree.

use std::collections::BTreeMap;

use crate::path::ImagePath;

/// A file, directory or link as a layer holds it, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: ImagePath,
    /// What it is.
    pub kind: EntryKind,
    /// Whose it is, and when it was made.
    pub meta: Metadata,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Bytes of content.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link. The target is data: it is kept as it is, and never followed.
    Symlink {
        /// The bytes of the target.
        target: Vec<u8>,
    },
    /// Another name for a regular file of the same archive.
    Hardlink {
        /// The first name of the file.
        target: ImagePath,
    },
    /// A character device. Only layers of others hold these.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device. Only layers of others hold these.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe. Only layers of others hold these.
    Fifo,
}

/// Mode, owner, time and extended attributes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits with set-uid, set-gid and sticky: at most `0o7777`.
    pub mode: u32,
    /// User, as a number: names would mean something else on another machine.
    pub uid: u32,
    /// Group, as a number.
    pub gid: u32,
    /// Modification time in whole seconds since 1970, negative before.
    pub mtime: i64,
    /// Extended attributes, file capabilities among them (`security.capability`), by name.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Metadata {
    /// Owned by root, without extended attributes.
    #[must_use]
    pub fn root(mode: u32, mtime: i64) -> Self {
        Self { mode, uid: 0, gid: 0, mtime, xattrs: BTreeMap::new() }
    }
}

impl EntryKind {
    /// Bytes of content that follow the entry in an archive: 0 for everything but regular files.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size } => *size,
            _ => 0,
        }
    }

    /// Whether this is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        matches!(self, Self::Directory)
    }

    /// The word that messages use for it.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Directory => "directory",
            Self::Symlink { .. } => "symbolic link",
            Self::Hardlink { .. } => "hard link",
            Self::CharDevice { .. } => "character device",
            Self::BlockDevice { .. } => "block device",
            Self::Fifo => "named pipe",
        }
    }
}

/// Kinds of special names that the OCI layer format gives a meaning.
///
/// Whoever unpacks a layer deletes files where one of these stands: see the [image specification, "Whiteouts"].
///
/// [image specification, "Whiteouts"]: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whiteout {
    /// `.wh.NAME` removes this sibling in the layers below.
    Entry(ImagePath),
    /// `.wh..wh..opq` removes all that the layers below have in this directory.
    Opaque(ImagePath),
}

impl Entry {
    /// What the entry deletes from lower layers, if it is a whiteout.
    ///
    /// # Errors
    /// [`BadWhiteout`] for a whiteout of `.`, `..` or nothing, and for a path below one.
    pub fn whiteout(&self) -> Result<Option<Whiteout>, BadWhiteout> {
        let bad = || BadWhiteout(self.path.clone());
        let Some(parent) = self.path.parent() else {
            return Ok(None);
        };
        if parent.components().any(|c| c.starts_with(WHITEOUT_PREFIX)) {
            return Err(bad());
        }
        let Some(hidden) = self.path.file_name().and_then(|n| n.strip_prefix(WHITEOUT_PREFIX)) else {
            return Ok(None);
        };
        match hidden {
            b".wh..opq" => Ok(Some(Whiteout::Opaque(parent))),
            b"" | b"." | b".." => Err(bad()),
            name if name.starts_with(WHITEOUT_PREFIX) => Err(bad()),
            name => Ok(Some(Whiteout::Entry(parent.join(name).map_err(|_| bad())?))),
        }
    }

    /// Whether any component of the path has the form of a whiteout.
    #[must_use]
    pub fn looks_like_whiteout(&self) -> bool {
        self.path.components().any(|c| c.starts_with(WHITEOUT_PREFIX))
    }
}

/// Whether the last component of a path has the form of a whiteout.
pub(crate) fn is_whiteout_name(path: &ImagePath) -> bool {
    path.file_name().is_some_and(|name| name.starts_with(WHITEOUT_PREFIX))
}

const WHITEOUT_PREFIX: &[u8] = b".wh.";

/// A name that starts like a whiteout but stands for none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has the form of a whiteout but names nothing that one can remove")]
pub struct BadWhiteout(pub ImagePath);

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        let path = ImagePath::from_archive(name.as_bytes()).unwrap();
        Entry { path, kind: EntryKind::File { size: 0 }, meta: Metadata::root(0o644, 0) }
    }

    #[test]
    fn whiteouts_are_told_from_names() {
        let path = |name: &str| ImagePath::from_archive(name.as_bytes()).unwrap();
        assert_eq!(entry("a/b").whiteout(), Ok(None));
        assert_eq!(entry("a/.wh.b").whiteout(), Ok(Some(Whiteout::Entry(path("a/b")))));
        assert_eq!(entry("a/.wh..wh..opq").whiteout(), Ok(Some(Whiteout::Opaque(path("a")))));
        for name in ["a/.wh.", "a/.wh..", "a/.wh...", "a/.wh.b/c", "a/.wh..wh.plnk"] {
            assert!(entry(name).whiteout().is_err(), "{name}");
        }
    }
}
