//! How layers are compressed: in parts that depend on nothing else.

pub mod deflate;
mod encoder;

use std::fmt;
use std::io::{self, BufRead, Read};
use std::str::FromStr;

pub use self::encoder::Encoder;

/// The format of a layer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// A plain tar.
    None,
    /// [RFC 1952].
    ///
    /// [RFC 1952]: https://www.rfc-editor.org/rfc/rfc1952
    Gzip,
    /// [RFC 8878].
    ///
    /// [RFC 8878]: https://www.rfc-editor.org/rfc/rfc8878
    Zstd,
}

impl Codec {
    /// The name that recipes and messages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// A codec with its level, as `zstd:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Compression {
    codec: Codec,
    level: i32,
}

impl Compression {
    /// No compression.
    pub const NONE: Self = Self { codec: Codec::None, level: 0 };
    /// zstd at level 3: the default.
    pub const ZSTD: Self = Self { codec: Codec::Zstd, level: 3 };
    /// gzip at level 6: the default for readers that know no zstd.
    pub const GZIP: Self = Self { codec: Codec::Gzip, level: 6 };

    /// The codec.
    #[must_use]
    pub fn codec(self) -> Codec {
        self.codec
    }

    /// Bytes of tar that one part holds at most. Part of the format: another size gives other layers.
    pub(crate) fn part_size(self) -> usize {
        match self.codec {
            // Deflate looks back 32 KiB only, so that small parts lose little.
            Codec::Gzip => 1 << 20,
            Codec::None | Codec::Zstd => 4 << 20,
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::ZSTD
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.codec {
            Codec::None => f.write_str("none"),
            codec => write!(f, "{}:{}", codec.as_str(), self.level),
        }
    }
}

/// A text that names no compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not one of none, gzip, gzip:1 to gzip:9, zstd, zstd:1 to zstd:19", .0)]
pub struct CompressionError(pub String);

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Self, CompressionError> {
        let (default, levels, level): (_, std::ops::RangeInclusive<i32>, _) = match text.split_once(':') {
            None if text == "none" => return Ok(Self::NONE),
            None if text == "gzip" => return Ok(Self::GZIP),
            None if text == "zstd" => return Ok(Self::ZSTD),
            Some(("gzip", level)) => (Self::GZIP, 1..=9, level),
            Some(("zstd", level)) => (Self::ZSTD, 1..=19, level),
            _ => return Err(CompressionError(text.to_owned())),
        };
        match level.parse::<i32>() {
            Ok(n) if levels.contains(&n) && n.to_string() == level => Ok(Self { level: n, ..default }),
            _ => Err(CompressionError(text.to_owned())),
        }
    }
}

/// One part of a layer as it is stored: a zstd frame, a segment of a deflate stream, or plain bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Bytes of tar in it.
    pub plain: u64,
    /// Bytes that it takes.
    pub packed: u64,
    /// CRC-32 of the bytes of tar; 0 where the codec needs none.
    pub crc: u32,
}

/// What stands before the parts of a layer.
pub(crate) fn head(codec: Codec) -> &'static [u8] {
    match codec {
        // No name, no time, and an unknown operating system: nothing of the machine.
        Codec::Gzip => &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff],
        Codec::None | Codec::Zstd => &[],
    }
}

/// What stands after the parts of a layer. The parts of a gzip layer are one member, since several are more than some
/// readers expect; its checksum is combined from theirs.
pub(crate) fn tail<'a>(codec: Codec, parts: impl IntoIterator<Item = &'a Part>) -> Vec<u8> {
    if codec != Codec::Gzip {
        return Vec::new();
    }
    let mut whole = crc32fast::Hasher::new();
    let mut size = 0_u64;
    for part in parts {
        whole.combine(&crc32fast::Hasher::new_with_initial_len(part.crc, part.plain));
        size += part.plain;
    }
    // RFC 1952 states the size modulo 2^32.
    let [a, b, c, d, ..] = size.to_le_bytes();
    // An empty block with the final bit, which no part carries.
    [&[3, 0][..], &whole.finalize().to_le_bytes(), &[a, b, c, d]].concat()
}

/// Largest zstd window that is read, as a power of two: what the format asks every decoder to have, and 16 times more.
pub(crate) const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Reads a layer's tar. All members of gzip and all frames of zstd are read; a checksum that is wrong, a stream that ends
/// early, and bytes that are neither are errors.
///
/// # Errors
/// Where the decoder cannot be made.
pub fn decompress<'a, R: BufRead + Send + 'a>(codec: Codec, packed: R) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match codec {
        Codec::None => Box::new(packed),
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(compression: Compression, chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut encoder = Encoder::new(compression).unwrap();
        let mut out = head(compression.codec()).to_vec();
        let mut parts = Vec::new();
        for chunk in chunks {
            let (part, packed) = encoder.encode(chunk).unwrap();
            out.extend_from_slice(packed);
            parts.push(part);
        }
        out.extend(tail(compression.codec(), &parts));
        out
    }

    fn unpack(codec: Codec, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompress(codec, packed)?.read_to_end(&mut out)?;
        Ok(out)
    }

    proptest! {
        #[test]
        fn parts_in_a_row_are_one_stream(chunks in proptest::collection::vec(proptest::collection::vec(0..4_u8, 1..5000), 1..4)) {
            for compression in [Compression::NONE, Compression::GZIP, Compression::ZSTD] {
                let packed = pack(compression, &chunks);
                prop_assert_eq!(unpack(compression.codec(), &packed).unwrap(), chunks.concat());
            }
        }

        #[test]
        fn a_cut_stream_is_an_error(chunk in proptest::collection::vec(0..4_u8, 1..5000), cut in any::<prop::sample::Index>()) {
            for compression in [Compression::GZIP, Compression::ZSTD] {
                let packed = pack(compression, std::slice::from_ref(&chunk));
                let short = &packed[..=cut.index(packed.len() - 1)];
                prop_assert!(short.len() == packed.len() || unpack(compression.codec(), short).is_err());
            }
        }
    }

    #[test]
    fn a_gzip_layer_is_one_member() {
        let packed = pack(Compression::GZIP, &[b"one".to_vec(), b"two".to_vec()]);
        let mut out = Vec::new();
        let mut rest = &packed[..];
        flate2::bufread::GzDecoder::new(&mut rest).read_to_end(&mut out).unwrap();
        assert_eq!((out.as_slice(), rest), (&b"onetwo"[..], &[][..]));
    }

    #[test]
    fn what_does_not_shrink_still_fits() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..Compression::GZIP.part_size())
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        for level in ["gzip:1", "gzip:6", "gzip:9"] {
            let compression: Compression = level.parse().unwrap();
            assert_eq!(unpack(Codec::Gzip, &pack(compression, std::slice::from_ref(&noise))).unwrap(), noise);
        }
    }

    #[test]
    fn levels_are_read_and_shown() {
        for (text, shown) in [("none", "none"), ("gzip", "gzip:6"), ("zstd", "zstd:3"), ("zstd:19", "zstd:19")] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), shown);
        }
        for bad in ["", "zstd:0", "zstd:20", "gzip:10", "none:1", "xz", "zstd:03", "zstd:+3"] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }
}
