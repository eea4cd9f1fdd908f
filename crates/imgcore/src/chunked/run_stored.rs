//! Runs in the form in which they are kept, beside the fragments that they were made of.

use std::io::Write as _;

use super::{Chunk, Record, Run};
use crate::digest::Digest;
use crate::entry::EntryKind;
use crate::path::ImagePath;
use crate::tree::FileTree;

impl Run {
    /// What the tree of the fragment does not tell, to be kept. Whoever keeps it also keeps the version of the program that
    /// made it: the form may change with any.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} {} {}\n", self.digest, self.packed, self.plain, self.records.len()).into_bytes();
        for Record { entry, crc64, chunks, .. } in &self.records {
            out.extend(hex::encode(entry.path.as_bytes()).into_bytes());
            // Writing to a vector cannot fail.
            let _ = write!(out, " {crc64}");
            for Chunk { offset, packed, plain, sha256 } in chunks {
                let _ = write!(out, " {offset} {packed} {plain} {}", hex::encode(sha256));
            }
            out.push(b'\n');
        }
        out
    }

    /// What [`Run::to_bytes`] gave, with the tree of the fragment; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], tree: &FileTree) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split('\n');
        let mut head = lines.next()?.split(' ');
        let digest: Digest = head.next()?.parse().ok()?;
        let (packed, plain) = (head.next()?.parse().ok()?, head.next()?.parse().ok()?);
        let count: usize = head.next()?.parse().ok()?;
        let records = lines.map(|line| record(line, tree)).collect::<Option<Vec<_>>>()?;
        let whole = head.next().is_none()
            && records.len() == count
            && records.iter().flat_map(|r| &r.chunks).all(|c| c.fits(packed));
        whole.then_some(Self { records, packed, plain, digest })
    }
}

impl Chunk {
    fn fits(&self, all: u64) -> bool {
        self.offset.checked_add(self.packed).is_some_and(|end| end <= all)
    }
}

fn record(line: &str, tree: &FileTree) -> Option<Record> {
    let mut words = line.split(' ');
    let node = tree.get(&ImagePath::from_archive(&hex::decode(words.next()?).ok()?).ok()?)?;
    let crc64 = words.next()?.parse().ok()?;
    let mut chunks = Vec::new();
    while let Some(offset) = words.next() {
        let (offset, packed, plain) = (offset.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let mut sha256 = [0; 32];
        hex::decode_to_slice(words.next()?, &mut sha256).ok()?;
        chunks.push(Chunk { offset, packed, plain, sha256 });
    }
    let size = chunks.iter().try_fold(0_u64, |size, chunk| size.checked_add(chunk.plain))?;
    let content = node.content.filter(|_| matches!(node.entry.kind, EntryKind::File { .. }));
    (size == node.entry.kind.size()).then(|| Record { entry: node.entry.clone(), content, crc64, chunks })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};

    use proptest::prelude::*;

    use super::*;
    use crate::chunked::Form;
    use crate::compression::Compression;
    use crate::entry::{Entry, Metadata};
    use crate::fragment::Fragment;
    use crate::fragment_writer::FragmentWriter;
    use crate::tree::Origin;

    fn fragment() -> Fragment {
        let path = |name: &str| ImagePath::from_archive(name.as_bytes()).unwrap();
        let mut writer = FragmentWriter::new(Vec::new(), Compression::ZSTD, Origin::new("p"), None).unwrap();
        let mut add = |name, kind: EntryKind| {
            let size = kind.size();
            let entry = Entry { path: path(name), kind, meta: Metadata::root(0o644, 7) };
            writer.add(entry, &mut std::io::Read::take(std::io::repeat(9), size)).unwrap();
        };
        add("usr/large", EntryKind::File { size: 5_000_000 });
        add("usr/with a space\nand more", EntryKind::File { size: 3 });
        add("usr/empty", EntryKind::File { size: 0 });
        add("usr/hard", EntryKind::Hardlink { target: path("usr/large") });
        add("usr", EntryKind::Directory);
        let (packed, index) = writer.finish().unwrap();
        index.with_content(Arc::new(packed))
    }

    fn run(fragment: &Fragment) -> Run {
        Run::of_fragment(fragment, Form::ZstdChunked.into(), Vec::new()).unwrap().1
    }

    #[test]
    fn a_run_comes_back_whole() {
        let fragment = fragment();
        let run = run(&fragment);
        assert_eq!(run.records.len(), 4);
        assert_eq!(Run::from_bytes(&run.to_bytes(), fragment.tree()), Some(run.clone()));
        assert_eq!(Run::from_bytes(&run.to_bytes(), &FileTree::new()), None);
    }

    proptest! {
        #[test]
        fn other_bytes_are_never_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            static KEPT: LazyLock<(Fragment, Vec<u8>)> = LazyLock::new(|| {
                let fragment = fragment();
                let bytes = run(&fragment).to_bytes();
                (fragment, bytes)
            });
            let (fragment, mut bytes) = (&KEPT.0, KEPT.1.clone());
            prop_assert_eq!(Run::from_bytes(&bytes[..cut.index(bytes.len())], fragment.tree()), None);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Run::from_bytes(&bytes, fragment.tree());
        }
    }
}
