//! Where something stands.

use std::fmt;
use std::ops::Range;

use distil_imgcore::Escaped;

use crate::problem::Problem;

/// Where a value stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its key with the tables that it is in, as in `files."/etc/app.conf".source`.
    pub key: String,
    /// The bytes of the text that it takes.
    pub span: Range<usize>,
    /// The line where it starts, the first being 1.
    pub line: usize,
    /// The character of that line where it starts, the first being 1.
    pub column: usize,
}

impl Place {
    /// A mistake that shows only when what stands there is looked for.
    #[must_use]
    pub fn problem<K>(&self, kind: K) -> Problem<K> {
        Problem { span: self.span.clone(), line: self.line, column: self.column, kind }
    }
}

/// As messages end with it: the key, and where to look.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {}, column {}", Escaped(self.key.as_bytes()), self.line, self.column)
    }
}
