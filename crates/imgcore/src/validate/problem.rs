//! What is wrong, as data.

use std::error::Error as StdError;

use crate::digest::ContentMismatch;
use crate::document::DocumentError;
use crate::error::Error;

/// One thing that is wrong with an image. All texts are fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The document or blob: `manifest sha256:…, layer 1 sha256:…`.
    pub at: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Problem {
    /// A problem from three texts.
    #[must_use]
    pub fn new(at: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { at: at.to_owned(), expected: expected.into(), found: found.into() }
    }

    /// What an error says about an image; also that of a layout or archive which could not be opened at all. Whether the
    /// error says anything about the image is for the caller to ask first: [`Error::is_io`].
    #[must_use]
    pub fn from_error(at: &str, error: &Error) -> Self {
        if let Some(mismatch) = error.mismatch() {
            return Self::from_mismatch(at, mismatch);
        }
        match error {
            Error::Document { source, .. } => Self::from_document(at, source),
            Error::NoBlob { digest, .. } => Self::new(at, format!("blob {digest}"), "nothing"),
            Error::NoImage { wanted, .. } => Self::new(at, format!("an image {wanted}"), "none"),
            Error::Ambiguous { found, .. } => Self::new(at, "one image, or a name", format!("{found} images")),
            Error::NotRegular { expected, .. } => Self::new(at, format!("a {expected}"), chain(error)),
            Error::Incomplete { file, .. } => Self::new(at, format!("a complete {file}"), chain(error)),
            Error::Blob { .. } => Self::new(at, "a blob that can be read", chain(error)),
            _ => Self::new(at, "an image that can be read", chain(error)),
        }
    }

    pub(super) fn from_mismatch(at: &str, mismatch: &ContentMismatch) -> Self {
        match mismatch {
            ContentMismatch::Size { expected, found } => {
                // Reading stops at the first byte too many.
                let more = if found > expected { "more" } else { "fewer" };
                Self::new(at, format!("{expected} bytes"), format!("{more}: {found} were read"))
            }
            ContentMismatch::Digest { expected, found } => Self::new(at, expected.to_string(), found.to_string()),
        }
    }

    pub(super) fn from_document(at: &str, error: &DocumentError) -> Self {
        let new = |expected: String, found: String| Self::new(at, expected, found);
        match error {
            DocumentError::MediaType { expected, found } => {
                new(expected.to_string(), crate::Escaped(found.as_bytes()).to_string())
            }
            DocumentError::TooMany { what, limit, found } => new(format!("at most {limit} {what}"), found.to_string()),
            DocumentError::DiffIdCount { diff_ids, layers } => {
                new(format!("{layers} diff ids, one for each layer"), diff_ids.to_string())
            }
            DocumentError::Platform { expected, found } => new(expected.to_string(), found.to_string()),
            DocumentError::PlatformTwice(platform) => new(format!("one image for {platform}"), "two".into()),
            DocumentError::LayerType(found) => new("a layer's media type".into(), found.to_string()),
            DocumentError::ConfigType(found) => new("a configuration's media type".into(), found.to_string()),
            DocumentError::NotADocument(found) => new("a manifest or an index".into(), found.to_string()),
            DocumentError::SchemaVersion(found) => new("schema version 2".into(), found.to_string()),
            _ => new("a document with one meaning".into(), chain(error)),
        }
    }
}

/// An error with its causes. A message that only repeats its cause is left out.
pub(super) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = cause.source();
    }
    // Messages of other crates may quote what they read.
    crate::Escaped(text.as_bytes()).to_string()
}
