//! OpenPGP's text form ([RFC 9580, section 6.2]): lines of base64 between a first and a last line of dashes.
//!
//! [RFC 9580, section 6.2]: https://www.rfc-editor.org/rfc/rfc9580#section-6.2

use std::iter::{Enumerate, Peekable};
use std::slice::Split;

/// Longest line in any file that is read here.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Why text is not a block of armour. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmorError {
    /// A header without a colon, or no empty line after the headers.
    #[error("line {line}: neither a header of the armour nor the empty line after the headers")]
    Header {
        /// Where it stands.
        line: usize,
    },
    /// A character that base64 does not have, or padding where more follows.
    #[error("line {line}: not base64")]
    Base64 {
        /// Where it stands.
        line: usize,
    },
    /// The checksum at the end is of other bytes.
    #[error("line {line}: the checksum of the armour does not fit its content")]
    Checksum {
        /// Where the checksum stands.
        line: usize,
    },
    /// The file ends inside of the block.
    #[error("the armour is cut off")]
    Unclosed,
}

/// Lines without the white space at their end, with their number from 1. A carriage return before the end counts as
/// white space.
pub(crate) type Lines<'a> = Peekable<LineIter<'a>>;

#[derive(Debug, Clone)]
pub(crate) struct LineIter<'a>(Enumerate<Split<'a, u8, IsNewline>>);

type IsNewline = fn(&u8) -> bool;

impl<'a> Iterator for LineIter<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(index, line)| (index + 1, trim_end(line)))
    }
}

/// The lines of a text; what follows the last newline is a line where it is not empty.
pub(crate) fn lines(text: &[u8]) -> Lines<'_> {
    let newline: IsNewline = |byte| *byte == b'\n';
    let mut split = text.strip_suffix(b"\n").unwrap_or(text).split(newline);
    if text.is_empty() {
        split.next();
    }
    LineIter(split.enumerate()).peekable()
}

/// What the text form leaves unsigned at the end of a line: spaces, tabs, a carriage return.
pub(crate) fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\r')).map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// Decodes a block whose first line was just taken from `lines`, and takes its last line, which must be `end`.
pub(crate) fn read_block(lines: &mut Lines<'_>, end: &[u8]) -> Result<Vec<u8>, ArmorError> {
    loop {
        match lines.next().ok_or(ArmorError::Unclosed)? {
            (_, b"") => break,
            (_, header) if header.windows(2).any(|pair| pair == b": ") || header.ends_with(b":") => {}
            (line, _) => return Err(ArmorError::Header { line }),
        }
    }
    let mut decoder = Decoder::default();
    let mut checksum = None;
    loop {
        let (line, text) = lines.next().ok_or(ArmorError::Unclosed)?;
        if text == end {
            let data = decoder.finish().ok_or(ArmorError::Base64 { line })?;
            return match checksum {
                Some((line, sum)) if sum != crc24(&data) => Err(ArmorError::Checksum { line }),
                _ => Ok(data),
            };
        }
        if checksum.is_some() {
            return Err(ArmorError::Base64 { line });
        }
        match text {
            [b'=', sum @ ..] if sum.len() == 4 => {
                let mut decoder = Decoder::default();
                let sum = decoder.add(sum).and_then(|()| decoder.finish()).and_then(|bytes| bytes.try_into().ok());
                let [a, b, c]: [u8; 3] = sum.ok_or(ArmorError::Base64 { line })?;
                checksum = Some((line, u32::from_be_bytes([0, a, b, c])));
            }
            text => decoder.add(text).ok_or(ArmorError::Base64 { line })?,
        }
    }
}

/// Base64 that comes in pieces.
#[derive(Debug, Default)]
struct Decoder {
    out: Vec<u8>,
    bits: u32,
    /// Digits in `bits`, padding not counted.
    held: usize,
    padding: usize,
}

impl Decoder {
    fn add(&mut self, text: &[u8]) -> Option<()> {
        for byte in text {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.padding += 1;
                    continue;
                }
                _ => return None,
            };
            if self.padding > 0 {
                return None;
            }
            self.bits = self.bits << 6 | u32::from(value);
            self.held += 1;
            if self.held == 4 {
                let [_, bytes @ ..] = self.bits.to_be_bytes();
                self.out.extend(bytes);
                (self.bits, self.held) = (0, 0);
            }
        }
        Some(())
    }

    fn finish(self) -> Option<Vec<u8>> {
        let Self { mut out, bits, held, padding } = self;
        // Bits beyond the last byte are not looked at: they are in no decoded byte, and encoders differ.
        match (held, padding) {
            (0, 0) => {}
            (2, 2) => out.extend((bits << 12).to_be_bytes().get(1)),
            (3, 1) => out.extend((bits << 6).to_be_bytes().get(1..3)?),
            _ => return None,
        }
        Some(out)
    }
}

/// The checksum of armour, RFC 9580, section 6.1. It guards against damage on the way, not against anybody.
fn crc24(bytes: &[u8]) -> u32 {
    let mut sum = 0x00B7_04CE;
    for byte in bytes {
        sum ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            sum <<= 1;
            if sum & 0x0100_0000 != 0 {
                sum ^= 0x0186_4CFB;
            }
        }
    }
    sum & 0x00FF_FFFF
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const END: &[u8] = b"-----END-----";

    fn read(text: &str) -> Result<Vec<u8>, ArmorError> {
        read_block(&mut lines(text.as_bytes()), END)
    }

    #[test]
    fn blocks_are_closed_and_whole() {
        assert_eq!(read("\naGVsbG8=\n-----END-----").unwrap(), b"hello");
        assert_eq!(
            read("Version: x\nComment:\n\naGVs\r\nbG8= \n=VzyU\n-----END-----\n").unwrap_err(),
            ArmorError::Checksum { line: 6 }
        );
        assert_eq!(read("\n\n-----END-----\n").unwrap(), b"");
        let base64 = |line| ArmorError::Base64 { line };
        for (text, expected) in [
            ("aGVsbG8=\n-----END-----", ArmorError::Header { line: 1 }),
            ("\naGVsbG8=\n", ArmorError::Unclosed),
            ("", ArmorError::Unclosed),
            ("\naGVs*G8=\n-----END-----", base64(2)),
            ("\naGVsbG8\n-----END-----", base64(3)),
            ("\naGVsbG8=\naGVs\n-----END-----", base64(3)),
            ("\naGVsbG8=\n=abc\n-----END-----", base64(3)),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // The value that `gpg --enarmor` writes for "123456789", the usual test text of checksums.
        assert_eq!(crc24(b"123456789"), 0x0021_CF02);
        assert_eq!(crc24(b""), 0x00B7_04CE);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in proptest::collection::vec(prop_oneof![
            Just("\n".to_owned()), Just("=".to_owned()), Just("-----END-----\n".to_owned()), "[A-Za-z0-9+/=: ]{0,9}",
        ], 0..20)) {
            let _ = read(&text.concat());
        }
    }
}
