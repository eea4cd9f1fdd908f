//! Paragraphs of `Name: value` fields, read strictly and in one pass: control, Packages, Release.
//!
//! See [deb822(5)]. Everything that dpkg, libapt and others read differently is refused: a field twice, a line without a
//! colon, a blank continuation line (it would start a new record once copied into a database), NUL, carriage return.
//!
//! [deb822(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb822.5.en.html

use std::borrow::Cow;
use std::fmt;

use distil_imgcore::Escaped;

/// Fields that one paragraph may have. Real ones have fewer than 50.
pub const MAX_FIELDS: usize = 256;

/// What a kind of document may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole document.
    pub document: usize,
    /// Bytes of one field, name and continuation lines included.
    pub field: usize,
}

/// One MiB a field, 16 MiB in all: for control files. An index of packages needs a larger document.
impl Default for Limits {
    fn default() -> Self {
        Self { document: 16 << 20, field: 1 << 20 }
    }
}

/// Whether lines that start with `#` are skipped. Source control files and recipes have them; packages, indices and
/// Release files do not, and there they are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// A comment is an error.
    Refused,
    /// A comment is skipped.
    Skipped,
}

/// One field of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    name: &'a str,
    value: &'a [u8],
    line: usize,
}

impl<'a> Field<'a> {
    /// The name as it is written. Names are compared without regard to case.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value without white space around it. Continuation lines keep their newline and first space.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The value as text, for people to read: bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.value)
    }

    /// The number of its first line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The lines of the value, comments left out; continuation lines without the space before them.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut lines = self.value.split(|b| *b == b'\n');
        let first = lines.next();
        let rest = lines.filter(|line| line.first() != Some(&b'#'));
        first.into_iter().chain(rest.map(|line| line.split_first().map_or(line, |(_, text)| text)))
    }
}

/// Fields up to the next empty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph<'a> {
    fields: Vec<Field<'a>>,
    bytes: &'a [u8],
}

impl<'a> Paragraph<'a> {
    /// The fields in the order of the document.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The field of this name, whatever its case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The exact bytes, from the first field to the newline of the last.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The number of its first line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.fields.first().map_or(1, |field| field.line)
    }
}

/// Why bytes are not paragraphs that every reader understands alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct Deb822Error {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: Deb822ErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Deb822ErrorKind {
    /// The whole is too large.
    #[error("document of {size} bytes, over the limit of {limit}")]
    DocumentTooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A field is too large.
    #[error("field {name} is over the limit of {limit} bytes")]
    FieldTooLarge {
        /// The field.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// A paragraph has more than [`MAX_FIELDS`] fields.
    #[error("more than {MAX_FIELDS} fields in one paragraph")]
    TooManyFields,
    /// The same name twice, in any case.
    #[error("field {name} stands there twice")]
    Duplicate {
        /// The name as it is written the second time.
        name: String,
    },
    /// Neither a field nor a continuation.
    #[error("no colon in \"{}\"", Escaped(.start))]
    NoColon {
        /// The first 64 bytes of the line.
        start: Vec<u8>,
    },
    /// A name that is empty or has characters it may not have.
    #[error("field name \"{}\" is not allowed", Escaped(.start))]
    Name {
        /// The first 64 bytes of the name.
        start: Vec<u8>,
    },
    /// A NUL or a carriage return.
    #[error("{0} in the text")]
    Control(ControlByte),
    /// A continuation line before any field.
    #[error("a continuation line without a field before it")]
    Orphan,
    /// A line of nothing but spaces or tabs, which some take for the end of the paragraph and some for a part of it.
    #[error("a line of white space alone")]
    Blank,
    /// A comment where the format has none.
    #[error("a comment, which this format does not have")]
    Comment,
    /// The last line does not end.
    #[error("the last line has no newline")]
    Unterminated,
}

/// A byte that no field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlByte {
    /// NUL, where readers in C end.
    Nul,
    /// A carriage return, which some readers take for the end of a line.
    CarriageReturn,
}

impl fmt::Display for ControlByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nul => "NUL byte",
            Self::CarriageReturn => "carriage return",
        })
    }
}

/// Reads paragraph by paragraph. After an error it ends.
///
/// ```
/// use distil_debunpack::deb822::{Comments, Limits, Paragraphs};
/// let mut paragraphs = Paragraphs::new(b"Package: a\nDepends: b,\n c\n\nPackage: d\n", Comments::Refused, Limits::default());
/// let first = paragraphs.next().unwrap()?;
/// assert_eq!(first.field("depends").unwrap().value(), b"b,\n c");
/// assert_eq!(paragraphs.next().unwrap()?.line(), 5);
/// assert!(paragraphs.next().is_none());
/// # Ok::<(), distil_debunpack::deb822::Deb822Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Paragraphs<'a> {
    document: &'a [u8],
    /// Where the next line starts.
    at: usize,
    /// Lines read so far.
    line: usize,
    comments: Comments,
    limits: Limits,
    failed: bool,
}

