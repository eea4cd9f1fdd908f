//! One package's files as finished parts of a layer.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::compression::{Codec, Compression, Encoder, Part};
use crate::content::{Content, InRow, Prefix};
use crate::entry::{Entry, EntryKind};
use crate::path::ImagePath;
use crate::tar::writer::{headers, padding, wrong_size};
use crate::tree::{ContentSha256, FileTree, Node, Origin};

/// Files and links of one origin, compressed in parts that a layer can be composed of, and the tree of them all.
///
/// Directories are in the tree alone: which of several packages a directory belongs to, only the whole image tells.
#[derive(Debug, Clone)]
pub struct Fragment {
    tree: FileTree,
    codec: Codec,
    parts: Vec<Part>,
    /// How many of the parts hold files; the others hold links.
    files: usize,
    packed: Arc<dyn Content>,
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
        let kept = files.iter().map(|part| part.packed).sum();
        let mut parts = files.to_vec();
        let mut last = Vec::new();
        if !links.is_empty() {
            let entries: Vec<_> = tree.iter().map(|node| &node.entry).collect();
            encode_links(&entries, compression, &mut Encoder::new(compression)?, |part, packed| {
                parts.push(part);
                last.extend_from_slice(packed);
                Ok(())
            })?;
        }
        let packed = InRow(vec![Arc::new(Prefix::new(Arc::clone(&self.packed), kept)), Arc::new(last)]);
        Ok(Self { tree, codec: self.codec, parts, files: self.files, packed: Arc::new(packed) })
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

/// A fragment whose bytes were written somewhere.
#[derive(Debug)]
pub struct FragmentIndex {
    tree: FileTree,
    codec: Codec,
    parts: Vec<Part>,
    files: usize,
}

impl FragmentIndex {
    /// The fragment, given the bytes that its writer wrote.
    #[must_use]
    pub fn with_content(self, packed: Arc<dyn Content>) -> Fragment {
        Fragment { tree: self.tree, codec: self.codec, parts: self.parts, files: self.files, packed }
    }
}

/// Turns a stream of entries into a fragment, in one pass.
///
/// Regular files come first, in parts of bounded size, sorted within each part; a file larger than a part takes
/// several. Links come last, in a part of their own, so that every hard link follows the file it names.
#[derive(Debug)]
pub struct FragmentWriter<W> {
    sink: W,
    origin: Origin,
    clamp: Option<i64>,
    compression: Compression,
    encoder: Encoder,
    tree: FileTree,
    parts: Vec<Part>,
    /// Headers and content of the files of the part being filled.
    buffer: Vec<u8>,
    /// Where each file of that part starts in `buffer`, with its header.
    files: Vec<(Entry, usize)>,
    links: Vec<Entry>,
}

impl<W: Write> FragmentWriter<W> {
    /// Writes the parts to `sink`. Times after `clamp` are set to it.
    ///
    /// # Errors
    /// Where the encoder cannot be made.
    pub fn new(sink: W, compression: Compression, origin: Origin, clamp: Option<i64>) -> io::Result<Self> {
        Ok(Self {
            sink,
            origin,
            clamp,
            compression,
            encoder: Encoder::new(compression)?,
            tree: FileTree::new(),
            parts: Vec::new(),
            buffer: Vec::new(),
            files: Vec::new(),
            links: Vec::new(),
        })
    }

