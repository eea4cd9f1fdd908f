//! A ledger as a file: JSON Lines, sorted, so that a version control system shows what came and what went.

use super::{Entry, Ledger};

/// Bytes of a ledger that is read.
pub const MAX_LEDGER: usize = 64 << 20;
/// Entries of a ledger that is read.
pub const MAX_LEDGER_ENTRIES: usize = 500_000;
/// Bytes of a line of a ledger that is read.
pub const MAX_LEDGER_LINE: usize = 4096;

/// Why a text is no ledger.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the ledger {kind}")]
pub struct LedgerError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub kind: LedgerErrorKind,
}

/// What is wrong with a line of a ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerErrorKind {
    /// The whole text is longer than [`MAX_LEDGER`], or has more entries than [`MAX_LEDGER_ENTRIES`].
    #[error("is one too many: it has at most {MAX_LEDGER_ENTRIES} lines and {MAX_LEDGER} bytes")]
    TooLarge,
    /// The line is longer than [`MAX_LEDGER_LINE`].
    #[error("has more than {MAX_LEDGER_LINE} bytes")]
    TooLong,
    /// The line is not an entry.
    #[error("is no entry")]
    Malformed(#[source] serde_json::Error),
    /// The days contradict each other.
    #[error("was seen last before it was seen first")]
    Order,
    /// Without a package and a vulnerability it is about nothing.
    #[error("names no source package or no vulnerability")]
    Nameless,
}

impl Ledger {
    /// Reads JSON Lines, in any order; empty lines count as nothing.
    ///
    /// # Errors
    /// [`LedgerError`] with the line.
    pub fn parse(text: &[u8]) -> Result<Self, LedgerError> {
        let error = |line: usize, kind| LedgerError { line: line + 1, kind };
        if text.len() > MAX_LEDGER {
            return Err(error(0, LedgerErrorKind::TooLarge));
        }
        let mut entries = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            if line.len() > MAX_LEDGER_LINE {
                return Err(error(number, LedgerErrorKind::TooLong));
            }
            if entries.len() == MAX_LEDGER_ENTRIES {
                return Err(error(number, LedgerErrorKind::TooLarge));
            }
            entries.push(entry(line).map_err(|kind| error(number, kind))?);
        }
        Ok(Self::new(entries))
    }

    /// Writes JSON Lines, one for each entry, sorted.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "entries are always JSON")]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            text.push_str(&serde_json::to_string(entry).expect("all members have names and are texts"));
            text.push('\n');
        }
        text
    }
}

fn entry(line: &[u8]) -> Result<Entry, LedgerErrorKind> {
    let entry: Entry = serde_json::from_slice(line).map_err(LedgerErrorKind::Malformed)?;
    check(&entry).map(|()| entry)
}

/// Whether an entry can be true.
pub(super) fn check(entry: &Entry) -> Result<(), LedgerErrorKind> {
    if entry.last_seen < entry.first_seen {
        return Err(LedgerErrorKind::Order);
    }
    if entry.key.source.is_empty() || entry.key.id.is_empty() {
        return Err(LedgerErrorKind::Nameless);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = r#"{"release":"bookworm","source":"zlib","id":"CVE-2026-0001","first-seen":"2026-01-10","first-fixable":null,"last-seen":"2026-02-03","severity-at-first-seen":"high"}"#;

    fn refused(text: &str) -> (usize, String) {
        let error = Ledger::parse(text.as_bytes()).unwrap_err();
        (error.line, error.kind.to_string())
    }

    #[test]
    fn what_is_read_is_written_again_sorted() {
        let other = LINE.replace("zlib", "abc");
        let ledger = Ledger::parse(format!("{LINE}\r\n\n{other}\n{LINE}").as_bytes()).unwrap();
        assert_eq!(ledger.to_text(), format!("{other}\n{LINE}\n"));
        assert_eq!(Ledger::parse(ledger.to_text().as_bytes()).unwrap(), ledger);
        assert_eq!(Ledger::parse(b"").unwrap(), Ledger::default());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let good = format!("{LINE}\n\n");
        let malformed = [
            "x".to_owned(),
            "[]".to_owned(),
            LINE.replace("first-seen\":\"2026-01-10", "first-seen\":\"2026-02-30"),
            LINE.replace("\"high\"", "\"awful\""),
            LINE.replace("\"id\"", "\"identifier\""),
            LINE.replacen('{', r#"{"more":1,"#, 1),
            LINE.replacen('{', r#"{"id":"CVE-1","#, 1),
            format!("{}{}", "[".repeat(2000), "]".repeat(2000)),
        ];
        for line in malformed {
            assert_eq!(refused(&format!("{good}{line}\n")), (3, "is no entry".to_owned()), "{line}");
        }
        let backwards = LINE.replace("2026-02-03", "2025-02-03");
        assert_eq!(refused(&backwards).1, "was seen last before it was seen first");
        assert_eq!(refused(&LINE.replace("zlib", "")).1, "names no source package or no vulnerability");
        let long = LINE.replace("zlib", &"z".repeat(MAX_LEDGER_LINE));
        assert_eq!(refused(&format!("\n{long}")), (2, "has more than 4096 bytes".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = Ledger::parse(&bytes);
        }

        #[test]
        fn a_damaged_line_is_read_or_refused(at in 0..LINE.len(), byte in any::<u8>()) {
            let mut bytes = LINE.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(ledger) = Ledger::parse(&bytes) {
                prop_assert_eq!(Ledger::parse(ledger.to_text().as_bytes()).unwrap(), ledger);
            }
        }
    }
}
