//! The outline of a program, from its first bytes and its last ones.
//!
//! See [ELF](https://gabi.xinuos.com/).

use std::ops::Range;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PF_W, PT_LOAD};
use object::read::ReadRef;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

/// What every program begins with.
pub(super) const MAGIC: &[u8] = b"\x7fELF";

/// Bytes of a section's name, at most: a table of names without an end would otherwise be searched once for each section.
const MAX_NAME: usize = 64;

/// Where a program may tell of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outline {
    /// The bytes that are loaded to be written to, where Go's linker puts build information: ranges that do not overlap, by
    /// their place, which begin and end where 16 divides it. Addresses are those places and some pages.
    pub(super) writable: Vec<Range<u64>>,
    /// Where the bytes end that are loaded. Sections behind are for tools, as cargo-auditable's is.
    pub(super) loaded: u64,
    /// Where the table of sections begins.
    pub(super) sections: u64,
}

/// Some bytes of a file of which not all are at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) size: u64,
    pub(super) head: &'a [u8],
    /// The file's last bytes.
    pub(super) tail: &'a [u8],
}

impl Outline {
    /// Reads the outline from the first bytes of a program. None where it is none, or its table of segments is not in them.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if is_wide(head)? {
            Self::read::<FileHeader64<Endianness>>(head)
        } else {
            Self::read::<FileHeader32<Endianness>>(head)
        }
    }

    fn read<E: FileHeader>(head: &[u8]) -> Option<Self> {
        let header = E::parse(head).ok()?;
        let endian = header.endian().ok()?;
        let mut outline = Self { sections: header.e_shoff(endian).into(), ..Self::default() };
        let mut writable = Vec::new();
        for segment in header.program_headers(endian, head).ok()? {
            if segment.p_type(endian) != PT_LOAD {
                continue;
            }
            let start: u64 = segment.p_offset(endian).into();
            let range = start..start.saturating_add(segment.p_filesz(endian).into());
            outline.loaded = outline.loaded.max(range.end);
            if segment.p_flags(endian).contains(PF_W) {
                writable.push(range);
            }
        }
        writable.sort_by_key(|range: &Range<u64>| range.start);
        for range in writable {
            let after = outline.writable.last().map_or(0, |last| last.end);
            let start = range.start.checked_next_multiple_of(16)?.max(after);
            let end = range.end.checked_next_multiple_of(16)?;
            if start < end {
                outline.writable.push(start..end);
            }
        }
        Some(outline)
    }
}

impl<'a> Parts<'a> {
    /// The bytes of a section, where the section itself and the tables of sections and their names are at hand.
    pub(super) fn section(self, name: &[u8]) -> Option<&'a [u8]> {
        if is_wide(self.head)? {
            self.find::<FileHeader64<Endianness>>(name)
        } else {
            self.find::<FileHeader32<Endianness>>(name)
        }
    }

    fn find<E: FileHeader>(self, name: &[u8]) -> Option<&'a [u8]> {
        let header = E::parse(self).ok()?;
        let endian = header.endian().ok()?;
        let sections = header.sections(endian, self).ok()?;
        let (_, section) = sections.section_by_name(endian, name)?;
        section.data(endian, self).ok()
    }
}

/// Reads what is at hand, and fails for the rest.
impl<'a> ReadRef<'a> for Parts<'a> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        let end = offset.checked_add(size).ok_or(())?;
        let part = |bytes: &'a [u8], at: u64| {
            let start = usize::try_from(offset.checked_sub(at)?).ok()?;
            bytes.get(start..usize::try_from(end.checked_sub(at)?).ok()?)
        };
        let behind = self.size.checked_sub(self.tail.len() as u64).ok_or(())?;
        part(self.head, 0).or_else(|| part(self.tail, behind)).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let size = range.end.checked_sub(range.start).ok_or(())?;
        let bytes = self.read_bytes_at(range.start, size)?;
        let length = bytes.iter().take(MAX_NAME).position(|b| *b == delimiter).ok_or(())?;
        bytes.get(..length).ok_or(())
    }
}

/// Whether a program is of 64 bits. None where it is none.
fn is_wide(head: &[u8]) -> Option<bool> {
    match head.strip_prefix(MAGIC)?.first()? {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}
