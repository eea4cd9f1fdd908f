//! What the head of an answer says of its body, and what is wrong with an answer.

use distil_imgcore::json::JsonError;
use distil_imgcore::{Digest, DocumentError, Escaped, MediaType, RefName, RefNameError};
use distil_net::Response;

/// An answer with a good status that is not what the [specification] has there.
///
/// [specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// `Docker-Content-Digest` is not the digest of what was sent.
    #[error("the registry says the digest is \"{}\", and it is {found}", Escaped(.stated.as_bytes()))]
    Digest {
        /// What the registry says.
        stated: String,
        /// What it is.
        found: Digest,
    },
    /// No `Content-Type`, or one that is none.
    #[error("the answer does not say what it is: \"{}\" is no media type", Escaped(.0.as_bytes()))]
    MediaType(String),
    /// The bytes are not those of the blob but a compressed form of them.
    #[error("the answer is encoded as \"{}\"", Escaped(.0.as_bytes()))]
    Encoding(String),
    /// A range that is not the one that was asked for.
    #[error("the answer is the range \"{}\", where the bytes from {from} were asked for", Escaped(.stated.as_bytes()))]
    Range {
        /// The first byte that was asked for.
        from: u64,
        /// What the registry says.
        stated: String,
    },
    /// No `Location`.
    #[error("the answer does not say where to go on")]
    NoLocation,
    /// The registry has fewer bytes of an upload than are still known here.
    #[error("the upload cannot go on: the registry lost what it had of it")]
    Lost,
    /// A list without an end.
    #[error("a list of more than {limit} {what}")]
    Endless {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A list that is no JSON with one meaning.
    #[error("the list is not valid")]
    Json(#[from] JsonError),
    /// A list without the member that it is a list of.
    #[error("the list has no array \"{0}\"")]
    NoList(&'static str),
    /// A list of tags in which nothing is one.
    #[error("nothing in the list is a tag")]
    Tag(#[from] RefNameError),
    /// A name that a layout may have, and a registry may not.
    #[error("\"{0}\" is not a tag: a registry takes letters, digits and ._-, 128 at most")]
    NotATag(RefName),
    /// Under the tag that is to list the referrers of an image lies something else, which is not overwritten.
    #[error("the tag {tag} should be an index of what refers to the image, and is something else")]
    Fallback {
        /// The tag.
        tag: String,
        /// What is wrong with it.
        source: Box<DocumentError>,
    },
    /// Other writers took an entry away again each time.
    #[error("the tag {tag} is changed by others all the time")]
    Contended {
        /// The tag.
        tag: String,
    },
}

/// A header field as messages show it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// What `Docker-Content-Digest` says.
pub(super) fn stated_digest(answer: &Response) -> Option<&str> {
    answer.header("docker-content-digest")
}

/// Compares what the registry says of bytes that were sent to it. Another algorithm says nothing about them.
pub(super) fn check_digest(answer: &Response, found: &Digest) -> Result<(), AnswerError> {
    match stated_digest(answer) {
        Some(stated) if stated.starts_with(found.algorithm()) && stated != found.to_string() => {
            Err(AnswerError::Digest { stated: shortened(stated), found: found.clone() })
        }
        _ => Ok(()),
    }
}

/// The media type, without parameters.
pub(super) fn media_type(answer: &Response) -> Result<MediaType, AnswerError> {
    let stated = answer.header("content-type").unwrap_or_default();
    let name = stated.split(';').next().unwrap_or_default().trim();
    name.parse().map_err(|_| AnswerError::MediaType(shortened(stated)))
}

/// Refuses bodies that are compressed on the way: nobody asked for that, and their bytes are not those of the blob.
pub(super) fn check_encoding(answer: &Response) -> Result<(), AnswerError> {
    match answer.header("content-encoding") {
        None => Ok(()),
        Some(encoding) if encoding.trim().eq_ignore_ascii_case("identity") => Ok(()),
        Some(encoding) => Err(AnswerError::Encoding(shortened(encoding))),
    }
}

/// The announced length of the body.
pub(super) fn length(answer: &Response) -> Option<u64> {
    number(answer.header("content-length")?)
}

/// Digits alone, no sign.
pub(super) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}
