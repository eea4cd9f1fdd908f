use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::*;

/// What zlib makes of a raw stream: its output and how many bytes it took, if it reaches the end.
fn inflate(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut decoder = Decompress::new(false);
    let mut out = Vec::with_capacity(1 << 16);
    loop {
        let read = usize::try_from(decoder.total_in()).unwrap();
        let before = (decoder.total_in(), decoder.total_out());
        match decoder.decompress_vec(&stream[read..], &mut out, FlushDecompress::None).ok()? {
            Status::StreamEnd => return Some((out, usize::try_from(decoder.total_in()).unwrap())),
            _ if out.len() == out.capacity() => out.reserve(out.len()),
            _ if before == (decoder.total_in(), decoder.total_out()) => return None,
            _ => {}
        }
    }
}

/// Compares a walk with zlib, and opens the end of what is accepted.
fn check(stream: &[u8]) -> Result<Outline, DeflateError> {
    let mut walker = Walker::new();
    let mut buffer = [stream, &[0xaa; 5]].concat();
    let outline = walker.walk(stream);
    let opened = walker.unfinish(&mut buffer, stream.len());
    let Ok(found) = outline else {
        assert_eq!(opened.err(), outline.err());
        assert_eq!(buffer, [stream, &[0xaa; 5]].concat(), "refused and yet changed");
        return outline;
    };
    let (plain, taken) = inflate(stream).expect("what is accepted inflates");
    assert_eq!((plain.len() as u64, taken), (found.plain, stream.len()));

    let (used, stated) = opened.unwrap();
    assert_eq!(stated, found.plain);
    buffer.truncate(used);
    assert_eq!(inflate(&buffer), None, "nothing is final any more");
    let followed = [&buffer[..], &[3, 0]].concat();
    assert_eq!(inflate(&followed), Some((plain.clone(), followed.len())));
    let twice = [&buffer[..], &buffer, &[3, 0]].concat();
    assert_eq!(inflate(&twice).unwrap().0, [&plain[..], &plain].concat());
    Ok(found)
}

fn libdeflate(level: i32, plain: &[u8]) -> Vec<u8> {
    let mut encoder = libdeflater::Compressor::new(libdeflater::CompressionLvl::new(level).unwrap());
    let mut out = vec![0; encoder.deflate_compress_bound(plain.len())];
    let length = encoder.deflate_compress(plain, &mut out).unwrap();
    out.truncate(length);
    out
}

/// A stream of zlib's, with an empty block after each piece.
fn zlib(level: u32, pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = Compress::new(flate2::Compression::new(level), false);
    let mut out = Vec::with_capacity(pieces.iter().map(|piece| piece.len() * 2 + 100).sum::<usize>() + 100);
    for piece in pieces {
        encoder.compress_vec(piece, &mut out, FlushCompress::Partial).unwrap();
    }
    assert_eq!(encoder.compress_vec(&[], &mut out, FlushCompress::Finish).unwrap(), Status::StreamEnd);
    out
}

/// Bytes of which there are many or few different ones, some of them in a row.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |symbols: u8| proptest::collection::vec(0..=symbols, 0..4000);
    let runs = proptest::collection::vec((any::<u8>(), 1..700_usize), 0..40)
        .prop_map(|runs| runs.into_iter().flat_map(|(byte, length)| vec![byte; length]).collect());
    prop_oneof![bytes(1), bytes(7), bytes(100), bytes(255), runs]
}

