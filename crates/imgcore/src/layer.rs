//! Layers, and how they are composed of fragments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;

use crate::compression::{Codec, Compression, Encoder, Part, decompress, head, tail};
use crate::content::{Content, InRow};
use crate::digest::{DiffId, Digest, Hasher};
use crate::entry::Entry;
use crate::fragment::{Fragment, FragmentWriter};
use crate::path::ImagePath;
use crate::tar::writer::{END, headers};
use crate::tar::{Dialect, Limits, TarReader};
use crate::tree::Origin;

/// A layer: its bytes, and what manifest and config say of them. Its digests are known from birth.
#[derive(Debug, Clone)]
pub struct Layer {
    digest: Digest,
    size: u64,
    diff_id: DiffId,
    codec: Codec,
    created_by: String,
    content: Arc<dyn Content>,
}

impl Layer {
    /// A layer whose bytes lie somewhere already, with what its manifest and config state of it. Nothing is compared here:
    /// `content` must do that itself while it is read, as the readers of stores do.
    pub(crate) fn stated(digest: Digest, size: u64, diff_id: DiffId, codec: Codec, content: Arc<dyn Content>) -> Self {
        Self { digest, size, diff_id, codec, created_by: String::new(), content }
    }

    /// The digest of the bytes as they are stored.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes are stored.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the tar.
    #[must_use]
    pub fn diff_id(&self) -> &DiffId {
        &self.diff_id
    }

    /// How the tar is compressed.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What the image's history says of the layer.
    #[must_use]
    pub fn created_by(&self) -> &str {
        &self.created_by
    }

    /// The bytes as they are stored.
    #[must_use]
    pub fn content(&self) -> &Arc<dyn Content> {
        &self.content
    }

    /// The same layer with another line for the image's history.
    #[must_use]
    pub fn with_created_by(self, created_by: &str) -> Self {
        Self { created_by: created_by.to_owned(), ..self }
    }
}

/// Joins directories and fragments to a layer, without compressing a fragment again: one part with the directories,
/// the fragments' parts in order, and the end of the archive.
///
/// The fragments are read twice, once for each digest; nothing is written. The layer's content is those of the fragments
/// in a row, so it can be read as long as they can.
///
/// # Errors
/// Errors of reading the fragments; [`io::ErrorKind::InvalidInput`] where one is compressed in another format.
pub fn compose(directories: &[Entry], fragments: &[&Fragment], compression: Compression) -> io::Result<Layer> {
    let codec = compression.codec();
    if fragments.iter().any(|fragment| fragment.codec() != codec) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "fragments of one layer in several compressions"));
    }
    let mut encoder = Encoder::new(compression)?;
    let mut first = head(codec).to_vec();
    let mut parts = Vec::new();
    let plain: Vec<u8> = directories.iter().flat_map(headers).collect();
    encode_into(&mut encoder, &plain, compression, &mut parts, &mut first)?;
    parts.extend(fragments.iter().flat_map(|fragment| fragment.parts()));
    let mut last = Vec::new();
    encode_into(&mut encoder, &END, compression, &mut parts, &mut last)?;
    last.extend(tail(codec, &parts));

    let mut row: Vec<Arc<dyn Content>> = vec![Arc::new(first)];
    row.extend(fragments.iter().map(|fragment| Arc::clone(fragment.packed())));
    row.push(Arc::new(last));
    let content = InRow(row);

    let (digest, size) = hash(content.open()?)?;
    let diff_id = if codec == Codec::None {
        digest.clone()
    } else {
        hash(decompress(codec, BufReader::with_capacity(CHUNK, content.open()?))?)?.0
    };
    let diff_id = DiffId::new(diff_id);
    Ok(Layer { digest, size, diff_id, codec, created_by: String::new(), content: Arc::new(content) })
}

/// Bytes read at a time: large enough to hide calls, small enough to be hashed while in the cache.
const CHUNK: usize = 128 << 10;

fn encode_into(
    encoder: &mut Encoder,
    plain: &[u8],
    compression: Compression,
    parts: &mut Vec<Part>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    for chunk in plain.chunks(compression.part_size()) {
        let (part, packed) = encoder.encode(chunk)?;
        out.extend_from_slice(packed);
        parts.push(part);
    }
    Ok(())
}

fn hash(mut reader: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::sha256();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = match reader.read(&mut chunk) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        hasher.update(chunk.get(..n).unwrap_or_default());
        size += n as u64;
    }
}

