//! Fragments in the form in which they are kept: all but the bytes of their parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compression::{Codec, Part};
use crate::content::Content;
use crate::digest::Digest;
use crate::entry::{Entry, EntryKind, Metadata};
use crate::fragment::{Fragment, LayerHash};
use crate::path::ImagePath;
use crate::running::RunningSha256;
use crate::tree::{FileTree, Node, Origin};

impl Fragment {
    /// Everything but the parts' bytes, to be kept. Whoever keeps it also keeps the version of the program that made it:
    /// the form may change with any.
    ///
    /// `None` for a fragment that something was taken out of: its bytes are nowhere in a row.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let start = self.start.as_ref()?;
        let mut out = Writer(Vec::new());
        out.bytes(self.codec.as_str().as_bytes());
        out.bytes(self.id.as_sha256()?);
        out.bytes(&start.plain.to_bytes());
        out.bytes(&start.packed.to_bytes());
        out.number(self.files as u64);
        out.number(self.parts.len() as u64);
        for part in &self.parts {
            out.number(part.plain);
            out.number(part.packed);
            out.number(part.crc.into());
        }
        let origins: Vec<&Origin> = {
            let mut origins: Vec<_> = self.tree.iter().map(|node| &node.origin).collect();
            origins.sort();
            origins.dedup();
            origins
        };
        out.number(origins.len() as u64);
        for origin in &origins {
            out.bytes(origin.as_str().as_bytes());
        }
        out.number(self.tree.len() as u64);
        for node in self.tree.iter() {
            out.number(origins.binary_search(&&node.origin).unwrap_or(0) as u64);
            out.node(node);
        }
        Some(out.0)
    }

    /// What [`Fragment::to_bytes`] gave; `None` for anything else. `content` finds the bytes of the parts by their digest and
    /// their size, or does not.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], content: impl FnOnce(&Digest, u64) -> Option<Arc<dyn Content>>) -> Option<Self> {
        let mut input = Reader(bytes);
        let codec = [Codec::None, Codec::Gzip, Codec::Zstd];
        let name = input.bytes()?;
        let codec = codec.into_iter().find(|codec| codec.as_str().as_bytes() == name)?;
        let id = Digest::from_sha256(input.bytes()?.try_into().ok()?);
        let plain = RunningSha256::from_bytes(input.bytes()?)?;
        let start = Some(LayerHash { plain, packed: RunningSha256::from_bytes(input.bytes()?)? });
        let files = usize::try_from(input.number()?).ok()?;
        let part = |input: &mut Reader<'_>| {
            let (plain, packed) = (input.number()?, input.number()?);
            Some(Part { plain, packed, crc: input.number()?.try_into().ok()? })
        };
        let parts: Vec<Part> = input.list(part)?;
        let size = parts.iter().try_fold(0_u64, |size, part| size.checked_add(part.packed))?;
        let packed = content(&id, size)?;
        let origin = |input: &mut Reader<'_>| Some(Origin::new(std::str::from_utf8(input.bytes()?).ok()?));
        let origins: Vec<Origin> = input.list(origin)?;
        let node = |input: &mut Reader<'_>| {
            let origin = usize::try_from(input.number()?).ok()?;
            input.node(origins.get(origin)?)
        };
        let tree: FileTree = input.list(node)?.into_iter().collect();
        let whole = input.0.is_empty() && files <= parts.len();
        whole.then_some(Self { tree, codec, parts, files, id, start, packed })
    }

    /// The digest of the parts' bytes in a row, by which they may be kept; `None` where [`Fragment::to_bytes`] is.
    #[must_use]
    pub fn packed_digest(&self) -> Option<&Digest> {
        self.start.as_ref().map(|_| &self.id)
    }
}

