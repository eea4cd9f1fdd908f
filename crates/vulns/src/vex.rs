//! VEX: what somebody says of vulnerabilities in a product, so that nobody has to look at them again.
//!
//! [`read`] takes [OpenVEX 0.2.0] (and what older documents and scanners' own write) and the VEX profile of [CSAF 2.0].
//! [`apply`] says what the documents mean for findings. What cannot be bound to an image or a package says nothing, and is
//! told with the reason, never guessed. Whether a statement is enough is for a policy to decide.
//!
//! [OpenVEX 0.2.0]: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md
//! [CSAF 2.0]: https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html#45-profile-5-vex

mod apply;
mod csaf;
mod list;
pub mod openvex;
mod product;
mod statement;
mod told;

pub use apply::{Subject, Unusable, apply};
pub use product::{Identifier, Product};
pub use statement::{JUSTIFICATIONS, Statement, VexStatus};
pub use told::{product, statements};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Bytes of a document.
pub const MAX_BYTES: usize = 16 << 20;
/// Items of any list in a document.
pub const MAX_ITEMS: usize = 100_000;
/// Characters of a text that are kept.
pub const MAX_TEXT: usize = 4096;

/// A document of statements.
#[derive(Debug, Clone, PartialEq)]
pub struct VexDocument {
    /// Its identifier, or where it has none the name of its file.
    pub id: String,
    /// Who says so.
    pub author: Option<String>,
    /// When it was last changed.
    pub timestamp: Option<Timestamp>,
    /// What a reader should know of it, a line each.
    pub notes: Vec<String>,
    /// What it says and can be used.
    pub statements: Vec<Statement>,
    /// What it says and cannot be used.
    pub unusable: Vec<Unusable>,
    /// Whether a signature of the document was verified; a reader of bytes cannot know, so it is for the caller to set.
    pub is_verified: bool,
}

/// Why a document is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VexError {
    /// More bytes than [`MAX_BYTES`].
    #[error("{found} bytes where at most {MAX_BYTES} may be")]
    TooLarge {
        /// The size.
        found: usize,
    },
    /// Not JSON, or not of the form of its kind.
    #[error("line {line}, column {column}: {}", distil_imgcore::Escaped(.problem.as_bytes()))]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Neither `@context` of `OpenVEX` nor the category `csaf_vex`.
    #[error("neither OpenVEX nor the VEX profile of CSAF")]
    Unknown,
    /// Another version than those that are read.
    #[error("{} is no version that is read", distil_imgcore::Escaped(.0.as_bytes()))]
    Version(String),
    /// A draft, which its authors do not stand by yet.
    #[error("the document is a draft")]
    Draft,
    /// No statement can be bound to an image or a Debian package.
    #[error("no statement names an image or a Debian package by package URL, digest or reference; the first: {first}")]
    NoProduct {
        /// Why the first statement cannot.
        first: String,
    },
}

impl From<serde_json::Error> for VexError {
    fn from(e: serde_json::Error) -> Self {
        Self::Json { line: e.line(), column: e.column(), problem: e.to_string() }
    }
}

/// What tells the kinds of documents apart.
#[derive(Deserialize)]
struct Marks {
    #[serde(rename = "@context")]
    context: Option<String>,
    document: Option<IgnoredAny>,
}

/// Reads a document. `name` is what it is called where it has no identifier.
///
/// # Errors
/// [`VexError`]. A single statement that cannot be used is no error as long as another one can: it is in
/// [`VexDocument::unusable`].
pub fn read(bytes: &[u8], name: &str) -> Result<VexDocument, VexError> {
    if bytes.len() > MAX_BYTES {
        return Err(VexError::TooLarge { found: bytes.len() });
    }
    let marks: Marks = serde_json::from_slice(bytes)?;
    let document = match (marks.context, marks.document) {
        (Some(context), _) => {
            openvex::check_context(&context)?;
            openvex::read(bytes, name)?
        }
        (None, Some(_)) => csaf::read(bytes, name)?,
        (None, None) => return Err(VexError::Unknown),
    };
    match (document.statements.first(), document.unusable.first()) {
        (None, Some(unusable)) => Err(VexError::NoProduct { first: unusable.reason.clone() }),
        _ => Ok(document),
    }
}

/// As much of a text as is kept, without spaces around it; none where nothing is left.
fn text(text: Option<String>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(end, _)| end);
    text.get(..end).map(str::trim_end).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests;
