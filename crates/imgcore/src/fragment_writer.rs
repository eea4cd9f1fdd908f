//! Entries to a fragment, in one pass.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::compression::{Compression, Encoder, Part, head};
use crate::content::Content;
use crate::digest::Digest;
use crate::entry::{Entry, EntryKind};
use crate::fragment::{Fragment, LayerHash, links_of};
use crate::press::{Packed, Press, Ticket};
use crate::running::RunningSha256;
use crate::tar::writer::{headers, padding, wrong_size};
use crate::tree::{ContentSha256, FileTree, Node, Origin};

/// A fragment whose bytes were written somewhere.
#[derive(Debug)]
pub struct FragmentIndex {
    tree: FileTree,
    compression: Compression,
    parts: Vec<Part>,
    files: usize,
    id: Digest,
    start: LayerHash,
    clamped: bool,
}

impl FragmentIndex {
    /// The fragment, given the bytes that its writer wrote.
    #[must_use]
    pub fn with_content(self, packed: Arc<dyn Content>) -> Fragment {
        let Self { tree, compression, parts, files, id, start, .. } = self;
        Fragment { tree, codec: compression.codec(), parts, files, id, start: Some(start), packed }
    }

    /// Whether an entry was newer than the clamp.
    #[must_use]
    pub fn is_clamped(&self) -> bool {
        self.clamped
    }

    /// The digest of the bytes that the writer wrote.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.id
    }
}

/// Turns a stream of entries into a fragment, in one pass.
///
/// Regular files come first, in parts of bounded size, sorted within each part; a file larger than a part takes
/// several. Links come last, in a part of their own, so that every hard link follows the file it names.
#[derive(Debug)]
pub struct FragmentWriter<'p, W> {
    out: Output<'p, W>,
    origin: Origin,
    clamp: Option<i64>,
    clamped: bool,
    compression: Compression,
    tree: FileTree,
    /// Headers and content of the files of the part being filled.
    buffer: Vec<u8>,
    /// Where each file of that part starts in `buffer`, with its header.
    files: Vec<(Entry, usize)>,
    links: Vec<Entry>,
}

impl<'p, W: Write> FragmentWriter<'p, W> {
    /// Writes the parts to `sink`. Times after `clamp` are set to it.
    ///
    /// # Errors
    /// Where the encoder cannot be made.
    pub fn new(sink: W, compression: Compression, origin: Origin, clamp: Option<i64>) -> io::Result<Self> {
        Ok(Self {
            out: Output::new(sink, compression)?,
            origin,
            clamp,
            clamped: false,
            compression,
            tree: FileTree::new(),
            buffer: Vec::new(),
            files: Vec::new(),
            links: Vec::new(),
        })
    }

    /// Leaves large parts to `press`, which must be one for the same compression.
    #[must_use]
    pub fn with_press(mut self, press: &'p Press) -> Self {
        self.buffer = press.buffer();
        self.out.encoder = None;
        self.out.press = Some(press);
        self
    }

    /// Adds an entry; the content of a regular file is read to its end. The entries must be those of one archive with one
    /// meaning, as [`TarReader`](crate::tar::TarReader) gives them.
    ///
    /// # Errors
    /// Errors of `content` and of the sink; [`io::ErrorKind::InvalidData`] where `content` has another size than the entry
    /// states, a path is taken by an entry that was added before, or a hard link names a file that was not.
    pub fn add(&mut self, mut entry: Entry, content: &mut dyn Read) -> io::Result<()> {
        if let Some(clamp) = self.clamp.filter(|clamp| entry.meta.mtime > *clamp) {
            entry.meta.mtime = clamp;
            self.clamped = true;
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
        let files = self.out.count;
        let links = links_of(&self.links.iter().collect::<Vec<_>>());
        for chunk in links.chunks(self.compression.part_size()) {
            self.out.part(chunk)?;
        }
        let Self { tree, compression, clamped, .. } = self;
        let Output { sink, parts, packed, start, .. } = self.out.settled()?;
        let id = packed.unwrap_or_else(|| start.packed.clone()).finish();
        Ok((sink, FragmentIndex { tree, compression, parts, files, id, start, clamped }))
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
        self.buffer = if files.is_sorted_by(|(a, _), (b, _)| a.path <= b.path) {
            self.out.large_part(buffer)?
        } else {
            self.out.part(&sorted(&buffer, files))?;
            buffer
        };
        self.buffer.clear();
        Ok(())
    }
}

/// Where parts go: they are hashed, compressed here or elsewhere, and written in order.
#[derive(Debug)]
struct Output<'p, W> {
    sink: W,
    /// None where those of the press are used: each holds several MiB.
    encoder: Option<Encoder>,
    press: Option<&'p Press>,
    /// Parts that are left to the press, and those behind them.
    row: VecDeque<Slot>,
    parts: Vec<Part>,
    /// Parts that came in, in the row or not.
    count: usize,
    /// The bytes as they were written, where a layer that starts with them has something before them.
    packed: Option<RunningSha256>,
    start: LayerHash,
}

