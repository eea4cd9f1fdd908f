//! Expressions of licences that may stand in a document.

use spdx::{Expression, ParseMode};

/// What names of licences start with that SPDX has no name for.
pub(super) const REFERENCE: &str = "LicenseRef-";
/// Old documents have names that the list has given up since, and readers still know them.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// Whether a text is an expression.
pub(super) fn is_valid(text: &str) -> bool {
    Expression::parse_mode(text, MODE).is_ok()
}

/// The names in an expression that stand for texts of their own.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\r', '(', ')']).filter(|word| word.starts_with(REFERENCE))
}
