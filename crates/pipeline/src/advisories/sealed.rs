//! The file around what the engine writes: every block of it has a sum, which is compared whenever the block is read.
//!
//! The engine believes its file: of a flipped byte it may notice nothing, or panic. So it never sees one. Sums of blocks cost
//! only what is read, where one sum of all would have to be taken anew whenever the file is opened.
//!
//! | bytes | what |
//! |---|---|
//! | [`BLOCK`] | the head: [`MARK`], the engine's length and the sum of all sums, little-endian; the sum of these; zeros |
//! | the engine's length | what the engine writes, in blocks, of which the last may be short |
//! | 4 for each block | their sums, little-endian |
//! | 16 | [`MARK`] again, so that a damaged head is no file of somebody else |
//!
//! A sum is a CRC-32: it notices every damage of up to four bytes in a row, and of others all but one in four thousand million.
//! Whoever means to forge the file can make its sums, too, as of any other kind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use redb::StorageBackend;

use super::{DatabaseError, store};
use crate::regular_file;

/// As large as the pages of the engine, so that one page is one block.
const BLOCK: usize = 4096;
const BLOCK_LENGTH: u64 = BLOCK as u64;
const MARK: [u8; 16] = *b"distil advisory\n";
const SUM: usize = size_of::<u32>();

/// Makes a file of what is written with the engine, replacing what is there. It is not flushed to disk.
pub(super) fn write<T>(
    path: &Path,
    fill: impl FnOnce(&redb::Database) -> Result<T, redb::Error>,
) -> Result<T, redb::Error> {
    let sealed = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    let backend = Unsealed { file: sealed.try_clone()? };
    let mut builder = redb::Builder::new();
    let database = builder.set_cache_size(store::CACHE).create_with_backend(backend)?;
    let filled = fill(&database)?;
    database.close()?;
    seal(&sealed)?;
    Ok(filled)
}

/// Adds head and sums.
fn seal(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len().saturating_sub(BLOCK_LENGTH);
    let mut sums = Vec::new();
    let mut block = [0; BLOCK];
    for start in (0..length).step_by(BLOCK) {
        let block = part(&mut block, length - start);
        file.read_exact_at(block, BLOCK_LENGTH + start)?;
        sums.extend(crc32fast::hash(block).to_le_bytes());
    }
    let head = head(length, &sums);
    sums.extend(MARK);
    file.write_all_at(&sums, BLOCK_LENGTH + length)?;
    file.write_all_at(&head, 0)
}

fn head(length: u64, sums: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(BLOCK);
    head.extend(MARK);
    head.extend(length.to_le_bytes());
    head.extend(crc32fast::hash(sums).to_le_bytes());
    head.extend(crc32fast::hash(&head).to_le_bytes());
    head.resize(BLOCK, 0);
    head
}

/// The start of a block, where the block is the last one.
fn part(block: &mut [u8; BLOCK], left: u64) -> &mut [u8] {
    let length = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
    block.split_at_mut(length).0
}

/// A file that is being written: the engine's bytes start behind the place of the head.
#[derive(Debug)]
struct Unsealed {
    file: File,
}

impl StorageBackend for Unsealed {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len().saturating_sub(BLOCK_LENGTH))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, BLOCK_LENGTH + offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(BLOCK_LENGTH + len)
    }

    fn sync_data(&self) -> io::Result<()> {
        // Nobody reads the file before all of it is on disk and it gets its name.
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, BLOCK_LENGTH + offset)
    }
}

/// A file that is read. Nothing comes out of it but what was written.
#[derive(Debug)]
pub(super) struct Sealed {
    file: File,
    length: u64,
    sums: Vec<u8>,
}

impl Sealed {
    /// Opens a file. Its blocks are compared when they are read, all else is here.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let failed = |source| DatabaseError::Read { path: path.to_owned(), source };
        let file = regular_file::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if !(has_mark(&file, 0, size).map_err(failed)?
            || has_mark(&file, size.saturating_sub(MARK.len() as u64), size).map_err(failed)?)
        {
            return Err(DatabaseError::Foreign { path: path.to_owned() });
        }
        Self::read(file, size).map_err(failed)?.ok_or_else(|| DatabaseError::Damaged { path: path.to_owned() })
    }

    /// Nothing where the file is damaged.
    fn read(file: File, size: u64) -> io::Result<Option<Self>> {
        // The sums are behind the blocks, four bytes for each of these: so the size of the file tells how many there are.
        let Some(rest) = size.checked_sub(BLOCK_LENGTH + MARK.len() as u64) else { return Ok(None) };
        let blocks = rest.div_ceil(BLOCK_LENGTH + SUM as u64);
        let Some((length, count)) =
            rest.checked_sub(blocks * SUM as u64).zip(usize::try_from(blocks * SUM as u64).ok())
        else {
            return Ok(None);
        };
        let mut sums = vec![0; count];
        file.read_exact_at(&mut sums, BLOCK_LENGTH + length)?;
        let mut found = [0; BLOCK];
        file.read_exact_at(&mut found, 0)?;
        let is_whole = found == *head(length, &sums) && has_mark(&file, size - MARK.len() as u64, size)?;
        Ok(is_whole.then_some(Self { file, length, sums }))
    }

    /// Compares a block with its sum.
    fn is_sound(&self, number: u64, block: &[u8]) -> bool {
        let sum = usize::try_from(number).ok().and_then(|number| self.sums.chunks_exact(SUM).nth(number));
        sum == Some(&crc32fast::hash(block).to_le_bytes())
    }
}

/// Whether the mark is at a place of a file.
fn has_mark(file: &File, offset: u64, size: u64) -> io::Result<bool> {
    let mut found = [0; MARK.len()];
    if size < found.len() as u64 {
        return Ok(false);
    }
    file.read_exact_at(&mut found, offset)?;
    Ok(found == MARK)
}

impl StorageBackend for Sealed {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut block = [0; BLOCK];
        let (mut at, mut out) = (offset, out);
        while !out.is_empty() {
            let number = at / BLOCK_LENGTH;
            let start = number * BLOCK_LENGTH;
            let block = part(&mut block, self.length.saturating_sub(start));
            self.file.read_exact_at(block, BLOCK_LENGTH + start)?;
            if !self.is_sound(number, block) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a block is not what was written"));
            }
            let wanted = usize::try_from(at - start).ok().and_then(|skipped| block.get(skipped..)).unwrap_or_default();
            if wanted.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (filled, rest) = out.split_at_mut(wanted.len().min(out.len()));
            filled.copy_from_slice(wanted.split_at(filled.len()).0);
            at += filled.len() as u64;
            out = rest;
        }
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