impl<'a> Paragraphs<'a> {
    /// Reads `document`.
    #[must_use]
    pub fn new(document: &'a [u8], comments: Comments, limits: Limits) -> Self {
        Self { document, at: 0, line: 0, comments, limits, failed: false }
    }

    fn next_paragraph(&mut self) -> Result<Option<Paragraph<'a>>, Deb822Error> {
        let (size, limit) = (self.document.len(), self.limits.document);
        if size > limit {
            return Err(self.error(Deb822ErrorKind::DocumentTooLarge { size, limit }));
        }
        let mut fields: Vec<Field<'a>> = Vec::new();
        let mut open: Option<OpenField<'a>> = None;
        let (mut start, mut end) = (self.at, self.at);
        while let Some((at, line)) = self.next_line()? {
            match line.first() {
                None if open.is_none() => {
                    start = self.at;
                    continue;
                }
                None => break,
                Some(b'#') => {
                    if self.comments == Comments::Refused {
                        return Err(self.error(Deb822ErrorKind::Comment));
                    }
                    continue;
                }
                Some(b' ' | b'\t') => {
                    if line.iter().all(|b| matches!(b, b' ' | b'\t')) {
                        return Err(self.error(Deb822ErrorKind::Blank));
                    }
                    let field = open.as_mut().ok_or_else(|| self.error(Deb822ErrorKind::Orphan))?;
                    field.end = at + line.len();
                }
                Some(_) => {
                    let next = self.start_field(at, line)?;
                    if let Some(before) = open.replace(next) {
                        self.close_field(&mut fields, &before)?;
                    }
                }
            }
            end = self.at;
            self.check_size(open.as_ref())?;
        }
        match open {
            None => Ok(None),
            Some(last) => {
                self.close_field(&mut fields, &last)?;
                Ok(Some(Paragraph { fields, bytes: self.document.get(start..end).unwrap_or_default() }))
            }
        }
    }

    /// The next line without its newline, and where it starts.
    fn next_line(&mut self) -> Result<Option<(usize, &'a [u8])>, Deb822Error> {
        let at = self.at;
        let rest = self.document.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let length = rest.iter().position(|b| *b == b'\n').ok_or_else(|| self.error(Deb822ErrorKind::Unterminated))?;
        let line = rest.get(..length).unwrap_or_default();
        for (byte, kind) in [(0, ControlByte::Nul), (b'\r', ControlByte::CarriageReturn)] {
            if line.contains(&byte) {
                return Err(self.error(Deb822ErrorKind::Control(kind)));
            }
        }
        self.at = at + length + 1;
        Ok(Some((at, line)))
    }

    fn start_field(&self, at: usize, line: &'a [u8]) -> Result<OpenField<'a>, Deb822Error> {
        let start = |bytes: &[u8]| bytes.iter().take(64).copied().collect();
        let colon = line.iter().position(|b| *b == b':');
        let colon = colon.ok_or_else(|| self.error(Deb822ErrorKind::NoColon { start: start(line) }))?;
        let name = line.get(..colon).unwrap_or_default();
        let allowed = name.iter().all(u8::is_ascii_graphic) && !matches!(name.first(), None | Some(b'-'));
        let text = std::str::from_utf8(name).ok().filter(|_| allowed);
        let name = text.ok_or_else(|| self.error(Deb822ErrorKind::Name { start: start(name) }))?;
        Ok(OpenField { name, start: at + colon + 1, end: at + line.len(), line: self.line })
    }

    fn check_size(&self, field: Option<&OpenField<'a>>) -> Result<(), Deb822Error> {
        let limit = self.limits.field;
        match field {
            Some(field) if field.name.len() + (field.end - field.start) > limit => {
                let name = field.name.chars().take(64).collect();
                Err(self.error(Deb822ErrorKind::FieldTooLarge { name, limit }))
            }
            _ => Ok(()),
        }
    }

    fn close_field(&self, fields: &mut Vec<Field<'a>>, open: &OpenField<'a>) -> Result<(), Deb822Error> {
        let kind = if fields.len() >= MAX_FIELDS {
            Deb822ErrorKind::TooManyFields
        } else if fields.iter().any(|field| field.name.eq_ignore_ascii_case(open.name)) {
            Deb822ErrorKind::Duplicate { name: open.name.chars().take(64).collect() }
        } else {
            let value = self.document.get(open.start..open.end).unwrap_or_default().trim_ascii();
            fields.push(Field { name: open.name, value, line: open.line });
            return Ok(());
        };
        Err(Deb822Error { line: open.line, kind })
    }

    fn error(&self, kind: Deb822ErrorKind) -> Deb822Error {
        Deb822Error { line: self.line.max(1), kind }
    }
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Result<Paragraph<'a>, Deb822Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_paragraph();
        self.failed = next.is_err();
        next.transpose()
    }
}

