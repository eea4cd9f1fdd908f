//! Files out of a fragment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use crate::compression::{Codec, Compression, Encoder, decompress, head, tail};
use crate::content::{Content as _, InRow};
use crate::fragment::Fragment;
use crate::path::ImagePath;
use crate::tar::writer::END;
use crate::tar::{Dialect, Limits, TarReader};

/// Bytes read at a time.
const CHUNK: usize = 128 << 10;

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
        self.read_tar(|tar| {
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
        })
    }

    /// Lets its entries be read, as an archive of their own.
    pub(crate) fn read_tar<T>(&self, read: impl FnOnce(&mut dyn Read) -> io::Result<T>) -> io::Result<T> {
        let end = [head(self.codec()).to_vec(), Vec::new()];
        let [first, mut last] = end;
        let mut parts = self.parts().to_vec();
        let mut encoder = Encoder::new(plainest(self.codec()))?;
        let (part, packed) = encoder.encode(&END)?;
        last.extend_from_slice(packed);
        parts.push(part);
        last.extend(tail(self.codec(), &parts));
        let row = InRow(vec![Arc::new(first), Arc::clone(self.packed()), Arc::new(last)]);
        read(&mut decompress(self.codec(), BufReader::with_capacity(CHUNK, row.open()?))?)
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
