//! Reads the values of a TOML document one by one, keeping the place of each, and collects what is wrong instead of
//! stopping at it: a reader of the messages can repair everything in one go.

use std::ops::{Range, RangeInclusive};

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, ProblemKind};

/// The mistakes found so far.
pub(super) struct Problems<'t> {
    lines: Lines<'t>,
    found: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { lines: Lines::new(text), found: Vec::new() }
    }

    pub(super) fn add(&mut self, span: Range<usize>, kind: ProblemKind) {
        let (line, column) = self.lines.place(span.start);
        self.found.push(Problem { span, line, column, kind });
    }

    /// All mistakes in the order of the text, each once.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|p| (p.span.start, p.span.end));
        self.found.dedup();
        self.found
    }
}

/// A text whose lines are known.
struct Lines<'t> {
    text: &'t str,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// The keys of a table.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Those that this version understands.
    pub(super) known: &'static [&'static str],
    /// Those that are known from elsewhere, and that no version will do what they say.
    pub(super) never: &'static [&'static str],
}

impl Keys {
    pub(super) const fn all(known: &'static [&'static str]) -> Self {
        Self { known, never: &[] }
    }
}

/// A value, with the key that leads to it.
#[derive(Clone)]
pub(super) struct Value<'r, 'i> {
    /// The key with its tables, as messages name it.
    pub(super) key: String,
    pub(super) span: Range<usize>,
    written: &'r DeValue<'i>,
}

