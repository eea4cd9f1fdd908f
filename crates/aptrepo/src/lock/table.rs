//! Reads the values of a TOML document strictly: the first fault ends it, with its place.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{LockError, LockFault};
use super::write::key as written_key;

/// A value, with the key that leads to it and the text for finding its line.
#[derive(Clone)]
pub(super) struct Value<'r, 'i> {
    text: &'r str,
    key: String,
    span: Range<usize>,
    written: &'r DeValue<'i>,
}

/// A table of which only known keys are left.
pub(super) struct Table<'r, 'i> {
    text: &'r str,
    key: String,
    span: Range<usize>,
    written: &'r DeTable<'i>,
}

/// Parses a document. `document` is where its values are kept meanwhile.
pub(super) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, LockError> {
    DeTable::parse(text).map_err(|error| {
        let (line, column) = place(text, error.span().map_or(text.len(), |span| span.start));
        LockError::Syntax { line, column, message: error.message().to_owned() }
    })
}

/// The table at the top of a document.
pub(super) fn top<'r, 'i>(text: &'r str, document: &'r Spanned<DeTable<'i>>) -> Table<'r, 'i> {
    Table { text, key: String::new(), span: document.span(), written: document.get_ref() }
}

/// Line and column of a byte, both from 1; the column counts characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn error(text: &str, at: usize, key: String, fault: LockFault) -> LockError {
    let (line, column) = place(text, at);
    LockError::Content { line, column, key, fault }
}

impl<'r, 'i> Table<'r, 'i> {
    /// Refuses other keys than these.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, LockError> {
        for key in self.written.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                return Err(error(self.text, key.span().start, self.below(name), LockFault::UnknownKey));
            }
        }
        Ok(self)
    }

    /// The value of a key that may be missing.
    pub(super) fn optional(&self, key: &str) -> Option<Value<'r, 'i>> {
        let value = self.written.get(key)?;
        Some(Value { text: self.text, key: self.below(key), span: value.span(), written: value.get_ref() })
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &'static str) -> Result<Value<'r, 'i>, LockError> {
        self.optional(key).ok_or_else(|| self.fault(LockFault::MissingKey { key }))
    }

    /// All keys, each with its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'r str, Value<'r, 'i>)> {
        self.written.iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            (name, Value { text: self.text, key: self.below(name), span: value.span(), written: value.get_ref() })
        })
    }

    /// A fault of the table as a whole.
    pub(super) fn fault(&self, fault: LockFault) -> LockError {
        error(self.text, self.span.start, self.key.clone(), fault)
    }

    fn below(&self, key: &str) -> String {
        let key = written_key(key);
        if self.key.is_empty() { key } else { format!("{}.{key}", self.key) }
    }
}

impl<'r, 'i> Value<'r, 'i> {
    /// A string.
    pub(super) fn string(&self) -> Result<&'r str, LockError> {
        self.written.as_str().ok_or_else(|| self.wrong_type("a string"))
    }

    /// A string that a type reads, and shows as it was written: there is one way to say a thing.
    pub(super) fn parse<T: FromStr + Display>(&self, expected: &'static str) -> Result<T, LockError> {
        let text = self.string()?;
        text.parse().ok().filter(|value: &T| value.to_string() == text).ok_or_else(|| self.malformed(text, expected))
    }

    /// A string that a test lets through.
    pub(super) fn checked(&self, expected: &'static str, fits: impl Fn(&str) -> bool) -> Result<String, LockError> {
        let text = self.string()?;
        if fits(text) { Ok(text.to_owned()) } else { Err(self.malformed(text, expected)) }
    }

    pub(super) fn is_string(&self) -> bool {
        self.written.is_str()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, LockError> {
        self.written.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// An integer, in decimal digits.
    pub(super) fn integer<T: TryFrom<i64>>(&self, expected: &'static str) -> Result<T, LockError> {
        let written = self.written.as_integer().ok_or_else(|| self.wrong_type(expected))?;
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        number.and_then(|n| T::try_from(n).ok()).ok_or_else(|| self.malformed(written.as_str(), expected))
    }

    /// The elements of an array, named by their number from 0.
    pub(super) fn elements(&self) -> Result<Vec<Self>, LockError> {
        let array = self.written.as_array().ok_or_else(|| self.wrong_type("an array"))?;
        let element = |(n, value): (usize, &'r Spanned<DeValue<'i>>)| Self {
            text: self.text,
            key: format!("{}[{n}]", self.key),
            span: value.span(),
            written: value.get_ref(),
        };
        Ok(array.iter().enumerate().map(element).collect())
    }

    /// An array, each element read by `read`.
    pub(super) fn list<T, C: FromIterator<T>>(
        &self,
        read: impl FnMut(&Self) -> Result<T, LockError>,
    ) -> Result<C, LockError> {
        self.elements()?.iter().map(read).collect()
    }

    /// A table.
    pub(super) fn table(&self) -> Result<Table<'r, 'i>, LockError> {
        let written = self.written.as_table().ok_or_else(|| self.wrong_type("a table"))?;
        Ok(Table { text: self.text, key: self.key.clone(), span: self.span.clone(), written })
    }

    /// A fault of this value.
    pub(super) fn fault(&self, fault: LockFault) -> LockError {
        error(self.text, self.span.start, self.key.clone(), fault)
    }

    /// This value has no meaning.
    pub(super) fn malformed(&self, found: &str, expected: &'static str) -> LockError {
        self.fault(LockFault::Malformed { found: found.chars().take(128).collect(), expected })
    }

    fn wrong_type(&self, expected: &'static str) -> LockError {
        self.malformed(self.written.type_str(), expected)
    }
}
