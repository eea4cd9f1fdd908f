//! Decompression of a member, chosen by its name alone, bounded, and always read to its true end.
//!
//! A decoder that stops at the end of a tar archive never sees the checksum behind it, and one that stops at the end of
//! the first stream shows half a package where another tool shows all of it. So the end is reported only after the
//! compressed stream was complete, its checksum right, and nothing followed it.

mod xz_blocks;

use std::io::{self, BufRead as _, BufReader, Read};
use std::num::NonZeroUsize;

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{IGNORE_CHECK, Stream};

use crate::integrity::Integrity;

/// Memory that xz and lzma may ask for. `xz -9`, the most that Debian uses, needs 65 MiB; the format allows 4 GiB.
const LZMA_MEMORY: u64 = 256 << 20;
/// The largest zstd window accepted, as a power of two: the default limit of libzstd.
const ZSTD_WINDOW_LOG: u32 = 27;
/// At least that of whoever opens the file, so that its buffer is passed by.
const INPUT_BUFFER: usize = 256 << 10;

/// How a member is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Stored,
    /// `.gz`: all members of the file are joined, as by every reader of packages.
    Gzip,
    /// `.xz`: exactly one stream, since dpkg reads only the first.
    Xz,
    /// `.zst`: exactly one frame, since dpkg reads only the first.
    Zstd,
    /// `.bz2`: exactly one stream, since dpkg reads only the first.
    Bzip2,
    /// `.lzma`: the old format without a checksum.
    Lzma,
}

impl Codec {
    /// The codec of what follows `control.tar` or `data.tar` in a name; `None` where there is none.
    #[must_use]
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "" => Some(Self::Stored),
            ".gz" => Some(Self::Gzip),
            ".xz" => Some(Self::Xz),
            ".zst" => Some(Self::Zstd),
            ".bz2" => Some(Self::Bzip2),
            ".lzma" => Some(Self::Lzma),
            _ => None,
        }
    }

    /// The name that messages use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "uncompressed",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
        }
    }
}

/// How much a compressed stream may give.
#[derive(Debug, Clone, Copy)]
pub struct OutputLimits {
    /// Bytes at most.
    pub bytes: u64,
    /// Bytes at most for each compressed byte that was read so far.
    pub ratio: u64,
    /// Bytes that are given whatever the ratio: small files of one byte repeated are common and harmless.
    pub free: u64,
}

/// What is known of a stream that makes it faster to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// Whether `inner` finds out that bytes were changed: then the check of xz is not made. The checks of the other formats
    /// cost next to nothing, and always are.
    pub integrity: Integrity,
    /// Threads to decode on at most. More than one is of use where xz has several blocks, and takes about 42 MiB each.
    pub threads: NonZeroUsize,
    /// Compressed bytes, if it is known how many: otherwise one thread decodes.
    pub size: Option<u64>,
}

impl Default for Decoding {
    fn default() -> Self {
        Self { integrity: Integrity::Unverified, threads: NonZeroUsize::MIN, size: None }
    }
}

/// Why compressed bytes were refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The stream ends before it is complete.
    #[error("{} stream is cut off after {input} bytes", .codec.name())]
    Truncated {
        /// The codec.
        codec: Codec,
        /// Compressed bytes that were there.
        input: u64,
    },
    /// The stream is not of this format, or its checksum is wrong.
    #[error("{} stream is corrupt, within {output} bytes of output", .codec.name())]
    Corrupt {
        /// The codec.
        codec: Codec,
        /// Bytes that were decoded before.
        output: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// The stream asks for more memory than is given.
    #[error("{} stream asks for more than {limit} bytes of memory", .codec.name())]
    Memory {
        /// The codec.
        codec: Codec,
        /// The limit in bytes.
        limit: u64,
    },
    /// Bytes after the end of the stream, or a second stream.
    #[error("bytes after the end of the {} stream", .codec.name())]
    Trailing {
        /// The codec.
        codec: Codec,
    },
    /// More output than allowed in all.
    #[error("more than {limit} bytes of output")]
    Output {
        /// The limit in bytes.
        limit: u64,
    },
    /// More output than allowed for so little input.
    #[error("{input} bytes of {} give more than {limit} times as much", .codec.name())]
    Ratio {
        /// The codec.
        codec: Codec,
        /// Compressed bytes read until then.
        input: u64,
        /// The limit.
        limit: u64,
    },
}