impl<'r, 'i> Value<'r, 'i> {
    /// A string.
    pub(super) fn string(&self, problems: &mut Problems<'_>) -> Option<&'r str> {
        self.written.as_str().or_else(|| self.wrong_type("a string", problems))
    }

    pub(super) fn is_string(&self) -> bool {
        self.written.as_str().is_some()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, problems: &mut Problems<'_>) -> Option<bool> {
        self.written.as_bool().or_else(|| self.wrong_type("true or false", problems))
    }

    /// An integer within bounds.
    pub(super) fn integer(&self, bounds: RangeInclusive<i64>, problems: &mut Problems<'_>) -> Option<i64> {
        let Some(written) = self.written.as_integer() else { return self.wrong_type("an integer", problems) };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        number.filter(|n| bounds.contains(n)).or_else(|| {
            self.problem(problems, |key| ProblemKind::OutOfRange {
                key,
                found: written.to_string(),
                min: *bounds.start(),
                max: *bounds.end(),
            })
        })
    }

    /// The elements of an array, named by their number from 0.
    pub(super) fn elements(&self, problems: &mut Problems<'_>) -> Option<Vec<Value<'r, 'i>>> {
        let Some(array) = self.written.as_array() else { return self.wrong_type("an array", problems) };
        let element = |(n, value): (usize, &'r Spanned<DeValue<'i>>)| Value {
            key: format!("{}[{n}]", self.key),
            span: value.span(),
            written: value.get_ref(),
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    pub(super) fn is_empty_array(&self) -> bool {
        self.written.as_array().is_some_and(|array| array.is_empty())
    }

    /// An array of strings, each read by `parse`; what `parse` refuses is left out, and the whole is still given, so
    /// that later mistakes are found, too.
    pub(super) fn list<T>(
        &self,
        problems: &mut Problems<'_>,
        mut parse: impl FnMut(&Self, &'r str, &mut Problems<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = self.elements(problems)?;
        let read = |value: Self| value.string(problems).and_then(|text| parse(&value, text, problems));
        Some(elements.into_iter().filter_map(read).collect())
    }

    /// A table with fixed keys; whatever else it holds is reported here.
    pub(super) fn section(&self, keys: Keys, problems: &mut Problems<'_>) -> Option<Section<'r, 'i>> {
        let Some(table) = self.written.as_table() else { return self.wrong_type("a table", problems) };
        Some(Section::open(self.key.clone(), self.span.clone(), table, keys, problems))
    }

    /// A table whose keys the user chooses: each key with its place, and its value.
    pub(super) fn entries(&self, problems: &mut Problems<'_>) -> Option<Vec<Named<'r, 'i>>> {
        let Some(table) = self.written.as_table() else { return self.wrong_type("a table", problems) };
        let named = |(name, value): (&'r Spanned<_>, &'r Spanned<DeValue<'i>>)| {
            let text: &std::borrow::Cow<'i, str> = name.get_ref();
            let key = dotted(&self.key, text);
            Named { name: text, span: name.span(), value: Value { key, span: value.span(), written: value.get_ref() } }
        };
        Some(table.iter().map(named).collect())
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        words: &'static [&'static str],
        values: &[T],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let text = self.string(problems)?;
        let known = words.iter().zip(values).find(|(word, _)| **word == text);
        known.map(|(_, value)| *value).or_else(|| {
            let nearest = nearest(text, words.iter().copied());
            self.problem(problems, |key| ProblemKind::NotOneOf { key, found: text.to_owned(), allowed: words, nearest })
        })
    }

    /// Where it stands, for those who find out later what is wrong with it.
    pub(super) fn place(&self, problems: &Problems<'_>) -> Place {
        let (line, column) = problems.lines.place(self.span.start);
        Place { key: self.key.clone(), span: self.span.clone(), line, column }
    }

    /// Reports a value that has no meaning. Always `None`, so that it can end a chain.
    pub(super) fn malformed<T>(&self, found: &str, expected: &'static str, problems: &mut Problems<'_>) -> Option<T> {
        self.problem(problems, |key| ProblemKind::Malformed { key, found: found.to_owned(), expected })
    }

    /// Reports a mistake in this value. Always `None`, so that it can end a chain.
    pub(super) fn problem<T>(
        &self,
        problems: &mut Problems<'_>,
        kind: impl FnOnce(String) -> ProblemKind,
    ) -> Option<T> {
        problems.add(self.span.clone(), kind(self.key.clone()));
        None
    }

    fn wrong_type<T>(&self, expected: &'static str, problems: &mut Problems<'_>) -> Option<T> {
        let found = match self.written {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.problem(problems, |key| ProblemKind::WrongType { key, expected, found })
    }
}

/// A value under a key that the user chose.
pub(super) struct Named<'r, 'i> {
    pub(super) name: &'r str,
    /// The place of the key.
    pub(super) span: Range<usize>,
    pub(super) value: Value<'r, 'i>,
}

/// A table with fixed keys.
pub(super) struct Section<'r, 'i> {
    /// The table's name with those above it; empty for the top.
    pub(super) name: String,
    pub(super) span: Range<usize>,
    table: &'r DeTable<'i>,
}

impl<'r, 'i> Section<'r, 'i> {
    /// Opens a table, and reports the keys that do not belong into it.
    pub(super) fn open(
        name: String,
        span: Range<usize>,
        table: &'r DeTable<'i>,
        keys: Keys,
        problems: &mut Problems<'_>,
    ) -> Self {
        for key in table.keys() {
            let text: &str = key.get_ref();
            if keys.known.contains(&text) {
                continue;
            }
            let kind = if keys.never.contains(&text) {
                ProblemKind::Never { key: dotted(&name, text) }
            } else {
                let nearest = nearest(text, keys.known.iter().copied());
                ProblemKind::UnknownKey { table: name.clone(), key: text.to_owned(), nearest }
            };
            problems.add(key.span(), kind);
        }
        Self { name, span, table }
    }

    /// The value under a key, if it is there.
    pub(super) fn value(&self, key: &str) -> Option<Value<'r, 'i>> {
        let value = self.table.get(key)?;
        Some(Value { key: dotted(&self.name, key), span: value.span(), written: value.get_ref() })
    }

    /// The value under a key that must be there.
    pub(super) fn required(&self, key: &'static str, problems: &mut Problems<'_>) -> Option<Value<'r, 'i>> {
        let value = self.value(key);
        if value.is_none() {
            problems.add(self.span.clone(), ProblemKind::MissingKey { table: self.name.clone(), key });
        }
        value
    }
}

/// A key below a table, quoted where TOML wants it.
fn dotted(table: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let key = if bare { key.to_owned() } else { format!("\"{key}\"") };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// The known word that looks most like another one, if any looks like it at all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const ALIKE: f64 = 0.75;
    // The measure takes time by the product of the lengths, and no key is as long.
    if word.len() > 100 {
        return None;
    }
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let score = strsim::jaro_winkler(&word.to_ascii_lowercase().replace('_', "-"), candidate);
        if score >= ALIKE && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_of_its_line() {
        let lines = Lines::new("a = 1\nöö = 2\n");
        assert_eq!([0, 5, 6, 10, 15].map(|at| lines.place(at)), [(1, 1), (1, 6), (2, 1), (2, 3), (3, 1)]);
        assert_eq!(Lines::new("a").place(9), (1, 2));
        assert_eq!(Lines::new("").place(0), (1, 1));
    }

    #[test]
    fn the_nearest_word_is_one_that_looks_like_it() {
        let keys = ["entrypoint", "cmd", "exposed-ports", "env"];
        assert_eq!(nearest("entripoint", keys).as_deref(), Some("entrypoint"));
        assert_eq!(nearest("exposed_ports", keys).as_deref(), Some("exposed-ports"));
        assert_eq!(nearest("zzz", keys), None);
        assert_eq!(nearest(&"x".repeat(1000), keys), None);
    }
}
