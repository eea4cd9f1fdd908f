//! A signature whose form is right, whatever it was stored as.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Digest;
use serde_json::{Value, json};
use sigstore_verify::types::{
    Artifact as CrateArtifact, ArtifactDigest, Bundle as CrateBundle, HashAlgorithm, SignatureContent,
};

use super::legacy_evidence::{By, LegacyEvidence};
use super::report::Format;
use super::trail::told;
use crate::bundle::MessageDigest;
use crate::dsse::Envelope;

/// What a signature is to be about: the bytes, or their digest where they are not at hand.
#[derive(Debug, Clone)]
pub enum Artifact<'a> {
    /// The bytes.
    Bytes(&'a [u8]),
    /// Their digest. A signature by a key that signs something else than the SHA-256 of the bytes cannot be verified then without
    /// a log entry.
    Digest(Digest),
}

/// A signature with all that belongs to it.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) format: Format,
    pub(super) content: Content<'a>,
    pub(super) signature: Vec<u8>,
    pub(super) evidence: Evidence<'a>,
}

/// What is signed.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// The payload of a simple signature.
    Payload(&'a [u8]),
    /// A statement in an envelope, with the bytes of the layer where there is one.
    Envelope { envelope: Envelope, layer: Option<&'a [u8]> },
    /// The artifact itself, with its digest as the bundle has it.
    Artifact { artifact: Artifact<'a>, stated: Option<MessageDigest> },
}

/// What lies beside the signature.
#[derive(Debug)]
pub(super) enum Evidence<'a> {
    /// Nothing.
    None,
    /// Annotations of a layer.
    Annotations(&'a BTreeMap<String, String>),
    /// Members of a bundle that cosign wrote before there were sigstore's.
    Legacy(LegacyEvidence),
    /// A bundle.
    Bundle { text: &'a str, certified: bool },
}

impl Artifact<'_> {
    /// The SHA-256 of the bytes, or the digest as it was given.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::Digest(digest) => digest.clone(),
        }
    }

    /// The same for the crate that judges logs and certificates.
    pub(super) fn for_crate(&self) -> Result<CrateArtifact<'_>, String> {
        match self {
            Self::Bytes(bytes) => Ok(CrateArtifact::from_blob(bytes)),
            Self::Digest(digest) => {
                let algorithm =
                    if digest.as_sha256().is_some() { HashAlgorithm::Sha2256 } else { HashAlgorithm::Sha2512 };
                let bytes = hex::decode(digest.hex()).map_err(|error| told(&error))?;
                ArtifactDigest::new(algorithm, bytes).map(CrateArtifact::from).map_err(|error| told(&error))
            }
        }
    }
}

impl Signed<'_> {
    /// The bytes that the signature is over, where they are at hand.
    pub(super) fn message(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            Content::Payload(payload) => Some(Cow::Borrowed(payload)),
            Content::Envelope { envelope, .. } => Some(Cow::Owned(envelope.pae())),
            Content::Artifact { artifact: Artifact::Bytes(bytes), .. } => Some(Cow::Borrowed(bytes)),
            Content::Artifact { artifact: Artifact::Digest(_), .. } => None,
        }
    }

    /// What the crate that judges logs and certificates has to compare the signature with; `about` is what a statement has to
    /// be about.
    pub(super) fn artifact<'b>(&'b self, about: &'b Artifact<'_>) -> Result<CrateArtifact<'b>, String> {
        match &self.content {
            Content::Payload(payload) => Ok(CrateArtifact::from_blob(payload)),
            Content::Envelope { .. } => about.for_crate(),
            Content::Artifact { artifact, .. } => artifact.for_crate(),
        }
    }

    /// The signature and what lies beside it, as a bundle.
    pub(super) fn to_bundle(&self, by: By) -> Result<CrateBundle, String> {
        let of_legacy = |evidence: &LegacyEvidence| evidence.to_bundle(by, &self.to_json(), !self.is_stamped_whole());
        match &self.evidence {
            Evidence::None => of_legacy(&LegacyEvidence::default()),
            Evidence::Annotations(annotations) => of_legacy(&LegacyEvidence::of_annotations(annotations)?),
            Evidence::Legacy(evidence) => of_legacy(evidence),
            Evidence::Bundle { text, certified } => {
                let bundle = CrateBundle::from_json(text).map_err(|error| told(&error))?;
                if self.is_in(&bundle) && bundle.signing_certificate().is_some() == *certified {
                    Ok(bundle)
                } else {
                    Err("two readers understand the bundle differently".into())
                }
            }
        }
    }

    /// Whether the crate, which reads the text of a bundle for itself, found the same signature over the same content.
    fn is_in(&self, bundle: &CrateBundle) -> bool {
        match (&self.content, &bundle.content) {
            (Content::Envelope { envelope, .. }, SignatureContent::DsseEnvelope(found)) => {
                found.payload.as_bytes() == envelope.payload
                    && found.payload_type == envelope.payload_type
                    && found.signature.sig.as_bytes() == self.signature
            }
            (Content::Artifact { .. }, SignatureContent::MessageSignature(found)) => {
                found.signature.as_bytes() == self.signature
            }
            _ => false,
        }
    }

    /// The timestamps, each an RFC 3161 response in DER.
    pub(super) fn timestamps(&self) -> Result<Vec<Vec<u8>>, String> {
        match &self.evidence {
            Evidence::None => Ok(Vec::new()),
            Evidence::Annotations(annotations) => {
                Ok(LegacyEvidence::of_annotations(annotations)?.timestamp.into_iter().collect())
            }
            Evidence::Legacy(evidence) => Ok(evidence.timestamp.iter().cloned().collect()),
            Evidence::Bundle { .. } => {
                let bundle = self.to_bundle(By::Key)?;
                let stamps = bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
                Ok(stamps.into_iter().map(|stamp| stamp.signed_timestamp.into_bytes()).collect())
            }
        }
    }

    /// What timestamps are over: the signature. cosign's legacy attestations have them over the whole layer.
    pub(super) fn stamped(&self) -> &[u8] {
        match (&self.content, &self.evidence) {
            (Content::Envelope { layer: Some(layer), .. }, Evidence::Annotations(_)) => layer,
            _ => &self.signature,
        }
    }

    /// Whether timestamps are over something else than in a bundle.
    pub(super) fn is_stamped_whole(&self) -> bool {
        matches!((&self.content, &self.evidence), (Content::Envelope { layer: Some(_), .. }, Evidence::Annotations(_)))
    }

    fn to_json(&self) -> (&'static str, Value) {
        let signature = STANDARD.encode(&self.signature);
        match &self.content {
            Content::Envelope { envelope, .. } => (
                "dsseEnvelope",
                json!({
                    "payload": STANDARD.encode(&envelope.payload),
                    "payloadType": envelope.payload_type,
                    "signatures": [{"sig": signature}],
                }),
            ),
            Content::Payload(_) | Content::Artifact { .. } => ("messageSignature", json!({"signature": signature})),
        }
    }
}
