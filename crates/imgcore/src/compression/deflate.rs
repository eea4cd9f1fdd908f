//! Deflate streams ([RFC 1951]) that others can follow.
//!
//! libdeflate ends each call with a final block, and a segment of a layer must not have one. Where the last block begins
//! is known only to whoever decodes all that stands before it: blocks of Huffman codes state no length. So the stream is
//! walked code by code, but without making output, which takes about a seventh of the time of compressing.
//!
//! [RFC 1951]: https://www.rfc-editor.org/rfc/rfc1951

mod bits;
mod code;

use std::fmt;
use std::sync::LazyLock;

use self::bits::Bits;
use self::code::{Code, Entry, Gaps};

/// Why bytes are no deflate stream, or none that can be opened at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeflateError {
    /// The bytes end before the stream does.
    #[error("the stream is cut off")]
    Truncated,
    /// The stream ends before the bytes do.
    #[error("bytes follow the end of the stream")]
    Trailing,
    /// Type 3 is reserved.
    #[error("a block has the reserved type")]
    BlockType,
    /// Length and complement of a stored block do not fit together.
    #[error("a stored block states two lengths")]
    StoredLength,
    /// More symbols than the format has, lengths that go on beyond the last symbol, or a repetition of nothing.
    #[error("a block states lengths of codes that no symbol has")]
    Lengths,
    /// The lengths of codes leave codes without a symbol, or need more codes than there are.
    #[error("the lengths of a block's codes make no code")]
    Code,
    /// A block could never end.
    #[error("a block has no code for its end")]
    Endless,
    /// A code without a symbol, or one whose symbol is reserved.
    #[error("a code stands for nothing")]
    Symbol,
    /// A match that begins before the stream.
    #[error("a match looks {distance} bytes back after {position}")]
    Distance {
        /// How far it looks back.
        distance: u64,
        /// Bytes of output before it.
        position: u64,
    },
    /// The buffer ends before the bytes that make the stream end on a byte boundary.
    #[error("the buffer has no room for the end of the segment")]
    NoRoom,
}

/// What a walk finds out. Positions are in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Where the header of the last block is; its first bit is the final bit.
    pub last_block: u64,
    /// Where the stream ends.
    pub end: u64,
    /// Bytes of output.
    pub plain: u64,
}

/// Bits that find most literals and lengths in one step. More would take longer to set up than they save.
const LITERALS: usize = 1 << 11;
/// The same for distances.
const DISTANCES: usize = 1 << 9;
/// Codes of code lengths have 7 bits at most.
const LENGTHS: usize = 1 << 7;

/// Walks deflate streams. One that is used again saves setting up its tables' memory.
pub struct Walker {
    codes: Codes,
    lengths: Code<LENGTHS>,
}

struct Codes {
    literals: Code<LITERALS>,
    distances: Code<DISTANCES>,
}

impl Walker {
    /// A walker for any number of streams.
    #[must_use]
    pub fn new() -> Self {
        Self { codes: Codes::new(), lengths: Code::new() }
    }

    /// Walks one raw stream that takes up all of `stream`. What is accepted inflates, without an error, to as many bytes as
    /// are stated.
    ///
    /// Codes must be complete, but for a code of distances that is not needed or has one symbol of one bit. (zlib would
    /// also take a block whose only symbol is its end; no encoder is known that writes one.)
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn walk(&mut self, stream: &[u8]) -> Result<Outline, DeflateError> {
        let mut bits = Bits::new(stream);
        let mut plain = 0;
        loop {
            bits.refill()?;
            let start = bits.position();
            let last = bits.take(1) == 1;
            // RFC 1951, section 3.2.3.
            plain = match bits.take(2) {
                0 => plain + u64::from(stored(&mut bits)?),
                1 => FIXED.block(&mut bits, plain)?,
                2 => {
                    self.dynamic(&mut bits)?;
                    self.codes.block(&mut bits, plain)?
                }
                _ => return Err(DeflateError::BlockType),
            };
            if last {
                return Ok(Outline { last_block: start, end: bits.end()?, plain });
            }
        }
    }

