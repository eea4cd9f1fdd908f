//! Writing bundles that are verified with a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{MEDIA_TYPE, MessageDigest};
use crate::dsse::{self, Envelope};
use crate::key::PublicKey;
use crate::wire;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    media_type: &'static str,
    verification_material: Material,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_signature: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<dsse::Wire<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Hint,
}

#[derive(Serialize)]
struct Hint {
    hint: String,
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

/// Writes a bundle of version 0.3 around a statement that `key` signed, in the bytes of cosign 3.
#[must_use]
pub fn of_envelope(key: &PublicKey, envelope: &Envelope) -> Vec<u8> {
    write(key, None, Some(envelope.wire()))
}

/// The same of the signature of a message. `digest` is of the message: cosign 3 has SHA-256 of it there, and for keys on P-384
/// and P-521 the function that they sign with.
#[must_use]
pub fn of_message(key: &PublicKey, digest: &MessageDigest, signature: &[u8]) -> Vec<u8> {
    let message_digest = Digest { algorithm: digest.algorithm().name(), digest: STANDARD.encode(digest.bytes()) };
    write(key, Some(Message { message_digest, signature: STANDARD.encode(signature) }), None)
}

fn write(key: &PublicKey, message: Option<Message>, envelope: Option<dsse::Wire<'_>>) -> Vec<u8> {
    wire::proto(&Wire {
        media_type: MEDIA_TYPE,
        verification_material: Material { public_key: Hint { hint: key.hint() } },
        message_signature: message,
        dsse_envelope: envelope,
    })
}