/// Writes a layer of its own from entries in any order.
#[derive(Debug)]
pub struct LayerWriter<W> {
    fragment: FragmentWriter<W>,
    compression: Compression,
}

impl<W: Write> LayerWriter<W> {
    /// Keeps the compressed bytes in `sink`. Times after `clamp` are set to it.
    ///
    /// # Errors
    /// As [`FragmentWriter::new`].
    pub fn new(sink: W, compression: Compression, origin: Origin, clamp: Option<i64>) -> io::Result<Self> {
        Ok(Self { fragment: FragmentWriter::new(sink, compression, origin, clamp)?, compression })
    }

    /// Adds an entry; see [`FragmentWriter::add`].
    ///
    /// # Errors
    /// As [`FragmentWriter::add`].
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> io::Result<()> {
        self.fragment.add(entry, content)
    }

    /// Ends the layer. `keep` turns the sink into what the layer's bytes are read from.
    ///
    /// # Errors
    /// Errors of the sink, of `keep`, and of [`compose`].
    pub fn finish(self, keep: impl FnOnce(W) -> io::Result<Arc<dyn Content>>) -> io::Result<(Layer, Fragment)> {
        let (sink, index) = self.fragment.finish()?;
        let fragment = index.with_content(keep(sink)?);
        let directories: Vec<Entry> = fragment
            .tree()
            .iter()
            .map(|node| &node.entry)
            .filter(|e| e.kind.is_dir() && !e.path.is_root())
            .cloned()
            .collect();
        let layer = compose(&directories, &[&fragment], self.compression)?;
        Ok((layer, fragment))
    }
}

impl Fragment {
    /// Reads some of its files whole, each of at most `limit` bytes. Files that are not there are left out; a larger one is
    /// an error.
    ///
    /// # Errors
    /// Errors of reading; [`io::ErrorKind::FileTooLarge`] for a file over the limit.
    pub fn read_files(&self, wanted: &BTreeSet<ImagePath>, limit: u64) -> io::Result<BTreeMap<ImagePath, Vec<u8>>> {
        let mut found = BTreeMap::new();
        if !wanted.iter().any(|path| self.tree().contains(path)) {
            return Ok(found);
        }
        let end = [head(self.codec()).to_vec(), Vec::new()];
        let [first, mut last] = end;
        let mut parts = self.parts().to_vec();
        encode_into(&mut Encoder::new(plainest(self.codec()))?, &END, plainest(self.codec()), &mut parts, &mut last)?;
        last.extend(tail(self.codec(), &parts));
        let row = InRow(vec![Arc::new(first), Arc::clone(self.packed()), Arc::new(last)]);
        let tar = decompress(self.codec(), BufReader::with_capacity(CHUNK, row.open()?))?;
        let mut reader = TarReader::new(tar, Dialect::Foreign, Limits::default());
        while let Some(entry) = reader.next_entry()? {
            if !wanted.contains(&entry.path) {
                continue;
            }
            if entry.kind.size() > limit {
                let message =
                    format!("{} has {} bytes, more than the {limit} read here", entry.path, entry.kind.size());
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            let mut content = Vec::new();
            reader.read_to_end(&mut content)?;
            found.insert(entry.path, content);
        }
        Ok(found)
    }
}

/// A compression of this codec for bytes that nobody keeps.
fn plainest(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::NONE,
        Codec::Gzip => Compression::GZIP,
        Codec::Zstd => Compression::ZSTD,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::{EntryKind, Metadata};

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { path: path(name), kind, meta: Metadata::root(0o755, 5) }
    }

    fn fragment(compression: Compression, files: &[(&str, usize)]) -> Fragment {
        let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
        for (name, size) in files {
            let content: Vec<u8> = name.bytes().cycle().take(*size).collect();
            writer.add(entry(name, EntryKind::File { size: *size as u64 }), &mut &content[..]).unwrap();
        }
        let (packed, index) = writer.finish().unwrap();
        index.with_content(Arc::new(packed))
    }

    fn names_in(layer: &Layer) -> Vec<String> {
        let tar = decompress(layer.codec(), BufReader::new(layer.content().open().unwrap())).unwrap();
        let mut reader = TarReader::new(tar, Dialect::Own, Limits::default());
        std::iter::from_fn(|| reader.next_entry().unwrap()).map(|e| e.path.to_string()).collect()
    }