    /// Makes the stream in the first `length` bytes of `buffer` one that others can follow: its last block becomes one like
    /// any other, and an empty stored block brings its end to a byte boundary, unless it is there already. For that up to 5
    /// bytes are needed after the stream. Gives back how many bytes the segment has, and how many its output.
    ///
    /// # Errors
    /// As [`walk`](Self::walk), and [`DeflateError::NoRoom`]. Then `buffer` is as it was.
    pub fn unfinish(&mut self, buffer: &mut [u8], length: usize) -> Result<(usize, u64), DeflateError> {
        let outline = self.walk(buffer.get(..length).ok_or(DeflateError::Truncated)?)?;
        let (final_byte, final_bit) = split(outline.last_block);
        let (end_byte, end_bit) = split(outline.end);
        let mut used = length;
        if end_bit != 0 {
            // The header of a stored block is three zeros, and so is all up to the next byte; where they need a byte more,
            // that is zero as well. Then the length and its complement.
            let marker: &[u8] = if end_bit + 3 > 8 { &[0, 0, 0, 0xff, 0xff] } else { &[0, 0, 0xff, 0xff] };
            used += marker.len();
            buffer.get_mut(length..used).ok_or(DeflateError::NoRoom)?.copy_from_slice(marker);
            if let Some(byte) = buffer.get_mut(end_byte) {
                *byte &= !(0xff << end_bit);
            }
        }
        if let Some(byte) = buffer.get_mut(final_byte) {
            *byte &= !(1 << final_bit);
        }
        Ok((used, outline.plain))
    }

    /// Reads the codes of a block that brings its own (RFC 1951, section 3.2.7).
    fn dynamic(&mut self, bits: &mut Bits<'_>) -> Result<(), DeflateError> {
        let literals = bits.take(5) as usize + 257;
        let distances = bits.take(5) as usize + 1;
        let given = bits.take(4) as usize + 4;
        if literals > 286 || distances > 30 {
            return Err(DeflateError::Lengths);
        }
        let mut of_lengths = [0; 19];
        for &symbol in ORDER.iter().take(given) {
            bits.refill()?;
            if let Some(length) = of_lengths.get_mut(symbol) {
                *length = bits.take(3).to_le_bytes()[0];
            }
        }
        self.lengths.build(&of_lengths, Gaps::Refused, Entry::symbol)?;

        let mut all = [0; 286 + 30];
        let all = all.get_mut(..literals + distances).unwrap_or_default();
        let mut known = 0;
        let mut before = None;
        while known < all.len() {
            bits.refill()?;
            let entry = self.lengths.find(bits.peek());
            bits.skip(entry);
            let (length, times) = match entry.base() {
                16 => (before.ok_or(DeflateError::Lengths)?, 3 + bits.take(2) as usize),
                17 => (0, 3 + bits.take(3) as usize),
                18 => (0, 11 + bits.take(7) as usize),
                length => (length.to_le_bytes()[0], 1),
            };
            all.get_mut(known..known + times).ok_or(DeflateError::Lengths)?.fill(length);
            known += times;
            before = Some(length);
        }
        let (literals, distances) = all.split_at(literals);
        if literals.get(END_OF_BLOCK).is_none_or(|length| *length == 0) {
            return Err(DeflateError::Endless);
        }
        self.codes.literals.build(literals, Gaps::Refused, literal_or_length)?;
        self.codes.distances.build(distances, Gaps::WhereAlone, distance)
    }
}

impl Codes {
    fn new() -> Self {
        Self { literals: Code::new(), distances: Code::new() }
    }

