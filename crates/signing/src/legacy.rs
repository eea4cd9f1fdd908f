//! Signatures and attestations as layers of a manifest, under a tag of their own: `sha256-<hex>.sig` and `.att`.
//!
//! [`distil_imgcore::Attachment`] has the tags. A layer is the payload of a [simple signature](crate::simple), with the
//! signature in an annotation, or an [envelope](crate::dsse), which has its signature itself. What is written is what both
//! cosigns write, byte for byte.
//!
//! Several signatures are layers of one manifest: whoever adds one reads the manifest, appends and writes it anew. What
//! somebody else adds in between is lost; no format prevents that.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::document::MAX_ATTESTATIONS;
use distil_imgcore::{Descriptor, Digest, Manifest, MediaType};
use serde::Serialize;

use crate::bundle::LogEntry;
use crate::keyless::Evidence;
use crate::wire;
use crate::written::{Named, WireDescriptor, Written};

/// Bytes of one layer: cosign's limit.
pub const MAX_LAYER: usize = 128 << 20;

/// The annotation of a layer with the signature, in base64. It is there and empty where the layer is an envelope.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate to verify the signature with, as PEM.
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the certificates above that one, as PEM. Cosign 3 leaves it empty.
pub const CHAIN: &str = "dev.sigstore.cosign/chain";
/// The annotation with what a transparency log says of the signature, as JSON.
pub const BUNDLE: &str = "dev.sigstore.cosign/bundle";
/// The annotation with a timestamp over the signature, as JSON.
pub const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// The annotation of an envelope with the type of the predicate. It is not signed: nothing is to be believed for it.
pub const PREDICATE_TYPE: &str = "predicateType";

/// What the configs of cosign have for a time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A signature or attestation: its descriptor with annotations, and its bytes where they are at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    descriptor: Descriptor,
    payload: Option<Vec<u8>>,
}

/// Why layers cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// More layers than are read.
    #[error("{0} signatures in one manifest, where at most {MAX_ATTESTATIONS} may be")]
    TooMany(usize),
    /// No layers, which is no manifest.
    #[error("a manifest of signatures has to have one")]
    None,
    /// A layer is larger than [`MAX_LAYER`].
    #[error("the layer {digest} has {size} bytes, where at most {MAX_LAYER} may be")]
    TooLarge {
        /// Its digest.
        digest: Digest,
        /// The size that its descriptor states.
        size: u64,
    },
    /// Bytes are not those that the descriptor names.
    #[error("the bytes of the layer {0} are others")]
    OtherBytes(Digest),
    /// A layer has no annotation with a signature, or one that is empty or no base64.
    #[error("the layer {0} has no signature that can be read")]
    NoSignature(Digest),
}

impl Layer {
    /// A signature over the payload of a simple signature.
    #[must_use]
    pub fn signature(payload: Vec<u8>, signature: &[u8]) -> Self {
        Self::new(MediaType::SIMPLE_SIGNING, payload).with_annotation(SIGNATURE, &STANDARD.encode(signature))
    }

    /// An envelope around a statement of this type.
    #[must_use]
    pub fn attestation(envelope: Vec<u8>, predicate_type: &str) -> Self {
        let layer = Self::new(MediaType::DSSE, envelope).with_annotation(SIGNATURE, "");
        layer.with_annotation(PREDICATE_TYPE, predicate_type)
    }

    /// The same with all that vouches for the signature: certificate, chain, log entry and timestamp, as cosign 2 has them.
    #[must_use]
    pub fn with_evidence(self, evidence: &Evidence) -> Self {
        let layer = self
            .with_annotation(CERTIFICATE, &evidence.certificate.to_pem())
            .with_annotation(CHAIN, &evidence.certificate.chain_to_pem())
            .with_annotation(BUNDLE, &wire::go_text(&WireEntry::of(&evidence.entry)));
        match &evidence.timestamp {
            Some(stamp) => layer.with_annotation(
                TIMESTAMP,
                &wire::go_text(&WireStamp { signed_rfc3161_timestamp: STANDARD.encode(stamp) }),
            ),
            None => layer,
        }
    }

