//! [In-toto statements]: who or what a document is about, in front of the document.
//!
//! Distil writes them around SBOMs and provenance, and around what cosign signs; [`Form`] has both ways to write them. They
//! are read in two ways: [`read`] takes what says one thing about one subject, [`read_signed`] also refuses what two
//! verifiers of a signature could take for two statements.
//!
//! [In-toto statements]: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md

mod read;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::escape::Escaped;
use crate::json::JsonError;
use crate::pieces::PieceError;

pub use read::{read, read_signed};
pub use write::{Form, Order, Text, write, write_as};

/// Bytes of a statement that is read.
pub const MAX_STATEMENT: usize = 256 << 20;
/// Subjects of a signed statement. Verifiers of sigstore bundles stop there, since endless ones were [an attack].
///
/// [an attack]: https://github.com/sigstore/sigstore-go/security/advisories/GHSA-cq38-jh5f-37mq
pub const MAX_SUBJECTS: usize = 1024;
/// Digests of each subject of a signed statement, for the same reason.
pub const MAX_DIGESTS: usize = 32;

/// The version of the form, which its type names. Both have the same fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.1, as cosign has it around attestations.
    V0_1,
    /// 1, the final one.
    V1,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// A name, which decides nothing: `_` or nothing where there is none. For an image, tools look for a package URL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Digests in hexadecimal, by the name of the function in lower case without dashes: `sha256`.
    #[serde(rename = "digest", default)]
    pub digests: BTreeMap<String, String>,
    /// What else is said of it. Cosign keeps the annotations of a signature there, texts all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, Value>>,
}

/// A statement, read. The predicate is the part of the text that it was read from, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The version of the form.
    pub version: Version,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What kind of document the predicate is.
    pub predicate_type: String,
    /// The document: one JSON value, in the grammar and not looked into. Without one, the type says everything.
    pub predicate: Option<&'a str>,
}

/// Why bytes are no statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Larger than a statement may be.
    #[error("{found} bytes where at most {limit} may be")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size.
        found: usize,
    },
    /// Not UTF-8.
    #[error("the statement is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// Not JSON, or a field of another type.
    #[error("the statement is not of the form that the specification gives")]
    Form(#[from] serde_json::Error),
    /// Something other than the fields of an object.
    #[error("byte {at} of the statement is not what an object has there")]
    NoObject {
        /// Offset of the byte.
        at: usize,
    },
    /// The subjects can be read in two ways.
    #[error("the subjects have no single meaning")]
    Subjects(#[source] JsonError),
    /// The statement can be read in two ways, somewhere.
    #[error("the statement has no single meaning")]
    Ambiguous(#[source] JsonError),
    /// A field that some reader takes for another one.
    #[error("the field \"{}\" of the statement is \"{known}\" to readers that do not look at case", Escaped(.found.as_bytes()))]
    Respelled {
        /// The field.
        found: String,
        /// The field that it could be taken for.
        known: &'static str,
    },
    /// More than verifiers read.
    #[error("{found} {what} where at most {limit} may be")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// A predicate that is neither an object nor a text, which cosign refuses.
    #[error("the predicate is neither an object nor a text")]
    Predicate,
    /// A field that must be there is not.
    #[error("the statement has no field {0}")]
    Missing(&'static str),
    /// A field stands there twice.
    #[error("the statement has the field {0} twice")]
    Twice(&'static str),
    /// Something other than a statement, or a newer one.
    #[error("\"{}\" is not a type of statement that is known", Escaped(.0.as_bytes()))]
    Type(String),
    /// A statement about nothing, or about something that is not known by its digest.
    #[error("the statement does not name what it is about by digest")]
    NoDigest,
}

impl Version {
    const ALL: [Self; 2] = [Self::V0_1, Self::V1];

    /// The text that a statement has as its `_type`.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::V0_1 => "https://in-toto.io/Statement/v0.1",
            Self::V1 => "https://in-toto.io/Statement/v1",
        }
    }
}

impl Subject {
    /// Something under a name, by its digest.
    #[must_use]
    pub fn new(name: &str, digest: &Digest) -> Self {
        let digests = BTreeMap::from([(digest.algorithm().to_owned(), digest.hex())]);
        Self { name: name.to_owned(), digests, annotations: None }
    }

    /// The same with annotations, in place of those that it has.
    #[must_use]
    pub fn with_annotations(self, annotations: &BTreeMap<String, String>) -> Self {
        let annotations = annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        Self { annotations: Some(annotations), ..self }
    }

    /// Whether this is what has the digest.
    #[must_use]
    pub fn is(&self, digest: &Digest) -> bool {
        self.digests.get(digest.algorithm()).is_some_and(|found| *found == digest.hex())
    }
}

impl From<PieceError> for StatementError {
    fn from(error: PieceError) -> Self {
        match error {
            PieceError::Json(source) => Self::Form(source),
            PieceError::Unexpected { at } => Self::NoObject { at },
            PieceError::Twice(name) => Self::Twice(name),
        }
    }
}

#[cfg(test)]
mod tests;
