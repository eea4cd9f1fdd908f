//! Splitting signed files: InRelease into the text that was signed and its signatures, Release.gpg into signatures.
//!
//! The [cleartext framework] lets a file carry text that no signature covers, and readers have been tricked with it for
//! years (CVE-2013-1051, CVE-2016-1252, CVE-2019-3462). So a file must be one signed message and nothing else, and the
//! text that is handed out for parsing is the text that is handed out for verification.
//!
//! [cleartext framework]: https://www.rfc-editor.org/rfc/rfc9580#section-7

use distil_imgcore::Escaped;

use crate::armor::{ArmorError, Lines, MAX_LINE, lines, read_block, trim_end};

/// Longest signed file. Debian's are below 1 MiB.
const MAX_FILE: usize = 64 << 20;

/// Longest file of detached signatures.
const MAX_SIGNATURES: usize = 1 << 20;

const BEGIN_MESSAGE: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &[u8] = b"-----END PGP SIGNATURE-----";

/// Why a file is not one signed message and nothing else. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClearsignError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Too large.
    #[error("{size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A line longer than 1 MiB.
    #[error("line {line}: longer than {MAX_LINE} bytes")]
    LineTooLong {
        /// Where it stands.
        line: usize,
    },
    /// A control character: readers differ in what they take it for.
    #[error("line {line}: control character 0x{byte:02x}")]
    Control {
        /// Where it stands.
        line: usize,
        /// The character.
        byte: u8,
    },
    /// No signed message anywhere in it.
    #[error("not a signed message")]
    NotSigned,
    /// Text before the signed message, which no signature covers.
    #[error("line 1: unsigned text before the signed message")]
    UnsignedBefore,
    /// A header of the message that is not `Hash`.
    #[error("line {line}: a header of the signed message that is not \"Hash\"")]
    Header {
        /// Where it stands.
        line: usize,
    },
    /// A line of the text that starts with a dash and is not escaped, which some take for the end of the text.
    #[error("line {line}: \"{}\" starts with a dash that is not escaped", Escaped(.start))]
    Dash {
        /// Where it stands.
        line: usize,
        /// Its first 64 bytes.
        start: Vec<u8>,
    },
    /// The text ends without a signature.
    #[error("the signed message is cut off before its signature")]
    Unclosed,
    /// Text after the signature, which no signature covers.
    #[error("line {line}: unsigned text after the signature")]
    UnsignedAfter {
        /// Where it starts.
        line: usize,
    },
    /// Another signed message after the first.
    #[error("line {line}: a second signed message")]
    SecondMessage {
        /// Where it starts.
        line: usize,
    },
    /// Something that is not a signature in a file of signatures.
    #[error("line {line}: text that belongs to no signature")]
    NotASignature {
        /// Where it starts.
        line: usize,
    },
    /// A signature's armour is not in order.
    #[error(transparent)]
    Armor(#[from] ArmorError),
}

/// A signed message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClearSigned {
    /// The text in the form that is signed: CRLF between lines, none after the last, no white space at the ends of lines.
    pub(crate) canonical: Vec<u8>,
    /// The packets of all signatures.
    pub(crate) signatures: Vec<u8>,
}

impl ClearSigned {
    /// Takes an InRelease file apart.
    pub(crate) fn split(file: &[u8]) -> Result<Self, ClearsignError> {
        check_text(file)?;
        let mut lines = lines(file);
        match lines.next() {
            Some((_, first)) if first == BEGIN_MESSAGE => {}
            _ if file.split(|b| *b == b'\n').any(|line| trim_end(line) == BEGIN_MESSAGE) => {
                return Err(ClearsignError::UnsignedBefore);
            }
            _ => return Err(ClearsignError::NotSigned),
        }
        loop {
            match lines.next().ok_or(ClearsignError::Unclosed)? {
                (_, b"") => break,
                (_, [b'H', b'a', b's', b'h', b':', b' ', ..]) => {}
                (line, _) => return Err(ClearsignError::Header { line }),
            }
        }
        let canonical = signed_text(&mut lines)?;
        let mut signatures = read_block(&mut lines, END_SIGNATURE)?;
        more_signatures(&mut lines, &mut signatures, |line, text| match text {
            BEGIN_MESSAGE => ClearsignError::SecondMessage { line },
            _ => ClearsignError::UnsignedAfter { line },
        })?;
        Ok(Self { canonical, signatures })
    }

