//! Expressions of licences that may stand in a document.

use spdx::{AdditionItem, Expression, LicenseItem, ParseMode};

/// What names of licences start with that SPDX has no name for.
pub(crate) const REFERENCE: &str = "LicenseRef-";

/// Old documents have names that the list has given up since, and readers still know them.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// Whether a text is an expression that every format has and that needs no other document: no `DocumentRef-…`, and no
/// `AdditionRef-…`, which SPDX 2.3 does not know.
pub(crate) fn is_valid(text: &str) -> bool {
    Expression::parse_mode(text, MODE).is_ok_and(|expression| {
        expression.requirements().all(|one| {
            let is_here = match &one.req.license {
                LicenseItem::Spdx { .. } => true,
                LicenseItem::Other(reference) => reference.doc_ref.is_none(),
            };
            is_here && !matches!(one.req.addition, Some(AdditionItem::Other(_)))
        }) && references(text).all(is_reference)
    })
}

/// Whether a text is the name of a licence that SPDX has no name for.
pub(crate) fn is_reference(name: &str) -> bool {
    let id = name.strip_prefix(REFERENCE).unwrap_or_default();
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

/// The names in an expression that stand for texts of their own, as often as they are there.
pub(crate) fn references(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    words.filter(|word| word.starts_with(REFERENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[&str]>) {
        let found: Option<Vec<&str>> = is_valid(text).then(|| references(text).collect());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn only_expressions_are_valid() {
        check("MIT", Some(&[]));
        check("GPL-2.0", Some(&[]));
        check("(GPL-2.0-or-later WITH Bison-exception-2.2 OR MIT) AND LicenseRef-a.b-c", Some(&["LicenseRef-a.b-c"]));
        check(
            "(LicenseRef-b OR LicenseRef-a)\tAND (LicenseRef-b)",
            Some(&["LicenseRef-b", "LicenseRef-a", "LicenseRef-b"]),
        );
        for text in ["", " ", "Expat", "MIT, BSD", "MIT OR (ISC", "LicenseRef-", "LicenseRef-\u{1b}[31m"] {
            check(text, None);
        }
    }

    #[test]
    fn nothing_is_referred_to_that_a_document_does_not_have() {
        check("DocumentRef-x:LicenseRef-y", None);
        check("MIT AND DocumentRef-x:LicenseRef-y", None);
        check("MIT WITH AdditionRef-x", None);
    }
}
