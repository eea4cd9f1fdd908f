//! Files of a ZIP archive, inflated within bounds.

use std::borrow::Cow;
use std::io::Read as _;

use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

/// What may still be done on behalf of one file, whatever it holds: the bound against archives whose entries all share the
/// same bytes.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes that may be inflated.
    bytes: u64,
    /// Files that may be read.
    files: u32,
    /// Entries whose names may be looked at. A large application has some 100,000 in its archives.
    entries: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 256 << 20, files: 4096, entries: 1 << 20 }
    }
}

/// Is given the name of a file, its bytes, and what may still be inflated.
pub(super) type Visitor<'v> = dyn FnMut(&[u8], &[u8], &mut Budget) + 'v;

/// A ZIP archive in memory.
#[derive(Debug)]
pub(super) struct Archive<'a>(ZipSliceArchive<&'a [u8]>);

impl<'a> Archive<'a> {
    /// None where it does not begin as an archive does, so that no directory is searched for in other files.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let begins = bytes.starts_with(b"PK\x03\x04");
        begins.then(|| ZipArchive::from_slice(bytes).ok()).flatten().map(Self)
    }

    /// Gives the files whose names are wanted, one after the other, to the visitor. What is too large, damaged, encrypted or
    /// over the budget is passed over.
    pub(super) fn visit(
        &self,
        is_wanted: fn(&[u8]) -> bool,
        limit: u64,
        budget: &mut Budget,
        visitor: &mut Visitor<'_>,
    ) {
        for entry in self.0.entries() {
            let (Ok(entry), Some(entries)) = (entry, budget.entries.checked_sub(1)) else { return };
            budget.entries = entries;
            let name = entry.file_path();
            if !is_wanted(name.as_bytes()) {
                continue;
            }
            if let Some(bytes) = self.read(entry.wayfinder(), entry.compression_method(), limit, budget) {
                visitor(name.as_bytes(), &bytes, budget);
            }
        }
    }

    fn read(
        &self,
        place: ZipArchiveEntryWayfinder,
        method: CompressionMethod,
        limit: u64,
        budget: &mut Budget,
    ) -> Option<Cow<'_, [u8]>> {
        budget.files = budget.files.checked_sub(1)?;
        let entry = self.0.get_entry(place).ok()?;
        let limit = limit.min(budget.bytes);
        match method {
            CompressionMethod::STORE => Some(entry.data()).filter(|data| data.len() as u64 <= limit).map(Cow::Borrowed),
            CompressionMethod::DEFLATE => {
                let inflated = flate2::bufread::DeflateDecoder::new(entry.data());
                let mut bytes = Vec::new();
                let read = entry.verifying_reader(inflated).take(limit.saturating_add(1)).read_to_end(&mut bytes);
                budget.bytes = budget.bytes.saturating_sub(bytes.len() as u64);
                read.ok().filter(|length| *length as u64 <= limit).map(|_| Cow::Owned(bytes))
            }
            _ => None,
        }
    }
}
