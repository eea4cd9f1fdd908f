//! The ar container of a .deb, read strictly as a stream.
//!
//! [deb(5)] allows only the oldest common form of ar: short names, decimal sizes, one padding byte after a member of odd
//! size. Every extension is refused, since dpkg, libapt and GNU ar understand them differently.
//!
//! [deb(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html

use std::fmt;
use std::io::{self, Read};

use distil_imgcore::Escaped;

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;

/// One member of the container, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, without padding and without the slash that GNU ar puts after it.
    pub name: MemberName,
    /// Bytes of content.
    pub size: u64,
    /// Where its header starts in the file.
    pub offset: u64,
}

/// The name of a member: 1 to 16 printable ASCII characters without a space and without a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberName(String);

impl MemberName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why bytes are not an ar file that every reader understands alike.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArError {
    /// The file does not start like an ar archive.
    #[error("not an ar archive: it starts with \"{}\"", Escaped(.start))]
    Magic {
        /// Up to 8 bytes of the start.
        start: Vec<u8>,
    },
    /// A header that does not end as headers do. The member before it may lack its padding byte.
    #[error("bytes at offset {offset} are not a member header")]
    Header {
        /// Where the header starts.
        offset: u64,
    },
    /// A name that is blank, long by an extension, or of a reserved form.
    #[error("member name \"{}\" at offset {offset} is not allowed", Escaped(.name))]
    Name {
        /// The field as it stands.
        name: Vec<u8>,
        /// Where the header starts.
        offset: u64,
    },
    /// A numeric field that is anything but decimal digits, padded with spaces on the right.
    #[error("{field} \"{}\" of member {member} at offset {offset} is not a number", Escaped(.found))]
    Number {
        /// Which field.
        field: &'static str,
        /// The field as it stands.
        found: Vec<u8>,
        /// The member.
        member: MemberName,
        /// Where the header starts.
        offset: u64,
    },
    /// The byte that makes the size of a member even is not a newline.
    #[error("padding byte of member {member} at offset {offset} is not a newline")]
    Padding {
        /// The member.
        member: MemberName,
        /// Where the padding should be.
        offset: u64,
    },
    /// The file ends too early.
    #[error("the file ends at offset {offset}, inside {part}{}", .member.as_ref().map_or(String::new(), |m| format!(" of member {m}")))]
    Truncated {
        /// Which part was being read.
        part: &'static str,
        /// The member, where its name is known.
        member: Option<MemberName>,
        /// Where the file ends.
        offset: u64,
    },
    /// Reading failed.
    #[error("cannot read at offset {offset}")]
    Io {
        /// How far reading got.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads an ar file member by member, without seeking. [`Read`] gives the content of the current member.
#[derive(Debug)]
pub struct ArReader<R> {
    inner: R,
    /// Bytes read of the whole file.
    offset: u64,
    /// Bytes of the current member that were not read yet.
    left: u64,
    current: Option<Member>,
}

impl<R: Read> ArReader<R> {
    /// Reads the magic at the start of the file.
    ///
    /// # Errors
    /// [`ArError::Magic`] for another kind of file, thin archives included; [`ArError::Io`].
    pub fn new(inner: R) -> Result<Self, ArError> {
        let mut reader = Self { inner, offset: 0, left: 0, current: None };
        let mut start = [0; MAGIC.len()];
        let length = reader.fill(&mut start)?;
        if &start != MAGIC {
            return Err(ArError::Magic { start: start.into_iter().take(length).collect() });
        }
        Ok(reader)
    }

    /// The next member; what is left of the one before is skipped. `None` comes only at the end of the file.
    ///
    /// # Errors
    /// [`ArError`] for every deviation from the format, and when the file ends inside a member.
    pub fn next_member(&mut self) -> Result<Option<Member>, ArError> {
        self.finish_member()?;
        let offset = self.offset;
        let mut raw = [0; HEADER];
        match self.fill(&mut raw)? {
            0 => return Ok(None),
            HEADER => {}
            _ => {
                return Err(ArError::Truncated { part: "a header", member: None, offset: self.offset });
            }
        }
        let member = parse_header(&raw, offset)?;
        self.left = member.size;
        self.current = Some(member.clone());
        Ok(Some(member))
    }

    /// Skips what is left of the current member, and checks its padding.
    fn finish_member(&mut self) -> Result<(), ArError> {
        let mut sink = [0; 8192];
        while self.left > 0 {
            self.read_member(&mut sink)?;
        }
        let Some(member) = self.current.take() else {
            return Ok(());
        };
        if member.size % 2 == 1 {
            let offset = self.offset;
            let mut padding = [0];
            if self.fill(&mut padding)? == 0 {
                return Err(ArError::Truncated { part: "the padding", member: Some(member.name), offset });
            }
            if padding != *b"\n" {
                return Err(ArError::Padding { member: member.name, offset });
            }
        }
        Ok(())
    }

    fn read_member(&mut self, buf: &mut [u8]) -> Result<usize, ArError> {
        let wanted = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let length = self.read_some(buf.get_mut(..wanted).unwrap_or_default())?;
        if length == 0 {
            let member = self.current.as_ref().map(|m| m.name.clone());
            return Err(ArError::Truncated { part: "the content", member, offset: self.offset });
        }
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }

    /// Reads until `buf` is full or the file ends.
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize, ArError> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_some(rest)? {
                0 => break,
                length => filled += length,
            }
        }
        Ok(filled)
    }