proptest! {
    #[test]
    fn streams_of_encoders_are_accepted(plain in plain(), level in 1..=12_i32) {
        let found = check(&libdeflate(level, &plain));
        prop_assert_eq!(found.map(|found| found.plain), Ok(plain.len() as u64));
    }

    #[test]
    fn streams_of_many_blocks_are_accepted(pieces in proptest::collection::vec(plain(), 1..6), level in 0..=9_u32) {
        let found = check(&zlib(level, &pieces));
        prop_assert_eq!(found.map(|found| found.plain), Ok(pieces.concat().len() as u64));
    }

    #[test]
    fn any_bytes_get_an_answer(stream in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = check(&stream);
    }

    #[test]
    fn a_changed_stream_gets_the_answer_that_zlib_gives(plain in plain(), level in 1..=12_i32, bits in proptest::collection::vec(any::<prop::sample::Index>(), 1..4)) {
        let mut stream = libdeflate(level, &plain);
        for bit in bits {
            let bit = bit.index(stream.len() * 8);
            stream[bit / 8] ^= 1 << (bit % 8);
        }
        let whole = inflate(&stream).is_some_and(|(_, taken)| taken == stream.len());
        // The one thing that zlib alone takes is a block whose only symbol is its end.
        prop_assert!(check(&stream).is_ok() == whole || check(&stream) == Err(DeflateError::Code));
    }

    #[test]
    fn a_cut_or_longer_stream_is_refused(plain in plain(), cut in any::<prop::sample::Index>()) {
        let mut stream = libdeflate(6, &plain);
        prop_assert!(check(&stream[..cut.index(stream.len())]).is_err());
        stream.push(0);
        prop_assert_eq!(check(&stream), Err(DeflateError::Trailing));
    }
}

/// Writes bits as a stream has them: numbers from their lowest bit on.
#[derive(Default)]
struct Writer(Vec<bool>);

