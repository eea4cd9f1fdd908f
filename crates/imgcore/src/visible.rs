//! JSON with nothing in it that steers a terminal.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Compact JSON whose strings have nothing in them that steers a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Visible;

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
    use serde::Serialize;

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
            text.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Visible)).unwrap();
            assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