/// Decompresses one member. Its errors hold a [`DecodeError`], or are those of the inner reader.
#[derive(Debug)]
pub struct Decoder<R> {
    codec: Codec,
    stream: Box<StreamDecoder<R>>,
    limits: OutputLimits,
    output: u64,
    done: bool,
}

impl<R: Read> Decoder<R> {
    /// Decodes `inner`, which must end where the compressed bytes end.
    ///
    /// # Errors
    /// Where no memory is left for the decoder.
    pub fn new(inner: R, codec: Codec, limits: OutputLimits) -> io::Result<Self> {
        Self::with(inner, codec, limits, Decoding::default())
    }

    /// Decodes `inner`, which must end where the compressed bytes end, to the same bytes as [`Decoder::new`].
    ///
    /// # Errors
    /// Where no memory is left for the decoder; for several threads, also those of `inner`.
    pub fn with(inner: R, codec: Codec, limits: OutputLimits, decoding: Decoding) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(INPUT_BUFFER, Counted { inner, bytes: 0, failed: false });
        let stream = Box::new(match codec {
            Codec::Stored => StreamDecoder::Stored(input),
            Codec::Gzip => StreamDecoder::Gzip(MultiGzDecoder::new(input)),
            Codec::Xz => {
                let stream = xz_stream(&mut input, decoding)?;
                StreamDecoder::Lzma(XzDecoder::new_stream(input, stream))
            }
            Codec::Lzma => StreamDecoder::Lzma(XzDecoder::new_stream(input, Stream::new_lzma_decoder(LZMA_MEMORY)?)),
            Codec::Bzip2 => StreamDecoder::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            Codec::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                StreamDecoder::Zstd(decoder)
            }
        });
        Ok(Self { codec, stream, limits, output: 0, done: false })
    }

    /// What went wrong, unless the inner reader did.
    fn explain(&mut self, error: io::Error) -> io::Error {
        let input = self.stream.input();
        if input.get_ref().failed {
            return error;
        }
        let (codec, input) = (self.codec, input.get_ref().bytes);
        let explained = if error.kind() == io::ErrorKind::UnexpectedEof {
            DecodeError::Truncated { codec, input }
        } else if let Some(limit) = memory_limit(codec, &error) {
            DecodeError::Memory { codec, limit }
        } else {
            DecodeError::Corrupt { codec, output: self.output, source: error }
        };
        io::Error::other(explained)
    }

    /// Called once, when the decoder reports its end: the input must have ended there too.
    fn finish(&mut self) -> io::Result<()> {
        let codec = self.codec;
        let input = self.stream.input();
        if !input.fill_buf()?.is_empty() {
            return Err(io::Error::other(DecodeError::Trailing { codec }));
        }
        // Some decoders take no input at all for an empty file.
        if codec != Codec::Stored && input.get_ref().bytes == 0 {
            return Err(io::Error::other(DecodeError::Truncated { codec, input: 0 }));
        }
        self.done = true;
        Ok(())
    }

    fn check_limits(&mut self) -> Result<(), DecodeError> {
        let OutputLimits { bytes, ratio, free } = self.limits;
        if self.output > bytes {
            return Err(DecodeError::Output { limit: bytes });
        }
        let input = self.stream.input().get_ref().bytes;
        if self.output > free && self.output > input.saturating_mul(ratio) {
            return Err(DecodeError::Ratio { codec: self.codec, input, limit: ratio });
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.done || buf.is_empty() {
            return Ok(0);
        }
        let length = loop {
            match self.stream.read(buf) {
                Ok(length) => break length,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.explain(e)),
            }
        };
        if length == 0 {
            self.finish()?;
        }
        self.output = self.output.saturating_add(length as u64);
        self.check_limits().map_err(io::Error::other)?;
        Ok(length)
    }
}

