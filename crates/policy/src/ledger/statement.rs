//! A ledger as the predicate of a statement: an object, since predicates are objects.

use serde::{Deserialize, Serialize};

use super::text::check;
use super::{Entry, Ledger, LedgerErrorKind, MAX_LEDGER_ENTRIES};

/// The name of the form of the predicate.
pub const LEDGER: &str = "distil.ledger/v1";

/// Why a predicate is no ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not an object of this form.
    #[error("the predicate is no ledger")]
    Form(#[from] serde_json::Error),
    /// Another version of the form.
    #[error("the predicate is a ledger of the form \"{}\", which is not known", distil_imgcore::Escaped(.0.as_bytes()))]
    Schema(String),
    /// An entry that cannot be, or one too many.
    #[error("entry {number} of the ledger {kind}")]
    Entry {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        kind: LedgerErrorKind,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate<E> {
    schema: String,
    entries: E,
}

impl Ledger {
    /// Reads what [`Ledger::to_predicate`] wrote. Whoever reads it has verified who signed it.
    ///
    /// # Errors
    /// [`StatementError`] with the entry that is wrong.
    pub fn from_predicate(predicate: &str) -> Result<Self, StatementError> {
        let Predicate::<Vec<Entry>> { schema, entries } = serde_json::from_str(predicate)?;
        if schema != LEDGER {
            return Err(StatementError::Schema(schema));
        }
        for (index, entry) in entries.iter().enumerate() {
            let wrong = |kind| StatementError::Entry { number: index + 1, kind };
            if index == MAX_LEDGER_ENTRIES {
                return Err(wrong(LedgerErrorKind::TooLarge));
            }
            check(entry).map_err(wrong)?;
        }
        Ok(Self::new(entries))
    }

    /// The predicate of a statement that has this ledger: `{"schema": "distil.ledger/v1", "entries": […]}`, sorted, so that the
    /// same ledger is the same statement.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "entries are always JSON")]
    pub fn to_predicate(&self) -> String {
        let predicate = Predicate { schema: LEDGER.to_owned(), entries: self.entries() };
        serde_json::to_string(&predicate).expect("all members have names and are texts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"release":"bookworm","source":"zlib","id":"CVE-2026-0001","first-seen":"2026-01-10","first-fixable":null,"last-seen":"2026-02-03","severity-at-first-seen":"high"}"#;

    fn predicate(schema: &str, entries: &str) -> String {
        format!(r#"{{"schema":"{schema}","entries":[{entries}]}}"#)
    }

    #[test]
    fn a_ledger_is_the_same_as_lines_and_as_a_predicate() {
        let ledger = Ledger::parse(format!("{LINE}\n{}", LINE.replace("zlib", "abc")).as_bytes()).unwrap();
        let written = ledger.to_predicate();
        assert_eq!(written, predicate(LEDGER, &format!("{},{LINE}", LINE.replace("zlib", "abc"))));
        assert_eq!(Ledger::from_predicate(&written).unwrap(), ledger);
        assert_eq!(Ledger::from_predicate(&Ledger::default().to_predicate()).unwrap(), Ledger::default());
    }

    #[test]
    fn what_is_no_ledger_is_refused() {
        for text in ["", "[]", "{}", &predicate(LEDGER, "1"), &predicate(LEDGER, "{}")] {
            assert!(matches!(Ledger::from_predicate(text), Err(StatementError::Form(_))), "{text}");
        }
        let newer = predicate("distil.ledger/v2", LINE);
        assert!(matches!(Ledger::from_predicate(&newer), Err(StatementError::Schema(found)) if found.ends_with("v2")));
        let backwards = predicate(LEDGER, &format!("{LINE},{}", LINE.replace("2026-02-03", "2025-02-03")));
        assert!(matches!(
            Ledger::from_predicate(&backwards),
            Err(StatementError::Entry { number: 2, kind: LedgerErrorKind::Order })
        ));
    }

    #[test]
    fn ledgers_join_to_the_earliest_beginning() {
        let of = |text: &str| Ledger::parse(text.as_bytes()).unwrap();
        let (one, two) = (of(LINE), of(&LINE.replace("2026-01-10", "2026-01-05").replace("2026-02-03", "2026-01-06")));
        for joined in [one.joined(&two), two.joined(&one)] {
            assert_eq!(joined.to_text(), LINE.replace("2026-01-10", "2026-01-05") + "\n");
        }
        assert_eq!(one.joined(&Ledger::default()), one);
    }
}