    fn read_some(&mut self, buf: &mut [u8]) -> Result<usize, ArError> {
        loop {
            match self.inner.read(buf) {
                Ok(length) => {
                    self.offset = self.offset.saturating_add(length as u64);
                    return Ok(length);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ArError::Io { offset: self.offset, source });
                }
            }
        }
    }
}

/// The content of the current member. Its errors hold an [`ArError`].
impl<R: Read> Read for ArReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_member(buf).map_err(io::Error::other)
    }
}

fn parse_header(raw: &[u8; HEADER], offset: u64) -> Result<Member, ArError> {
    let (name, rest) = raw.split_at(16);
    let (mtime, rest) = rest.split_at(12);
    let (uid, rest) = rest.split_at(6);
    let (gid, rest) = rest.split_at(6);
    let (mode, rest) = rest.split_at(8);
    let (size, end) = rest.split_at(10);
    if end != b"`\n" {
        return Err(ArError::Header { offset });
    }
    let name = parse_name(name).ok_or_else(|| ArError::Name { name: name.to_vec(), offset })?;
    // Time, owner and mode of a member mean nothing, but libapt refuses the file where one is no number. Some tools
    // leave them blank.
    for (field, found) in [("time", mtime), ("user", uid), ("group", gid), ("mode", mode)] {
        if !found.iter().all(|b| *b == b' ') && decimal(found).is_none() {
            return Err(ArError::Number { field, found: found.to_vec(), member: name, offset });
        }
    }
    match decimal(size) {
        Some(size) => Ok(Member { name, size, offset }),
        None => Err(ArError::Number { field: "size", found: size.to_vec(), member: name, offset }),
    }
}

/// GNU ar ends plain names with a slash, which dpkg strips once. A name that holds another slash is an extension: the
/// symbol table `/`, the name table `//`, the long names `/12` and `#1/12`.
fn parse_name(field: &[u8]) -> Option<MemberName> {
    let name = trim_padding(field);
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let plain = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic() && *b != b'/');
    let text = plain.then(|| String::from_utf8(name.to_vec()).ok())??;
    Some(MemberName(text))
}