fn xz_stream<R: Read>(input: &mut Input<R>, decoding: Decoding) -> io::Result<Stream> {
    if let Decoding { threads, size: Some(size), .. } = decoding
        && threads > NonZeroUsize::MIN
        && xz_blocks::has_several(input.fill_buf()?, size)
    {
        return xz_blocks::decoder(LZMA_MEMORY, threads);
    }
    let flags = match decoding.integrity {
        Integrity::Unverified => 0,
        Integrity::Verified => IGNORE_CHECK,
    };
    Ok(Stream::new_stream_decoder(LZMA_MEMORY, flags)?)
}

type Input<R> = BufReader<Counted<R>>;

enum StreamDecoder<R> {
    Stored(Input<R>),
    Gzip(MultiGzDecoder<Input<R>>),
    Lzma(XzDecoder<Input<R>>),
    Bzip2(bzip2::bufread::BzDecoder<Input<R>>),
    Zstd(zstd::stream::read::Decoder<'static, Input<R>>),
}

impl<R: Read> StreamDecoder<R> {
    fn input(&mut self) -> &mut Input<R> {
        match self {
            Self::Stored(input) => input,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Lzma(decoder) => decoder.get_mut(),
            Self::Bzip2(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(input) => input.read(buf),
            Self::Gzip(decoder) => decoder.read(buf),
            Self::Lzma(decoder) => decoder.read(buf),
            Self::Bzip2(decoder) => decoder.read(buf),
            Self::Zstd(decoder) => decoder.read(buf),
        }
    }
}

impl<R> std::fmt::Debug for StreamDecoder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamDecoder")
    }
}

/// Counts compressed bytes for the ratio, and remembers whether reading them failed: then the fault is not the stream's.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    bytes: u64,
    failed: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buf) {
            Ok(length) => {
                self.bytes = self.bytes.saturating_add(length as u64);
                Ok(length)
            }
            Err(e) => {
                self.failed = e.kind() != io::ErrorKind::Interrupted;
                Err(e)
            }
        }
    }
}