    fn new(media_type: &'static str, payload: Vec<u8>) -> Self {
        let Named { descriptor, bytes } = Named::new(media_type, payload);
        Self { descriptor, payload: Some(bytes) }
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with_annotation(self, key: &str, value: &str) -> Self {
        Self { descriptor: self.descriptor.with_annotation(key, value), payload: self.payload }
    }

    /// The same with its bytes, which are compared with the descriptor.
    ///
    /// # Errors
    /// [`LegacyError::OtherBytes`].
    pub fn with_payload(self, payload: Vec<u8>) -> Result<Self, LegacyError> {
        let mut hasher = self.descriptor.digest().hasher();
        hasher.update(&payload);
        if payload.len() as u64 != self.descriptor.size() || hasher.finish() != *self.descriptor.digest() {
            return Err(LegacyError::OtherBytes(self.descriptor.digest().clone()));
        }
        Ok(Self { descriptor: self.descriptor, payload: Some(payload) })
    }

    /// What names it, with its annotations.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        self.descriptor.annotations()
    }

    /// Its bytes, where they are at hand.
    #[must_use]
    pub fn payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }

    /// The signature that its annotation has.
    ///
    /// # Errors
    /// [`LegacyError::NoSignature`], which every envelope gives: its signature is in it.
    pub fn signature_bytes(&self) -> Result<Vec<u8>, LegacyError> {
        let text = self.annotations().get(SIGNATURE).map(String::as_str).unwrap_or_default();
        let signature = STANDARD.decode(text).ok().filter(|signature| !signature.is_empty());
        signature.ok_or_else(|| LegacyError::NoSignature(self.descriptor.digest().clone()))
    }

    /// Whether `new`, the payload of a simple signature, would say nothing that this one does not. That is cosign's rule: one
    /// digest and media type, all annotations of the new one with equal values but for the signature, and a signature
    /// that is one by the key of the new one, which `verifies` a message (the first argument).
    fn is_repeated_by(&self, new: &Self, verifies: impl FnOnce(&[u8], &[u8]) -> bool) -> bool {
        let kept = |(key, value): (&String, &String)| key == SIGNATURE || self.annotations().get(key) == Some(value);
        self.descriptor.digest() == new.descriptor.digest()
            && self.descriptor.media_type() == new.descriptor.media_type()
            && new.annotations().iter().all(kept)
            && new.payload().zip(self.signature_bytes().ok()).is_some_and(|(payload, found)| verifies(payload, &found))
    }
}

/// The layers of a manifest, in its order; of types that are unknown too, since whoever appends keeps them.
///
/// # Errors
/// [`LegacyError::TooMany`] and [`LegacyError::TooLarge`].
pub fn layers(manifest: &Manifest) -> Result<Vec<Layer>, LegacyError> {
    let layer = |descriptor: &Descriptor| match usize::try_from(descriptor.size()) {
        Ok(size) if size <= MAX_LAYER => Ok(Layer { descriptor: descriptor.clone(), payload: None }),
        _ => Err(LegacyError::TooLarge { digest: descriptor.digest().clone(), size: descriptor.size() }),
    };
    check_count(manifest.layers())?;
    manifest.layers().iter().map(layer).collect()
}

/// Adds a layer behind all others; nothing where one is there that says the same by the same key, of which `verifies` tells
/// whether a message (the first argument) has such a signature. Signing again does not pile up so. Of envelopes only the
/// bytes tell that; see [`Envelope::repeats`](crate::dsse::Envelope::repeats).
pub fn append(layers: &[Layer], new: Layer, verifies: impl Fn(&[u8], &[u8]) -> bool) -> Option<Vec<Layer>> {
    if layers.iter().any(|layer| layer.is_repeated_by(&new, &verifies)) {
        return None;
    }
    Some(layers.iter().cloned().chain([new]).collect())
}

