//! Envelopes of signed statements: [DSSE] 1.0.
//!
//! [DSSE]: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::json::{self, JsonError};
use serde::Serialize;

use crate::legacy::MAX_LAYER;
use crate::object::{FieldError, Object};
use crate::wire;

/// The type of a payload that is an in-toto statement: the only one that attestations have.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload with its type and one signature over both.
///
/// DSSE allows several signatures, bundles and cosign's layers have one, and two are refused: readers differ in whether one
/// good signature is enough. It also allows the URL-safe alphabet of base64, and so does the JSON of protocol buffers, but
/// nobody writes it; one text for each value is all that is read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is, as a media type.
    pub payload_type: String,
    /// The bytes that are signed, together with their type.
    pub payload: Vec<u8>,
    /// The signature over [`Envelope::pae`].
    pub signature: Vec<u8>,
}

/// Why bytes are no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the envelope has no single meaning")]
    Json(#[source] JsonError),
    /// Members that are missing or of another type.
    #[error("the envelope is not of the form that DSSE has")]
    Form(#[from] FieldError),
    /// None, or more than one.
    #[error("the envelope has {0} signatures where there must be one")]
    Signatures(usize),
    /// A signature of no bytes.
    #[error("the signature of the envelope is empty")]
    EmptySignature,
}

/// The members in the order of cosign 3, which bundles have as well.
#[derive(Serialize)]
pub(crate) struct Wire<'a> {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: &'a str,
    signatures: [Signature; 1],
}

#[derive(Serialize)]
struct Signature {
    sig: String,
}

/// What is done with members that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// As DSSE has it.
    Pass,
    /// As readers of protocol buffers have it.
    Refuse,
}

impl Unknown {
    fn judge<'a>(self, object: Object<'a>, known: &[&str]) -> Result<Object<'a>, FieldError> {
        match self {
            Self::Pass => Ok(object),
            Self::Refuse => object.only(known),
        }
    }
}

impl Envelope {
    /// Reads an envelope: a layer of attestations that either cosign wrote. They differ in the order of the members, and in an
    /// empty `keyid`. A key's name is passed over, since nothing vouches for it, and so are members that nobody knows, as the
    /// specification asks.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let value = json::parse(bytes, MAX_LAYER).map_err(EnvelopeError::Json)?;
        Self::from_object(Object::of(&value, "the envelope")?, Unknown::Pass)
    }

    /// The same of a part of another document.
    pub(crate) fn from_object(envelope: Object<'_>, unknown: Unknown) -> Result<Self, EnvelopeError> {
        let envelope = unknown.judge(envelope, &["payload", "payloadType", "signatures"])?;
        let payload = envelope.require("payload", envelope.bytes("payload")?)?;
        let payload_type = envelope.require("payloadType", envelope.text("payloadType")?)?.to_owned();
        let signatures = envelope.list("signatures", usize::MAX)?;
        let [signature] = signatures else { return Err(EnvelopeError::Signatures(signatures.len())) };
        let signature = unknown.judge(Object::of(signature, "the signature")?, &["keyid", "sig"])?;
        signature.text("keyid")?;
        let signature = signature.require("sig", signature.bytes("sig")?)?;
        if signature.is_empty() {
            return Err(EnvelopeError::EmptySignature);
        }
        Ok(Self { payload_type, payload, signature })
    }

    /// What the signature is over.
    #[must_use]
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The bytes that cosign 3 writes for these values. Cosign 2 has the payload's type first and an empty `keyid`; both read
    /// both.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::proto(&self.wire())
    }

    pub(crate) fn wire(&self) -> Wire<'_> {
        let signatures = [Signature { sig: STANDARD.encode(&self.signature) }];
        Wire { payload: STANDARD.encode(&self.payload), payload_type: &self.payload_type, signatures }
    }

    /// Whether a new envelope around the same payload would say nothing that this one does not: its signature is one by the
    /// key that `verifies` a message (the first argument) by a signature.
    #[must_use]
    pub fn repeats(&self, payload_type: &str, payload: &[u8], verifies: impl FnOnce(&[u8], &[u8]) -> bool) -> bool {
        self.payload_type == payload_type && self.payload == payload && verifies(&self.pae(), &self.signature)
    }
}

/// What is signed: the [pre-authentication encoding] of a payload and its type, by which a signature of one type is none of
/// another.
///
/// [pre-authentication encoding]: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md#signature-definition
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests;
