//! Mistakes with their places, whatever kinds of mistakes a document knows.

use std::error::Error;
use std::fmt;
use std::ops::Range;

/// A document with mistakes: all that were found, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid<K> {
    /// The mistakes; at least one.
    pub problems: Vec<Problem<K>>,
}

/// One mistake and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem<K> {
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// The line where it starts, the first being 1.
    pub line: usize,
    /// The character of that line where it starts, the first being 1.
    pub column: usize,
    /// What is wrong.
    pub kind: K,
}

impl<K: fmt::Display> fmt::Display for Invalid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => only.fmt(f),
            [first, ..] => write!(f, "{} mistakes, the first at {first}", self.problems.len()),
            [] => f.write_str("a mistake"),
        }
    }
}

impl<K: Error> Error for Invalid<K> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problems.first().and_then(|p| p.kind.source())
    }
}

impl<K: fmt::Display> fmt::Display for Problem<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}
