//! JSON that is read as a stream is in memory but for its longest string: so that has a limit.

use std::io::{self, Read};

/// A longer string is in no feed, in bytes: the longest of OSV and NVD are descriptions of some tens of kilobytes.
pub(super) const MAX_STRING: usize = 4 << 20;

/// That a string is too long.
#[derive(Debug, thiserror::Error)]
#[error("a string of more than {MAX_STRING} bytes")]
pub(super) struct TooLong;

/// Hands JSON on as it is, and ends with [`TooLong`] within a string that is.
#[derive(Debug)]
pub(super) struct Strings<R> {
    inner: R,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Outside,
    /// In a string, behind so many bytes of it.
    Inside(usize),
    /// The same, behind a backslash.
    Escaped(usize),
}

impl<R: Read> Strings<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, place: Place::Outside }
    }
}

impl Place {
    /// Where one is behind these bytes.
    fn behind(mut self, mut bytes: &[u8]) -> Result<Self, TooLong> {
        while !bytes.is_empty() {
            let (place, taken) = match self {
                Self::Outside => match bytes.iter().position(|b| *b == b'"') {
                    Some(quote) => (Self::Inside(0), quote + 1),
                    None => (self, bytes.len()),
                },
                Self::Inside(length) => {
                    let more = bytes.iter().position(|b| matches!(b, b'"' | b'\\'));
                    let length = length + more.unwrap_or(bytes.len());
                    if length > MAX_STRING {
                        return Err(TooLong);
                    }
                    match more {
                        Some(end) if bytes.get(end) == Some(&b'"') => (Self::Outside, end + 1),
                        Some(end) => (Self::Escaped(length + 1), end + 1),
                        None => (Self::Inside(length), bytes.len()),
                    }
                }
                Self::Escaped(length) => (Self::Inside(length + 1), 1),
            };
            self = place;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(self)
    }
}

impl<R: Read> Read for Strings<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buf)?;
        self.place = self.place.behind(buf.get(..length).unwrap_or_default()).map_err(io::Error::other)?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads in pieces of so many bytes.
    fn read(text: &str, piece: usize) -> io::Result<String> {
        let mut strings = Strings::new(text.as_bytes());
        let (mut all, mut buf) = (Vec::new(), vec![0; piece]);
        loop {
            match strings.read(&mut buf)? {
                0 => return Ok(String::from_utf8(all).unwrap()),
                length => all.extend_from_slice(&buf[..length]),
            }
        }
    }

    #[test]
    fn what_is_between_strings_may_be_long_and_a_string_may_not() {
        let long = "x".repeat(MAX_STRING);
        let escaped = r#"\""#.repeat(MAX_STRING / 2);
        for piece in [1000, 1 << 20] {
            for good in [format!(r#"{{"a": {long}, "b": "{long}"}}"#), format!(r#"["{escaped}", "\\", "{escaped}"]"#)] {
                assert!(read(&good, piece).is_ok_and(|read| read == good));
            }
            for bad in [format!(r#"["x{long}"]"#), format!(r#"["{escaped}\u0020"]"#), format!(r#"["\\", "\"{long}"#)] {
                let error = read(&bad, piece).err().and_then(io::Error::into_inner);
                assert!(error.is_some_and(|error| error.is::<TooLong>()));
            }
        }
    }

    #[test]
    fn pieces_make_no_difference() {
        let text = r#"{"a\\": "b\"c", "d": ["\\\"", ""]}"#;
        for piece in 1..text.len() {
            assert_eq!(read(text, piece).unwrap(), text);
        }
    }
}
