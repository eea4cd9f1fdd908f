//! Parts back to bytes of tar, one at a time.

use std::fmt;
use std::io;

use libdeflater::Decompressor;

use crate::compression::{Codec, Part};

/// Decodes parts, one after the other, each as if it were the only one.
pub(crate) struct PartDecoder {
    codec: Codec,
    engine: Engine,
}

enum Engine {
    Plain,
    Zstd(zstd::bulk::Decompressor<'static>),
    /// With a buffer for the stream that a segment starts.
    Deflate(Decompressor, Vec<u8>),
}

/// An empty block with the final bit: behind a segment, it makes a whole stream.
const END_OF_STREAM: [u8; 2] = [3, 0];

impl PartDecoder {
    pub(crate) fn new(codec: Codec) -> io::Result<Self> {
        let engine = match codec {
            Codec::None => Engine::Plain,
            Codec::Zstd => Engine::Zstd(zstd::bulk::Decompressor::new()?),
            Codec::Gzip => Engine::Deflate(Decompressor::new(), Vec::new()),
        };
        Ok(Self { codec, engine })
    }

    /// Puts the bytes of tar of one part in the place of what is in `plain`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where the bytes are not those that the part was made of.
    pub(crate) fn decode(&mut self, part: &Part, packed: &[u8], plain: &mut Vec<u8>) -> io::Result<()> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a part does not hold what was packed in it");
        let size = usize::try_from(part.plain).map_err(|_| wrong())?;
        match &mut self.engine {
            Engine::Plain => {
                plain.clear();
                plain.extend_from_slice(packed);
            }
            Engine::Zstd(decoder) => {
                plain.clear();
                plain.reserve_exact(size);
                decoder.decompress_to_buffer(packed, plain).map_err(|_| wrong())?;
            }
            Engine::Deflate(decoder, stream) => {
                stream.clear();
                stream.extend_from_slice(packed);
                stream.extend(END_OF_STREAM);
                // What is in the buffer is written over.
                plain.resize(size, 0);
                let found = decoder.deflate_decompress(stream, plain).map_err(|_| wrong())?;
                if found != size || crc32fast::hash(plain) != part.crc {
                    return Err(wrong());
                }
            }
        }
        if plain.len() == size { Ok(()) } else { Err(wrong()) }
    }
}

impl fmt::Debug for PartDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartDecoder").field("codec", &self.codec).finish_non_exhaustive()
    }
}
