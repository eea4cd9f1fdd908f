//! Proofs that something was verified: nothing outside of this module's parent can make one.

use std::collections::BTreeMap;

use distil_imgcore::Digest;
use distil_imgcore::statement::Subject;

use super::report::SignedBy;

/// A signature of an image that was verified.
#[derive(Debug, Clone)]
pub struct VerifiedSignature {
    pub(super) image: Digest,
    pub(super) signer: SignedBy,
    pub(super) payload: Vec<u8>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) reference: Option<String>,
}

/// A statement about an image that was verified.
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    pub(super) image: Digest,
    pub(super) signer: SignedBy,
    pub(super) payload: Vec<u8>,
    pub(super) subjects: Vec<Subject>,
    pub(super) predicate_type: String,
}

/// A signature of a file that was verified.
#[derive(Debug, Clone)]
pub struct VerifiedBlob {
    pub(super) digest: Digest,
    pub(super) signer: SignedBy,
}

impl VerifiedSignature {
    /// The image.
    #[must_use]
    pub fn image(&self) -> &Digest {
        &self.image
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &SignedBy {
        &self.signer
    }

    /// What was signed, byte for byte: a payload of simple signing, or a statement.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The annotations that were signed.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The name under which the image was signed, where the signature has one. It says where the signer saw the image, and
    /// was compared with nothing unless that was asked for.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl VerifiedStatement {
    /// The image, which is one of the subjects.
    #[must_use]
    pub fn image(&self) -> &Digest {
        &self.image
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &SignedBy {
        &self.signer
    }

    /// The statement, byte for byte as it was signed. [`distil_imgcore::statement`] reads it.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// All that it is about: the image, and perhaps more.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// What kind of document the predicate is: a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }
}

impl VerifiedBlob {
    /// The file.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &SignedBy {
        &self.signer
    }
}
