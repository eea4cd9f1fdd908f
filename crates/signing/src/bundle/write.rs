//! Writing bundles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::{LogEntry, MEDIA_TYPE, MessageDigest};
use crate::dsse::{self, Envelope};
use crate::key::PublicKey;
use crate::keyless::Evidence;
use crate::legacy::WireEntry;
use crate::wire;

/// What somebody is to verify a signature with.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// A key, which he has.
    Key(&'a PublicKey),
    /// What lies beside it.
    Evidence(&'a Evidence),
}

impl<'a> From<&'a PublicKey> for By<'a> {
    fn from(key: &'a PublicKey) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a Evidence> for By<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        Self::Evidence(evidence)
    }
}

/// Writes a bundle of version 0.3 around a signed statement, in the bytes of cosign 3.
#[must_use]
pub fn of_envelope<'a>(by: impl Into<By<'a>>, envelope: &Envelope) -> Vec<u8> {
    write(by.into(), None, Some(envelope.wire()))
}

/// The same of the signature of a message. `digest` is of the message: cosign 3 has SHA-256 of it there, and for keys on P-384
/// and P-521 the function that they sign with.
#[must_use]
pub fn of_message<'a>(by: impl Into<By<'a>>, digest: &MessageDigest, signature: &[u8]) -> Vec<u8> {
    let message_digest = Digest { algorithm: digest.algorithm().name(), digest: STANDARD.encode(digest.bytes()) };
    write(by.into(), Some(Message { message_digest, signature: STANDARD.encode(signature) }), None)
}

/// Writes the bundle of a file's signature that cosign 2 wrote before there were sigstore's, in its bytes: with nothing but the
/// signature where a key verifies it. It has no place for a timestamp.
#[must_use]
pub fn legacy_of_message<'a>(by: impl Into<By<'a>>, signature: &[u8]) -> Vec<u8> {
    let evidence = match by.into() {
        By::Key(_) => None,
        By::Evidence(evidence) => Some(evidence),
    };
    wire::go(&Legacy {
        signature: STANDARD.encode(signature),
        certificate: evidence.map(|evidence| STANDARD.encode(evidence.certificate.to_pem())),
        entry: evidence.map(|evidence| WireEntry::of(&evidence.entry)),
    })
}

fn write(by: By<'_>, message: Option<Message>, envelope: Option<dsse::Wire<'_>>) -> Vec<u8> {
    wire::proto(&Wire {
        media_type: MEDIA_TYPE,
        verification_material: Material::of(by),
        message_signature: message,
        dsse_envelope: envelope,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    media_type: &'static str,
    verification_material: Material<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_signature: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<dsse::Wire<'a>>,
}

/// Protocol buffers leave out what is empty.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Material<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tlog_entries: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Stamps<'a>>,
}

impl<'a> Material<'a> {
    fn of(by: By<'a>) -> Self {
        match by {
            By::Key(key) => Self { public_key: Some(Hint { hint: key.hint() }), ..Self::default() },
            By::Evidence(evidence) => Self {
                certificate: Some(Raw { raw_bytes: Base64(evidence.certificate.der()) }),
                tlog_entries: vec![Entry::of(&evidence.entry)],
                timestamp_verification_data: evidence.timestamp.as_deref().map(Stamps::of),
                ..Self::default()
            },
        }
    }
}

/// Bytes, as all of protocol buffers' JSON has them.
struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

#[derive(Serialize)]
struct Hint {
    hint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    raw_bytes: Base64<'a>,
}

/// Numbers of 64 bits are texts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(skip_serializing_if = "is_zero")]
    log_index: String,
    log_id: LogId<'a>,
    kind_version: KindVersion<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    integrated_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<Promise<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion_proof: Option<Proof<'a>>,
    canonicalized_body: Base64<'a>,
}

fn is_zero(number: &str) -> bool {
    number == "0"
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogId<'a> {
    key_id: Base64<'a>,
}

#[derive(Serialize)]
struct KindVersion<'a> {
    kind: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Promise<'a> {
    signed_entry_timestamp: Base64<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Proof<'a> {
    #[serde(skip_serializing_if = "is_zero")]
    log_index: String,
    root_hash: Base64<'a>,
    tree_size: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint<'a>>,
}

#[derive(Serialize)]
struct Checkpoint<'a> {
    envelope: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamps<'a> {
    rfc3161_timestamps: [Stamp<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamp<'a> {
    signed_timestamp: Base64<'a>,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a LogEntry) -> Self {
        Self {
            log_index: entry.log_index.to_string(),
            log_id: LogId { key_id: Base64(&entry.log_id) },
            kind_version: KindVersion { kind: &entry.kind, version: &entry.kind_version },
            integrated_time: entry.integrated_time.map(|time| time.to_string()),
            inclusion_promise: entry
                .promise
                .as_deref()
                .map(|promise| Promise { signed_entry_timestamp: Base64(promise) }),
            inclusion_proof: entry.proof.as_ref().map(|proof| Proof {
                log_index: proof.log_index.to_string(),
                root_hash: Base64(&proof.root_hash),
                tree_size: proof.tree_size.to_string(),
                hashes: proof.hashes.iter().map(|hash| Base64(hash)).collect(),
                checkpoint: proof.checkpoint.as_deref().map(|envelope| Checkpoint { envelope }),
            }),
            canonicalized_body: Base64(&entry.body),
        }
    }
}

impl<'a> Stamps<'a> {
    fn of(stamp: &'a [u8]) -> Self {
        Self { rfc3161_timestamps: [Stamp { signed_timestamp: Base64(stamp) }] }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_digest: Digest,
    signature: String,
}

#[derive(Serialize)]
struct Digest {
    algorithm: &'static str,
    digest: String,
}

#[derive(Serialize)]
struct Legacy {
    #[serde(rename = "base64Signature")]
    signature: String,
    #[serde(rename = "cert", skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(rename = "rekorBundle", skip_serializing_if = "Option::is_none")]
    entry: Option<WireEntry>,
}
