//! The deterministic writer.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::BLOCK;
use crate::entry::{Entry, EntryKind};
use crate::path::ImagePath;

/// Writes entries as [POSIX `ustar`], with pax records where that has no room for a name, number or attribute.
///
/// The same entries give the same bytes everywhere: owners are numbers, names stand without `./`, and nothing is taken
/// from the machine. Times are whole seconds.
///
/// [POSIX `ustar`]: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
#[derive(Debug)]
pub struct TarWriter<W> {
    inner: W,
}

/// Two blocks of zeros, which end an archive.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

const ZEROS: [u8; BLOCK] = [0; BLOCK];

impl<W: Write> TarWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner }
    }

    /// Writes one entry with its content.
    ///
    /// # Errors
    /// Errors of the writer and of `content`; [`io::ErrorKind::InvalidData`] where `content` has another size than the
    /// entry states. The archive is of no use after an error.
    pub fn append(&mut self, entry: &Entry, content: &mut dyn Read) -> io::Result<()> {
        self.inner.write_all(&headers(entry))?;
        let size = entry.kind.size();
        let copied = io::copy(&mut content.take(size.saturating_add(1)), &mut self.inner)?;
        if copied != size {
            return Err(wrong_size(&entry.path, size, copied));
        }
        self.inner.write_all(padding(size))
    }

    /// Ends the archive and gives back the writer.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&END)?;
        Ok(self.inner)
    }
}

pub(crate) fn wrong_size(path: &ImagePath, stated: u64, copied: u64) -> io::Error {
    let more = if copied > stated { "more" } else { "fewer" };
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} has {more} bytes than the {stated} stated"))
}

/// The zeros that follow content of this size.
pub(crate) fn padding(size: u64) -> &'static [u8] {
    // Below the size of a block, so it fits every usize.
    let used = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    ZEROS.get(..(BLOCK - used) % BLOCK).unwrap_or_default()
}

/// The header blocks of an entry: its pax records, if it needs any, and its ustar header.
pub(crate) fn headers(entry: &Entry) -> Vec<u8> {
    let mut name = entry.path.as_bytes().to_vec();
    if entry.kind.is_dir() {
        name.push(b'/');
    }
    let (flag, link, device): (u8, &[u8], _) = match &entry.kind {
        EntryKind::File { .. } => (b'0', b"", (0, 0)),
        EntryKind::Directory => (b'5', b"", (0, 0)),
        EntryKind::Symlink { target } => (b'2', target, (0, 0)),
        EntryKind::Hardlink { target } => (b'1', target.as_bytes(), (0, 0)),
        EntryKind::CharDevice { major, minor } => (b'3', b"", (*major, *minor)),
        EntryKind::BlockDevice { major, minor } => (b'4', b"", (*major, *minor)),
        EntryKind::Fifo => (b'6', b"", (0, 0)),
    };
    let meta = &entry.meta;
    let mut records = BTreeMap::new();
    let (prefix, short) = split(&name).unwrap_or_else(|| {
        records.insert(b"path".to_vec(), name.clone());
        (b"", name.get(..100).unwrap_or_default())
    });
    if link.len() > 100 {
        records.insert(b"linkpath".to_vec(), link.to_vec());
    }
    if records.values().any(|value| std::str::from_utf8(value).is_err()) {
        records.insert(b"hdrcharset".to_vec(), b"BINARY".to_vec());
    }
    let mut number = |key: &str, value: i128, digits: u32| {
        if (0..8_i128.pow(digits)).contains(&value) {
            return value;
        }
        records.insert(key.into(), value.to_string().into_bytes());
        0
    };
    let uid = number("uid", meta.uid.into(), 7);
    let gid = number("gid", meta.gid.into(), 7);
    let size = number("size", entry.kind.size().into(), 11);
    let mtime = number("mtime", meta.mtime.into(), 11);
    for (key, value) in &meta.xattrs {
        records.insert([b"SCHILY.xattr.", key.as_slice()].concat(), value.clone());
    }

    let mut out = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        let body: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        let file_name = entry.path.file_name().unwrap_or_default();
        let pax_name = [b"PaxHeaders/", file_name.get(..80).unwrap_or(file_name)].concat();
        out.extend(
            Ustar { name: &pax_name, mode: 0o644, size: body.len() as i128, flag: b'x', ..Ustar::EMPTY }.block(),
        );
        out.extend_from_slice(&body);
        out.extend_from_slice(padding(body.len() as u64));
    }
    let mode = meta.mode & 0o7777;
    out.extend(Ustar { prefix, name: short, mode, uid, gid, size, mtime, flag, link, device }.block());
    out
}

/// Cuts a name into ustar's prefix of at most 155 bytes and a name of at most 100, at a slash.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    let end = name.len() - 1;
    let cut = (0..end.min(156)).rev().find(|i| name.get(*i) == Some(&b'/') && end - i <= 100)?;
    Some((name.get(..cut)?, name.get(cut + 1..)?))
}

/// A record states its own length, digits included.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// The fields of a header block.
struct Ustar<'a> {
    prefix: &'a [u8],
    name: &'a [u8],
    mode: u32,
    uid: i128,
    gid: i128,
    size: i128,
    mtime: i128,
    flag: u8,
    link: &'a [u8],
    device: (u32, u32),
}

