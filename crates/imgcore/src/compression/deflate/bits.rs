//! Bits of a deflate stream.

use super::DeflateError;
use super::code::Entry;

/// Bits of a stream, from the least significant one of each byte on.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    stream: &'a [u8],
    /// The byte to load next. After the end of the stream zeros are loaded in place of what is not there.
    next: usize,
    /// The bits to come, from the lowest on. Above those that are loaded there may be more of the same stream, or zeros.
    loaded: u64,
    /// How many are loaded, in the lowest six bits. What is above them has no meaning, so that nothing need be cut off
    /// whenever bits are skipped.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { stream, next: 0, loaded: 0, count: 0 }
    }

    /// How many bits were taken.
    pub(super) fn position(&self) -> u64 {
        (self.next as u64 * 8).saturating_sub(u64::from(self.count & 0x3f))
    }

    /// Loads bits, so that there are at least 56. At the end of the stream they are filled up with zeros, but no more
    /// than that: who takes zeros and goes on gets an error.
    #[inline]
    pub(super) fn refill(&mut self) -> Result<(), DeflateError> {
        let count = self.count & 0x3f;
        if let Some(word) = self.stream.get(self.next..).and_then(<[u8]>::first_chunk) {
            self.loaded |= u64::from_le_bytes(*word) << count;
            // Whole bytes for which there was room. The others are loaded once more later, over the same bits.
            self.next = self.next.wrapping_add((63 - count) as usize / 8);
            self.count = count | 0x38;
            return Ok(());
        }
        (self.next, self.loaded, self.count) = load_last(self.stream, self.next, self.loaded, count);
        if self.next > self.stream.len() + 8 { Err(DeflateError::Truncated) } else { Ok(()) }
    }

    /// The bits to come.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        self.loaded
    }

    /// Skips a code with the bits that belong to it.
    #[inline]
    pub(super) fn skip(&mut self, entry: Entry) {
        self.loaded >>= entry.bits() & 0x3f;
        self.count = self.count.wrapping_sub(entry.bits());
    }

    /// Takes up to 32 bits that were loaded.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits at most")]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let value = (self.loaded & !(u64::MAX << n)) as u32;
        self.loaded >>= n;
        self.count = self.count.wrapping_sub(n);
        value
    }

    /// Goes on to a byte boundary, and from there over this many bytes.
    pub(super) fn skip_bytes(&mut self, n: u32) -> Result<(), DeflateError> {
        let next = self.position().div_ceil(8) + u64::from(n);
        if next > self.stream.len() as u64 {
            return Err(DeflateError::Truncated);
        }
        self.next = usize::try_from(next).map_err(|_| DeflateError::Truncated)?;
        self.loaded = 0;
        self.count = 0;
        Ok(())
    }

    /// The position, which must be in the last byte of the stream or behind it.
    pub(super) fn end(&self) -> Result<u64, DeflateError> {
        let position = self.position();
        match position.div_ceil(8).cmp(&(self.stream.len() as u64)) {
            std::cmp::Ordering::Less => Err(DeflateError::Trailing),
            std::cmp::Ordering::Equal => Ok(position),
            std::cmp::Ordering::Greater => Err(DeflateError::Truncated),
        }
    }
}

/// Loads byte by byte. It takes and gives single values, so that the common way through [`Bits::refill`] stays in registers.
#[cold]
#[inline(never)]
fn load_last(stream: &[u8], mut next: usize, mut loaded: u64, mut count: u32) -> (usize, u64, u32) {
    while count < 56 {
        loaded |= u64::from(stream.get(next).copied().unwrap_or_default()) << count;
        next += 1;
        count += 8;
    }
    (next, loaded, count)
}