/// Puts an attestation in the place of all others whose annotation has the same type of predicate, whoever signed them: the
/// new one first, then the others in their order, as `cosign attest --replace` does.
#[must_use]
pub fn replace(layers: &[Layer], new: Layer) -> Vec<Layer> {
    let kind = |layer: &Layer| layer.annotations().get(PREDICATE_TYPE).cloned();
    let replaced = kind(&new);
    let others = layers.iter().filter(|layer| replaced.is_none() || kind(layer) != replaced).cloned().collect();
    [vec![new], others].concat()
}

/// Writes the manifest of some layers and its config. Layers without bytes are those that are stored already.
///
/// # Errors
/// [`LegacyError::None`], [`LegacyError::TooMany`] and [`LegacyError::TooLarge`].
pub fn manifest(layers: &[Layer]) -> Result<Written, LegacyError> {
    if layers.is_empty() {
        return Err(LegacyError::None);
    }
    check_count(layers)?;
    if let Some(layer) = layers.iter().find(|layer| layer.descriptor.size() > MAX_LAYER as u64) {
        return Err(LegacyError::TooLarge { digest: layer.descriptor.digest().clone(), size: layer.descriptor.size() });
    }
    let config = Named::new(MediaType::CONFIG, wire::go(&WireConfig::of(layers)));
    let manifest = wire::go(&Wire {
        schema_version: 2,
        media_type: MediaType::MANIFEST,
        config: WireDescriptor::bare(&config.descriptor),
        layers: layers.iter().map(|layer| WireDescriptor::annotated(&layer.descriptor)).collect(),
    });
    let held = layers
        .iter()
        .filter_map(|layer| Some(Named { descriptor: layer.descriptor.bare(), bytes: layer.payload.clone()? }));
    let blobs = [config].into_iter().chain(held).collect();
    Ok(Written { manifest: Named::new(MediaType::MANIFEST, manifest), blobs })
}

fn check_count<T>(layers: &[T]) -> Result<(), LegacyError> {
    if layers.len() > MAX_ATTESTATIONS { Err(LegacyError::TooMany(layers.len())) } else { Ok(()) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: WireDescriptor<'a>,
    layers: Vec<WireDescriptor<'a>>,
}

/// What cosign had of a log entry before there were bundles: the promise, and what it is over.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireEntry {
    signed_entry_timestamp: String,
    payload: WireEntryPayload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireEntryPayload {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Serialize)]
struct WireStamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed_rfc3161_timestamp: String,
}

impl WireEntry {
    pub(crate) fn of(entry: &LogEntry) -> Self {
        Self {
            signed_entry_timestamp: STANDARD.encode(entry.promise.as_deref().unwrap_or_default()),
            payload: WireEntryPayload {
                body: STANDARD.encode(&entry.body),
                integrated_time: entry.integrated_time.unwrap_or_default(),
                log_index: entry.log_index,
                log_id: hex::encode(&entry.log_id),
            },
        }
    }
}

/// What cosign has for an image's config: a history and a layer for each signature.
#[derive(Serialize)]
struct WireConfig {
    architecture: &'static str,
    created: &'static str,
    history: Vec<History>,
    os: &'static str,
    rootfs: RootFs,
    config: Nothing,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct History {
    created: &'static str,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: Vec<String>,
}

impl WireConfig {
    fn of(layers: &[Layer]) -> Self {
        Self {
            architecture: "",
            created: NO_TIME,
            history: layers.iter().map(|_| History { created: NO_TIME }).collect(),
            os: "",
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: layers.iter().map(|layer| layer.descriptor.digest().to_string()).collect(),
            },
            config: Nothing {},
        }
    }
}

#[cfg(test)]
mod tests;
