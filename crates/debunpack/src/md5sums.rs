//! The MD5 sums that a package states for its files. They guard against mistakes, not against anyone: MD5 is broken.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use distil_imgcore::{Escaped, ImagePath, PathError};

/// The MD5 of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5Sum(pub [u8; 16]);

/// Text that is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not an MD5 sum", Escaped(.0))]
pub struct NotMd5(Vec<u8>);

impl Md5Sum {
    fn from_hex(text: &[u8]) -> Result<Self, NotMd5> {
        let mut sum = [0; 16];
        match hex::decode_to_slice(text, &mut sum) {
            Ok(()) => Ok(Self(sum)),
            Err(_) => Err(NotMd5(text.iter().take(64).copied().collect())),
        }
    }
}

impl FromStr for Md5Sum {
    type Err = NotMd5;

    fn from_str(text: &str) -> Result<Self, NotMd5> {
        Self::from_hex(text.as_bytes())
    }
}

impl fmt::Display for Md5Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Md5Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Md5Sum({self})")
    }
}

/// The file `md5sums` of a control archive: a sum for each file of the package, configuration files left out.
///
/// The names are only compared with those in the data archive; nothing is ever opened by them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Md5sums {
    lines: Vec<(ImagePath, Md5Sum)>,
    by_path: BTreeMap<ImagePath, Md5Sum>,
}

/// Why bytes are not lines of `md5sum(1)`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of md5sums: {kind}")]
pub struct Md5sumsError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: Md5sumsErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Md5sumsErrorKind {
    /// No sum at its start.
    #[error(transparent)]
    Sum(#[from] NotMd5),
    /// No two spaces, or space and asterisk, between sum and name.
    #[error("no two spaces behind the sum")]
    Separator,
    /// No path inside the package.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The same file with two sums.
    #[error("{0} has another sum before")]
    Duplicate(ImagePath),
}

impl Md5sums {
    /// Reads the file. dpkg does not read it at all before a package is installed, so that hand-made packages have empty
    /// lines in it, a file twice, and no newline at the end.
    ///
    /// # Errors
    /// [`Md5sumsError`] for the first line that is not in order.
    pub fn parse(bytes: &[u8]) -> Result<Self, Md5sumsError> {
        let mut sums = Self::default();
        for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
            let error = |kind| Md5sumsError { line: index + 1, kind };
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let (path, sum) = parse_line(line).map_err(error)?;
            match sums.by_path.insert(path.clone(), sum) {
                None => sums.lines.push((path, sum)),
                Some(before) if before == sum => {}
                Some(_) => return Err(error(Md5sumsErrorKind::Duplicate(path))),
            }
        }
        Ok(sums)
    }

    /// The sum stated for a path of the package.
    #[must_use]
    pub fn of(&self, path: &ImagePath) -> Option<Md5Sum> {
        self.by_path.get(path).copied()
    }

    /// Paths and sums in the order of the file.
    #[must_use]
    pub fn lines(&self) -> &[(ImagePath, Md5Sum)] {
        &self.lines
    }
}

fn parse_line(line: &[u8]) -> Result<(ImagePath, Md5Sum), Md5sumsErrorKind> {
    // md5sum(1) puts a backslash before a line whose name has backslashes, as names of systemd's units have, and doubles
    // those.
    let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (sum, rest) = line.split_at_checked(32).unwrap_or((line, b""));
    let sum = Md5Sum::from_hex(sum)?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *")).ok_or(Md5sumsErrorKind::Separator)?;
    let name = if escaped { unescape(name) } else { name.to_vec() };
    // Some builders write a slash first. dpkg and debsums find the same file by it.
    let path = ImagePath::from_foreign(&name)?;
    if path.is_root() {
        return Err(PathError::Empty.into());
    }
    Ok((path, sum))
}

/// Takes back what md5sum(1) does to backslashes. Line breaks, which it escapes too, are in no package.
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        out.push(*byte);
        if *byte == b'\\' && bytes.as_slice().first() == Some(&b'\\') {
            bytes.next();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn lines_keep_their_order() {
        let text = format!("{SUM}  usr/b\n{SUM}  ./usr/a\n{SUM} *usr/c d\n{SUM}  /usr/e\n");
        let sums = Md5sums::parse(text.as_bytes()).unwrap();
        let paths: Vec<_> = sums.lines().iter().map(|(p, _)| p.to_string()).collect();
        assert_eq!(paths, ["/usr/b", "/usr/a", "/usr/c d", "/usr/e"]);
        assert_eq!(sums.of(&ImagePath::from_archive(b"usr/a").unwrap()).unwrap().to_string(), SUM);
        assert_eq!(sums.of(&ImagePath::from_archive(b"usr").unwrap()), None);
    }

    #[test]
    fn what_hand_made_packages_have_is_read() {
        let upper = SUM.to_uppercase();
        let text = format!("\n{upper}  a\n{SUM}  ./a\n\\{SUM}  x\\\\x2dy\n{SUM}  z\\x2dy");
        let sums = Md5sums::parse(text.as_bytes()).unwrap();
        let names: Vec<_> = sums.lines().iter().map(|(path, _)| path.as_bytes().to_vec()).collect();
        assert_eq!(names, [&b"a"[..], b"x\\x2dy", b"z\\x2dy"]);
    }

    type Case = (String, fn(&Md5sumsErrorKind) -> bool);

    #[test]
    fn bad_lines_say_what_is_wrong() {
        use Md5sumsErrorKind as Kind;
        let other = SUM.replace('d', "e");
        let cases: [Case; 8] = [
            ("x\n".into(), |k| matches!(k, Kind::Sum(_))),
            (format!("\\\\{SUM}  a\n"), |k| matches!(k, Kind::Sum(_))),
            (format!("{SUM} a\n"), |k| matches!(k, Kind::Separator)),
            (format!("{SUM}\ta\n"), |k| matches!(k, Kind::Separator)),
            (format!("{SUM}  \n"), |k| matches!(k, Kind::Path(PathError::Empty))),
            (format!("{SUM}  .\n"), |k| matches!(k, Kind::Path(PathError::Empty))),
            (format!("{SUM}  ../etc/shadow\n"), |k| matches!(k, Kind::Path(PathError::Parent(_)))),
            (format!("{SUM}  a\n{other}  ./a\n"), |k| matches!(k, Kind::Duplicate(_))),
        ];
        for (text, expected) in cases {
            let found = Md5sums::parse(text.as_bytes()).unwrap_err();
            assert!(expected(&found.kind), "{text:?}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(text in "([0-9a-f]{31,33}| |\\*|[a-c./]{1,3}|\\n){0,12}") {
            let _ = Md5sums::parse(text.as_bytes());
        }
    }
}
