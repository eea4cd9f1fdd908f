//! A stream whose blocks were walked inflates, to as many bytes as were stated; once its end is open, another stream can
//! follow. What was refused stays as it was.

#![no_main]

use distil_imgcore::compression::deflate::{DeflateError, Walker};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;

/// Bytes of output that are compared; a stream of the fuzzer's size could have a thousand times as many.
const LIMIT: usize = 1 << 20;

/// Output and bytes taken, where the stream ends well within the limit.
fn inflate(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut decoder = Decompress::new(false);
    let mut out = Vec::with_capacity(LIMIT);
    let status = decoder.decompress_vec(stream, &mut out, FlushDecompress::Finish);
    matches!(status, Ok(Status::StreamEnd)).then(|| (out, decoder.total_in() as usize))
}

fn check(walker: &mut Walker, stream: &[u8]) {
    let mut buffer = [stream, &[0xaa; 5]].concat();
    let walked = walker.walk(stream);
    let opened = walker.unfinish(&mut buffer, stream.len());
    let Ok(outline) = walked else {
        assert_eq!(opened.err(), walked.err());
        assert_eq!(buffer, [stream, &[0xaa; 5]].concat());
        // zlib alone takes a block whose only symbol is its end.
        let whole = inflate(stream).is_some_and(|(_, taken)| taken == stream.len());
        assert!(!whole || walked == Err(DeflateError::Code));
        return;
    };
    let (used, plain) = opened.expect("there was room");
    assert_eq!(plain, outline.plain);
    if plain > LIMIT as u64 / 2 {
        return;
    }
    let (whole, taken) = inflate(stream).expect("what is accepted inflates");
    assert_eq!((whole.len() as u64, taken), (plain, stream.len()));
    let segment = &buffer[..used];
    assert_eq!(inflate(segment), None);
    let twice = [segment, segment, &[3, 0]].concat();
    assert_eq!(inflate(&twice), Some(([&whole[..], &whole].concat(), twice.len())));
}

fuzz_target!(|input: &[u8]| {
    let mut walker = Walker::new();
    check(&mut walker, input);
    // The first bytes say which bits of a sound stream of the others are changed, so that most of it stays one.
    let Some((changes, plain)) = input.split_at_checked(4) else { return };
    let mut stream = Vec::with_capacity(plain.len() * 2 + 100);
    let mut encoder = Compress::new(Compression::new(u32::from(changes[0] % 10)), false);
    let done = encoder.compress_vec(plain, &mut stream, FlushCompress::Finish);
    assert!(matches!(done, Ok(Status::StreamEnd)));
    check(&mut walker, &stream);
    let bit = usize::from(u16::from_le_bytes([changes[1], changes[2]])) % (stream.len() * 8);
    stream[bit / 8] ^= (1 << (bit % 8)) | (changes[3] & 1);
    check(&mut walker, &stream);
});
