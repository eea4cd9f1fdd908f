//! Licences as documents have them: expressions that every reader understands, and the texts that they refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::identifier::NOASSERTION;
use crate::expression;
use crate::inventory::Inventory;

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
        let known =
            inventory.licence_texts.iter().filter(|(name, text)| expression::is_reference(name) && !text.is_empty());
        let mut texts: BTreeMap<&str, &str> = known.map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mut valid = BTreeSet::new();
        for expression in all.into_iter().filter(|text| expression::is_valid(text)) {
            valid.insert(expression);
            // Each name needs an entry, and its text can be unknown where the expression came out of a document.
            for name in expression::references(expression) {
                texts.entry(name).or_insert(NOASSERTION);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reference_has_an_entry() {
        let mut inventory = crate::sample::hostile();
        inventory.packages[3].licences.concluded = Some("(LicenseRef-gone) OR MIT".into());
        let names: Vec<&str> = Expressions::of(&inventory).extracted().map(|one| one.license_id).collect();
        assert_eq!(names, [crate::sample::LICENCE_REF, "LicenseRef-gone"]);
    }
}
