//! What verification found, signature by signature and step by step.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;

use distil_imgcore::Digest;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// What was found about all that is there, and the proofs, where enough was good.
///
/// It serialises as `{"verified", "digest", "signatures": [{"place", "format", "key" or "identity" and "issuer", "verified",
/// "steps": [{"step", "ok", "detail"}], "payload"}]}`. `payload` is there only where the signature is good, and is the text
/// that was signed, as a string: so it is the same byte for byte.
#[derive(Debug, Clone)]
pub struct Report<V> {
    digest: Digest,
    threshold: NonZeroUsize,
    signers: usize,
    verdicts: Vec<Verdict>,
    verified: Vec<V>,
}

/// What was found about one signature.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What messages call it: where it lies.
    pub place: String,
    /// How it is stored.
    pub format: Format,
    /// Who signed, where that is certain.
    pub signer: Option<SignedBy>,
    /// What was looked at, in the order of the procedure. Nothing follows a step that failed: what would come after it would
    /// be said about what nobody signed.
    pub steps: Vec<Step>,
    /// What was signed, where every step went well.
    pub payload: Option<Vec<u8>>,
}

/// How a signature is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// A payload of cosign's simple signing, under the tag `.sig`.
    SimpleSigning,
    /// An envelope of a statement, under the tag `.att`.
    Envelope,
    /// A sigstore bundle.
    Bundle,
    /// The bundle of a file that cosign wrote before there were sigstore's.
    LegacyBundle,
    /// A signature alone, in base64.
    Detached,
    /// Nothing that could be read.
    Unreadable,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignedBy {
    /// Whoever has this key: the SHA-256 of its SPKI.
    Key(Digest),
    /// Whoever was this, as a trusted authority certified.
    Identity {
        /// The certificate's subject alternative name.
        subject: String,
        /// Who said so to the authority.
        issuer: String,
    },
}

/// A step of the [procedure](crate::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// What was found, or what is wrong.
    pub outcome: Result<String, String>,
}

/// The steps of the [procedure](crate::verify), in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepName {
    /// 1. What is stored is what it says it is.
    Form,
    /// 2. The key, or the certificate, is one that is trusted.
    Signer,
    /// 3. The signature is by it, over what is stored.
    Signature,
    /// 4. A log has an entry for this very signature.
    Log,
    /// 5. Timestamps are over this very signature.
    Timestamps,
    /// 6. What is signed is a statement of the kind that was asked for.
    Type,
    /// 7. It is about this image or file.
    Subject,
    /// 8. It has the annotations that were asked for.
    Annotations,
    /// 9. It names the image as was asked for.
    Reference,
}

impl<V> Report<V> {
    /// Counts signers, and lets the proofs out where there are enough of them.
    pub(super) fn new(digest: Digest, threshold: NonZeroUsize, judged: Vec<(Verdict, Option<V>)>) -> Self {
        let mut verdicts = Vec::with_capacity(judged.len());
        let mut verified = Vec::new();
        let mut signers = BTreeSet::new();
        for (verdict, proof) in judged {
            if let (Some(proof), Some(signer)) = (proof, &verdict.signer) {
                signers.insert(signer.clone());
                verified.push(proof);
            }
            verdicts.push(verdict);
        }
        let signers = signers.len();
        if signers < threshold.get() {
            verified.clear();
        }
        Self { digest, threshold, signers, verdicts, verified }
    }

    /// Whether enough was good.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        !self.verified.is_empty()
    }

    /// What was to be verified.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many different signers were asked for.
    #[must_use]
    pub fn threshold(&self) -> NonZeroUsize {
        self.threshold
    }

    /// How many different signers there are whose signatures are good: keys are counted by their fingerprint, identities by
    /// name and issuer, however often each signed.
    #[must_use]
    pub fn signers(&self) -> usize {
        self.signers
    }

    /// What was found about each signature, in the order in which they were given.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// The proofs: one for each good signature, and none where there are fewer signers than asked for.
    #[must_use]
    pub fn verified(&self) -> &[V] {
        &self.verified
    }

    /// The same, given away.
    #[must_use]
    pub fn into_verified(self) -> Vec<V> {
        self.verified
    }
}

impl Verdict {
    /// Whether every step went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failure().is_none() && self.signer.is_some()
    }

    /// The step that failed, and why.
    #[must_use]
    pub fn failure(&self) -> Option<(StepName, &str)> {
        self.steps.iter().find_map(|step| step.outcome.as_ref().err().map(|why| (step.name, why.as_str())))
    }
}

impl Format {
    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SimpleSigning => "simple-signing",
            Self::Envelope => "envelope",
            Self::Bundle => "bundle",
            Self::LegacyBundle => "legacy-bundle",
            Self::Detached => "detached",
            Self::Unreadable => "unreadable",
        }
    }
}

impl StepName {
    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Signer => "signer",
            Self::Signature => "signature",
            Self::Log => "log",
            Self::Timestamps => "timestamps",
            Self::Type => "type",
            Self::Subject => "subject",
            Self::Annotations => "annotations",
            Self::Reference => "reference",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for SignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(fingerprint) => write!(f, "the key {fingerprint}"),
            Self::Identity { subject, issuer } => write!(f, "{subject}, as {issuer} says"),
        }
    }
}

impl<V> Serialize for Report<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Report", 3)?;
        out.serialize_field("verified", &self.is_verified())?;
        out.serialize_field("digest", &self.digest.to_string())?;
        out.serialize_field("signatures", &self.verdicts)?;
        out.end()
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Verdict", 6)?;
        out.serialize_field("place", &self.place)?;
        out.serialize_field("format", self.format.as_str())?;
        match &self.signer {
            Some(SignedBy::Key(fingerprint)) => out.serialize_field("key", &fingerprint.to_string())?,
            Some(SignedBy::Identity { subject, issuer }) => {
                out.serialize_field("identity", subject)?;
                out.serialize_field("issuer", issuer)?;
            }
            None => {}
        }
        out.serialize_field("verified", &self.is_good())?;
        out.serialize_field("steps", &self.steps)?;
        if let Some(text) = self.payload.as_deref().and_then(|payload| std::str::from_utf8(payload).ok()) {
            out.serialize_field("payload", text)?;
        }
        out.end()
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Ok(detail) | Err(detail)) = &self.outcome;
        let mut out = serializer.serialize_struct("Step", 3)?;
        out.serialize_field("step", self.name.as_str())?;
        out.serialize_field("ok", &self.outcome.is_ok())?;
        out.serialize_field("detail", detail)?;
        out.end()
    }
}

#[cfg(test)]
mod tests;
