//! Tables with fixed keys.

use std::ops::Range;

use toml::de::DeTable;

use crate::nearest::nearest;
use crate::problems::Problems;
use crate::value::{Value, dotted};
use crate::value_problem::ValueProblem;

/// The keys of a table.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// Those that this version understands.
    pub known: &'static [&'static str],
    /// Those that are known from elsewhere, and that no version will do what they say.
    pub never: &'static [&'static str],
    /// Why no version will, as the end of a sentence.
    pub why_never: &'static str,
}

impl Keys {
    /// These keys alone.
    #[must_use]
    pub const fn all(known: &'static [&'static str]) -> Self {
        Self { known, never: &[], why_never: "" }
    }
}

/// A table with fixed keys.
#[derive(Debug)]
pub struct Section<'r, 'i> {
    /// The table's name with those above it; empty for the top.
    pub name: String,
    /// The bytes of the text that it takes.
    pub span: Range<usize>,
    table: &'r DeTable<'i>,
}

impl<'r, 'i> Section<'r, 'i> {
    /// Opens a table, and reports the keys that do not belong into it.
    pub(crate) fn open<K: From<ValueProblem> + PartialEq>(
        name: String,
        span: Range<usize>,
        table: &'r DeTable<'i>,
        keys: Keys,
        problems: &mut Problems<'_, K>,
    ) -> Self {
        for key in table.keys() {
            let text: &str = key.get_ref();
            if keys.known.contains(&text) {
                continue;
            }
            let kind = if keys.never.contains(&text) {
                ValueProblem::Never { key: dotted(&name, text), why: keys.why_never }
            } else {
                let nearest = nearest(text, keys.known.iter().copied());
                ValueProblem::UnknownKey { table: problems.table(&name), key: text.to_owned(), nearest }
            };
            problems.add(key.span(), kind);
        }
        Self { name, span, table }
    }

    /// The value under a key, if it is there.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<Value<'r, 'i>> {
        Some(Value::new(dotted(&self.name, key), self.table.get(key)?))
    }

    /// The value under a key that must be there.
    pub fn required<K: From<ValueProblem> + PartialEq>(
        &self,
        key: &'static str,
        problems: &mut Problems<'_, K>,
    ) -> Option<Value<'r, 'i>> {
        let value = self.value(key);
        if value.is_none() {
            let table = problems.table(&self.name);
            problems.add(self.span.clone(), ValueProblem::MissingKey { table, key });
        }
        value
    }

    /// The one of some keys that is there; reports where it is not exactly one.
    pub fn exactly_one<K: From<ValueProblem> + PartialEq>(
        &self,
        choices: &'static [&'static str],
        problems: &mut Problems<'_, K>,
    ) -> Option<&'static str> {
        let found: Vec<&'static str> = choices.iter().copied().filter(|key| self.value(key).is_some()).collect();
        if let [only] = found.as_slice() {
            return Some(only);
        }
        let table = problems.table(&self.name);
        problems.add(self.span.clone(), ValueProblem::NotExactlyOne { table, choices, found });
        None
    }
}
