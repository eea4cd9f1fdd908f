//! Parts back to bytes of tar, one at a time.

use std::fmt;
use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use crate::compression::{Codec, Part};

/// Decodes parts, one after the other, each as if it were the only one.
pub(crate) struct PartDecoder {
    codec: Codec,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl PartDecoder {
    pub(crate) fn new(codec: Codec) -> io::Result<Self> {
        let zstd = if codec == Codec::Zstd { Some(zstd::bulk::Decompressor::new()?) } else { None };
        Ok(Self { codec, zstd })
    }

    /// Puts the bytes of tar of one part in the place of what is in `plain`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where the bytes are not those that the part was made of.
    pub(crate) fn decode(&mut self, part: &Part, packed: &[u8], plain: &mut Vec<u8>) -> io::Result<()> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a part does not hold what was packed in it");
        let size = usize::try_from(part.plain).map_err(|_| wrong())?;
        plain.clear();
        plain.reserve_exact(size);
        match (self.codec, &mut self.zstd) {
            (Codec::Zstd, Some(decoder)) => {
                decoder.decompress_to_buffer(packed, plain).map_err(|_| wrong())?;
            }
            (Codec::Gzip, _) => {
                let mut decoder = Decompress::new(false);
                let status = decoder.decompress_vec(packed, plain, FlushDecompress::None).map_err(|_| wrong())?;
                if status == Status::BufError || crc32fast::hash(plain) != part.crc {
                    return Err(wrong());
                }
            }
            _ => plain.extend_from_slice(packed),
        }
        if plain.len() == size { Ok(()) } else { Err(wrong()) }
    }
}

impl fmt::Debug for PartDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartDecoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}
