//! What may be a signature, as it was found.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::legacy_evidence::{Entry, LegacyEvidence, decode, parse};
use super::report::Format;
use super::signed::{Artifact, Content, Evidence, Signed};
use super::trail::told;
use crate::bundle::{self, Bundle, Material};
use crate::dsse::Envelope;
use crate::legacy::SIGNATURE;
use crate::object::{FieldError, Object};

/// The member that only the bundles have that cosign wrote before there were sigstore's.
const LEGACY_SIGNATURE: &str = "base64Signature";

/// What may be a signature of an image, with what messages call it. The blobs were compared with their digests by whoever
/// read them; nothing else is known of them.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it lies: `sha256-….sig, layer 2`.
    pub place: String,
    /// What lies there.
    pub stored: Stored,
}

/// What lies there.
#[derive(Debug, Clone)]
pub enum Stored {
    /// A layer under the tag `.sig`: the payload of a simple signature, and what its descriptor says.
    Simple {
        /// The blob.
        payload: Vec<u8>,
        /// The descriptor's annotations, among them the signature.
        annotations: BTreeMap<String, String>,
    },
    /// A layer under the tag `.att`: an envelope, and what its descriptor says.
    Envelope {
        /// The blob.
        bytes: Vec<u8>,
        /// The descriptor's annotations.
        annotations: BTreeMap<String, String>,
    },
    /// The blob of a referrer that says that it is a bundle.
    Bundle(Vec<u8>),
    /// Something that could not be read. It is reported, and hides nothing.
    Unreadable {
        /// Why not.
        reason: String,
    },
}

/// The signature of a file.
#[derive(Debug, Clone)]
pub enum Detached {
    /// Base64 alone, as `cosign sign-blob --output-signature` writes it. Space around it is passed over.
    Signature(Vec<u8>),
    /// A sigstore bundle, or one of those that cosign wrote before; which one is seen.
    Bundle(Vec<u8>),
}

impl Stored {
    /// How it is stored.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Simple { .. } => Format::SimpleSigning,
            Self::Envelope { .. } => Format::Envelope,
            Self::Bundle(_) => Format::Bundle,
            Self::Unreadable { .. } => Format::Unreadable,
        }
    }

    /// Step 1.
    pub(super) fn read(&self) -> Result<Signed<'_>, String> {
        match self {
            Self::Simple { payload, annotations } => {
                let text = annotations.get(SIGNATURE).ok_or("the layer has no signature")?;
                let signature = decode(text, "the signature")?;
                if signature.is_empty() {
                    return Err("the signature is empty".into());
                }
                let content = Content::Payload(payload);
                Ok(Signed { format: self.format(), content, signature, evidence: Evidence::Annotations(annotations) })
            }
            Self::Envelope { bytes, annotations } => {
                let envelope = Envelope::parse(bytes).map_err(|error| told(&error))?;
                let signature = envelope.signature.clone();
                let content = Content::Envelope { envelope, layer: Some(bytes) };
                Ok(Signed { format: self.format(), content, signature, evidence: Evidence::Annotations(annotations) })
            }
            Self::Bundle(bytes) => read_bundle(bytes, None),
            Self::Unreadable { reason } => Err(reason.clone()),
        }
    }
}

impl Detached {
    /// Step 1.
    pub(super) fn read<'a>(&'a self, artifact: &Artifact<'a>) -> Result<Signed<'a>, String> {
        let of_artifact = || Content::Artifact { artifact: artifact.clone(), stated: None };
        match self {
            Self::Signature(text) => {
                let signature = STANDARD.decode(text.trim_ascii()).map_err(|error| format!("no base64: {error}"))?;
                Ok(Signed { format: Format::Detached, content: of_artifact(), signature, evidence: Evidence::None })
            }
            Self::Bundle(bytes) if is_legacy(bytes) => {
                let value = parse(bytes, "the bundle")?;
                let (signature, evidence) = legacy(&value)?;
                let evidence = Evidence::Legacy(evidence);
                Ok(Signed { format: Format::LegacyBundle, content: of_artifact(), signature, evidence })
            }
            Self::Bundle(bytes) => read_bundle(bytes, Some(artifact)),
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Signature(_) => Format::Detached,
            Self::Bundle(bytes) if is_legacy(bytes) => Format::LegacyBundle,
            Self::Bundle(_) => Format::Bundle,
        }
    }
}

/// Whether this is what cosign wrote before there were sigstore's bundles.
fn is_legacy(bytes: &[u8]) -> bool {
    parse(bytes, "").is_ok_and(|value| value.get(LEGACY_SIGNATURE).is_some())
}

/// Signature and evidence of such a bundle.
fn legacy(value: &Value) -> Result<(Vec<u8>, LegacyEvidence), String> {
    let read = || {
        let bundle = Object::of(value, "the bundle")?.only(&[LEGACY_SIGNATURE, "cert", "rekorBundle"])?;
        let signature = bundle.require(LEGACY_SIGNATURE, bundle.bytes(LEGACY_SIGNATURE)?)?;
        Ok::<_, FieldError>((signature, bundle.text("cert")?, bundle.get("rekorBundle")))
    };
    let (signature, certificate, entry) = read().map_err(|error| told(&error))?;
    let entry = entry.map(Entry::of).transpose()?;
    Ok((signature, LegacyEvidence::of_file(certificate, entry)?))
}

/// Reads a bundle; where it signs an artifact and not a statement, there has to be one.
fn read_bundle<'a>(bytes: &'a [u8], artifact: Option<&Artifact<'a>>) -> Result<Signed<'a>, String> {
    let bundle = Bundle::parse(bytes).map_err(|error| told(&error))?;
    let certified = !matches!(bundle.material, Material::Key { .. });
    let evidence = Evidence::Bundle { text: bundle.text, certified };
    let (content, signature) = match (bundle.content, artifact) {
        (bundle::Content::Envelope(envelope), _) => {
            let signature = envelope.signature.clone();
            (Content::Envelope { envelope, layer: None }, signature)
        }
        (bundle::Content::Message { digest, signature }, Some(artifact)) => {
            (Content::Artifact { artifact: artifact.clone(), stated: digest }, signature)
        }
        (bundle::Content::Message { .. }, None) => {
            return Err("it is the signature of a file, and no statement about an image".into());
        }
    };
    Ok(Signed { format: Format::Bundle, content, signature, evidence })
}
