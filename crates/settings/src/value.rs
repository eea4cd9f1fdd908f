//! Single values, each asked for what it should be.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use serde_spanned::Spanned;
use toml::de::DeValue;
use toml::value::Date;

use crate::nearest::nearest;
use crate::place::Place;
use crate::problems::Problems;
use crate::section::{Keys, Section};
use crate::value_problem::ValueProblem;

/// A value, with the key that leads to it.
#[derive(Debug, Clone)]
pub struct Value<'r, 'i> {
    /// The key with its tables, as messages name it.
    pub key: String,
    /// The bytes of the text that it takes.
    pub span: Range<usize>,
    written: &'r DeValue<'i>,
}

/// A value under a key that the user chose.
#[derive(Debug)]
pub struct Named<'r, 'i> {
    /// The key.
    pub name: &'r str,
    /// The place of the key.
    pub span: Range<usize>,
    /// The value.
    pub value: Value<'r, 'i>,
}

impl<'r, 'i> Value<'r, 'i> {
    pub(crate) fn new(key: String, value: &'r Spanned<DeValue<'i>>) -> Self {
        Self { key, span: value.span(), written: value.get_ref() }
    }

    /// A string.
    pub fn string<K: From<ValueProblem> + PartialEq>(&self, problems: &mut Problems<'_, K>) -> Option<&'r str> {
        self.written.as_str().or_else(|| self.wrong_type("a string", problems))
    }

    /// Whether it is a string.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.written.as_str().is_some()
    }

    /// Whether it is this string.
    #[must_use]
    pub fn is_text(&self, text: &str) -> bool {
        self.written.as_str() == Some(text)
    }

    /// `true` or `false`.
    pub fn boolean<K: From<ValueProblem> + PartialEq>(&self, problems: &mut Problems<'_, K>) -> Option<bool> {
        self.written.as_bool().or_else(|| self.wrong_type("true or false", problems))
    }

    /// An integer within bounds.
    pub fn integer<K: From<ValueProblem> + PartialEq>(
        &self,
        bounds: RangeInclusive<i64>,
        problems: &mut Problems<'_, K>,
    ) -> Option<i64> {
        let Some(written) = self.written.as_integer() else { return self.wrong_type("an integer", problems) };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        number.filter(|n| bounds.contains(n)).or_else(|| {
            self.problem(problems, |key| ValueProblem::OutOfRange {
                key,
                found: written.to_string(),
                min: *bounds.start(),
                max: *bounds.end(),
            })
        })
    }

    /// A date alone, as in 2027-01-31, without quotation marks.
    pub fn date<K: From<ValueProblem> + PartialEq>(&self, problems: &mut Problems<'_, K>) -> Option<Date> {
        let Some(written) = self.written.as_datetime() else { return self.wrong_type("a date", problems) };
        match (written.date, written.time, written.offset) {
            (Some(date), None, None) => Some(date),
            _ => self.malformed(&written.to_string(), "a date alone, as in 2027-01-31", problems),
        }
    }

    /// The elements of an array, named by their number from 0.
    pub fn elements<K: From<ValueProblem> + PartialEq>(
        &self,
        problems: &mut Problems<'_, K>,
    ) -> Option<Vec<Value<'r, 'i>>> {
        let Some(array) = self.written.as_array() else { return self.wrong_type("an array", problems) };
        let element = |(n, value)| Value::new(format!("{}[{n}]", self.key), value);
        Some(array.iter().enumerate().map(element).collect())
    }

    /// Whether it is an array of nothing.
    #[must_use]
    pub fn is_empty_array(&self) -> bool {
        self.written.as_array().is_some_and(|array| array.is_empty())
    }