#[derive(Debug)]
enum Slot {
    Done(Packed),
    Left(Arc<Ticket>),
}

/// A smaller part is compressed before another thread would have noticed it.
const WORTH_LEAVING: usize = 256 << 10;
/// Parts of one writer that wait to be written: beyond that it waits itself.
const LONGEST_ROW: usize = 6;

impl<W: Write> Output<'_, W> {
    fn new(sink: W, compression: Compression) -> io::Result<Self> {
        Ok(Self {
            sink,
            encoder: Some(Encoder::new(compression)?),
            press: None,
            row: VecDeque::new(),
            parts: Vec::new(),
            count: 0,
            packed: (!head(compression.codec()).is_empty()).then(RunningSha256::new),
            start: LayerHash::new(compression.codec()),
        })
    }

    /// Takes a part that others may compress, and gives a buffer for the next one.
    fn large_part(&mut self, plain: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(press) = self.press.filter(|_| plain.len() >= WORTH_LEAVING) else {
            self.part(&plain)?;
            return Ok(plain);
        };
        self.start.plain.update(&plain);
        let buffer = match press.offer(plain) {
            Ok(ticket) => {
                self.row.push_back(Slot::Left(ticket));
                press.buffer()
            }
            Err(plain) => {
                self.compress(&plain)?;
                plain
            }
        };
        self.count += 1;
        self.write_ready()?;
        Ok(buffer)
    }

    fn part(&mut self, plain: &[u8]) -> io::Result<()> {
        self.start.plain.update(plain);
        self.count += 1;
        self.compress(plain)
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<()> {
        let mut encoder = match (self.encoder.take(), self.press) {
            (Some(own), _) => own,
            (None, Some(press)) => press.encoder()?,
            (None, None) => return Err(io::Error::other("there is nothing to compress with")),
        };
        let (part, packed) = encoder.encode(plain)?;
        if self.row.is_empty() {
            let hashes = [Some(&mut self.start.packed), self.packed.as_mut()];
            write(&mut self.sink, &mut self.parts, hashes, part, packed)?;
        } else {
            self.row.push_back(Slot::Done((part, packed.to_vec())));
        }
        match self.press {
            Some(press) => press.keep(encoder),
            None => self.encoder = Some(encoder),
        }
        Ok(())
    }

    /// Writes what is done at the head of the row, and waits where the row is long.
    fn write_ready(&mut self) -> io::Result<()> {
        while let Some(slot) = self.row.pop_front() {
            let (part, packed) = match (slot, self.press) {
                (Slot::Done(packed), _) => packed,
                (Slot::Left(ticket), Some(press)) if self.row.len() >= LONGEST_ROW => press.take(&ticket)?,
                (Slot::Left(ticket), _) => {
                    let Some(packed) = ticket.poll() else {
                        self.row.push_front(Slot::Left(ticket));
                        return Ok(());
                    };
                    packed?
                }
            };
            self.write(part, packed)?;
        }
        Ok(())
    }

    /// Writes all that is left in the row.
    fn settled(mut self) -> io::Result<Self> {
        while let Some(slot) = self.row.pop_front() {
            let (part, packed) = match (slot, self.press) {
                (Slot::Left(ticket), Some(press)) => press.take(&ticket)?,
                (Slot::Left(_), None) => return Err(io::Error::other("a part was left to nobody")),
                (Slot::Done(packed), _) => packed,
            };
            self.write(part, packed)?;
        }
        Ok(self)
    }

    fn write(&mut self, part: Part, packed: Vec<u8>) -> io::Result<()> {
        let hashes = [Some(&mut self.start.packed), self.packed.as_mut()];
        write(&mut self.sink, &mut self.parts, hashes, part, &packed)?;
        if let Some(press) = self.press {
            press.recycle(packed);
        }
        Ok(())
    }
}

fn write(
    sink: &mut impl Write,
    parts: &mut Vec<Part>,
    hashes: [Option<&mut RunningSha256>; 2],
    part: Part,
    packed: &[u8],
) -> io::Result<()> {
    for hash in hashes.into_iter().flatten() {
        hash.update(packed);
    }
    parts.push(part);
    sink.write_all(packed)
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