/// Digits and then nothing but spaces: no sign, no blank, no NUL. At most 12 digits, which fit.
fn decimal(field: &[u8]) -> Option<u64> {
    let digits = trim_padding(field);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn trim_padding(field: &[u8]) -> &[u8] {
    let end = field.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
    field.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testdeb::{ar, ar_header};

    fn members(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArError> {
        let mut reader = ArReader::new(bytes)?;
        let mut found = Vec::new();
        while let Some(member) = reader.next_member()? {
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map_err(|e| *e.into_inner().unwrap().downcast::<ArError>().unwrap())?;
            found.push((member.name.to_string(), content));
        }
        Ok(found)
    }

    #[test]
    fn members_come_in_order_with_their_content() {
        let bytes = ar(&[("debian-binary/", b"2.0\n"), ("odd", b"abc"), ("_x", b"")]);
        let expected = [("debian-binary", &b"2.0\n"[..]), ("odd", b"abc"), ("_x", b"")];
        assert_eq!(members(&bytes).unwrap(), expected.map(|(n, c)| (n.to_owned(), c.to_vec())));
    }

    #[test]
    fn content_that_is_not_read_is_skipped() {
        let bytes = ar(&[("a", b"abc"), ("b", b"")]);
        let mut reader = ArReader::new(bytes.as_slice()).unwrap();
        assert_eq!(reader.next_member().unwrap().unwrap().name.as_str(), "a");
        let b = reader.next_member().unwrap().unwrap();
        assert_eq!((b.name.as_str(), b.offset), ("b", 8 + 60 + 4));
        assert_eq!(reader.next_member().unwrap(), None);
    }

    #[test]
    fn extensions_of_names_are_refused() {
        for name in ["", "/", "//", "/12", "#1/20", "a b", "a/b", "\u{7f}", "a\n"] {
            let bytes = [MAGIC.to_vec(), ar_header(name, "0")].concat();
            assert!(matches!(members(&bytes), Err(ArError::Name { offset: 8, .. })), "{name:?}");
        }
    }

    #[test]
    fn sizes_are_digits_and_spaces() {
        for size in ["-60", "+1", "0x1", " 1", "1 1", "", "1\0", "1e3"] {
            let bytes = [MAGIC.to_vec(), ar_header("a", size)].concat();
            assert!(matches!(members(&bytes), Err(ArError::Number { field: "size", .. })), "{size:?}");
        }
    }

    #[test]
    fn the_end_of_the_file_is_looked_at() {
        let whole = ar(&[("a", b"abc")]);
        for (cut, part) in [(4, "magic"), (20, "a header"), (8 + 60 + 1, "the content"), (8 + 60 + 3, "the padding")] {
            match members(&whole[..cut]) {
                Err(ArError::Magic { start }) => assert_eq!((start.as_slice(), part), (&MAGIC[..4], "magic")),
                Err(ArError::Truncated { part: found, offset, .. }) => assert_eq!((found, offset), (part, cut as u64)),
                other => panic!("{cut}: {other:?}"),
            }
        }
        let unpadded = [&whole[..whole.len() - 1], &ar_header("b", "0")].concat();
        assert!(matches!(members(&unpadded), Err(ArError::Padding { .. })));
        let huge = [MAGIC.to_vec(), ar_header("a", "9999999999"), vec![0; 99]].concat();
        assert!(matches!(members(&huge), Err(ArError::Truncated { part: "the content", .. })));
        assert!(matches!(members(b"!<thin>\n"), Err(ArError::Magic { .. })));
        assert!(matches!(members(&[&whole, &b"x".repeat(60)[..]].concat()), Err(ArError::Header { offset: 72 })));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = members(&[MAGIC.to_vec(), bytes].concat());
        }

        #[test]
        fn what_is_written_is_read(names in prop::collection::vec(("[!-.0-~]{1,15}", prop::collection::vec(any::<u8>(), 0..9)), 0..4)) {
            let listed: Vec<_> = names.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
            prop_assert_eq!(members(&ar(&listed)).unwrap(), names);
        }
    }
}
