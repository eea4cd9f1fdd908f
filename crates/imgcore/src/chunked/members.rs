//! Members and frames that stand alone.

use std::io;

use crate::compression::{Compression, Encoder, head, tail};

/// Compresses bytes to gzip members or zstd frames that need nothing before them.
#[derive(Debug)]
pub(super) struct MemberEncoder {
    compression: Compression,
    encoder: Encoder,
}

impl MemberEncoder {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        Ok(Self { compression, encoder: Encoder::new(compression)? })
    }

    /// One gzip member, or as many zstd frames as there are parts.
    pub(super) fn encode(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let codec = self.compression.codec();
        let mut out = head(codec).to_vec();
        let mut parts = Vec::new();
        for piece in plain.chunks(self.compression.part_size()) {
            let (part, packed) = self.encoder.encode(piece)?;
            out.extend_from_slice(packed);
            parts.push(part);
        }
        out.extend(tail(codec, &parts));
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn each_member_is_read_alone_and_in_a_row() {
        let large: Vec<u8> = (0..9_u32 << 20).map(|i| i.to_le_bytes()[1]).collect();
        let small = b"content".to_vec();
        let mut encoder = MemberEncoder::new(Compression::GZIP).unwrap();
        let (first, second) = (encoder.encode(&large).unwrap(), encoder.encode(&small).unwrap());
        for (packed, plain) in [(&first, &large), (&second, &small)] {
            let (mut out, mut rest) = (Vec::new(), &packed[..]);
            flate2::bufread::GzDecoder::new(&mut rest).read_to_end(&mut out).unwrap();
            assert!(&out == plain && rest.is_empty());
        }
        let mut encoder = MemberEncoder::new(Compression::ZSTD).unwrap();
        let both = [encoder.encode(&large).unwrap(), encoder.encode(&small).unwrap()].concat();
        assert_eq!(zstd::decode_all(&both[..]).unwrap(), [large, small].concat());
    }
}
