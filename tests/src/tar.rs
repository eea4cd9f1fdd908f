//! Tar archives, byte by byte: the [ustar] header, and GNU's long names.
//!
//! [ustar]: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06

use std::iter::repeat_n;

const BLOCK: usize = 512;
const NAME: usize = 100;

/// An entry: what its header says, and its content.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name, as it stands in the archive.
    pub name: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The size that the header claims; `None` for the content's own.
    pub size: Option<u64>,
    /// Seconds since 1970.
    pub mtime: u64,
    /// `0` a file, `1` a hard link, `2` a symbolic link, `5` a directory.
    pub kind: u8,
    /// What a link points to.
    pub target: Vec<u8>,
    /// What follows the header.
    pub content: Vec<u8>,
}

impl Entry {
    /// A regular file with mode 0644.
    #[must_use]
    pub fn file(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self { content: content.into(), ..Self::new(name, b'0', 0o644) }
    }

    /// A directory with mode 0755.
    #[must_use]
    pub fn directory(name: &str) -> Self {
        Self::new(name, b'5', 0o755)
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(name: &str, target: &str) -> Self {
        Self { target: target.into(), ..Self::new(name, b'2', 0o777) }
    }

    /// A hard link.
    #[must_use]
    pub fn hardlink(name: &str, target: &str) -> Self {
        Self { target: target.into(), ..Self::new(name, b'1', 0o644) }
    }

    /// The same entry with another mode.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// The same entry with other owners.
    #[must_use]
    pub fn owned_by(self, uid: u32, gid: u32) -> Self {
        Self { uid, gid, ..self }
    }

    fn new(name: &str, kind: u8, mode: u32) -> Self {
        let (name, target, content) = (name.into(), Vec::new(), Vec::new());
        Self { name, mode, uid: 0, gid: 0, size: None, mtime: 1_700_000_000, kind, target, content }
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        for (kind, long) in [(b'K', &self.target), (b'L', &self.name)] {
            if long.len() > NAME {
                let mut content = long.clone();
                content.push(0);
                Self { kind, content, mtime: 0, mode: 0o644, ..Self::new("././@LongLink", kind, 0o644) }.append_to(out);
            }
        }
        let start = out.len();
        put(out, &self.name, NAME);
        for (value, width) in [(self.mode, 8), (self.uid, 8), (self.gid, 8)] {
            put_octal(out, value.into(), width);
        }
        put_octal(out, self.size.unwrap_or(self.content.len() as u64), 12);
        put_octal(out, self.mtime, 12);
        let checksum = out.len();
        put(out, b"        ", 8);
        out.push(self.kind);
        put(out, &self.target, NAME);
        put(out, b"ustar  \0", 8);
        put(out, b"root", 32);
        put(out, b"root", 32);
        pad(out);
        let sum: u32 = out.iter().skip(start).map(|byte| u32::from(*byte)).sum();
        for (place, byte) in out.iter_mut().skip(checksum).zip(format!("{sum:06o}\0").bytes()) {
            *place = byte;
        }
        out.extend_from_slice(&self.content);
        pad(out);
    }
}

/// The whole archive, with the two empty blocks that end it.
#[must_use]
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        entry.append_to(&mut out);
    }
    out.extend(repeat_n(0, 2 * BLOCK));
    out
}

fn put(out: &mut Vec<u8>, value: &[u8], width: usize) {
    out.extend(value.iter().copied().chain(repeat_n(0, width)).take(width));
}

fn put_octal(out: &mut Vec<u8>, value: u64, width: usize) {
    let digits = width - 1;
    put(out, format!("{value:0digits$o}").as_bytes(), width);
}

fn pad(out: &mut Vec<u8>) {
    out.extend(repeat_n(0, out.len().next_multiple_of(BLOCK) - out.len()));
}