    const ALL: [Compression; 3] = [Compression::NONE, Compression::GZIP, Compression::ZSTD];

    #[test]
    fn directories_come_first_and_links_follow_their_files() {
        for compression in ALL {
            let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
            writer.add(entry("z", EntryKind::File { size: 1 }), &mut &b"z"[..]).unwrap();
            writer.add(entry("b", EntryKind::Hardlink { target: path("z") }), &mut io::empty()).unwrap();
            writer.add(entry("c", EntryKind::Symlink { target: b"z".to_vec() }), &mut io::empty()).unwrap();
            writer.add(entry("a", EntryKind::File { size: 1 }), &mut &b"a"[..]).unwrap();
            let (packed, index) = writer.finish().unwrap();
            let fragment = index.with_content(Arc::new(packed));
            assert_eq!(
                fragment.tree().get(&path("b")).unwrap().content,
                fragment.tree().get(&path("z")).unwrap().content
            );
            let layer = compose(&[entry("usr", EntryKind::Directory)], &[&fragment], compression).unwrap();
            assert_eq!(names_in(&layer), ["/usr", "/a", "/z", "/c", "/b"]);
        }
    }

    #[test]
    fn a_file_larger_than_a_part_takes_several_and_reads_back() {
        for compression in ALL {
            let size = compression.part_size() * 2 + 700;
            let large = fragment(compression, &[("small", 10), ("large", size), ("after", 3)]);
            assert_eq!(large.parts().len(), 5);
            assert!(
                large.parts().iter().all(|part| part.plain % 512 == 0 && part.plain <= compression.part_size() as u64)
            );
            let wanted = [path("large"), path("after"), path("none")].into();
            let read = large.read_files(&wanted, size as u64).unwrap();
            assert_eq!(read.len(), 2);
            assert_eq!(read.get(&path("after")).unwrap(), b"aft");
            assert_eq!(read.get(&path("large")).unwrap().len(), size);
            let error = large.read_files(&wanted, size as u64 - 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
    }

    #[test]
    fn links_and_directories_can_be_taken_out_and_files_cannot() {
        for compression in ALL {
            let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
            writer.add(entry("d", EntryKind::Directory), &mut io::empty()).unwrap();
            writer.add(entry("f", EntryKind::File { size: 1 }), &mut &b"f"[..]).unwrap();
            writer.add(entry("s", EntryKind::Symlink { target: b"f".to_vec() }), &mut io::empty()).unwrap();
            writer.add(entry("t", EntryKind::Symlink { target: b"f".to_vec() }), &mut io::empty()).unwrap();
            let (packed, index) = writer.finish().unwrap();
            let whole = index.with_content(Arc::new(packed));
            let less = whole.without(&[path("d"), path("s")].into(), compression).unwrap();
            assert_eq!(names_in(&compose(&[], &[&less], compression).unwrap()), ["/f", "/t"]);
            assert!(!less.tree().contains(&path("d")));
            let error = whole.without(&[path("f")].into(), compression).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn a_hard_link_to_nothing_is_refused() {
        let mut writer = FragmentWriter::new(Vec::new(), Compression::ZSTD, Origin::new("p"), None).unwrap();
        let link = entry("b", EntryKind::Hardlink { target: path("z") });
        assert_eq!(writer.add(link, &mut io::empty()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn digests_are_those_of_the_bytes(sizes in proptest::collection::vec(0..3000_usize, 0..6), codec in 0..3_usize) {
            let compression = ALL[codec];
            let names: Vec<_> = (0..sizes.len()).map(|i| format!("f{i}")).collect();
            let files: Vec<_> = names.iter().map(String::as_str).zip(sizes).collect();
            let (left, right) = files.split_at(files.len() / 2);
            let (left, right) = (fragment(compression, left), fragment(compression, right));
            let layer = compose(&[], &[&left, &right], compression).unwrap();
            let mut packed = Vec::new();
            layer.content().open().unwrap().read_to_end(&mut packed).unwrap();
            prop_assert_eq!(layer.digest(), &Digest::of(&packed));
            prop_assert_eq!(layer.size(), packed.len() as u64);
            let mut plain = Vec::new();
            decompress(compression.codec(), &packed[..]).unwrap().read_to_end(&mut plain).unwrap();
            prop_assert_eq!(layer.diff_id().as_digest(), &Digest::of(&plain));
            prop_assert_eq!(names_in(&layer).len(), files.len());
        }
    }
}
