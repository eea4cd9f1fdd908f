//! Licences as documents have them: expressions that every reader understands, and the texts that they refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use spdx::{Expression, ParseMode};

use super::identifier::NOASSERTION;
use crate::inventory::Inventory;

/// Old documents have names that the list has given up since, and readers still know them.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
const REFERENCE: &str = "LicenseRef-";

/// The expressions of an inventory, each checked once.
#[derive(Debug)]
pub(super) struct Expressions<'a> {
    valid: BTreeSet<&'a str>,
    texts: BTreeMap<&'a str, &'a str>,
}

/// A licence that the SPDX list does not have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extracted<'a> {
    license_id: &'a str,
    extracted_text: &'a str,
}

impl<'a> Expressions<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Self {
        let licences = inventory.packages.iter().map(|package| &package.licences);
        let all: BTreeSet<&str> =
            licences.flat_map(|of| [of.declared.as_deref(), of.concluded.as_deref()]).flatten().collect();
        let known = inventory.licence_texts.iter().filter(|(name, text)| is_reference(name) && !text.is_empty());
        let mut texts: BTreeMap<&str, &str> = known.map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mut valid = BTreeSet::new();
        for expression in all {
            if let Some(references) = references(expression) {
                valid.insert(expression);
                // Each name needs an entry, and its text can be unknown where the expression came out of a document.
                for name in references {
                    texts.entry(name).or_insert(NOASSERTION);
                }
            }
        }
        Self { valid, texts }
    }

    /// An expression as it may be written. What is none, a document had.
    pub(super) fn checked(&self, expression: Option<&'a str>) -> &'a str {
        expression.filter(|expression| self.valid.contains(expression)).unwrap_or(NOASSERTION)
    }

    /// The licences that expressions refer to, by name.
    pub(super) fn extracted(&self) -> impl Iterator<Item = Extracted<'a>> + use<'a, '_> {
        self.texts.iter().map(|(license_id, extracted_text)| Extracted { license_id, extracted_text })
    }
}

/// Whether a text is an expression that a document can have.
pub(super) fn is_valid(expression: &str) -> bool {
    references(expression).is_some()
}

/// The references in an expression; none where it is no expression, or has what this version of SPDX does not.
fn references(expression: &str) -> Option<BTreeSet<&str>> {
    let parsed = Expression::parse_mode(expression, MODE).ok()?;
    let carried = parsed.requirements().all(|one| {
        let here = match &one.req.license {
            spdx::LicenseItem::Spdx { .. } => true,
            spdx::LicenseItem::Other(reference) => reference.doc_ref.is_none(),
        };
        here && !matches!(one.req.addition, Some(spdx::AdditionItem::Other(_)))
    });
    let words = expression.split(|c: char| c.is_whitespace() || "()".contains(c));
    carried.then(|| words.filter(|word| word.starts_with(REFERENCE)).collect())
}

fn is_reference(name: &str) -> bool {
    let id = name.strip_prefix(REFERENCE).unwrap_or_default();
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expressions_are_written() {
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-2.0", true),
            ("(GPL-2.0-or-later WITH Bison-exception-2.2 OR MIT) AND LicenseRef-a.b-c", true),
            ("", false),
            ("Expat", false),
            ("MIT, BSD", false),
            ("DocumentRef-x:LicenseRef-y", false),
            ("MIT WITH AdditionRef-x", false),
            ("LicenseRef-\u{1b}[31m", false),
        ] {
            assert_eq!(is_valid(expression), expected, "{expression}");
        }
    }

    #[test]
    fn each_reference_has_an_entry() {
        let mut inventory = crate::sample::hostile();
        inventory.packages[3].licences.concluded = Some("(LicenseRef-gone) OR MIT".into());
        let names: Vec<&str> = Expressions::of(&inventory).extracted().map(|one| one.license_id).collect();
        assert_eq!(names, [crate::sample::LICENCE_REF, "LicenseRef-gone"]);
    }
}
