//! One package's files as finished parts of a layer.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::compression::{Codec, Compression, Encoder, Part, head};
use crate::content::{Content, InRow, Prefix};
use crate::digest::{Digest, Hasher};
use crate::entry::{Entry, EntryKind};
use crate::path::ImagePath;
use crate::running::RunningSha256;
use crate::tar::writer::headers;
use crate::tree::FileTree;

/// Files and links of one origin, compressed in parts that a layer can be composed of, and the tree of them all.
///
/// Directories are in the tree alone: which of several packages a directory belongs to, only the whole image tells.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub(crate) tree: FileTree,
    pub(crate) codec: Codec,
    pub(crate) parts: Vec<Part>,
    /// How many of the parts hold files; the others hold links.
    pub(crate) files: usize,
    pub(crate) id: Digest,
    pub(crate) start: Option<LayerHash>,
    pub(crate) packed: Arc<dyn Content>,
}

/// The hashes of a layer so far: of its tar, and of its bytes as they are stored.
#[derive(Debug, Clone)]
pub(crate) struct LayerHash {
    pub(crate) plain: RunningSha256,
    pub(crate) packed: RunningSha256,
}

impl LayerHash {
    /// Of a layer of which nothing but what stands before the parts is there.
    pub(crate) fn new(codec: Codec) -> Self {
        let (plain, mut packed) = (RunningSha256::new(), RunningSha256::new());
        packed.update(head(codec));
        Self { plain, packed }
    }
}

impl Fragment {
    /// Everything in it, directories too.
    #[must_use]
    pub fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// How the parts are compressed.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The bytes of all parts in a row.
    #[must_use]
    pub fn packed(&self) -> &Arc<dyn Content> {
        &self.packed
    }

    /// Names the bytes: fragments with the same id have the same parts. For one that was just made it is their digest.
    #[must_use]
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The same fragment without some of its directories, symbolic links and hard links. These are in its last parts, so
    /// that nothing else is compressed again.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] where one of the paths is a regular file: taking that out means reading its package
    /// again; or where the encoder fails.
    pub fn without(&self, paths: &BTreeSet<ImagePath>, compression: Compression) -> io::Result<Self> {
        let mut tree = self.tree.clone();
        for path in paths {
            if let Some(node) = tree.remove(path)
                && matches!(node.entry.kind, EntryKind::File { .. })
            {
                let message = format!("{path} is a regular file of the fragment");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        let (files, links) = self.parts.split_at(self.files);
        let kept: u64 = files.iter().map(|part| part.packed).sum();
        let mut parts = files.to_vec();
        let mut last = Vec::new();
        if !links.is_empty() {
            let entries: Vec<_> = tree.iter().map(|node| &node.entry).collect();
            for chunk in links_of(&entries).chunks(compression.part_size()) {
                let mut encoder = Encoder::new(compression)?;
                let (part, packed) = encoder.encode(chunk)?;
                parts.push(part);
                last.extend_from_slice(packed);
            }
        }
        let mut id = Hasher::sha256();
        for piece in [self.id.to_string().as_bytes(), &kept.to_le_bytes(), &last] {
            id.update(piece);
        }
        let packed = InRow(vec![Arc::new(Prefix::new(Arc::clone(&self.packed), kept)), Arc::new(last)]);
        let (codec, files) = (self.codec, self.files);
        Ok(Self { tree, codec, parts, files, id: id.finish(), start: None, packed: Arc::new(packed) })
    }

    /// Bytes of tar in all parts together.
    #[must_use]
    pub fn plain_size(&self) -> u64 {
        self.parts.iter().map(|part| part.plain).sum()
    }

    /// Bytes that all parts take.
    #[must_use]
    pub fn packed_size(&self) -> u64 {
        self.parts.iter().map(|part| part.packed).sum()
    }
}

/// The tar of the links among some entries: symbolic ones, then hard ones, each sorted by path.
pub(crate) fn links_of(entries: &[&Entry]) -> Vec<u8> {
    let is_hard = |entry: &Entry| matches!(entry.kind, EntryKind::Hardlink { .. });
    let mut links: Vec<&Entry> =
        entries.iter().copied().filter(|e| !matches!(e.kind, EntryKind::File { .. } | EntryKind::Directory)).collect();
    links.sort_by(|a, b| (is_hard(a), &a.path).cmp(&(is_hard(b), &b.path)));
    links.into_iter().flat_map(headers).collect()
}