    /// Adds an entry; the content of a regular file is read to its end. The entries must be those of one archive with one
    /// meaning, as [`TarReader`](crate::tar::TarReader) gives them.
    ///
    /// # Errors
    /// Errors of `content` and of the sink; [`io::ErrorKind::InvalidData`] where `content` has another size than the entry
    /// states, a path is taken by an entry that was added before, or a hard link names a file that was not.
    pub fn add(&mut self, mut entry: Entry, content: &mut dyn Read) -> io::Result<()> {
        if let Some(clamp) = self.clamp {
            entry.meta.mtime = entry.meta.mtime.min(clamp);
        }
        let taken = self.tree.get(&entry.path);
        if taken.is_some_and(|node| !(node.entry.kind.is_dir() && entry.kind.is_dir())) {
            let message = format!("{} is there twice", entry.path);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let sha256 = match &entry.kind {
            EntryKind::File { size } => Some(self.add_file(&entry, *size, content)?),
            EntryKind::Hardlink { target } => {
                let file = self.tree.get(target).ok_or_else(|| {
                    let message = format!("hard link {} names {target}, which is not there", entry.path);
                    io::Error::new(io::ErrorKind::InvalidData, message)
                })?;
                let sha256 = file.content;
                self.links.push(entry.clone());
                sha256
            }
            EntryKind::Directory => None,
            _ => {
                self.links.push(entry.clone());
                None
            }
        };
        self.tree.insert(Node { entry, content: sha256, origin: self.origin.clone() });
        Ok(())
    }

    /// Writes what is left, and gives back the sink.
    ///
    /// # Errors
    /// Errors of the sink.
    pub fn finish(mut self) -> io::Result<(W, FragmentIndex)> {
        self.end_part()?;
        let files = self.parts.len();
        let links = std::mem::take(&mut self.links);
        let compression = self.compression;
        let Self { sink, parts, encoder, .. } = &mut self;
        encode_links(&links.iter().collect::<Vec<_>>(), compression, encoder, |part, packed| {
            parts.push(part);
            sink.write_all(packed)
        })?;
        let index = FragmentIndex { tree: self.tree, codec: self.compression.codec(), parts: self.parts, files };
        Ok((self.sink, index))
    }

    fn add_file(&mut self, entry: &Entry, size: u64, content: &mut dyn Read) -> io::Result<ContentSha256> {
        let header = headers(entry);
        let room = self.compression.part_size();
        let whole = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(header.len());
        if self.buffer.len().saturating_add(whole) > room {
            self.end_part()?;
        }
        if whole > room {
            return self.add_large(entry, size, &header, content);
        }
        self.files.push((entry.clone(), self.buffer.len()));
        self.buffer.extend_from_slice(&header);
        let start = self.buffer.len();
        let read = content.take(size.saturating_add(1)).read_to_end(&mut self.buffer)?;
        if read as u64 != size {
            return Err(wrong_size(&entry.path, size, read as u64));
        }
        let sha256 = Sha256::digest(self.buffer.get(start..).unwrap_or_default()).into();
        self.buffer.extend_from_slice(padding(size));
        Ok(sha256)
    }

    /// A file that fills parts of its own.
    fn add_large(
        &mut self,
        entry: &Entry,
        size: u64,
        header: &[u8],
        content: &mut dyn Read,
    ) -> io::Result<ContentSha256> {
        let room = self.compression.part_size();
        let mut sha256 = Sha256::new();
        let mut left = size;
        self.buffer.extend_from_slice(header);
        loop {
            let start = self.buffer.len();
            let wanted = left.min((room - start) as u64);
            let read = content.take(wanted).read_to_end(&mut self.buffer)?;
            sha256.update(self.buffer.get(start..).unwrap_or_default());
            left -= read as u64;
            if (read as u64) < wanted {
                return Err(wrong_size(&entry.path, size, size - left));
            }
            if left == 0 {
                break;
            }
            self.end_part()?;
        }
        if content.read(&mut [0])? != 0 {
            return Err(wrong_size(&entry.path, size, size + 1));
        }
        self.buffer.extend_from_slice(padding(size));
        self.end_part()?;
        Ok(sha256.finalize().into())
    }

    /// Compresses what was gathered, its files sorted by path.
    fn end_part(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let buffer = std::mem::take(&mut self.buffer);
        let files = std::mem::take(&mut self.files);
        if files.is_sorted_by(|(a, _), (b, _)| a.path <= b.path) {
            self.write_part(&buffer)?;
        } else {
            self.write_part(&sorted(&buffer, files))?;
        }
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    fn write_part(&mut self, plain: &[u8]) -> io::Result<()> {
        let (part, packed) = self.encoder.encode(plain)?;
        self.sink.write_all(packed)?;
        self.parts.push(part);
        Ok(())
    }
}

/// Compresses the links among some entries: symbolic ones, then hard ones, each sorted by path.
fn encode_links(
    entries: &[&Entry],
    compression: Compression,
    encoder: &mut Encoder,
    mut write: impl FnMut(Part, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let is_hard = |entry: &Entry| matches!(entry.kind, EntryKind::Hardlink { .. });
    let mut links: Vec<&Entry> =
        entries.iter().copied().filter(|e| !matches!(e.kind, EntryKind::File { .. } | EntryKind::Directory)).collect();
    links.sort_by(|a, b| (is_hard(a), &a.path).cmp(&(is_hard(b), &b.path)));
    let plain: Vec<u8> = links.into_iter().flat_map(headers).collect();
    for chunk in plain.chunks(compression.part_size()) {
        let (part, packed) = encoder.encode(chunk)?;
        write(part, packed)?;
    }
    Ok(())
}

fn sorted(buffer: &[u8], files: Vec<(Entry, usize)>) -> Vec<u8> {
    let ends: Vec<usize> = files.iter().skip(1).map(|(_, start)| *start).chain([buffer.len()]).collect();
    let mut pieces: Vec<_> = files.into_iter().zip(ends).collect();
    pieces.sort_by(|((a, _), _), ((b, _), _)| a.path.cmp(&b.path));
    let mut out = Vec::with_capacity(buffer.len());
    for ((_, start), end) in pieces {
        out.extend_from_slice(buffer.get(start..end).unwrap_or_default());
    }
    out
}
