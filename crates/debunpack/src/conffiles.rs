//! The list of configuration files in a control archive.

use std::collections::BTreeMap;

use distil_imgcore::{Escaped, ImagePath, PathError};

/// One configuration file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conffile {
    /// Where the package has it.
    pub path: ImagePath,
    /// Whether an upgrade removes it. Then the package does not ship it.
    pub remove_on_upgrade: bool,
}

/// Why bytes are not a list of configuration files, as [deb-conffiles(5)] has it.
///
/// [deb-conffiles(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb-conffiles.5.en.html
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of conffiles: {kind}")]
pub struct ConffilesError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ConffilesErrorKind,
}

/// What is wrong with a line of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConffilesErrorKind {
    /// A word before the name that is not `remove-on-upgrade`.
    #[error("\"{}\" is not a flag", Escaped(.0))]
    Flag(Vec<u8>),
    /// No absolute path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The same file twice, once to be removed on upgrade and once not.
    #[error("{0} stands there with and without a flag")]
    Duplicate(ImagePath),
    /// The last line does not end.
    #[error("it has no newline")]
    Unterminated,
}

/// Reads the file `conffiles` of a control archive. As by dpkg, empty lines, white space at the end of a line and a file
/// that stands there again are passed over: hand-made packages have all of them.
///
/// # Errors
/// [`ConffilesError`] for the first line that is not in order.
pub fn parse_conffiles(bytes: &[u8]) -> Result<Vec<Conffile>, ConffilesError> {
    let mut seen = BTreeMap::new();
    let mut conffiles = Vec::new();
    for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let error = |kind| ConffilesError { line: index + 1, kind };
        let Some(conffile) = parse_line(line).map_err(error)? else { continue };
        match seen.insert(conffile.path.clone(), conffile.remove_on_upgrade) {
            None => conffiles.push(conffile),
            Some(before) if before == conffile.remove_on_upgrade => {}
            Some(_) => return Err(error(ConffilesErrorKind::Duplicate(conffile.path))),
        }
    }
    Ok(conffiles)
}

fn parse_line(line: &[u8]) -> Result<Option<Conffile>, ConffilesErrorKind> {
    let line = line.strip_suffix(b"\n").ok_or(ConffilesErrorKind::Unterminated)?.trim_ascii_end();
    if line.is_empty() {
        return Ok(None);
    }
    let flag_end = line.iter().position(|b| *b == b' ').filter(|_| line.first() != Some(&b'/'));
    let (flag, name) = line.split_at(flag_end.unwrap_or(0));
    if !matches!(flag, b"" | b"remove-on-upgrade") {
        return Err(ConffilesErrorKind::Flag(flag.to_vec()));
    }
    let path = ImagePath::from_absolute(if flag.is_empty() { name } else { name.trim_ascii_start() })?;
    Ok(Some(Conffile { path, remove_on_upgrade: !flag.is_empty() }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_flags_are_read() {
        let found = parse_conffiles(b"/etc/a\n/etc/with space\nremove-on-upgrade /etc/b\n").unwrap();
        let shown: Vec<_> = found.iter().map(|c| (c.path.to_string(), c.remove_on_upgrade)).collect();
        let expected = [("/etc/a", false), ("/etc/with space", false), ("/etc/b", true)];
        assert_eq!(shown, expected.map(|(p, r)| (p.to_owned(), r)));
        assert_eq!(parse_conffiles(b""), Ok(vec![]));
    }

    #[test]
    fn what_dpkg_passes_over_is_passed_over() {
        let found = parse_conffiles(b"\n/etc/b \t\n   \n/etc/a\n/etc//b\n").unwrap();
        let shown: Vec<_> = found.iter().map(|c| c.path.to_string()).collect();
        assert_eq!(shown, ["/etc/b", "/etc/a"]);
    }

    type Case<'a> = (&'a [u8], usize, fn(&ConffilesErrorKind) -> bool);

    #[test]
    fn bad_lines_say_what_is_wrong() {
        use ConffilesErrorKind as Kind;
        let cases: [Case<'_>; 6] = [
            (b"/etc/a", 1, |k| matches!(k, Kind::Unterminated)),
            (b"etc/a\n", 1, |k| matches!(k, Kind::Path(PathError::Relative(_)))),
            (b"/etc/../a\n", 1, |k| matches!(k, Kind::Path(PathError::Parent(_)))),
            (b"obsolete /etc/a\n", 1, |k| matches!(k, Kind::Flag(_))),
            (b" /etc/a\n", 1, |k| matches!(k, Kind::Path(_))),
            (b"/etc/a\nremove-on-upgrade /etc//a\n", 2, |k| matches!(k, Kind::Duplicate(_))),
        ];
        for (bytes, line, expected) in cases {
            let found = parse_conffiles(bytes).unwrap_err();
            assert!(found.line == line && expected(&found.kind), "{}: {found:?}", Escaped(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(text in "(/|remove-on-upgrade|[a-b. \\n\\x00])*") {
            let _ = parse_conffiles(text.as_bytes());
        }
    }
}