/// The limit that a decoder ran into, if that is what its error says. The zstd crate says it only in words.
fn memory_limit(codec: Codec, error: &io::Error) -> Option<u64> {
    let inner = error.get_ref()?;
    match codec {
        Codec::Xz | Codec::Lzma => {
            let error: &liblzma::stream::Error = inner.downcast_ref()?;
            (*error == liblzma::stream::Error::MemLimit).then_some(LZMA_MEMORY)
        }
        Codec::Zstd => inner.to_string().contains("too much memory").then_some(1 << ZSTD_WINDOW_LOG),
        Codec::Stored | Codec::Gzip | Codec::Bzip2 => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::mem::discriminant;

    use proptest::prelude::*;

    use super::*;

    const WIDE: OutputLimits = OutputLimits { bytes: 1 << 30, ratio: 1000, free: 1 << 20 };
    const CODECS: [Codec; 6] = [Codec::Stored, Codec::Gzip, Codec::Xz, Codec::Zstd, Codec::Bzip2, Codec::Lzma];

    fn compress(codec: Codec, content: &[u8]) -> Vec<u8> {
        match codec {
            Codec::Stored => content.to_vec(),
            Codec::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            Codec::Xz if content.len() >= 8 => compress_in_blocks(content),
            Codec::Xz => liblzma::encode_all(content, 1).unwrap(),
            Codec::Lzma => {
                let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
                let mut stream =
                    liblzma::write::XzEncoder::new_stream(Vec::new(), Stream::new_lzma_encoder(&options).unwrap());
                stream.write_all(content).unwrap();
                stream.finish().unwrap()
            }
            Codec::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            Codec::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
                encoder.include_checksum(true).unwrap();
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    /// On one thread and on several: they must come to the same result.
    fn decode(codec: Codec, bytes: &[u8], limits: OutputLimits) -> Result<Vec<u8>, DecodeError> {
        let one = decode_with(codec, bytes, limits, Decoding::default());
        let several = decode_with(codec, bytes, limits, on_threads(3, bytes));
        match (&one, &several) {
            (Ok(one), Ok(several)) => assert_eq!(one, several),
            (Err(one), Err(several)) => assert_eq!(discriminant(one), discriminant(several), "{one:?} {several:?}"),
            _ => panic!("{codec:?}: {one:?} {several:?}"),
        }
        one
    }

    fn decode_with(
        codec: Codec,
        bytes: &[u8],
        limits: OutputLimits,
        decoding: Decoding,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut content = Vec::new();
        let result = Decoder::with(bytes, codec, limits, decoding).unwrap().read_to_end(&mut content);
        result.map_err(|e| *e.into_inner().unwrap().downcast().unwrap())?;
        Ok(content)
    }

    fn on_threads(threads: usize, bytes: &[u8]) -> Decoding {
        let threads = NonZeroUsize::new(threads).unwrap();
        Decoding { threads, size: Some(bytes.len() as u64), ..Decoding::default() }
    }

    /// As dpkg-deb does it, but for the size of the blocks, of which there are eight.
    fn compress_in_blocks(content: &[u8]) -> Vec<u8> {
        let size = content.len().div_ceil(8).max(1) as u64;
        let mut builder = liblzma::stream::MtStreamBuilder::new();
        builder.threads(1).block_size(size).preset(1).check(liblzma::stream::Check::Crc64);
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), builder.encoder().unwrap());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_codec_gives_back_what_was_compressed() {
        for codec in CODECS {
            for content in [&b""[..], b"x", &b"abc".repeat(100_000)] {
                assert_eq!(decode(codec, &compress(codec, content), WIDE).unwrap(), content, "{codec:?}");
            }
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error() {
        for codec in CODECS.into_iter().filter(|c| *c != Codec::Stored) {
            let whole = compress(codec, b"some content that is not empty");
            for cut in 0..whole.len() {
                let found = decode(codec, &whole[..cut], WIDE);
                assert!(matches!(found, Err(DecodeError::Truncated { .. })), "{codec:?} {cut}: {found:?}");
            }
        }
    }

    #[test]
    fn nothing_may_follow_the_stream() {
        for codec in CODECS.into_iter().filter(|c| *c != Codec::Stored) {
            for tail in [&b"x"[..], b"\0\0\0\0", b"garbage of some length"] {
                let found = decode(codec, &[&compress(codec, b"abc"), tail].concat(), WIDE);
                let refused = match codec {
                    // What follows a gzip member can only be another one, or the start of one.
                    Codec::Gzip => matches!(found, Err(DecodeError::Corrupt { .. } | DecodeError::Truncated { .. })),
                    _ => matches!(found, Err(DecodeError::Trailing { .. })),
                };
                assert!(refused, "{codec:?} {tail:?}: {found:?}");
            }
        }
    }

    #[test]
    fn gzip_members_are_joined_and_other_streams_refused() {
        for codec in CODECS.into_iter().filter(|c| *c != Codec::Stored) {
            let twice = compress(codec, b"abc").repeat(2);
            match decode(codec, &twice, WIDE) {
                Ok(content) => assert_eq!((codec, content.as_slice()), (Codec::Gzip, &b"abcabc"[..])),
                Err(e) => assert!(codec != Codec::Gzip && matches!(e, DecodeError::Trailing { .. }), "{codec:?}: {e}"),
            }
        }
    }

    #[test]
    fn checksums_are_reached() {
        for codec in [Codec::Gzip, Codec::Xz, Codec::Zstd, Codec::Bzip2] {
            let good = compress(codec, b"checked content");
            // The check lies at the very end, but for xz, where an index and a footer follow it.
            let index = 4 + 2 * 8 + 2 + 4;
            let at = if codec == Codec::Xz { good.len() - 12 - index - 1 } else { good.len() - 5 };
            let at = if codec == Codec::Zstd { good.len() - 1 } else { at };
            let mut bad = good;
            bad[at] ^= 1;
            assert!(matches!(decode(codec, &bad, WIDE), Err(DecodeError::Corrupt { .. })), "{codec:?}");
            let verified = Decoding { integrity: Integrity::Verified, ..Decoding::default() };
            assert_eq!(decode_with(codec, &bad, WIDE, verified).is_ok(), codec == Codec::Xz, "{codec:?}");
        }
    }

    #[test]
    fn bytes_that_are_vouched_for_are_read_to_their_end_too() {
        let whole = compress(Codec::Xz, b"some content that is not empty");
        let verified = Decoding { integrity: Integrity::Verified, ..Decoding::default() };
        let read = |bytes: &[u8]| decode_with(Codec::Xz, bytes, WIDE, verified);
        assert_eq!(read(&whole).unwrap(), b"some content that is not empty");
        for cut in 0..whole.len() {
            assert!(matches!(read(&whole[..cut]), Err(DecodeError::Truncated { .. })), "{cut}");
        }
        assert!(matches!(read(&[&whole, &b"x"[..]].concat()), Err(DecodeError::Trailing { .. })));
    }

    #[test]
    fn blocks_are_decoded_on_several_threads() {
        let content: Vec<u8> = (0..400_000_u32).flat_map(|n| (n.wrapping_mul(n) >> 7).to_le_bytes()).collect();
        let packed = compress_in_blocks(&content);
        assert!(xz_blocks::has_several(&packed, packed.len() as u64));
        assert!(!xz_blocks::has_several(&packed, packed.len() as u64 / 100));
        for threads in [2, 8, 100] {
            let found = decode_with(Codec::Xz, &packed, WIDE, on_threads(threads, &packed)).unwrap();
            assert!(found == content, "{threads}");
        }
        for at in (0..packed.len()).step_by(packed.len() / 50) {
            let mut bad = packed.clone();
            bad[at] ^= 1;
            let _ = decode(Codec::Xz, &bad, WIDE);
            assert!(matches!(decode(Codec::Xz, &packed[..at], WIDE), Err(DecodeError::Truncated { .. })), "{at}");
        }
        // Nobody has to read to the end.
        let mut decoder = Decoder::with(packed.as_slice(), Codec::Xz, WIDE, on_threads(2, &packed)).unwrap();
        decoder.read_exact(&mut [0; 99]).unwrap();
    }

    #[test]
    fn limits_are_errors_and_not_an_end() {
        let bomb = compress(Codec::Zstd, &vec![0; 3 << 20]);
        let tight = OutputLimits { bytes: 1 << 20, ..WIDE };
        assert!(matches!(decode(Codec::Zstd, &bomb, tight), Err(DecodeError::Output { limit: 0x10_0000 })));
        assert!(matches!(decode(Codec::Zstd, &bomb, WIDE), Err(DecodeError::Ratio { limit: 1000, .. })));
        let exact = OutputLimits { bytes: 3 << 20, ratio: u64::MAX, free: 0 };
        assert_eq!(decode(Codec::Zstd, &bomb, exact).unwrap().len(), 3 << 20);
        let bomb = compress(Codec::Xz, &vec![0; 3 << 20]);
        assert!(matches!(decode(Codec::Xz, &bomb, tight), Err(DecodeError::Output { limit: 0x10_0000 })));
        let flat = OutputLimits { ratio: 100, ..WIDE };
        assert!(matches!(decode(Codec::Xz, &bomb, flat), Err(DecodeError::Ratio { limit: 100, .. })));
        assert_eq!(decode(Codec::Xz, &bomb, exact).unwrap().len(), 3 << 20);
    }

    #[test]
    fn large_windows_and_dictionaries_are_refused() {
        // A frame header with the largest window, and an .lzma header with a 4 GiB dictionary.
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00];
        assert!(matches!(decode(Codec::Zstd, &zstd, WIDE), Err(DecodeError::Memory { .. })));
        let lzma = [&[0x5d, 0, 0, 0, 0xc0][..], &[0xff; 8], &[0; 16]].concat();
        assert!(matches!(decode(Codec::Lzma, &lzma, WIDE), Err(DecodeError::Memory { .. })));
    }

    #[test]
    fn a_failing_reader_is_not_called_corrupt() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::PermissionDenied))
            }
        }
        for codec in CODECS {
            let found = Decoder::new(Failing, codec, WIDE).unwrap().read(&mut [0; 9]).unwrap_err();
            assert_eq!(found.kind(), io::ErrorKind::PermissionDenied, "{codec:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..40_usize) {
            for codec in CODECS {
                let _ = decode(codec, &bytes, WIDE);
                let good = compress(codec, &bytes);
                let _ = decode(codec, &[&good[..good.len().min(cut)], &bytes].concat(), WIDE);
            }
        }
    }
}
