//! Text from outside, made fit for a terminal or a log.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Shows foreign bytes with everything escaped that could steer a terminal, forge a line of a log or hide text:
/// control characters (C0, DEL, C1), bidirectional and zero-width characters, and bytes that are not UTF-8.
///
/// ```
/// use distil_imgcore::Escaped;
/// assert_eq!(Escaped(b"a\x1b[31mb\n\xff").to_string(), r"a\x1b[31mb\n\xff");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl<'a> Escaped<'a> {
    /// The name of a file, whose bytes may be any.
    #[must_use]
    pub fn path(path: &'a Path) -> Self {
        Self(path.as_os_str().as_bytes())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    '\r' => f.write_str("\\r")?,
                    '\u{0}'..='\u{1f}' | '\u{7f}' => write!(f, "\\x{:02x}", u32::from(c))?,
                    c if is_invisible(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => write!(f, "{c}")?,
                }
            }
            for b in chunk.invalid() {
                write!(f, "\\x{b:02x}")?;
            }
        }
        Ok(())
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(Escaped("a\u{9b}31m\u{202e}b\u{7}".as_bytes()).to_string(), r"a\u{9b}31m\u{202e}b\x07");
        assert_eq!(Escaped("größe".as_bytes()).to_string(), "größe");
    }
}
