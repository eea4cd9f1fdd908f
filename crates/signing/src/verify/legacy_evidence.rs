//! What cosign put beside a signature before there were bundles: certificate, log entry and timestamp in annotations.
//!
//! It says the same as a [bundle] of version 0.1, and is made one, so that there is one path that judges it.
//!
//! [bundle]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::json;
use serde_json::{Value, json};
use sigstore_verify::types::Bundle;

use super::trail::told;
use crate::certificates;
use crate::legacy::{BUNDLE, CERTIFICATE, CHAIN, TIMESTAMP};
use crate::object::{FieldError, Object};

/// Bytes of the JSON in an annotation: those of the document that it stands in.
const MAX_TEXT: usize = distil_imgcore::document::MAX_DOCUMENT;

/// The evidence, decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct LegacyEvidence {
    /// DER.
    certificate: Option<Vec<u8>>,
    /// DER, the issuer of the certificate first. They may help to find a way to the trusted root, and are trusted for
    /// nothing.
    chain: Vec<Vec<u8>>,
    entry: Option<Entry>,
    /// An RFC 3161 response, DER.
    pub(super) timestamp: Option<Vec<u8>>,
}

/// An entry of Rekor, as its API of version 1 gave it, with the promise to include it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    promise: String,
    /// Base64 of the entry.
    body: String,
    integrated_time: u64,
    log_index: u64,
    log_id: Vec<u8>,
}

/// Whom a bundle says it is signed by.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// A key, which the caller knows.
    Key,
    /// The certificate that lies beside it.
    Certificate,
}

impl LegacyEvidence {
    /// Reads the annotations of a layer.
    pub(super) fn of_annotations(annotations: &BTreeMap<String, String>) -> Result<Self, String> {
        // cosign 3 writes an empty chain where it has none.
        let text = |name: &str| annotations.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let certificates = text(CERTIFICATE).map(certificates::read).transpose()?.unwrap_or_default();
        if certificates.len() > 1 {
            return Err("there are several certificates where one has to be".into());
        }
        let entry = text(BUNDLE).map(|text| Entry::of(&parse(text.as_bytes(), "the log entry")?));
        let timestamp = text(TIMESTAMP).map(|text| timestamp(&parse(text.as_bytes(), "the timestamp")?));
        Ok(Self {
            certificate: certificates.into_iter().next(),
            chain: text(CHAIN).map(certificates::read).transpose()?.unwrap_or_default(),
            entry: entry.transpose()?,
            timestamp: timestamp.transpose()?,
        })
    }

    /// Takes what stood in a bundle of a file: base64 of a PEM certificate, and the log entry.
    pub(super) fn of_file(certificate: Option<&str>, entry: Option<Entry>) -> Result<Self, String> {
        let pem = certificate.map(|text| decode(text, "the certificate")).transpose()?;
        let pem = pem.map(String::from_utf8).transpose().map_err(|_| "the certificate is not text")?;
        // Where a key signed, its public key stands there. It is trusted for nothing, so it is not read.
        let pem = pem.filter(|pem| pem.contains("CERTIFICATE"));
        let mut found = pem.map(|pem| certificates::read(&pem)).transpose()?.unwrap_or_default();
        if found.len() > 1 {
            return Err("there are several certificates where one has to be".into());
        }
        Ok(Self { certificate: found.pop(), entry, ..Self::default() })
    }

    /// The same as a bundle, with `content` for its signature: `messageSignature` or `dsseEnvelope`.
    ///
    /// Where `stamp` is not asked for, the bundle has no timestamp: cosign had those of attestations made over the whole
    /// layer, those of a bundle are over the signature.
    pub(super) fn to_bundle(&self, by: By, content: &(&str, Value), stamp: bool) -> Result<Bundle, String> {
        let mut material = match (by, &self.certificate) {
            (By::Key, _) => json!({"publicKey": {}}),
            (By::Certificate, Some(leaf)) => {
                let chain: Vec<Value> = std::iter::once(leaf).chain(&self.chain).map(|der| raw(der)).collect();
                json!({"x509CertificateChain": {"certificates": chain}})
            }
            (By::Certificate, None) => return Err("there is no certificate".into()),
        };
        let entries = self.entry.iter().map(Entry::to_json).collect::<Result<Vec<_>, _>>()?;
        let timestamps = self.timestamp.iter().filter(|_| stamp);
        let timestamps: Vec<Value> = timestamps.map(|der| json!({"signedTimestamp": STANDARD.encode(der)})).collect();
        if let Some(members) = material.as_object_mut() {
            members.insert("tlogEntries".into(), entries.into());
            members.insert("timestampVerificationData".into(), json!({"rfc3161Timestamps": timestamps}));
        }
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "verificationMaterial": material,
            (content.0): content.1,
        });
        Bundle::from_json(&bundle.to_string()).map_err(|error| told(&error))
    }
}

