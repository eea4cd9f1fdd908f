//! Mistakes are collected instead of ending the reading: a reader of the messages can repair everything in one go.

use std::ops::Range;

use crate::problem::Problem;
use crate::value_problem::Table;

/// The mistakes found so far.
#[derive(Debug)]
pub struct Problems<'t, K> {
    document: &'static str,
    lines: Lines<'t>,
    found: Vec<Problem<K>>,
}

impl<'t, K: PartialEq> Problems<'t, K> {
    pub(crate) fn new(text: &'t str, document: &'static str) -> Self {
        Self { document, lines: Lines::new(text), found: Vec::new() }
    }

    /// One more, about these bytes of the text.
    pub fn add(&mut self, span: Range<usize>, kind: impl Into<K>) {
        let (line, column) = self.line_and_column(span.start);
        self.found.push(Problem { span, line, column, kind: kind.into() });
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    #[must_use]
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        self.lines.place(offset)
    }

    /// How messages name a table of this document; its own top has no name.
    #[must_use]
    pub fn table(&self, name: &str) -> Table {
        Table { document: self.document, name: name.to_owned() }
    }

    /// All mistakes in the order of the text, each once.
    pub(crate) fn finish(mut self) -> Vec<Problem<K>> {
        self.found.sort_by_key(|p| (p.span.start, p.span.end));
        self.found.dedup();
        self.found
    }
}

/// A text whose lines are known.
#[derive(Debug)]
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

    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
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
}