    /// An array of strings, each read by `parse`; what `parse` refuses is left out, and the whole is still given, so
    /// that later mistakes are found, too.
    pub fn list<T, K: From<ValueProblem> + PartialEq>(
        &self,
        problems: &mut Problems<'_, K>,
        mut parse: impl FnMut(&Self, &'r str, &mut Problems<'_, K>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = self.elements(problems)?;
        let read = |value: Self| value.string(problems).and_then(|text| parse(&value, text, problems));
        Some(elements.into_iter().filter_map(read).collect())
    }

    /// A table with fixed keys; whatever else it holds is reported here.
    pub fn section<K: From<ValueProblem> + PartialEq>(
        &self,
        keys: Keys,
        problems: &mut Problems<'_, K>,
    ) -> Option<Section<'r, 'i>> {
        let Some(table) = self.written.as_table() else { return self.wrong_type("a table", problems) };
        Some(Section::open(self.key.clone(), self.span.clone(), table, keys, problems))
    }

    /// A table whose keys the user chooses: each key with its place, and its value.
    pub fn entries<K: From<ValueProblem> + PartialEq>(
        &self,
        problems: &mut Problems<'_, K>,
    ) -> Option<Vec<Named<'r, 'i>>> {
        let Some(table) = self.written.as_table() else { return self.wrong_type("a table", problems) };
        let named = |(name, value): (&'r Spanned<_>, &'r Spanned<DeValue<'i>>)| {
            let text: &Cow<'i, str> = name.get_ref();
            Named { name: text, span: name.span(), value: Value::new(dotted(&self.key, text), value) }
        };
        Some(table.iter().map(named).collect())
    }

    /// One of a few words.
    pub fn choice<T: Copy, K: From<ValueProblem> + PartialEq>(
        &self,
        words: &'static [&'static str],
        values: &[T],
        problems: &mut Problems<'_, K>,
    ) -> Option<T> {
        let text = self.string(problems)?;
        self.one_of(text, words, values, problems)
    }

    /// What one of a few words stands for, where this value is, or has to do with, `text`.
    pub fn one_of<T: Copy, K: From<ValueProblem> + PartialEq>(
        &self,
        text: &str,
        words: &'static [&'static str],
        values: &[T],
        problems: &mut Problems<'_, K>,
    ) -> Option<T> {
        let known = words.iter().zip(values).find(|(word, _)| **word == text);
        known.map(|(_, value)| *value).or_else(|| {
            let nearest = nearest(text, words.iter().copied());
            let found = text.to_owned();
            self.problem(problems, |key| ValueProblem::NotOneOf { key, found, allowed: words, nearest })
        })
    }

    /// Where it stands, for those who find out later what is wrong with it.
    #[must_use]
    pub fn place<K: PartialEq>(&self, problems: &Problems<'_, K>) -> Place {
        let (line, column) = problems.line_and_column(self.span.start);
        Place { key: self.key.clone(), span: self.span.clone(), line, column }
    }

    /// Reports a value that has no meaning. Always `None`, so that it can end a chain.
    pub fn malformed<T, K: From<ValueProblem> + PartialEq>(
        &self,
        found: &str,
        expected: &'static str,
        problems: &mut Problems<'_, K>,
    ) -> Option<T> {
        self.problem(problems, |key| ValueProblem::Malformed { key, found: found.to_owned(), expected })
    }

    /// Reports a mistake in this value. Always `None`, so that it can end a chain.
    pub fn problem<T, K: PartialEq, P: Into<K>>(
        &self,
        problems: &mut Problems<'_, K>,
        kind: impl FnOnce(String) -> P,
    ) -> Option<T> {
        problems.add(self.span.clone(), kind(self.key.clone()));
        None
    }

    fn wrong_type<T, K: From<ValueProblem> + PartialEq>(
        &self,
        expected: &'static str,
        problems: &mut Problems<'_, K>,
    ) -> Option<T> {
        let found = match self.written {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.problem(problems, |key| ValueProblem::WrongType { key, expected, found })
    }
}

/// A key below a table, quoted where TOML wants it.
pub(crate) fn dotted(table: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let key = if bare { key.to_owned() } else { format!("\"{key}\"") };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}