impl Entry {
    /// Reads an entry.
    pub(super) fn of(value: &Value) -> Result<Self, String> {
        let read = || -> Result<(Self, String), FieldError> {
            let entry = Object::of(value, "the log entry")?.only(&["SignedEntryTimestamp", "Payload"])?;
            let promise = entry.require("SignedEntryTimestamp", entry.text("SignedEntryTimestamp")?)?.to_owned();
            let payload = entry.require("Payload", entry.object("Payload", "the payload of the log entry")?)?;
            let payload = payload.only(&["body", "integratedTime", "logIndex", "logID"])?;
            let log_id = payload.require("logID", payload.text("logID")?)?.to_owned();
            let entry = Self {
                promise,
                body: payload.require("body", payload.text("body")?)?.to_owned(),
                integrated_time: payload.require("integratedTime", payload.count("integratedTime")?)?,
                log_index: payload.require("logIndex", payload.count("logIndex")?)?,
                log_id: Vec::new(),
            };
            Ok((entry, log_id))
        };
        let (entry, log_id) = read().map_err(|error| told(&error))?;
        let log_id = hex::decode(log_id).map_err(|error| format!("the log's name is not hexadecimal: {error}"))?;
        Ok(Self { log_id, ..entry })
    }

    fn to_json(&self) -> Result<Value, String> {
        let body = parse(&decode(&self.body, "the log entry")?, "the log entry")?;
        Ok(json!({
            "logIndex": self.log_index.to_string(),
            "logId": {"keyId": STANDARD.encode(&self.log_id)},
            "kindVersion": {"kind": body.get("kind"), "version": body.get("apiVersion")},
            "integratedTime": self.integrated_time.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": self.promise},
            "canonicalizedBody": self.body,
        }))
    }
}

fn timestamp(value: &Value) -> Result<Vec<u8>, String> {
    const RESPONSE: &str = "SignedRFC3161Timestamp";
    let read = || {
        let timestamp = Object::of(value, "the timestamp")?.only(&[RESPONSE])?;
        timestamp.require(RESPONSE, timestamp.bytes(RESPONSE)?)
    };
    read().map_err(|error| told(&error))
}

fn raw(der: &[u8]) -> Value {
    json!({"rawBytes": STANDARD.encode(der)})
}

/// Reads JSON that has one meaning.
pub(super) fn parse(text: &[u8], what: &str) -> Result<Value, String> {
    json::parse(text, MAX_TEXT).map_err(|error| format!("{what}: {error}"))
}

/// Standard base64, padded, and only the one spelling of it.
pub(super) fn decode(text: &str, what: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| format!("{what} is not base64: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(items: &[(&str, &str)]) -> BTreeMap<String, String> {
        items.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn pem(der: &[u8]) -> String {
        certificates::write(der)
    }

    #[test]
    fn an_empty_chain_is_none_and_a_full_one_keeps_its_order() {
        let found = LegacyEvidence::of_annotations(&annotations(&[(CERTIFICATE, &pem(b"leaf")), (CHAIN, "")])).unwrap();
        assert_eq!((found.certificate.as_deref(), found.chain.len()), (Some(&b"leaf"[..]), 0));
        let chain = format!("{}{}", pem(b"parent"), pem(b"root"));
        let found = LegacyEvidence::of_annotations(&annotations(&[(CHAIN, &chain)])).unwrap();
        assert_eq!(found.chain, [b"parent".to_vec(), b"root".to_vec()]);
        assert!(found.certificate.is_none());
    }

    #[test]
    fn each_break_of_the_form_is_found() {
        let two = format!("{}{}", pem(b"a"), pem(b"b"));
        for (name, text) in [
            (CERTIFICATE, two.as_str()),
            (CERTIFICATE, "x"),
            (CERTIFICATE, "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n-----END CERTIFICATE-----"),
            (BUNDLE, "{}"),
            (BUNDLE, r#"{"SignedEntryTimestamp":"AA==","SignedEntryTimestamp":"AA==","Payload":{}}"#),
            (
                BUNDLE,
                r#"{"SignedEntryTimestamp":"","Payload":{"body":"","integratedTime":-1,"logIndex":0,"logID":""}}"#,
            ),
            (
                BUNDLE,
                r#"{"SignedEntryTimestamp":"","Payload":{"body":"","integratedTime":1,"logIndex":0,"logID":"","x":1}}"#,
            ),
            (TIMESTAMP, r#"{"SignedRFC3161Timestamp":"A"}"#),
            (TIMESTAMP, r#"{"SignedRFC3161Timestamp":"AA==","x":1}"#),
        ] {
            assert!(LegacyEvidence::of_annotations(&annotations(&[(name, text)])).is_err(), "{name} {text}");
        }
    }

    #[test]
    fn a_public_key_in_the_place_of_the_certificate_is_not_read() {
        let text = STANDARD.encode("-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n");
        assert!(LegacyEvidence::of_file(Some(&text), None).unwrap().certificate.is_none());
        let content = || ("messageSignature", json!({"signature": "AA=="}));
        let evidence = LegacyEvidence::default();
        assert!(evidence.to_bundle(By::Key, &content(), true).is_ok());
        assert!(evidence.to_bundle(By::Certificate, &content(), true).is_err());
    }
}