    /// Walks the codes of one block up to its end; `plain` is the output before it, and what is given back that after it.
    ///
    /// Additions wrap: 258 bytes of output for each two bits of a stream do not reach 2^64.
    fn block(&self, outer: &mut Bits<'_>, mut plain: u64) -> Result<u64, DeflateError> {
        // A copy, so that the compiler keeps it in registers.
        let mut bits = *outer;
        loop {
            bits.refill()?;
            let mut entry = self.literals.find(bits.peek());
            if entry.is_literal() {
                // 55 of at least 56 bits: four literals of at most 11, and what finds the next one.
                for _ in 0..4 {
                    if !entry.is_literal() {
                        break;
                    }
                    bits.skip(entry);
                    plain = plain.wrapping_add(1);
                    entry = self.literals.find(bits.peek());
                }
                if entry.is_literal() {
                    continue;
                }
                bits.refill()?;
            }
            // A match takes 48: a code of 15 and 5 more for the length, 15 and 13 for the distance.
            if entry.is_elsewhere() {
                entry = self.literals.search(bits.peek()).ok_or(DeflateError::Symbol)?;
                if entry.is_literal() {
                    bits.skip(entry);
                    plain = plain.wrapping_add(1);
                    continue;
                }
                if entry.is_end() {
                    bits.skip(entry);
                    *outer = bits;
                    return Ok(plain);
                }
            }
            let length = entry.value(bits.peek());
            bits.skip(entry);
            let mut entry = self.distances.find(bits.peek());
            if entry.is_elsewhere() {
                entry = self.distances.search(bits.peek()).ok_or(DeflateError::Symbol)?;
            }
            let distance = entry.value(bits.peek());
            bits.skip(entry);
            if distance > plain {
                return Err(DeflateError::Distance { distance, position: plain });
            }
            plain = plain.wrapping_add(length);
        }
    }
}

/// Passes a stored block (RFC 1951, section 3.2.4).
fn stored(bits: &mut Bits<'_>) -> Result<u32, DeflateError> {
    bits.skip_bytes(0)?;
    bits.refill()?;
    let length = bits.take(16);
    if bits.take(16) != length ^ 0xffff {
        return Err(DeflateError::StoredLength);
    }
    bits.skip_bytes(length)?;
    Ok(length)
}

/// The codes of blocks that bring none (RFC 1951, section 3.2.6).
static FIXED: LazyLock<Codes> = LazyLock::new(|| {
    let mut codes = Codes::new();
    let literals = [[8; 144].as_slice(), &[9; 112], &[7; 24], &[8; 8]].concat();
    let built = codes.literals.build(&literals, Gaps::Refused, literal_or_length);
    debug_assert_eq!(built, Ok(()));
    let built = codes.distances.build(&[5; 32], Gaps::Refused, distance);
    debug_assert_eq!(built, Ok(()));
    codes
});

/// In which order the lengths of the codes for code lengths are given.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const END_OF_BLOCK: usize = 256;

/// RFC 1951, section 3.2.5, the first table.
fn literal_or_length(symbol: u32) -> Entry {
    match symbol {
        0..=255 => Entry::LITERAL,
        256 => Entry::END,
        257..=264 => Entry::range(symbol - 254, 0),
        265..=284 => {
            // Four lengths share a number of further bits.
            let extra = (symbol - 261) / 4;
            Entry::range(((4 + (symbol - 261) % 4) << extra) + 3, extra)
        }
        285 => Entry::range(258, 0),
        _ => Entry::NOTHING,
    }
}

/// RFC 1951, section 3.2.5, the second table.
fn distance(symbol: u32) -> Entry {
    match symbol {
        0..=3 => Entry::range(symbol + 1, 0),
        4..=29 => {
            let extra = symbol / 2 - 1;
            Entry::range(((2 + symbol % 2) << extra) + 1, extra)
        }
        _ => Entry::NOTHING,
    }
}

/// Byte and bit of a position that lies in memory, or at its end.
fn split(position: u64) -> (usize, u32) {
    (usize::try_from(position / 8).unwrap_or(usize::MAX), (position % 8) as u32)
}

impl Default for Walker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Walker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Walker")
    }
}

#[cfg(test)]
mod tests;
