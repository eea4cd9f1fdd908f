//! How strings of JSON are escaped, for whom they are written.

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

/// Compact JSON as Go's `encoding/json` writes it, which keeps `<`, `>` and `&` out of pages of HTML, and line separators out
/// of JavaScript. Documents of which a digest or a signature is the same as of one that a Go program wrote need it.
#[derive(Debug, Clone, Copy)]
pub struct ForHtml;

impl Formatter for ForHtml {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let is_special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        for piece in fragment.split_inclusive(is_special) {
            let special = piece.chars().next_back().filter(|c| is_special(*c));
            let plain = special.map_or(piece, |c| piece.strip_suffix(c).unwrap_or(piece));
            writer.write_all(plain.as_bytes())?;
            special.map_or(Ok(()), |c| write!(writer, "\\u{:04x}", u32::from(c)))?;
        }
        Ok(())
    }
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

    #[test]
    fn what_pages_take_for_markup_is_escaped_as_go_has_it() {
        // As `json.Marshal` of Go 1.24 writes them.
        let cases = [
            (
                "n<>&\u{7f}\u{2028}\u{1}\u{8}\u{c}\t\n\r\"\\\u{ffff}\u{85}é🦀/",
                concat!(r#""n\u003c\u003e\u0026"#, "\u{7f}", r#"\u2028\u0001\b\f\t\n\r\"\\"#, "\u{ffff}\u{85}é🦀/\""),
            ),
            ("<", r#""\u003c""#),
            ("", r#""""#),
            ("\u{2029}a", r#""\u2029a""#),
        ];
        for (text, expected) in cases {
            let mut out = Vec::new();
            text.serialize(&mut serde_json::Serializer::with_formatter(&mut out, ForHtml)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