impl Ustar<'_> {
    const EMPTY: Self = Self {
        prefix: b"",
        name: b"",
        mode: 0,
        uid: 0,
        gid: 0,
        size: 0,
        mtime: 0,
        flag: b'0',
        link: b"",
        device: (0, 0),
    };

    fn block(&self) -> Vec<u8> {
        let octal = |value: i128, digits: usize| format!("{value:0digits$o}\0").into_bytes();
        let fixed = |bytes: &[u8], width: usize| {
            let mut field: Vec<u8> = bytes.iter().take(width).copied().collect();
            field.resize(width, 0);
            field
        };
        let before = [
            fixed(self.name, 100),
            octal(self.mode.into(), 7),
            octal(self.uid, 7),
            octal(self.gid, 7),
            octal(self.size, 11),
            octal(self.mtime, 11),
        ]
        .concat();
        let after = [
            vec![self.flag],
            fixed(self.link, 100),
            b"ustar\x0000".to_vec(),
            vec![0; 64],
            octal(self.device.0.into(), 7),
            octal(self.device.1.into(), 7),
            fixed(self.prefix, 155),
            vec![0; 12],
        ]
        .concat();
        let sum: u32 = before.iter().chain(&after).map(|b| u32::from(*b)).sum::<u32>() + 8 * 32;
        [before, format!("{sum:06o}\0 ").into_bytes(), after].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Metadata;
    use crate::tar::{Dialect, Limits, TarReader};

    fn any_path() -> impl Strategy<Value = ImagePath> {
        vec("[a-zé.]{1,120}", 1..6).prop_filter_map("no path", |parts| {
            ImagePath::from_archive(parts.join("/").as_bytes())
                .ok()
                .filter(|p| !p.is_root() && p.as_bytes().len() < 600)
        })
    }

    fn any_kind() -> impl Strategy<Value = EntryKind> {
        prop_oneof![
            (0..1500_u64).prop_map(|size| EntryKind::File { size }),
            Just(EntryKind::Directory),
            vec(1_u8.., 1..300).prop_map(|target| EntryKind::Symlink { target }),
            (0..99_u32, any::<u16>()).prop_map(|(major, minor)| EntryKind::CharDevice { major, minor: minor.into() }),
            Just(EntryKind::Fifo),
        ]
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let xattrs = btree_map(vec(b'a'..=b'z', 1..8), vec(any::<u8>(), 0..40), 0..3);
        let ids = (0..u32::MAX, 0..u32::MAX);
        let mtime = prop_oneof![Just(0), any::<i32>().prop_map(i64::from), any::<i64>().prop_map(|t| t / 2)];
        (any_path(), any_kind(), 0..0o10000_u32, ids, mtime, xattrs)
            .prop_map(|(path, kind, mode, (uid, gid), mtime, xattrs)| Entry {
                path,
                kind,
                meta: Metadata { mode, uid, gid, mtime, xattrs },
            })
            .prop_filter("whiteouts have their own rules", |entry| !entry.looks_like_whiteout())
    }

    fn archive(entry: &Entry, content: &[u8]) -> Vec<u8> {
        let mut writer = TarWriter::new(Vec::new());
        writer.append(entry, &mut &content[..]).unwrap();
        writer.finish().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entry in any_entry(), seed in any::<u8>()) {
            let content = vec![seed; usize::try_from(entry.kind.size()).unwrap()];
            let bytes = archive(&entry, &content);
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            let mut reader = TarReader::new(&bytes[..], Dialect::Foreign, Limits::default());
            prop_assert_eq!(reader.next_entry().unwrap().unwrap(), entry);
            let mut back = Vec::new();
            reader.read_to_end(&mut back).unwrap();
            prop_assert_eq!(back, content);
            prop_assert!(reader.next_entry().unwrap().is_none());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in vec(any::<u8>(), 0..2048), at in 0..1024_usize, entry in any_entry()) {
            let mut good = archive(&entry, &vec![0; usize::try_from(entry.kind.size()).unwrap()]);
            if let (Some(byte), Some(other)) = (good.get_mut(at), bytes.first()) {
                *byte = *other;
            }
            bytes.extend_from_slice(&good);
            for bytes in [&bytes, &good] {
                for dialect in [Dialect::Debian, Dialect::Foreign, Dialect::Own] {
                    let mut reader = TarReader::new(&bytes[..], dialect, Limits { entries: 10, content: 1 << 20 });
                    while let Ok(Some(_)) = reader.next_entry() {}
                }
            }
        }

        #[test]
        fn every_cut_is_noticed(entry in any_entry(), cut in any::<prop::sample::Index>()) {
            let bytes = archive(&entry, &vec![7; usize::try_from(entry.kind.size()).unwrap()]);
            let short = &bytes[..cut.index(bytes.len())];
            let mut reader = TarReader::new(short, Dialect::Foreign, Limits::default());
            let error = loop {
                match reader.next_entry() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            };
            prop_assert!(error);
        }
    }

    #[test]
    fn a_reader_that_failed_never_says_that_it_ended() {
        let mut reader = TarReader::new(&[7_u8; BLOCK][..], Dialect::Own, Limits::default());
        assert!(reader.next_entry().is_err());
        assert!(matches!(reader.next_entry().unwrap_err().fault, crate::tar::Fault::AfterError));
    }

    #[test]
    fn content_of_another_size_is_refused() {
        let path = ImagePath::from_archive(b"f").unwrap();
        let entry = Entry { path, kind: EntryKind::File { size: 3 }, meta: Metadata::root(0o644, 0) };
        for content in [&b"ab"[..], b"abcd"] {
            let error = TarWriter::new(Vec::new()).append(&entry, &mut &content[..]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
