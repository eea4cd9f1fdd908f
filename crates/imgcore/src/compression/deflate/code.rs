//! Huffman codes of deflate ([RFC 1951], section 3.2.2).
//!
//! [RFC 1951]: https://www.rfc-editor.org/rfc/rfc1951

use super::DeflateError;

/// Bits that the longest code has.
const LONGEST: usize = 15;
/// Symbols of the largest code, the fixed one of literals and lengths.
const SYMBOLS: usize = 288;

/// A code whose shorter words are found in one step, by the next bits of the stream. `N` is a power of two.
pub(super) struct Code<const N: usize> {
    table: [Entry; N],
    /// All symbols in the order of their words.
    entries: [Entry; SYMBOLS],
    /// The words of each length.
    words: [Words; LONGEST + 1],
}

/// The words of one length are numbers in a row.
#[derive(Clone, Copy, Default)]
struct Words {
    first: u32,
    count: u32,
    /// How many symbols have shorter words.
    before: u32,
}

/// Whether some words may be without a symbol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    Refused,
    /// Where there is no symbol, or a single one with a word of one bit.
    WhereAlone,
}

/// What a word stands for.
///
/// | bits | |
/// |---|---|
/// | 0 to 5 | bits of the word and of the number that follows it |
/// | 6 to 10 | bits of the word |
/// | 11 | it is a literal |
/// | 12 | it is not in the table, or nothing that has a value |
/// | 13 | it ends the block |
/// | 16 to 31 | the value, to which the number that follows is added |
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    pub(super) const LITERAL: Self = Self(1 << 11);
    pub(super) const NOTHING: Self = Self(1 << 12);
    pub(super) const END: Self = Self(1 << 13 | 1 << 12);

    /// A number that follows the word is added to `base`, which is less than 2^16.
    pub(super) fn range(base: u32, bits: u32) -> Self {
        Self(base << 16 | bits)
    }

    pub(super) fn symbol(symbol: u32) -> Self {
        Self::range(symbol, 0)
    }

    fn with_word_of(self, bits: u32) -> Self {
        Self(self.0 + (bits << 6 | bits))
    }

    /// In the lowest six bits, how many bits to skip.
    #[inline]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    #[inline]
    pub(super) fn base(self) -> u32 {
        self.0 >> 16
    }

    #[inline]
    pub(super) fn is_literal(self) -> bool {
        self.0 & Self::LITERAL.0 != 0
    }

    #[inline]
    pub(super) fn is_elsewhere(self) -> bool {
        self.0 & Self::NOTHING.0 != 0
    }

    pub(super) fn is_end(self) -> bool {
        self.0 & Self::END.0 == Self::END.0
    }

    /// The value, given the bits that the word begins.
    #[inline]
    pub(super) fn value(self, bits: u64) -> u64 {
        let whole = bits & !(u64::MAX << (self.0 & 0x3f));
        u64::from(self.base()).wrapping_add(whole >> (self.0 >> 6 & 0x1f))
    }
}

impl<const N: usize> Code<N> {
    const BITS: usize = N.trailing_zeros() as usize;

    pub(super) fn new() -> Self {
        let words = [Words::default(); LONGEST + 1];
        Self { table: [Entry::NOTHING; N], entries: [Entry::NOTHING; SYMBOLS], words }
    }

    /// The code whose words have these lengths, of symbols from 0 on; a length of 0 says that there is none.
    pub(super) fn build(
        &mut self,
        lengths: &[u8],
        gaps: Gaps,
        entry: impl Fn(u32) -> Entry,
    ) -> Result<(), DeflateError> {
        self.number(lengths, gaps)?;
        self.table.fill(Entry::NOTHING);
        let mut known = [0; LONGEST + 1];
        for (symbol, &length) in (0..).zip(lengths).filter(|(_, length)| **length != 0) {
            let entry = entry(symbol).with_word_of(u32::from(length));
            let length = usize::from(length);
            let (Some(words), Some(known)) = (self.words.get(length), known.get_mut(length)) else {
                return Err(DeflateError::Lengths);
            };
            if let Some(slot) = self.entries.get_mut((words.before + *known) as usize) {
                *slot = entry;
            }
            if length <= Self::BITS {
                // Words come from the stream with their first bit lowest.
                let word = (words.first + *known).reverse_bits() >> (u32::BITS as usize - length);
                let mut slot = word as usize;
                while let Some(found) = self.table.get_mut(slot) {
                    *found = entry;
                    slot += 1 << length;
                }
            }
            *known += 1;
        }
        Ok(())
    }

    /// Gives each length its words.
    fn number(&mut self, lengths: &[u8], gaps: Gaps) -> Result<(), DeflateError> {
        self.words = [Words::default(); LONGEST + 1];
        for &length in lengths.iter().filter(|length| **length != 0) {
            self.words.get_mut(usize::from(length)).ok_or(DeflateError::Lengths)?.count += 1;
        }
        // Words of the current length that are no beginning of a longer word yet.
        let mut free = 1_u32;
        let mut first = 0;
        let mut before = 0;
        for words in self.words.iter_mut().skip(1) {
            first *= 2;
            free = (free * 2).checked_sub(words.count).ok_or(DeflateError::Code)?;
            (words.first, words.before) = (first, before);
            first += words.count;
            before += words.count;
        }
        let alone = || before == 0 || (before == 1 && self.words.get(1).is_some_and(|words| words.count == 1));
        if free == 0 || (gaps == Gaps::WhereAlone && alone()) { Ok(()) } else { Err(DeflateError::Code) }
    }

    /// What the next word stands for, if it is short enough for the table.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
    pub(super) fn find(&self, bits: u64) -> Entry {
        self.table.get(bits as usize & (N - 1)).copied().unwrap_or(Entry::NOTHING)
    }

    /// What the next word stands for, whatever its length.
    #[cold]
    #[inline(never)]
    #[expect(clippy::cast_possible_truncation, reason = "no word has more than 15 bits")]
    pub(super) fn search(&self, bits: u64) -> Option<Entry> {
        let bits = u32::from((bits as u16).reverse_bits());
        let found = (1..).zip(self.words.iter().skip(1)).find_map(|(length, words)| {
            let index = (bits >> (u16::BITS - length)).checked_sub(words.first)?;
            (index < words.count).then_some(words.before + index)
        })?;
        let entry = self.entries.get(found as usize).copied()?;
        (!entry.is_elsewhere() || entry.is_end()).then_some(entry)
    }
}
