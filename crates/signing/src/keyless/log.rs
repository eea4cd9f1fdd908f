//! Entries of a log with the interface of Rekor, version 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::{Digest, json};
use serde_json::{Value, json};

use super::MAX_ANSWER;
use super::certificate::Certificate;
use super::error::AnswerError;
use crate::bundle::{InclusionProof, LogEntry};
use crate::dsse::Envelope;
use crate::object::Object;
use crate::verify::is_envelope_hash;
use crate::wire;

/// Hashes beside the path to an entry: sizes of trees have 63 bits.
const MAX_PATH: usize = 63;
/// The version of both kinds of entries.
const VERSION: &str = "0.0.1";

/// What was signed, as a log takes it.
#[derive(Debug, Clone, Copy)]
pub enum Logged<'a> {
    /// Bytes, by their hash: an entry of the kind `hashedrekord`.
    Bytes {
        /// The SHA-256 of what was signed.
        digest: &'a [u8; 32],
        /// The signature over it.
        signature: &'a [u8],
    },
    /// A statement: an entry of the kind `dsse`, which has the hash of [`Envelope::to_bytes`].
    Envelope(&'a Envelope),
}

impl Logged<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Bytes { .. } => "hashedrekord",
            Self::Envelope(_) => "dsse",
        }
    }

    /// What a log is asked with: a body for `POST /api/v1/log/entries`.
    #[must_use]
    pub fn request(self, certificate: &Certificate) -> Vec<u8> {
        let signer = STANDARD.encode(certificate.to_pem());
        let spec = match self {
            Self::Bytes { digest, signature } => json!({
                "data": {"hash": {"algorithm": "sha256", "value": hex::encode(digest)}},
                "signature": {"content": STANDARD.encode(signature), "publicKey": {"content": signer}},
            }),
            Self::Envelope(envelope) => {
                let text = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
                json!({"proposedContent": {"envelope": text, "verifiers": [signer]}})
            }
        };
        wire::proto(&json!({"apiVersion": VERSION, "kind": self.kind(), "spec": spec}))
    }

    /// Reads the answer to [`Logged::request`]: one entry, about this very signature and certificate, at a time at which the
    /// certificate is valid, with the log's promise and proof. Neither of these two is judged.
    ///
    /// # Errors
    /// [`AnswerError`]
    pub fn entry(self, answer: &[u8], certificate: &Certificate) -> Result<LogEntry, AnswerError> {
        let value = json::parse(answer, MAX_ANSWER).map_err(AnswerError::Json)?;
        let all = value.as_object().into_iter().flatten().collect::<Vec<_>>();
        let [(_, found)] = all.as_slice() else { return Err(AnswerError::Entries(all.len())) };
        let entry = self.read(Object::of(found, "the log entry")?)?;
        self.compare(&entry.body, certificate)?;
        match entry.integrated_time {
            Some(time) if certificate.is_valid_at(time) => Ok(entry),
            Some(time) => Err(AnswerError::Time { time }),
            None => Err(AnswerError::Missing("time")),
        }
    }

    fn read(self, entry: Object<'_>) -> Result<LogEntry, AnswerError> {
        let found = entry.object("verification", "the verification of the log entry")?;
        let found = found.ok_or(AnswerError::Missing("verification"))?;
        let promise = found.bytes("signedEntryTimestamp")?.filter(|promise| !promise.is_empty());
        let proof = found.object("inclusionProof", "the inclusion proof")?;
        Ok(LogEntry {
            log_index: entry.require("logIndex", entry.count("logIndex")?)?,
            log_id: hash(entry, "logID")?.to_vec(),
            kind: self.kind().to_owned(),
            kind_version: VERSION.to_owned(),
            integrated_time: entry.count("integratedTime")?.filter(|time| *time > 0),
            promise: Some(promise.ok_or(AnswerError::Missing("signed entry timestamp"))?),
            proof: Some(inclusion(proof.ok_or(AnswerError::Missing("inclusion proof"))?)?),
            body: entry.require("body", entry.bytes("body")?)?,
        })
    }

    /// Whether the entry that the log made is the one that was asked for. It writes the body itself.
    fn compare(self, body: &[u8], certificate: &Certificate) -> Result<(), AnswerError> {
        let body = json::parse(body, MAX_ANSWER).map_err(AnswerError::Json)?;
        let text = |path: &str| body.pointer(path).and_then(Value::as_str);
        let bytes = |path: &str| text(path).and_then(|text| STANDARD.decode(text).ok());
        let is = |same: bool, what| if same { Ok(()) } else { Err(AnswerError::Other(what)) };
        let hashed = |path: &str, digest: &str| {
            text(&format!("{path}/algorithm")) == Some("sha256") && text(&format!("{path}/value")) == Some(digest)
        };
        is(text("/kind") == Some(self.kind()) && text("/apiVersion") == Some(VERSION), "another kind of thing")?;
        let (signature, signed, by) = match self {
            Self::Bytes { digest, signature } => {
                is(hashed("/spec/data/hash", &hex::encode(digest)), "another digest")?;
                (signature, bytes("/spec/signature/content"), bytes("/spec/signature/publicKey/content"))
            }
            Self::Envelope(envelope) => {
                let several = body.pointer("/spec/signatures/1").is_some();
                let same = is_envelope_hash(&body, &envelope.to_bytes()) && !several;
                is(same && hashed("/spec/payloadHash", &Digest::of(&envelope.payload).hex()), "another statement")?;
                let [signed, by] = ["signature", "verifier"].map(|part| bytes(&format!("/spec/signatures/0/{part}")));
                (envelope.signature.as_slice(), signed, by)
            }
        };
        is(signed.as_deref() == Some(signature), "another signature")?;
        is(by.is_some_and(|pem| certificate.is_pem(&pem)), "another certificate")
    }
}

fn inclusion(proof: Object<'_>) -> Result<InclusionProof, AnswerError> {
    let hashes = proof.list("hashes", MAX_PATH)?.iter().map(|item| {
        let found = item.as_str().and_then(of_hex);
        found.ok_or_else(|| proof.wrong("hashes", "a list of SHA-256").into())
    });
    let checkpoint = proof.text("checkpoint")?.filter(|text| !text.is_empty());
    let log_index = proof.require("logIndex", proof.count("logIndex")?)?;
    let tree_size = proof.require("treeSize", proof.count("treeSize")?)?;
    if log_index >= tree_size {
        return Err(proof.wrong("logIndex", "less than treeSize").into());
    }
    Ok(InclusionProof {
        log_index,
        tree_size,
        root_hash: hash(proof, "rootHash")?,
        hashes: hashes.collect::<Result<_, AnswerError>>()?,
        checkpoint: Some(checkpoint.ok_or(AnswerError::Missing("checkpoint"))?.to_owned()),
    })
}

fn hash(object: Object<'_>, member: &'static str) -> Result<[u8; 32], AnswerError> {
    let text = object.require(member, object.text(member)?)?;
    Ok(of_hex(text).ok_or_else(|| object.wrong(member, "a SHA-256"))?)
}

fn of_hex(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}
