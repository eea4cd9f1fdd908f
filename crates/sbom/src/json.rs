//! JSON as all documents are written: in one line, by small parts, and with nothing in it that steers a terminal.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Enough to make few writes of many small parts.
const BUFFER: usize = 64 * 1024;

/// Writes a value as one line of JSON without spaces. Control characters and those that nobody sees (C1, bidirectional
/// marks, zero-width ones) are escaped as JSON has it, so that a reader gets the same text and a terminal gets none.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(BUFFER, out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffered, Visible);
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    buffered.flush()
}

/// A sequence whose items are made while it is written, so that it is nowhere as a whole.
pub(crate) struct Streamed<F>(pub(crate) F);

impl<F, I> Serialize for Streamed<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item: Serialize>,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The bytes of a digest in hexadecimal, which are written in great numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 128];
        if let Some(digits) = digits.get_mut(..2 * self.0.len())
            && hex::encode_to_slice(self.0, digits).is_ok()
            && let Ok(text) = std::str::from_utf8(digits)
        {
            return serializer.serialize_str(text);
        }
        serializer.serialize_str(&hex::encode(self.0))
    }
}

/// Compact JSON whose strings have nothing in them that steers a terminal.
pub(crate) struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        if bytes.is_ascii() && !bytes.contains(&0x7f) {
            return writer.write_all(bytes);
        }
        let mut units = [0; 2];
        for c in fragment.chars() {
            if is_visible(c) {
                writer.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }
}

/// By the tables of the standard library, which escape what cannot be printed when they write a character for debugging.
fn is_visible(c: char) -> bool {
    if c.is_ascii() { c != '\u{7f}' } else { c.escape_debug().len() == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_comes_back() {
        let cases = [
            ("a\u{1b}[31m\u{7}\0", r#""a\u001b[31m\u0007\u0000""#),
            ("\u{7f}\u{9b}2J", r#""\u007f\u009b2J""#),
            ("\u{202e}\u{feff}\u{e0001}\u{ffff}", r#""\u202e\ufeff\udb40\udc01\uffff""#),
            ("größe 漢字 🦀 \"'", r#""größe 漢字 🦀 \"'""#),
        ];
        for (text, expected) in cases {
            let mut out = Vec::new();
            write(&text, &mut out).unwrap();
            assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn digests_of_all_lengths_are_digits() {
        for length in [0, 1, 20, 64, 65, 1000] {
            let bytes = vec![0xab; length];
            assert_eq!(serde_json::to_string(&Hex(&bytes)).unwrap(), format!("\"{}\"", "ab".repeat(length)));
        }
    }
}
