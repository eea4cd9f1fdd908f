//! The files that a Release file vouches for.

use std::collections::BTreeMap;

use distil_debunpack::deb822::{Field, Paragraph};
use distil_imgcore::Digest;

use super::error::ReleaseError;

/// Files in one Release file. Debian's lists under three thousand.
const MAX_FILES: usize = 100_000;

/// Size and sums of a file of the repository. At least one of the sums is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Option<Digest>,
    /// Its SHA-512.
    pub sha512: Option<[u8; 64]>,
}

/// Reads the lists of sums. Weak sums are not read: a size that only they state is not looked at either.
pub(super) fn read_files(paragraph: &Paragraph<'_>) -> Result<BTreeMap<String, ReleaseFile>, ReleaseError> {
    let (sha256, sha512) = (paragraph.field("SHA256"), paragraph.field("SHA512"));
    if sha256.is_none() && sha512.is_none() {
        return Err(ReleaseError::WeakSums);
    }
    let mut files = BTreeMap::new();
    for (field, name) in [(sha256, "SHA256"), (sha512, "SHA512")] {
        for line in field.into_iter().flat_map(Field::lines).filter(|line| !line.is_empty()) {
            let (path, file) = read_line(name, line)?;
            merge(&mut files, path, file)?;
        }
    }
    Ok(files)
}

fn merge(files: &mut BTreeMap<String, ReleaseFile>, path: String, file: ReleaseFile) -> Result<(), ReleaseError> {
    let Some(before) = files.get_mut(&path) else {
        if files.len() >= MAX_FILES {
            return Err(ReleaseError::TooManyFiles { limit: MAX_FILES });
        }
        files.insert(path, file);
        return Ok(());
    };
    let differ = before.size != file.size
        || file.sha256.is_some() && before.sha256.is_some() && file.sha256 != before.sha256
        || file.sha512.is_some() && before.sha512.is_some() && file.sha512 != before.sha512;
    if differ {
        return Err(ReleaseError::Conflict { path });
    }
    before.sha256 = before.sha256.take().or(file.sha256);
    before.sha512 = before.sha512.take().or(file.sha512);
    Ok(())
}

fn read_line(field: &'static str, line: &[u8]) -> Result<(String, ReleaseFile), ReleaseError> {
    let start = |bytes: &[u8]| bytes.iter().take(200).copied().collect::<Vec<u8>>();
    let bad = || ReleaseError::SumLine { field, line: start(line) };
    let text = str::from_utf8(line).map_err(|_| bad())?;
    let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).take(4).collect();
    let [sum, size, path] = words.as_slice() else { return Err(bad()) };
    let digits = size.bytes().all(|b| b.is_ascii_digit());
    let size = size.parse().ok().filter(|_| digits).ok_or_else(bad)?;
    let file = if field == "SHA256" {
        let bytes = unhex(sum).ok_or_else(bad)?;
        ReleaseFile { size, sha256: Some(Digest::from_sha256(bytes)), sha512: None }
    } else {
        ReleaseFile { size, sha256: None, sha512: Some(unhex(sum).ok_or_else(bad)?) }
    };
    let path = plain_path(path).ok_or_else(|| ReleaseError::Path { field, path: start(path.as_bytes()) })?;
    Ok((path.to_owned(), file))
}

/// A relative path of plain names. Some tools write `./` before it.
fn plain_path(path: &str) -> Option<&str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let plain = |name: &str| !matches!(name, "" | "." | "..");
    let allowed =
        path.len() <= 4096 && !path.chars().any(|c| c.is_control() || c == '\\') && path.split('/').all(plain);
    allowed.then_some(path)
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use distil_debunpack::deb822::{Comments, Limits, Paragraphs};

    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, ReleaseFile>, ReleaseError> {
        let mut paragraphs = Paragraphs::new(text.as_bytes(), Comments::Refused, Limits::default());
        read_files(&paragraphs.next().unwrap().unwrap())
    }

    fn sum(digit: &str) -> String {
        digit.repeat(64)
    }

    #[test]
    fn strong_sums_of_one_file_stand_together() {
        let text = format!(
            "MD5Sum:\n x 1 b\nSHA256:\n {} 12 a/b\n {}  7 ./c\nSHA512:\n {} 12 a/b\n {} 0 d@2+x~y%20\n",
            sum("A"),
            sum("b"),
            sum("cc"),
            sum("dd"),
        );
        let files = read(&text).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a/b", "c", "d@2+x~y%20"]);
        let file = &files["a/b"];
        assert_eq!((file.size, file.sha256.as_ref().unwrap().hex(), file.sha512), (12, sum("a"), Some([0xcc; 64])));
        assert_eq!((files["c"].size, files["c"].sha512), (7, None));
        assert_eq!(read("SHA256:\nMD5Sum: x\n").unwrap().len(), 0);
    }

    #[test]
    fn each_fault_is_refused() {
        use ReleaseError as E;
        let one = |line: String| format!("SHA256:\n {line}\n");
        let a = sum("a");
        let is_line = |e: &E| matches!(e, E::SumLine { field: "SHA256", .. });
        let is_path = |e: &E| matches!(e, E::Path { field: "SHA256", .. });
        let is_conflict = |e: &E| matches!(e, E::Conflict { path } if path == "b");
        let check = |text: String, expected: &dyn Fn(&E) -> bool| {
            let found = read(&text).unwrap_err();
            assert!(expected(&found), "{text}: {found:?}");
        };
        check("MD5Sum:\n x 1 b\n".to_owned(), &|e| matches!(e, E::WeakSums));
        for line in [
            format!("{a} 1"),
            format!("{a} 1 b c"),
            format!("{a} -1 b"),
            format!("{a} +1 b"),
            format!("{a}a 1 b"),
            format!("{} 1 b", "g".repeat(64)),
            format!("{a} 18446744073709551616 b"),
            "b".to_owned(),
        ] {
            check(one(line), &is_line);
        }
        for path in
            ["/b", "../b", "a/../b", "a//b", "a/", ".", "..", "./", "a/./b", "a\\b", "a\u{7f}b", "././b", "a\u{85}b"]
        {
            check(one(format!("{a} 1 {path}")), &is_path);
        }
        check(format!("SHA256:\n {a} 1 b\n {a} 2 b\n"), &is_conflict);
        check(format!("SHA256:\n {a} 1 b\n {} 1 ./b\n", sum("b")), &is_conflict);
        check(format!("SHA256:\n {a} 1 b\nSHA512:\n {a}{a} 2 b\n"), &is_conflict);
        assert_eq!(read(&format!("SHA256:\n {a} 1 b\n {a} 1 b\n")).unwrap().len(), 1);
    }
}
