//! Compresses parts.

use std::fmt;
use std::io;

use libdeflater::{CompressionLvl, Compressor};
use zstd::zstd_safe::CParameter;

use super::deflate::Walker;
use super::{Codec, Compression, Part};

/// Compresses parts, one after the other, each as if it were the only one. It can be sent to another thread; several
/// threads take an encoder each.
pub struct Encoder {
    compression: Compression,
    engine: Engine,
    /// Room for what a part is compressed to; all of it may have been written to by earlier parts.
    packed: Vec<u8>,
}

enum Engine {
    Plain,
    Deflate(Box<Deflate>),
    Zstd(zstd::bulk::Compressor<'static>),
}

/// libdeflate's bytes depend on nothing but the part and the level: it sees all of a part in one call.
struct Deflate {
    compressor: Compressor,
    walker: Walker,
}

impl Encoder {
    /// An encoder with the pinned parameters of this format version.
    ///
    /// # Errors
    /// Where libzstd cannot allocate its state.
    pub fn new(compression: Compression) -> io::Result<Self> {
        let engine = match compression.codec {
            Codec::None => Engine::Plain,
            Codec::Gzip => {
                let level =
                    CompressionLvl::new(libdeflate_level(compression.level)).map_err(|_| io::ErrorKind::Unsupported)?;
                Engine::Deflate(Box::new(Deflate { compressor: Compressor::new(level), walker: Walker::new() }))
            }
            Codec::Zstd => {
                let mut encoder = zstd::bulk::Compressor::new(compression.level)?;
                encoder.include_contentsize(true)?;
                encoder.include_checksum(false)?;
                encoder.long_distance_matching(false)?;
                if compression.level == Compression::ZSTD.level {
                    for parameter in SMALL_TABLES {
                        encoder.set_parameter(parameter)?;
                    }
                }
                Engine::Zstd(encoder)
            }
        };
        Ok(Self { compression, engine, packed: Vec::new() })
    }

    /// Compresses one part of at most the size that the compression states.
    ///
    /// # Errors
    /// Where the codec fails, which it does for lack of memory alone.
    pub fn encode<'a>(&'a mut self, plain: &'a [u8]) -> io::Result<(Part, &'a [u8])> {
        let mut crc = 0;
        let packed: &[u8] = match &mut self.engine {
            Engine::Plain => plain,
            Engine::Deflate(deflate) => {
                crc = crc32fast::hash(plain);
                let n = deflate.segment(plain, &mut self.packed)?;
                self.packed.get(..n).unwrap_or_default()
            }
            Engine::Zstd(encoder) => {
                make_room(&mut self.packed, zstd::zstd_safe::compress_bound(plain.len()));
                let n = encoder.compress_to_buffer(plain, self.packed.as_mut_slice())?;
                self.packed.get(..n).unwrap_or_default()
            }
        };
        Ok((Part { plain: plain.len() as u64, packed: packed.len() as u64, crc }, packed))
    }
}

impl Deflate {
    /// One segment of a deflate stream. It ends on a byte boundary, its last block is not final, and it refers to nothing
    /// before it.
    fn segment(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
        make_room(out, self.compressor.deflate_compress_bound(plain.len()) + END_OF_SEGMENT);
        let length = self.compressor.deflate_compress(plain, out).map_err(io::Error::other)?;
        let (length, walked) = self.walker.unfinish(out, length).map_err(io::Error::other)?;
        if walked != plain.len() as u64 {
            return Err(io::Error::other("deflate did not take a whole part"));
        }
        Ok(length)
    }
}

/// Half the tables that libzstd takes by default at its level 3: those of a thread then fit into half of a second-level cache
/// of 1 MiB. Packages take an eighth less time, and a per cent more bytes.
const SMALL_TABLES: [CParameter; 2] = [CParameter::HashLog(16), CParameter::ChainLog(15)];

