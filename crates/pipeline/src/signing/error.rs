//! Why something was not signed.

use std::path::PathBuf;

use distil_imgcore::statement::StatementError;
use distil_imgcore::{Digest, Error, Escaped, RefName};
use distil_policy::ledger::LedgerError;
use distil_signing::key::SignerError;
use distil_signing::legacy::LegacyError;
use distil_signing::predicate::PredicateError;
use distil_signing::referrer::ReferrerError;

use super::vouched::VouchError;
use crate::places::StoreError;
use crate::read::ReadError;

/// Why an image was not signed, or not all that was asked for. What was put beside it by then stays, and is whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The image cannot be read.
    #[error("cannot read {reference}")]
    Read {
        /// The image.
        reference: String,
        /// Why not.
        #[source]
        source: Box<ReadError>,
    },
    /// The place cannot be opened, to be written to.
    #[error(transparent)]
    Open(Box<StoreError>),
    /// The place failed.
    #[error(transparent)]
    Store(Box<Error>),
    /// There is no signature.
    #[error("cannot sign {digest}")]
    Signer {
        /// What was to be signed.
        digest: Digest,
        /// Why there is none.
        source: SignerError,
    },
    /// The key is one that nobody keeps, and nobody vouches for its signature.
    #[error("cannot sign {digest}")]
    Vouch {
        /// What was to be signed.
        digest: Digest,
        /// Why there is no signature.
        source: VouchError,
    },
    /// What lies under the name of the signatures holds none, or too many.
    #[error("cannot add to {name} of {place}")]
    Legacy {
        /// The name.
        name: RefName,
        /// The store.
        place: String,
        /// Why not.
        source: LegacyError,
    },
    /// Something lies under the name of the signatures that is no manifest.
    #[error("{name} of {place} is no manifest that signatures could be added to")]
    NoManifest {
        /// The name.
        name: RefName,
        /// The store.
        place: String,
    },
    /// A bundle about the image that is larger than any verifier reads, or a time that has no form.
    #[error("cannot write the bundle about {digest}")]
    Referrer {
        /// What it is about.
        digest: Digest,
        /// Why not.
        source: ReferrerError,
    },
    /// Others write to the same names all the time.
    #[error("others add signatures to {digest} of {place} all the time")]
    Contended {
        /// What was to be signed.
        digest: Digest,
        /// The store.
        place: String,
    },
    /// Others write the archive all the time.
    #[error("others write {reference} all the time")]
    Replaced {
        /// The archive.
        reference: String,
    },
    /// What the image is called has to be in the signature, and nobody has said it.
    #[error("{reference} does not say which repository the image is signed for")]
    NoName {
        /// The image.
        reference: String,
    },
    /// A text that is no name of a repository.
    #[error("\"{}\" is not the name of a repository", Escaped(.name.as_bytes()))]
    Name {
        /// The text.
        name: String,
    },
    /// A docker archive has no place for anything but the image.
    #[error("{reference} has no place for signatures: a docker archive holds images alone")]
    DockerArchive {
        /// The archive.
        reference: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is no predicate of its type.
    #[error("{} is no predicate of the type {kind}", Escaped::path(.path))]
    Predicate {
        /// The file.
        path: PathBuf,
        /// The type.
        kind: String,
        /// Why not.
        source: PredicateError,
    },
    /// A file is no ledger.
    #[error("{} is no ledger", Escaped::path(.path))]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The line, and what is wrong with it.
        source: LedgerError,
    },
    /// A predicate without a type.
    #[error("nobody has said of which type the predicate {} is", Escaped::path(.path))]
    NoType {
        /// The file.
        path: PathBuf,
    },
    /// The type is that of signatures of images, which are no attestations.
    #[error("{kind} is what a signature of an image has, and no type of attestations")]
    IsSignature {
        /// The type.
        kind: String,
    },
    /// A document that is attached cannot be read.
    #[error("cannot read {digest}, which is attached to the image")]
    Attached {
        /// The digest of the document.
        digest: Digest,
        /// Why not.
        source: std::io::Error,
    },
    /// A statement that is attached has a type that is none.
    #[error("\"{}\", which a statement attached to the image has, is no type of predicates", Escaped(.kind.as_bytes()))]
    Type {
        /// What it has.
        kind: String,
    },
    /// A statement or document that is attached cannot be read in one way alone.
    #[error("{digest}, which is attached to the image, is no statement that can be signed")]
    Statement {
        /// The digest of the document.
        digest: Digest,
        /// Why not.
        source: StatementError,
    },
    /// A document that is attached is none of its type.
    #[error("{digest}, which is attached to the image, is no document that can be signed")]
    Document {
        /// The digest of the document.
        digest: Digest,
        /// Why not.
        source: PredicateError,
    },
    /// Nothing is attached that could be signed, or nothing of the type.
    #[error("nothing is attached to {digest} that could be signed{}", .kind.as_ref().map(|kind| format!(" as {kind}")).unwrap_or_default())]
    NothingAttached {
        /// The image.
        digest: Digest,
        /// The type that was asked for.
        kind: Option<String>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl SignError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.is_mistake(),
            Self::Open(error) => error.is_mistake(),
            Self::NoName { .. }
            | Self::Name { .. }
            | Self::DockerArchive { .. }
            | Self::Predicate { .. }
            | Self::Ledger { .. }
            | Self::NoType { .. }
            | Self::IsSignature { .. } => true,
            _ => false,
        }
    }

    /// Whether the trusted root that was given says no.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Vouch { source, .. } if source.is_no())
    }

    /// Whether there is nothing that could be signed, which is neither a mistake nor a fault.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::NothingAttached { .. })
    }
}

impl From<Error> for SignError {
    fn from(error: Error) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<StoreError> for SignError {
    fn from(error: StoreError) -> Self {
        Self::Open(Box::new(error))
    }
}
