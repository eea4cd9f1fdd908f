//! Why a file of apt sources cannot be used.

use distil_debunpack::ArchitectureError;
use distil_debunpack::deb822::Deb822ErrorKind;
use distil_imgcore::Escaped;

use crate::fingerprint::FingerprintError;

/// Why a file of apt sources cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}", Escaped(.file.as_bytes()))]
pub struct HostSourceError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub kind: HostSourceErrorKind,
}

/// What is wrong with a line or a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostSourceErrorKind {
    /// Too large.
    #[error("a file of {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Too many sources.
    #[error("more than {limit} sources in one file")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Not text.
    #[error("not UTF-8 text, or with control characters")]
    NotText,
    /// The paragraph is not in order.
    #[error(transparent)]
    Format(Deb822ErrorKind),
    /// An entry that starts with neither `deb` nor `deb-src`.
    #[error("\"{}\" is not a type of source", Escaped(.found.as_bytes()))]
    Type {
        /// What stands there.
        found: String,
    },
    /// A part of the entry is missing.
    #[error("there is no {part}")]
    Missing {
        /// The part.
        part: &'static str,
    },
    /// Components for a flat repository.
    #[error("a suite that ends with a slash has no components")]
    FlatComponents,
    /// Brackets that do not close.
    #[error("options without a closing bracket")]
    Bracket,
    /// An option without a value, or a quoted word, which are not read here.
    #[error("\"{}\" is not an option with a value", Escaped(.found.as_bytes()))]
    Option {
        /// What stands there.
        found: String,
    },
    /// A setting that takes checks away. Every source must be signed, and signed well.
    #[error("{option} weakens the checks of this source, which is refused")]
    Weakens {
        /// The option or field.
        option: String,
    },
    /// Neither yes nor no.
    #[error("{option} is neither yes nor no")]
    NotABoolean {
        /// The option or field.
        option: String,
    },
    /// A way to fetch that is not known here. The address may hold a password and is not shown.
    #[error("addresses that start with {}: are not supported", Escaped(.scheme.as_bytes()))]
    Scheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// No address at all.
    #[error("not an address of a repository")]
    Address,
    /// A key that is neither an absolute path nor a fingerprint.
    #[error("signed-by names neither an absolute path nor a fingerprint")]
    SignedBy(#[source] FingerprintError),
    /// No architecture.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A snapshot that is no time.
    #[error("\"{}\" is not a snapshot", Escaped(.found.as_bytes()))]
    Snapshot {
        /// What stands there.
        found: String,
    },
}