impl Writer {
    fn put(mut self, n: u32, value: u32) -> Self {
        self.0.extend((0..n).map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A word, from its highest bit on.
    fn word(mut self, n: u32, word: u32) -> Self {
        self.0.extend((0..n).rev().map(|bit| word >> bit & 1 == 1));
        self
    }

    /// The header of a final block that states these lengths of codes, in words of four bits each: the lengths 0 to 12 are
    /// their own words, 13 to 15 stand for the three repetitions, whose bits come second.
    fn dynamic(self, literals: u32, distances: u32, lengths: &[(u32, u32)]) -> Self {
        let mut writer = self.put(3, 0b101).put(5, literals - 257).put(5, distances - 1).put(4, 15);
        for symbol in ORDER {
            writer = writer.put(3, if (13..16).contains(&symbol) { 0 } else { 4 });
        }
        for &(word, bits) in lengths {
            let extra = [2, 3, 7].get((word as usize).wrapping_sub(13)).copied().unwrap_or(0);
            writer = writer.word(4, word).put(extra, bits);
        }
        writer
    }

    /// As bytes, the last one filled up with zeros.
    fn bytes(&self) -> Vec<u8> {
        self.0.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
    }
}

/// 256 lengths of zero, in two repetitions.
const ZEROS: [(u32, u32); 2] = [(15, 138 - 11), (15, 118 - 11)];

#[test]
fn each_fault_is_told() {
    let start = Writer::default;
    let cases = [
        (start(), DeflateError::Truncated),
        (start().put(3, 0b111), DeflateError::BlockType),
        (start().put(8, 0b001).put(16, 5).put(16, 5), DeflateError::StoredLength),
        (start().put(8, 0b001).put(16, 5).put(16, 0xffff - 5).put(32, 0), DeflateError::Truncated),
        // 287 literals and lengths, 31 distances.
        (start().put(3, 0b101).put(5, 30).put(5, 0).put(32, 0), DeflateError::Lengths),
        (start().put(3, 0b101).put(5, 0).put(5, 30).put(32, 0), DeflateError::Lengths),
        // Code lengths without a code, with too small and with too large a one.
        (start().put(3, 0b101).put(5, 0).put(5, 0).put(4, 0).put(32, 0), DeflateError::Code),
        (start().put(3, 0b101).put(5, 0).put(5, 0).put(4, 0).put(3, 1).put(32, 0), DeflateError::Code),
        (start().put(3, 0b101).put(5, 0).put(5, 0).put(4, 0).put(12, 0o1111).put(32, 0), DeflateError::Code),
        // The fixed code of symbol 286, and that of distance 30 after a length of 3.
        (start().put(3, 0b011).put(8, 0b0110_0011).put(32, 0), DeflateError::Symbol),
        (start().put(3, 0b011).put(7, 0b100_0000).put(5, 0b01111).put(32, 0), DeflateError::Symbol),
        // A length of 3 and a distance of 1 at the start.
        (start().put(3, 0b011).put(7, 0b100_0000).put(32, 0), DeflateError::Distance { distance: 1, position: 0 }),
        (start().put(3, 0b011).put(7, 0).put(8, 0), DeflateError::Trailing),
        // A repetition of nothing, and one that goes on after the last symbol.
        (start().dynamic(257, 1, &[(13, 0)]).put(32, 0), DeflateError::Lengths),
        (start().dynamic(257, 1, &[ZEROS[0], ZEROS[0]]).put(32, 0), DeflateError::Lengths),
        (start().dynamic(257, 1, &[(1, 0), (1, 0), ZEROS[0], ZEROS[1]]).put(32, 0), DeflateError::Endless),
        // Words that are missing, and too many of them.
        (start().dynamic(257, 1, &[ZEROS[0], ZEROS[1], (1, 0), (0, 0)]).put(32, 0), DeflateError::Code),
        (start().dynamic(259, 1, &[ZEROS[0], ZEROS[1], (1, 0), (1, 0), (1, 0), (0, 0)]), DeflateError::Code),
        (start().dynamic(258, 1, &[ZEROS[0], ZEROS[1], (1, 0), (1, 0), (2, 0)]).put(32, 0), DeflateError::Code),
        // Distances where there are none, and the one word that has none.
        (start().dynamic(258, 1, &[ZEROS[0], ZEROS[1], (1, 0), (1, 0), (0, 0)]).put(9, 1), DeflateError::Symbol),
        (start().dynamic(258, 1, &[ZEROS[0], ZEROS[1], (1, 0), (1, 0), (1, 0)]).put(9, 3), DeflateError::Symbol),
    ];
    for (number, (writer, fault)) in cases.into_iter().enumerate() {
        assert_eq!(check(&writer.bytes()), Err(fault), "case {number}");
    }
}

#[test]
fn a_code_of_one_distance_is_accepted() {
    // The literal 0 and the length 3 have words of two bits, the end one of one bit.
    let lengths = [(2, 0), (15, 138 - 11), (15, 117 - 11), (1, 0), (2, 0), (1, 0)];
    let stream = Writer::default().dynamic(258, 1, &lengths).word(2, 0b10).word(2, 0b11).word(1, 0).word(1, 0);
    assert_eq!(check(&stream.bytes()).map(|found| (found.last_block, found.plain)), Ok((0, 4)));
    // A code of no distances will do for literals.
    let lengths = [(2, 0), (15, 138 - 11), (15, 117 - 11), (1, 0), (2, 0), (0, 0)];
    let stream = Writer::default().dynamic(258, 1, &lengths).word(2, 0b10).word(1, 0);
    assert_eq!(check(&stream.bytes()).map(|found| (found.last_block, found.plain)), Ok((0, 1)));
}

#[test]
fn a_buffer_without_room_is_left_alone() {
    for plain in [&b"a"[..], b"ab", b"abc", b"abcd", b"aaaaaaaaaaaaaaaaaaaa"] {
        // Level 6 stores what is so short; these are fixed codes.
        let stream = zlib(6, &[plain.to_vec()]);
        let mut buffer = stream.clone();
        let found = Walker::new().unfinish(&mut buffer, stream.len());
        let aligned = Walker::new().walk(&stream).unwrap().end.is_multiple_of(8);
        assert_eq!(found.err(), (!aligned).then_some(DeflateError::NoRoom));
        assert!(aligned || buffer == stream);
    }
}
