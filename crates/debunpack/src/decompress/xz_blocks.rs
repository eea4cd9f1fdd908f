//! Several blocks of an xz stream at a time: see sections 2 and 3 of the [format].
//!
//! `xz -T` and dpkg-deb cut what they compress into blocks that depend on nothing else, and write the size of each before
//! it, so that a reader can find the next one without decoding.
//!
//! [format]: https://tukaani.org/xz/xz-file-format.txt

use std::io;
use std::num::NonZeroUsize;

use liblzma::stream::{MtStreamBuilder, Stream};

/// Memory for each thread: a block of 24 MiB, as dpkg-deb makes them, what it is compressed to, and a dictionary of 8 MiB.
/// Larger blocks are decoded one after the other, without being held.
const THREAD_MEMORY: u64 = 42 << 20;

const STREAM_HEADER: usize = 12;
const MAGIC: &[u8] = b"\xfd7zXZ\0";
const HAS_PACKED_SIZE: u8 = 0x40;
/// Bytes at most after the only block of a stream: padding, check, an index with one record, footer.
const AFTER_LAST_BLOCK: u64 = 128;

/// Whether a stream of `size` bytes that starts with `start` has more than one block, and says so. Only speed depends on
/// the answer.
pub(super) fn has_several(start: &[u8], size: u64) -> bool {
    end_of_first(start).is_some_and(|end| end.saturating_add(AFTER_LAST_BLOCK) < size)
}

/// Where the compressed data of the first block ends, if its header says that.
fn end_of_first(start: &[u8]) -> Option<u64> {
    let (stream, block) = start.split_at_checked(STREAM_HEADER)?;
    let (quarter, rest) = block.split_first()?;
    let (flags, sizes) = rest.split_first()?;
    // An index stands in the place of the first block where there is none, and starts with a zero.
    if !stream.starts_with(MAGIC) || *quarter == 0 || flags & HAS_PACKED_SIZE == 0 {
        return None;
    }
    let header = (u64::from(*quarter) + 1) * 4;
    number(sizes)?.checked_add(STREAM_HEADER as u64 + header)
}

/// A number in groups of seven bits, the lowest first; the highest bit of a byte says that another follows.
fn number(bytes: &[u8]) -> Option<u64> {
    let mut value = 0;
    for (byte, shift) in bytes.iter().zip((0..63).step_by(7)) {
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A decoder of xz that works on several blocks at a time. Its output is that of the other one, and so are its errors; it
/// makes the check of every block, since the crate cannot tell it not to.
///
/// # Errors
/// Where no memory is left.
pub(super) fn decoder(memory: u64, threads: NonZeroUsize) -> io::Result<Stream> {
    let threads = u32::try_from(threads.get()).unwrap_or(u32::MAX);
    let together = THREAD_MEMORY.saturating_mul(u64::from(threads)).min(memory);
    let mut builder = MtStreamBuilder::new();
    Ok(builder.threads(threads).memlimit_threading(together).memlimit_stop(memory).decoder()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start(quarter: u8, flags: u8, sizes: &[u8]) -> Vec<u8> {
        [MAGIC, &[0, 4, 1, 2, 3, 4, quarter, flags], sizes].concat()
    }

    #[test]
    fn a_stream_that_goes_on_after_its_first_block_has_several() {
        // 300 bytes, after two headers of 12 bytes.
        let sized = start(2, HAS_PACKED_SIZE, &[0xac, 0x02]);
        assert_eq!(end_of_first(&sized), Some(324));
        assert!(has_several(&sized, 324 + AFTER_LAST_BLOCK + 1));
        assert!(!has_several(&sized, 324 + AFTER_LAST_BLOCK));
    }

    #[test]
    fn what_says_no_size_is_taken_for_one_block() {
        let no_magic = [b"x", start(2, HAS_PACKED_SIZE, &[1]).as_slice()].concat();
        for start in [
            start(2, 0, &[0xac, 0x02]),
            start(0, HAS_PACKED_SIZE, &[0xac, 0x02]),
            start(2, HAS_PACKED_SIZE, &[0xac]),
            start(2, HAS_PACKED_SIZE, &[0xff; 10]),
            no_magic,
        ] {
            assert_eq!(end_of_first(&start), None, "{start:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(sizes in prop::collection::vec(any::<u8>(), 0..12), size in any::<u64>()) {
            let whole = start(9, HAS_PACKED_SIZE, &sizes);
            for cut in 0..whole.len() {
                let _ = has_several(&whole[..cut], size);
            }
        }
    }
}