    /// The signed text with the line ends that Release files have.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text: Vec<u8> = self.canonical.iter().copied().filter(|b| *b != b'\r').collect();
        text.push(b'\n');
        text
    }
}

/// The packets in a file of detached signatures, which must hold armoured signatures and nothing else.
pub(crate) fn detached_signatures(file: &[u8]) -> Result<Vec<u8>, ClearsignError> {
    check(file, MAX_SIGNATURES)?;
    let mut signatures = Vec::new();
    more_signatures(&mut lines(file), &mut signatures, |line, _| ClearsignError::NotASignature { line })?;
    if signatures.is_empty() { Err(ClearsignError::NotSigned) } else { Ok(signatures) }
}

/// Reads the text up to the first line of the signature, which is taken too.
fn signed_text(lines: &mut Lines<'_>) -> Result<Vec<u8>, ClearsignError> {
    let mut canonical = Vec::new();
    let mut first = true;
    loop {
        let (line, text) = lines.next().ok_or(ClearsignError::Unclosed)?;
        let text = match text {
            BEGIN_SIGNATURE => return Ok(canonical),
            // The white space at the end is gone already, so that a dash with only the space of its escape is bare here.
            b"-" => b"",
            [b'-', b' ', escaped @ ..] => escaped,
            [b'-', ..] => return Err(ClearsignError::Dash { line, start: text.iter().take(64).copied().collect() }),
            text => text,
        };
        if !first {
            canonical.extend(b"\r\n");
        }
        canonical.extend(text);
        first = false;
    }
}

/// Reads blocks of signatures up to the end of the file. Between and after them only empty lines are let pass: they hold
/// nothing that could be taken for content.
fn more_signatures(
    lines: &mut Lines<'_>,
    packets: &mut Vec<u8>,
    stray: impl Fn(usize, &[u8]) -> ClearsignError,
) -> Result<(), ClearsignError> {
    while let Some((line, text)) = lines.next() {
        match text {
            BEGIN_SIGNATURE => packets.extend(read_block(lines, END_SIGNATURE)?),
            b"" => {}
            text => return Err(stray(line, text)),
        }
    }
    Ok(())
}

/// What holds for a file of signed text, whether its signatures are in it or beside it.
pub(crate) fn check_text(file: &[u8]) -> Result<(), ClearsignError> {
    check(file, MAX_FILE)
}