/// A field whose continuation lines are still being read.
#[derive(Debug)]
struct OpenField<'a> {
    name: &'a str,
    start: usize,
    end: usize,
    line: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Case<'a> = (&'a [u8], usize, fn(&Deb822ErrorKind) -> bool);
    type Read = Vec<Vec<(String, Vec<u8>)>>;

    fn read_with(document: &[u8], comments: Comments, limits: Limits) -> Result<Read, Deb822Error> {
        let own = |field: &Field<'_>| (field.name().to_owned(), field.value().to_vec());
        Paragraphs::new(document, comments, limits).map(|p| Ok(p?.fields().iter().map(own).collect())).collect()
    }

    fn read(document: &[u8]) -> Result<Read, Deb822Error> {
        read_with(document, Comments::Refused, Limits::default())
    }

    #[test]
    fn values_lose_the_white_space_around_them() {
        let found = read(b"\n\nA:  x \t\nB:\n y\n .\n\tz  \n\n\nC:\n").unwrap();
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        assert_eq!(found, [vec![field("A", "x"), field("B", "y\n .\n\tz")], vec![field("C", "")]]);
        assert!(read(b"").unwrap().is_empty());
        assert!(read(b"\n\n").unwrap().is_empty());
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        use Deb822ErrorKind as Kind;
        let cases: [Case<'_>; 13] = [
            (b"A: 1\nb: 2\na: 3\n", 3, |k| matches!(k, Kind::Duplicate { name } if name == "a")),
            (b"A: 1\nno colon\n", 2, |k| matches!(k, Kind::NoColon { .. })),
            (b"A: x\0y\n", 1, |k| matches!(k, Kind::Control(ControlByte::Nul))),
            (b"A: x\r\n", 1, |k| matches!(k, Kind::Control(ControlByte::CarriageReturn))),
            (b" x\n", 1, |k| matches!(k, Kind::Orphan)),
            (b"A: 1\n\n x\n", 3, |k| matches!(k, Kind::Orphan)),
            (b"A: 1\n \t\nB: 2\n", 2, |k| matches!(k, Kind::Blank)),
            (b"# a\nA: 1\n", 1, |k| matches!(k, Kind::Comment)),
            (b": 1\n", 1, |k| matches!(k, Kind::Name { .. })),
            (b"-A: 1\n", 1, |k| matches!(k, Kind::Name { .. })),
            (b"A b: 1\n", 1, |k| matches!(k, Kind::Name { .. })),
            ("Ä: 1\n".as_bytes(), 1, |k| matches!(k, Kind::Name { .. })),
            (b"A: 1", 1, |k| matches!(k, Kind::Unterminated)),
        ];
        for (document, line, expected) in cases {
            let found = read(document).unwrap_err();
            assert!(found.line == line && expected(&found.kind), "{}: {found:?}", Escaped(document));
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let limits = Limits { document: 64, field: 16 };
        let read = |document: &[u8]| read_with(document, Comments::Refused, limits);
        assert!(read(b"A: 0123456789\nB: 1\n").is_ok());
        assert!(matches!(read(b"A: 0123456\n 0123456\n").unwrap_err().kind, Deb822ErrorKind::FieldTooLarge { .. }));
        assert!(matches!(read(&[b'\n'; 65]).unwrap_err().kind, Deb822ErrorKind::DocumentTooLarge { .. }));
        let many: Vec<_> = (0..=MAX_FIELDS).map(|n| format!("F{n}: x\n")).collect();
        let many = many.concat();
        assert_eq!(
            read_with(many.as_bytes(), Comments::Refused, Limits::default()).unwrap_err().kind,
            Deb822ErrorKind::TooManyFields
        );
    }

    #[test]
    fn comments_are_skipped_where_the_format_has_them() {
        let document = b"# top\nA: #1\n# inside\n 2\n";
        let found: Vec<_> = Paragraphs::new(document, Comments::Skipped, Limits::default()).collect();
        let [Ok(paragraph)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(paragraph.fields()[0].lines().collect::<Vec<_>>(), [&b"#1"[..], b"2"]);
    }

    #[test]
    fn a_paragraph_knows_its_bytes() {
        let document = b"\nA: 1\nB: 2\n 3\n\nC: 4\n";
        let bytes: Vec<_> =
            Paragraphs::new(document, Comments::Refused, Limits::default()).map(|p| p.unwrap().bytes()).collect();
        assert_eq!(bytes, [&b"A: 1\nB: 2\n 3\n"[..], b"C: 4\n"]);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(document in "[A-C: \\n\\t#\\x00\r-]{0,40}") {
            for comments in [Comments::Refused, Comments::Skipped] {
                let _ = read_with(document.as_bytes(), comments, Limits::default());
            }
        }

        #[test]
        fn bytes_of_a_paragraph_read_the_same_again(document in "([A-C]:( [a-z]{0,3})?\\n( [a-z]\\n)?\\n?){0,6}") {
            for paragraph in Paragraphs::new(document.as_bytes(), Comments::Refused, Limits::default()).flatten() {
                let again = read(paragraph.bytes()).unwrap();
                let fields: Vec<_> = paragraph.fields().iter().map(|f| (f.name().to_owned(), f.value().to_vec())).collect();
                prop_assert_eq!(again, [fields]);
            }
        }
    }
}
