//! Entries in a row, compressed so that each content can be read alone.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use super::crc64::Crc64;
use super::members::MemberEncoder;
use super::{Chunking, Form};
use crate::digest::Digest;
use crate::entry::{Entry, EntryKind};
use crate::running::RunningSha256;
use crate::tar::writer::{headers, padding, wrong_size};
use crate::tree::ContentSha256;

/// What a layer's tables say of a run of entries, whose bytes lie elsewhere. A run depends on nothing before it, so that a
/// layer is any runs in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The entries, in their order.
    pub records: Vec<Record>,
    /// Bytes that it takes.
    pub packed: u64,
    /// Bytes of tar in it, a multiple of 512.
    pub plain: u64,
    /// The digest of the bytes that it takes.
    pub digest: Digest,
}

/// An entry of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry.
    pub entry: Entry,
    /// Of a regular file.
    pub content: Option<ContentSha256>,
    /// The checksum that tar-split has of the content; 0 for all but regular files that have some.
    pub crc64: u64,
    /// Where the content lies: nothing for all but regular files that have some.
    pub chunks: Vec<Chunk>,
}

/// A piece of content that can be read alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes from the start of the run to its member or frame.
    pub offset: u64,
    /// Bytes of the member or frame.
    pub packed: u64,
    /// Bytes of content.
    pub plain: u64,
    /// Of the bytes of content.
    pub sha256: ContentSha256,
}

/// Writes a run, in one pass and with a chunk in memory.
#[derive(Debug)]
pub struct RunWriter<W> {
    sink: W,
    form: Form,
    encoder: MemberEncoder,
    records: Vec<Record>,
    plain: u64,
    packed: RunningSha256,
    /// Headers and padding since the last content.
    between: Vec<u8>,
    chunk: Vec<u8>,
}

impl<W: Write> RunWriter<W> {
    /// Writes to `sink`.
    ///
    /// # Errors
    /// Where the encoder cannot be made.
    pub fn new(sink: W, chunking: Chunking) -> io::Result<Self> {
        Ok(Self {
            sink,
            form: chunking.form(),
            encoder: MemberEncoder::new(chunking.members())?,
            records: Vec::new(),
            plain: 0,
            packed: RunningSha256::new(),
            between: Vec::new(),
            chunk: Vec::new(),
        })
    }

    /// Adds an entry; the content of a regular file is read to its end. Gives the SHA-256 of that.
    ///
    /// # Errors
    /// Errors of `content` and of the sink; [`io::ErrorKind::InvalidData`] where `content` has another size than the entry
    /// states.
    pub fn append(&mut self, entry: Entry, content: &mut dyn Read) -> io::Result<Option<ContentSha256>> {
        self.between.extend(headers(&entry));
        let size = entry.kind.size();
        let mut record = Record { entry, content: None, crc64: 0, chunks: Vec::new() };
        if size > 0 {
            self.end_member()?;
            self.append_content(&mut record, size, content)?;
            self.between.extend_from_slice(padding(size));
        } else if self.between.len() >= self.form.chunk_size() {
            self.end_member()?;
        }
        if matches!(record.entry.kind, EntryKind::File { size: 0 }) {
            record.content = Some(Sha256::digest([]).into());
        }
        let sha256 = record.content;
        self.records.push(record);
        Ok(sha256)
    }

    /// Writes what is left, and gives back the sink.
    ///
    /// # Errors
    /// Errors of the sink.
    pub fn finish(mut self) -> io::Result<(W, Run)> {
        self.end_member()?;
        let Self { sink, records, plain, packed, .. } = self;
        Ok((sink, Run { records, packed: packed.length(), plain, digest: packed.finish() }))
    }

    fn append_content(&mut self, record: &mut Record, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut whole = Sha256::new();
        let mut crc = Crc64::new();
        let mut left = size;
        while left > 0 {
            let wanted = left.min(self.form.chunk_size() as u64);
            self.chunk.clear();
            let read = (&mut *content).take(wanted).read_to_end(&mut self.chunk)? as u64;
            left -= read;
            if read < wanted {
                return Err(wrong_size(&record.entry.path, size, size - left));
            }
            whole.update(&self.chunk);
            crc.update(&self.chunk);
            let sha256 = if read == size { whole.clone().finalize() } else { Sha256::digest(&self.chunk) }.into();
            let packed = self.encoder.encode(&self.chunk)?;
            let chunk = Chunk { offset: self.packed.length(), packed: packed.len() as u64, plain: read, sha256 };
            self.put(read, &packed)?;
            record.chunks.push(chunk);
        }
        if content.read(&mut [0])? != 0 {
            return Err(wrong_size(&record.entry.path, size, size + 1));
        }
        record.content = Some(whole.finalize().into());
        record.crc64 = crc.sum();
        Ok(())
    }

    fn end_member(&mut self) -> io::Result<()> {
        if self.between.is_empty() {
            return Ok(());
        }
        let packed = self.encoder.encode(&self.between)?;
        let plain = self.between.len() as u64;
        self.between.clear();
        self.put(plain, &packed)
    }

    fn put(&mut self, plain: u64, packed: &[u8]) -> io::Result<()> {
        self.plain += plain;
        self.packed.update(packed);
        self.sink.write_all(packed)
    }
}