/// Sizes are bounded, and there is no control character but tabs and ends of lines.
fn check(file: &[u8], limit: usize) -> Result<(), ClearsignError> {
    if file.len() > limit {
        return Err(ClearsignError::TooLarge { size: file.len(), limit });
    }
    if file.is_empty() {
        return Err(ClearsignError::Empty);
    }
    for (index, line) in file.split(|b| *b == b'\n').enumerate() {
        let line_number = index + 1;
        if line.len() > MAX_LINE {
            return Err(ClearsignError::LineTooLong { line: line_number });
        }
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(byte) = content.iter().find(|b| b.is_ascii_control() && **b != b'\t') {
            return Err(ClearsignError::Control { line: line_number, byte: *byte });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n";

    fn message(text: &str) -> String {
        format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n{SIGNATURE}")
    }

    fn split(file: &str) -> Result<ClearSigned, ClearsignError> {
        ClearSigned::split(file.as_bytes())
    }

    #[test]
    fn what_is_verified_is_what_is_parsed() {
        let check = |file: &str, canonical: &str, text: &str| {
            let found = split(file).unwrap();
            assert_eq!(found.canonical, canonical.as_bytes());
            assert_eq!(found.text(), text.as_bytes());
            assert_eq!(found.signatures, b"hello".repeat(file.matches("BEGIN PGP SIGNATURE").count()));
        };
        check(&message("A: 1\nB: 2"), "A: 1\r\nB: 2", "A: 1\nB: 2\n");
        check(&message("A: 1 \t\n- -B: 2\n- \n- C"), "A: 1\r\n-B: 2\r\n\r\nC", "A: 1\n-B: 2\n\nC\n");
        check(&message("A: 1").replace('\n', "\r\n"), "A: 1", "A: 1\n");
        check(&message("\nA: 1\n"), "\r\nA: 1\r\n", "\nA: 1\n\n");
        check(&(message("A: 1") + SIGNATURE + "\n \n"), "A: 1", "A: 1\n");
        check(&message("A: 1").replace("SIGNED MESSAGE-----", "SIGNED MESSAGE----- \t"), "A: 1", "A: 1\n");
        check(&message("A: 1").replace("Hash: SHA512\n", ""), "A: 1", "A: 1\n");
        check(message("A: 1").trim_end(), "A: 1", "A: 1\n");
    }

    #[test]
    fn one_message_and_nothing_else() {
        use ClearsignError as E;
        let good = message("A: 1");
        let cases = [
            (String::new(), E::Empty),
            ("A: 1\n".to_owned(), E::NotSigned),
            (SIGNATURE.to_owned(), E::NotSigned),
            (format!(" {good}"), E::NotSigned),
            (format!("A: 0\n{good}"), E::UnsignedBefore),
            (format!("\n{good}"), E::UnsignedBefore),
            (format!("{good}A: 2\n"), E::UnsignedAfter { line: 9 }),
            (format!("{good}{good}"), E::SecondMessage { line: 9 }),
            (good.replace("Hash: SHA512", "Comment: x"), E::Header { line: 2 }),
            (good.replace("Hash: SHA512\n\n", ""), E::Header { line: 2 }),
            (good.replace("A: 1", "A: 1\n-x"), E::Dash { line: 5, start: b"-x".to_vec() }),
            (good.replace("-----BEGIN PGP SIGNATURE-----\n", ""), E::Dash { line: 7, start: END_SIGNATURE.to_vec() }),
            (
                good.replace("-----BEGIN PGP SIGNATURE", " -----BEGIN PGP SIGNATURE"),
                E::Dash { line: 8, start: END_SIGNATURE.to_vec() },
            ),
            (good.replace("-----END PGP SIGNATURE-----", ""), E::Armor(ArmorError::Unclosed)),
            (good.split_once("-----BEGIN PGP SIGNATURE").unwrap().0.to_owned(), E::Unclosed),
            (good.replace("A: 1", "A:\x0c1"), E::Control { line: 4, byte: 12 }),
            (good.replace("A: 1", "A:\r1"), E::Control { line: 4, byte: 13 }),
            (good.replace("A: 1", "A:\x001"), E::Control { line: 4, byte: 0 }),
            (good.replace("A: 1", &"A".repeat(MAX_LINE + 1)), E::LineTooLong { line: 4 }),
            ("A".repeat(MAX_FILE + 1), E::TooLarge { size: MAX_FILE + 1, limit: MAX_FILE }),
        ];
        for (file, expected) in cases {
            assert_eq!(split(&file).unwrap_err(), expected, "{}", Escaped(&file.as_bytes()[..file.len().min(400)]));
        }
    }

    #[test]
    fn detached_signatures_stand_alone() {
        let read = |file: &str| detached_signatures(file.as_bytes());
        assert_eq!(read(&SIGNATURE.repeat(2)).unwrap(), b"hellohello");
        assert_eq!(read(&format!("payload\n{SIGNATURE}")).unwrap_err(), ClearsignError::NotASignature { line: 1 });
        assert_eq!(read(&format!("{SIGNATURE}payload\n")).unwrap_err(), ClearsignError::NotASignature { line: 5 });
        assert_eq!(read("\n").unwrap_err(), ClearsignError::NotSigned);
        assert_eq!(read("").unwrap_err(), ClearsignError::Empty);
        assert_eq!(read(&message("A: 1")).unwrap_err(), ClearsignError::NotASignature { line: 1 });
    }

    proptest! {
        #[test]
        fn any_file_is_split_or_refused(parts in proptest::collection::vec(prop_oneof![
            Just("\n".to_owned()), Just("- ".to_owned()), Just("-----BEGIN PGP SIGNED MESSAGE-----\n".to_owned()),
            Just("Hash: SHA512\n\n".to_owned()), Just(SIGNATURE.to_owned()), "[ -~\r\t]{0,9}\n",
        ], 0..12)) {
            if let Ok(found) = split(&parts.concat()) {
                // Every line of the text is one of the file, and no signature is without its block.
                prop_assert!(!found.canonical.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r'));
                prop_assert!(found.text().iter().all(|b| *b != b'\r'));
                prop_assert!(!found.signatures.is_empty());
            }
        }

        #[test]
        fn any_text_survives_being_signed(text in proptest::collection::vec("[ -~]{0,12}", 1..8)) {
            let escaped: Vec<String> = text.iter().map(|line| format!("- {line}")).collect();
            let found = split(&message(&escaped.join("\n"))).unwrap();
            let trimmed: Vec<&str> = text.iter().map(|line| line.trim_end_matches(' ')).collect();
            prop_assert_eq!(found.text(), format!("{}\n", trimmed.join("\n")).into_bytes());
        }
    }
}
