//! Sigstore bundles: a signature with all that is needed to verify it. See the [format].
//!
//! A bundle is read as the readers of protocol buffers do it, members that nobody knows refused, and under the rules that a
//! verifier has for its form:
//!
//! 1. One DSSE envelope with one signature and an in-toto payload, or one signature of a message.
//! 2. From version 0.2 on, an inclusion proof with a checkpoint for each log entry; in version 0.1, an inclusion promise.
//!    In version 0.3, no chain of certificates.
//! 3. At most [`MAX_ENTRIES`] log entries, no two with the same log and index, and [`MAX_TIMESTAMPS`] timestamps.
//!
//! Names of members are those of JSON (`logIndex`), not those of the schema (`log_index`), which readers of protocol buffers
//! take as well and nobody writes.
//!
//! [format]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto

mod entry;
mod message;
mod read;
mod write;

use distil_imgcore::Escaped;
use distil_imgcore::json::JsonError;

use crate::dsse::{Envelope, EnvelopeError};
use crate::object::FieldError;

pub use entry::{InclusionProof, LogEntry};
pub use message::{HashAlgorithm, MessageDigest};
pub use write::{By, legacy_of_message, of_envelope, of_message};

/// The media type of version 0.3, which is written.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// How all media types of bundles begin.
pub const MEDIA_TYPE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
/// Log entries of a bundle. Other verifiers stop there, since endless ones were [an attack].
///
/// [an attack]: https://github.com/sigstore/sigstore-go/security/advisories/GHSA-cq38-jh5f-37mq
pub const MAX_ENTRIES: usize = 32;
/// Timestamps of a bundle, for the same reason.
pub const MAX_TIMESTAMPS: usize = 32;

/// The version of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.1
    V0_1,
    /// 0.2
    V0_2,
    /// 0.3
    V0_3,
}

/// A bundle, read. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// Its version.
    pub version: Version,
    /// What the signature is to be verified with.
    pub material: Material,
    /// What is signed.
    pub content: Content,
    /// What transparency logs say of it.
    pub entries: Vec<LogEntry>,
    /// Timestamps over the signature: DER of [RFC 3161]'s `TimeStampResp`.
    ///
    /// [RFC 3161]: https://www.rfc-editor.org/rfc/rfc3161
    pub timestamps: Vec<Vec<u8>>,
    /// The text that it was read from.
    pub text: &'a str,
}

/// What a signature is to be verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A key that the verifier has.
    Key {
        /// What names the key: cosign has the digest of it there. Nothing vouches for it, so that it decides nothing.
        hint: Option<String>,
    },
    /// A certificate, as DER.
    Certificate(Vec<u8>),
    /// A certificate and those above it, as DER, the lowest first.
    Chain(Vec<Vec<u8>>),
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An in-toto statement.
    Envelope(Envelope),
    /// Bytes that are somewhere else.
    Message {
        /// What they hash to, which nothing vouches for: verify the signature over the bytes, and then compare.
        digest: Option<MessageDigest>,
        /// The signature.
        signature: Vec<u8>,
    },
}

/// Why bytes are no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the bundle has no single meaning")]
    Json(#[source] JsonError),
    /// Members that are missing, of another type, or that nobody knows.
    #[error("the bundle is not of the form that its specification gives")]
    Form(#[from] FieldError),
    /// The media type is that of nothing known, or of a newer version.
    #[error("\"{}\" is no bundle of a version that is known", Escaped(.0.as_bytes()))]
    Version(String),
    /// None, or several, of what must be there once.
    #[error("the bundle has {found} of {wanted}, where it must have one")]
    Choice {
        /// What it may have.
        wanted: &'static str,
        /// How many of them it has.
        found: usize,
    },
    /// A chain of certificates where its version has a single one, or a chain of none.
    #[error("the bundle has a chain of {0} certificates, which its version does not allow")]
    Chain(usize),
    /// The envelope is none.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The payload of the envelope is something else than an in-toto statement.
    #[error("the payload is \"{}\" and not an in-toto statement", Escaped(.0.as_bytes()))]
    PayloadType(String),
    /// The hash function is unknown, or its digests have another length.
    #[error("the digest of the message is none of a known function")]
    MessageDigest,
    /// A member that must not be empty is.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A log entry without what its version asks for.
    #[error("log entry {index} has no {missing}")]
    Entry {
        /// The position in the list.
        index: usize,
        /// What is missing.
        missing: &'static str,
    },
    /// An inclusion proof that can prove nothing: for an entry outside of the tree, or with hashes of another length.
    #[error("log entry {index} has an inclusion proof that is none")]
    Proof {
        /// The position in the list.
        index: usize,
    },
    /// One entry of a log twice.
    #[error("log entry {index} is there twice")]
    Twice {
        /// The position of the second in the list.
        index: usize,
    },
}

#[cfg(test)]
mod tests;
