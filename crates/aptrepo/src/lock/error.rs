//! Why a text is no lock.

use std::fmt;

use distil_imgcore::Escaped;

use super::{FORMAT_VERSION, MAX_LOCK};

/// Why a text is no lock that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The text is longer than any lock needs to be.
    #[error("{found} bytes, where {MAX_LOCK} are the most that is read")]
    TooLarge {
        /// The length in bytes.
        found: usize,
    },
    /// Not TOML.
    #[error("line {line}, column {column}: {}", Escaped(.message.as_bytes()))]
    Syntax {
        /// The line, the first being 1.
        line: usize,
        /// The character of that line, the first being 1.
        column: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// A lock whose meaning this version does not know.
    #[error("it has the format version {found}, where {FORMAT_VERSION} is known")]
    FormatVersion {
        /// The format version that it states.
        found: i64,
    },
    /// TOML, but not what a lock says.
    #[error("line {line}, column {column}: {}{fault}", Before(.key))]
    Content {
        /// The line, the first being 1.
        line: usize,
        /// The character of that line, the first being 1.
        column: usize,
        /// The key with the tables that it is in; empty for the whole.
        key: String,
        /// What is wrong with it.
        fault: LockFault,
    },
}

/// A key as it stands before a message about it.
struct Before<'a>(&'a str);

impl fmt::Display for Before<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", Escaped(self.0.as_bytes())) }
    }
}

/// What is wrong with one place of a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockFault {
    /// A key that a lock does not have.
    #[error("a lock has no such key")]
    UnknownKey,
    /// A key that must be there.
    #[error("the key {key} is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value that has another type or form.
    #[error("\"{}\" is not {expected}", Escaped(.found.as_bytes()))]
    Malformed {
        /// What stands there, its first 128 characters at most.
        found: String,
        /// What must stand there.
        expected: &'static str,
    },
    /// The same thing a second time.
    #[error("\"{}\" is there twice", Escaped(.name.as_bytes()))]
    Twice {
        /// Its name.
        name: String,
    },
    /// A name that nothing in the lock has.
    #[error("there is no {what} \"{}\"", Escaped(.name.as_bytes()))]
    Unknown {
        /// What it is the name of.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A package that the layer plan leaves out.
    #[error("no layer has the package {}", Escaped(.name.as_bytes()))]
    NoLayer {
        /// The package.
        name: String,
    },
    /// Two keys of which one must be there.
    #[error("exactly one of {first} and {second} must be there")]
    NotExactlyOne {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// The digest of what was asked for is not that of what is written below it.
    #[error("it is not the digest of what stands below it")]
    AskedDigest,
}
