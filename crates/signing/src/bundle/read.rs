//! Reading bundles.

use std::collections::BTreeSet;

use distil_imgcore::json;

use super::entry::{entry, timestamp};
use super::{
    Bundle, BundleError, Content, HashAlgorithm, LogEntry, MAX_ENTRIES, MAX_TIMESTAMPS, MEDIA_TYPE, Material,
    MessageDigest, Version,
};
use crate::dsse::{Envelope, IN_TOTO, Unknown};
use crate::legacy::MAX_LAYER;
use crate::object::Object;

impl Version {
    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.dev.sigstore.bundle+json;version=0.1" => Some(Self::V0_1),
            "application/vnd.dev.sigstore.bundle+json;version=0.2" => Some(Self::V0_2),
            "application/vnd.dev.sigstore.bundle+json;version=0.3" | MEDIA_TYPE => Some(Self::V0_3),
            _ => None,
        }
    }
}

impl<'a> Bundle<'a> {
    /// Reads a bundle of version 0.1, 0.2 or 0.3.
    ///
    /// # Errors
    /// [`BundleError`] for what breaks a rule of the [module](super).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let value = json::parse(bytes, MAX_LAYER).map_err(BundleError::Json)?;
        // What the check lets through is UTF-8.
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let bundle = Object::of(&value, "the bundle")?;
        let bundle = bundle.only(&["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"])?;
        let media_type = bundle.require("mediaType", bundle.text("mediaType")?)?;
        let version = Version::of(media_type).ok_or_else(|| BundleError::Version(media_type.to_owned()))?;
        let found = bundle.object("verificationMaterial", "verificationMaterial")?;
        let found = bundle.require("verificationMaterial", found)?.only(&[
            "publicKey",
            "x509CertificateChain",
            "certificate",
            "tlogEntries",
            "timestampVerificationData",
        ])?;
        Ok(Self {
            version,
            material: material(found, version)?,
            content: content(bundle)?,
            entries: entries(found, version)?,
            timestamps: timestamps(found)?,
            text,
        })
    }
}

fn material(found: Object<'_>, version: Version) -> Result<Material, BundleError> {
    let key = found.object("publicKey", "publicKey")?;
    let chain = found.object("x509CertificateChain", "x509CertificateChain")?;
    let certificate = found.object("certificate", "certificate")?;
    match (key, chain, certificate) {
        (Some(key), None, None) => Ok(Material::Key { hint: key.only(&["hint"])?.text("hint")?.map(str::to_owned) }),
        (None, None, Some(certificate)) => Ok(Material::Certificate(der(certificate)?)),
        (None, Some(chain), None) => {
            // How many may be is for those to say who verify them; here, the size of the bundle bounds them.
            let chain = chain.only(&["certificates"])?.list("certificates", usize::MAX)?;
            if chain.is_empty() || version >= Version::V0_3 {
                return Err(BundleError::Chain(chain.len()));
            }
            let chain = chain.iter().map(|item| der(Object::of(item, "a certificate")?));
            Ok(Material::Chain(chain.collect::<Result<_, BundleError>>()?))
        }
        (key, chain, certificate) => Err(BundleError::Choice {
            wanted: "a key, a certificate and a chain of certificates",
            found: [key, chain, certificate].into_iter().flatten().count(),
        }),
    }
}

fn der(certificate: Object<'_>) -> Result<Vec<u8>, BundleError> {
    let bytes = certificate.only(&["rawBytes"])?.bytes("rawBytes")?;
    bytes.filter(|bytes| !bytes.is_empty()).ok_or(BundleError::Empty("a certificate"))
}

fn content(bundle: Object<'_>) -> Result<Content, BundleError> {
    let envelope = bundle.object("dsseEnvelope", "the envelope")?;
    let message = bundle.object("messageSignature", "messageSignature")?;
    match (envelope, message) {
        (Some(envelope), None) => {
            let envelope = Envelope::from_object(envelope, Unknown::Refuse)?;
            if envelope.payload_type != IN_TOTO {
                return Err(BundleError::PayloadType(envelope.payload_type));
            }
            Ok(Content::Envelope(envelope))
        }
        (None, Some(message)) => {
            let message = message.only(&["messageDigest", "signature"])?;
            let digest = message.object("messageDigest", "messageDigest")?.map(message_digest).transpose()?.flatten();
            let signature = message.bytes("signature")?.filter(|signature| !signature.is_empty());
            Ok(Content::Message { digest, signature: signature.ok_or(BundleError::Empty("the signature"))? })
        }
        (envelope, message) => Err(BundleError::Choice {
            wanted: "an envelope and the signature of a message",
            found: [envelope, message].into_iter().flatten().count(),
        }),
    }
}

/// Cosign 3 writes one without anything for Ed25519.
fn message_digest(digest: Object<'_>) -> Result<Option<MessageDigest>, BundleError> {
    let digest = digest.only(&["algorithm", "digest"])?;
    match (digest.text("algorithm")?, digest.bytes("digest")?) {
        (None, None) => Ok(None),
        (Some(algorithm), Some(bytes)) => {
            let algorithm = HashAlgorithm::named(algorithm).ok_or(BundleError::MessageDigest)?;
            MessageDigest::new(algorithm, bytes).map(Some).ok_or(BundleError::MessageDigest)
        }
        _ => Err(BundleError::MessageDigest),
    }
}

fn entries(found: Object<'_>, version: Version) -> Result<Vec<LogEntry>, BundleError> {
    let list = found.list("tlogEntries", MAX_ENTRIES)?;
    let mut seen = BTreeSet::new();
    let mut entries = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let entry = entry(Object::of(item, "a log entry")?, index, version)?;
        if !seen.insert((entry.log_id.clone(), entry.log_index)) {
            return Err(BundleError::Twice { index });
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn timestamps(found: Object<'_>) -> Result<Vec<Vec<u8>>, BundleError> {
    let Some(data) = found.object("timestampVerificationData", "timestampVerificationData")? else {
        return Ok(Vec::new());
    };
    let list = data.only(&["rfc3161Timestamps"])?.list("rfc3161Timestamps", MAX_TIMESTAMPS)?;
    list.iter().map(|item| Ok(timestamp(Object::of(item, "a timestamp")?)?)).collect()
}
