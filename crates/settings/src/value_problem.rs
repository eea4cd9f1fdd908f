//! What can be wrong with a value of any document, as data: a front end draws the place, and knows what to advise.

use std::fmt;

use distil_imgcore::Escaped;

/// What is wrong. Keys are given with their tables, as in `image.user`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// The text is longer than any document of its kind needs to be.
    #[error("{found} bytes, where {max} are the most that is read")]
    TooLarge {
        /// The length in bytes.
        found: usize,
        /// The longest that is read.
        max: usize,
    },
    /// Not TOML.
    #[error("{}", Escaped(.message.as_bytes()))]
    Syntax {
        /// What the TOML parser says.
        message: String,
    },
    /// A key that does not exist.
    #[error("unknown key {} in {table}", Escaped(.key.as_bytes()))]
    UnknownKey {
        /// The table.
        table: Table,
        /// The key alone.
        key: String,
        /// The existing key that looks most like it.
        nearest: Option<String>,
    },
    /// A key that is known from elsewhere, and of which no version will do what it says.
    #[error("{} is never supported, since {why}", Escaped(.key.as_bytes()))]
    Never {
        /// The key.
        key: String,
        /// Why.
        why: &'static str,
    },
    /// A key that must be there.
    #[error("{table} needs the key {key}")]
    MissingKey {
        /// The table.
        table: Table,
        /// The key that it lacks.
        key: &'static str,
    },
    /// A value of another type.
    #[error("{} is {expected}, not {found}", Escaped(.key.as_bytes()))]
    WrongType {
        /// The key.
        key: String,
        /// The type it has, with an article.
        expected: &'static str,
        /// The type of the value that stands there, with an article.
        found: &'static str,
    },
    /// A value that is not one of a few words.
    #[error("{} cannot be {}: it is one of {}", Escaped(.key.as_bytes()), Quoted(.found), .allowed.join(", "))]
    NotOneOf {
        /// The key.
        key: String,
        /// The value that stands there.
        found: String,
        /// The values that exist.
        allowed: &'static [&'static str],
        /// The existing one that looks most like it.
        nearest: Option<String>,
    },
    /// A number outside its bounds.
    #[error("{} cannot be {found}: it is between {min} and {max}", Escaped(.key.as_bytes()))]
    OutOfRange {
        /// The key.
        key: String,
        /// The number as written.
        found: String,
        /// The smallest that is allowed.
        min: i64,
        /// The largest that is allowed.
        max: i64,
    },
    /// A value of the right type that has no meaning.
    #[error("{} cannot be {}: it is {expected}", Escaped(.key.as_bytes()), Quoted(.found))]
    Malformed {
        /// The key.
        key: String,
        /// The value that stands there.
        found: String,
        /// What a value looks like.
        expected: &'static str,
    },
    /// Two keys that mean the same thing, such as two spellings of one path.
    #[error("{} says again what {} has said", Escaped(.key.as_bytes()), Escaped(.first.as_bytes()))]
    Twice {
        /// The second.
        key: String,
        /// The first.
        first: String,
    },
    /// Keys of which a table must hold exactly one.
    #[error("{table} needs exactly one of {}, and has {}", .choices.join(", "), Names(.found))]
    NotExactlyOne {
        /// The table.
        table: Table,
        /// The keys to choose from.
        choices: &'static [&'static str],
        /// Those that are there.
        found: Vec<&'static str>,
    },
    /// A key that makes no sense beside another.
    #[error("{} means nothing beside {beside}", Escaped(.key.as_bytes()))]
    Useless {
        /// The key.
        key: String,
        /// The key that takes its meaning away.
        beside: &'static str,
    },
}

/// A table as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// How messages name the document.
    pub document: &'static str,
    /// The table's name with those above it; empty for the top of the document.
    pub name: String,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() { f.write_str(self.document) } else { write!(f, "[{}]", Escaped(self.name.as_bytes())) }
    }
}

/// A value of a document, in quotation marks, fit for a terminal and never long.
#[derive(Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 80;
        let start: String = self.0.chars().take(MOST).collect();
        let dots = if start.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{dots}\"", Escaped(start.as_bytes()))
    }
}

struct Names<'a>(&'a [&'static str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}
