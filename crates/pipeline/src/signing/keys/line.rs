//! Passwords in files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::PasswordError;

/// Bytes of a password in a file.
const MAX: usize = 64 << 10;

/// The one line of a file, without its end: a password, or a PIN. Errors call the file as `shown` says.
///
/// # Errors
/// [`PasswordError`] where the file cannot be read, has more than one line, or more than 64 KiB.
pub fn read_password(path: &Path, shown: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let from = || shown.to_owned();
    // As much as is read, so that no piece of it stays where the bytes grew out of.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX + 1));
    let read = File::open(path).and_then(|file| file.take(MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|source| PasswordError::Read { from: from(), source })?;
    if bytes.len() > MAX {
        return Err(PasswordError::TooLong { from: from(), limit: MAX });
    }
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        } else {
            break;
        }
    }
    if bytes.contains(&b'\n') { Err(PasswordError::Lines { from: from() }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_end_is_not_part_of_a_password() {
        let check = |text: &str| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let found = read_password(file.path(), "it");
            found.map(|found| String::from_utf8(found.to_vec()).unwrap()).map_err(|e| e.to_string())
        };
        for (text, expected) in
            [("", ""), ("\n", ""), ("a b", "a b"), (" a\n", " a"), ("a\r\n", "a"), ("a\r", "a\r"), ("ä\n", "ä")]
        {
            assert_eq!(check(text), Ok(expected.to_owned()), "{text:?}");
        }
        for text in ["a\n\n", "a\nb", "\na"] {
            assert_eq!(check(text), Err("it has more than one line".to_owned()), "{text:?}");
        }
        assert!(check(&"a".repeat(MAX)).is_ok());
        assert!(check(&"a".repeat(MAX + 1)).is_err());
    }
}