/// libdeflate's level for one of gzip's. At gzip's default its 4 makes half a per cent more bytes of packages than
/// `gzip -6`, and takes a sixth less work than its 5.
fn libdeflate_level(level: i32) -> i32 {
    if (4..=6).contains(&level) { 4 } else { level }
}

/// Bytes that may be added to a stream so that another one can follow.
const END_OF_SEGMENT: usize = 5;

/// From here on buffers grow in steps of this size.
const LARGE: usize = 256 << 10;

/// Makes a buffer at least so long. What is in it does not matter, so none of it is copied, and none written to again: new
/// memory comes as zeros from the system.
fn make_room(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        // The old one goes first. Powers of two, so that a buffer which grows with each part soon stops growing; what holds
        // the largest part is little more than that.
        let enough = length.next_multiple_of(LARGE);
        *buffer = Vec::new();
        *buffer = vec![0; length.next_power_of_two().min(enough)];
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("compression", &self.compression).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Words, numbers and noise: enough of everything that encoders decide by, and the same everywhere.
    fn mixed(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let mut out = Vec::with_capacity(length + 64);
        while out.len() < length {
            match next() % 8 {
                0 => out.extend((0..next() % 64).map(|_| next().to_le_bytes()[0])),
                1 => out.extend_from_slice(&[0; 48][..(next() % 48) as usize]),
                2 => out.extend_from_slice(format!("{:08x}", next() * next()).as_bytes()),
                n => {
                    let words = ["/usr/lib/", "share", "static ", "return", "0x", "\0\0\0\x7fELF", "doc"];
                    out.extend_from_slice(words[(next() % (n + 1)).min(6) as usize].as_bytes());
                }
            }
        }
        out.truncate(length);
        out
    }

    /// An upgrade of a library that changes these bytes changes every digest that users have written down: it is a change
    /// of the format version.
    #[test]
    fn bytes_are_pinned() {
        let cases = [
            ("gzip:1", "455448c78130a45f205cad157185d20d63de6eb4576a2d4c86a706e6066ac0ec"),
            ("gzip:6", "15688e9bb7b0d1bcb1057109b90b8c90c0bb81f49e94354d26d792d6f937fe16"),
            ("gzip:9", "70649c7a0bf8115cf984cc30e141fdc011cf953d20736b7ab5cde05dc7df1a83"),
            ("zstd:1", "46cea6db19736a93aa4d1f06498a22834990f93ab9e4cda0fab277625f81b233"),
            ("zstd:3", "0a1d43465aa75286c593049a7861d1fe014ff6b187f2fed9bafdbd21abde1e36"),
            ("zstd:9", "311d5d838a871b10c57b836ef408a01123396c8601b9b3cf89fd22b2e63b5321"),
        ];
        let found = cases.map(|(name, _)| {
            let compression: Compression = name.parse().unwrap();
            let mut encoder = Encoder::new(compression).unwrap();
            let mut hasher = Sha256::new();
            for length in [0, 1, 512, 40_000, 300_000, compression.part_size()] {
                hasher.update(encoder.encode(&mixed(length)).unwrap().1);
            }
            (name, hex::encode(hasher.finalize()))
        });
        assert_eq!(found.each_ref().map(|(name, sum)| (*name, sum.as_str())), cases);
    }

    #[test]
    fn a_part_does_not_depend_on_what_was_encoded_before() {
        for name in ["gzip:1", "gzip:6", "zstd:1", "zstd:3", "zstd:19"] {
            let compression: Compression = name.parse().unwrap();
            let mut used = Encoder::new(compression).unwrap();
            for length in [70_000, 0, 512, 500_000, 4096] {
                let plain = mixed(length);
                let mut fresh = Encoder::new(compression).unwrap();
                assert_eq!(used.encode(&plain).unwrap(), fresh.encode(&plain).unwrap(), "{name} {length}");
            }
        }
    }

    #[test]
    fn encoders_go_to_other_threads() {
        fn sent<T: Send>() {}
        sent::<Encoder>();
    }
}