/// Numbers of eight bytes and strings behind their length.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn node(&mut self, node: &Node) {
        let Node { entry: Entry { path, kind, meta }, content, .. } = node;
        self.bytes(path.as_bytes());
        let (tag, numbers, name): (u8, [u64; 2], &[u8]) = match kind {
            EntryKind::File { size } => (0, [*size, 0], b""),
            EntryKind::Directory => (1, [0; 2], b""),
            EntryKind::Symlink { target } => (2, [0; 2], target),
            EntryKind::Hardlink { target } => (3, [0; 2], target.as_bytes()),
            EntryKind::CharDevice { major, minor } => (4, [(*major).into(), (*minor).into()], b""),
            EntryKind::BlockDevice { major, minor } => (5, [(*major).into(), (*minor).into()], b""),
            EntryKind::Fifo => (6, [0; 2], b""),
        };
        self.number(tag.into());
        for number in numbers {
            self.number(number);
        }
        self.bytes(name);
        for number in [meta.mode, meta.uid, meta.gid] {
            self.number(number.into());
        }
        self.number(meta.mtime.cast_unsigned());
        self.number(meta.xattrs.len() as u64);
        for (name, value) in &meta.xattrs {
            self.bytes(name);
            self.bytes(value);
        }
        self.bytes(content.as_ref().map(<[u8; 32]>::as_slice).unwrap_or_default());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Some items behind their number. Nothing is reserved for a number that the bytes may not bear out.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(items)
    }

    fn path(&mut self) -> Option<ImagePath> {
        match self.bytes()? {
            b"" => Some(ImagePath::root()),
            name => ImagePath::from_archive(name).ok(),
        }
    }

    fn node(&mut self, origin: &Origin) -> Option<Node> {
        let path = self.path()?;
        let (tag, numbers) = (self.number()?, [self.number()?, self.number()?]);
        let device = || Some((u32::try_from(numbers[0]).ok()?, u32::try_from(numbers[1]).ok()?));
        let kind = match tag {
            3 => EntryKind::Hardlink { target: self.path()? },
            tag => {
                let name = self.bytes()?;
                match tag {
                    0 => EntryKind::File { size: numbers[0] },
                    1 => EntryKind::Directory,
                    2 => EntryKind::Symlink { target: name.to_vec() },
                    4 => device().map(|(major, minor)| EntryKind::CharDevice { major, minor })?,
                    5 => device().map(|(major, minor)| EntryKind::BlockDevice { major, minor })?,
                    6 => EntryKind::Fifo,
                    _ => return None,
                }
            }
        };
        let (mode, uid, gid) = (self.small()?, self.small()?, self.small()?);
        let mtime = self.number()?.cast_signed();
        let attribute = |input: &mut Self| Some((input.bytes()?.to_vec(), input.bytes()?.to_vec()));
        let xattrs: BTreeMap<_, _> = self.list(attribute)?.into_iter().collect();
        let content = match self.bytes()? {
            b"" => None,
            sum => Some(sum.try_into().ok()?),
        };
        let meta = Metadata { mode, uid, gid, mtime, xattrs };
        Some(Node { entry: Entry { path, kind, meta }, content, origin: origin.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::compression::Compression;
    use crate::fragment_writer::FragmentWriter;

    fn fragment() -> Fragment {
        let mut writer = FragmentWriter::new(Vec::new(), Compression::GZIP, Origin::new("p"), None).unwrap();
        let mut add = |name: &str, kind: EntryKind| {
            let content: &[u8] = if matches!(kind, EntryKind::File { .. }) { b"abc" } else { b"" };
            let path = ImagePath::from_archive(name.as_bytes()).unwrap();
            let mut meta = Metadata::root(0o4755, -7);
            meta.xattrs.insert(b"security.capability".to_vec(), vec![1, 0, 2]);
            writer.add(Entry { path, kind, meta }, &mut &*content).unwrap();
        };
        add("d", EntryKind::Directory);
        add("d/f", EntryKind::File { size: 3 });
        add("d/h", EntryKind::Hardlink { target: ImagePath::from_archive(b"d/f").unwrap() });
        add("d/s", EntryKind::Symlink { target: b"\xff".to_vec() });
        add("d/c", EntryKind::CharDevice { major: 1, minor: 3 });
        add("d/b", EntryKind::BlockDevice { major: 8, minor: 0 });
        add("d/p", EntryKind::Fifo);
        let (packed, index) = writer.finish().unwrap();
        assert_eq!(*index.digest(), Digest::of(&packed));
        index.with_content(Arc::new(packed))
    }

    #[test]
    fn a_fragment_comes_back_whole() {
        let made = fragment();
        let bytes = made.to_bytes().unwrap();
        let back = Fragment::from_bytes(&bytes, |_, _| Some(Arc::clone(made.packed()))).unwrap();
        assert_eq!((back.tree(), back.parts(), back.id()), (made.tree(), made.parts(), made.id()));
        assert_eq!(back.packed_digest(), made.packed_digest());
        assert_eq!(back.to_bytes().unwrap(), bytes);
        let less = made.without(&[ImagePath::from_archive(b"d/s").unwrap()].into(), Compression::GZIP).unwrap();
        assert!(less.to_bytes().is_none() && less.packed_digest().is_none());
        assert_ne!(less.id(), made.id());
        assert!(io::copy(&mut less.packed().open().unwrap(), &mut io::sink()).is_ok());
    }

    proptest! {
        #[test]
        fn other_bytes_are_never_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let bytes = fragment().to_bytes().unwrap();
            let content = |_: &Digest, _| Some(Arc::new(Vec::new()) as Arc<dyn Content>);
            prop_assert!(Fragment::from_bytes(&bytes[..cut.index(bytes.len())], content).is_none());
            let mut changed = bytes;
            let at = at.index(changed.len());
            changed[at] = byte;
            let _ = Fragment::from_bytes(&changed, content);
        }
    }
}
