//! The payload of a simple signature: what cosign signs and stores as a layer under a tag with the ending `.sig`.
//!
//! See cosign's [specification], which takes the form from the [signatures] of containers/image.
//!
//! [specification]: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
//! [signatures]: https://github.com/containers/image/blob/main/docs/containers-signature.5.md

use std::collections::BTreeMap;

use distil_imgcore::digest::DigestError;
use distil_imgcore::json::{self, JsonError};
use distil_imgcore::{Digest, Escaped};
use serde::Serialize;
use serde_json::Value;

use crate::legacy::MAX_LAYER;
use crate::object::{FieldError, Object};
use crate::wire;

/// What the payload says that it is.
const TYPE: &str = "cosign container image signature";

/// What a simple signature signs. The signature is over the bytes that were read, never over those of [`Payload::to_bytes`]:
/// the same values have many forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The repository of the image, without tag or digest, or whatever the signer put there instead.
    pub reference: String,
    /// The manifest or index that is signed.
    pub digest: Digest,
    /// Annotations of the signature. Only texts are kept when a payload is read, since nothing else can be asked for;
    /// containers/image writes a time as a number there.
    pub optional: BTreeMap<String, String>,
}

/// Why bytes are no payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the payload has no single meaning")]
    Json(#[source] JsonError),
    /// A number that is too large.
    #[error("the payload cannot be read")]
    Value(#[source] serde_json::Error),
    /// Members that are missing, of another type, or that nobody knows. The latter are refused, since critical ones have to
    /// be understood.
    #[error("the payload is not of the form that cosign has")]
    Form(#[from] FieldError),
    /// A payload that is something else, and which cosign takes for a signature nevertheless.
    #[error("the payload says that it is \"{}\"", Escaped(.0.as_bytes()))]
    Type(String),
    /// What is signed is not named by a digest.
    #[error("the payload names no image by digest")]
    Digest(#[from] DigestError),
}

/// The members in cosign's order.
#[derive(Serialize)]
struct Wire<'a> {
    critical: Critical<'a>,
    optional: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Critical<'a> {
    identity: Identity<'a>,
    image: Image,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Identity<'a> {
    #[serde(rename = "docker-reference")]
    docker_reference: &'a str,
}

#[derive(Serialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: String,
}

impl Payload {
    /// The bytes that both cosigns write for these values.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let critical = Critical {
            identity: Identity { docker_reference: &self.reference },
            image: Image { docker_manifest_digest: self.digest.to_string() },
            r#type: TYPE,
        };
        let wire = Wire { critical, optional: Some(&self.optional).filter(|optional| !optional.is_empty()) };
        wire::go(&wire)
    }

    /// Reads a payload. That it is signed, and about what was asked for, is for the caller to check.
    ///
    /// # Errors
    /// [`PayloadError`], among them one for each thing that cosign lets through: another type, keys that stand twice or in
    /// other case, something behind the document, and members that nobody knows.
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        // Annotations may be any JSON, fractions too.
        json::check_data(bytes, MAX_LAYER).map_err(PayloadError::Json)?;
        let value: Value = serde_json::from_slice(bytes).map_err(PayloadError::Value)?;
        let payload = Object::of(&value, "the payload")?.only(&["critical", "optional"])?;
        let critical = payload.require("critical", payload.object("critical", "critical")?)?;
        let critical = critical.only(&["identity", "image", "type"])?;
        let kind = critical.require("type", critical.text("type")?)?;
        if kind != TYPE {
            return Err(PayloadError::Type(kind.to_owned()));
        }
        let identity = critical.require("identity", critical.object("identity", "identity")?)?;
        let identity = identity.only(&["docker-reference"])?;
        let reference = identity.require("docker-reference", identity.text("docker-reference")?)?;
        let image = critical.require("image", critical.object("image", "image")?)?.only(&["docker-manifest-digest"])?;
        let digest = image.require("docker-manifest-digest", image.text("docker-manifest-digest")?)?;
        let optional = match payload.get("optional") {
            None => BTreeMap::new(),
            Some(Value::Object(members)) => {
                let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
                members.iter().filter_map(text).collect()
            }
            Some(_) => return Err(FieldError::NoObject { object: "optional" }.into()),
        };
        Ok(Self { reference: reference.to_owned(), digest: digest.parse()?, optional })
    }
}

#[cfg(test)]
mod tests;
