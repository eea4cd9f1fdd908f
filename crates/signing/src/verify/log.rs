//! What the crate that judges log entries leaves to its caller.

use distil_imgcore::{Digest, json};
use serde_json::Value;
use sigstore_verify::types::{Bundle, KindVersion, TransparencyLogEntry};

/// Bytes of a log entry, which stands in a document or an annotation of one.
const MAX_BODY: usize = distil_imgcore::document::MAX_DOCUMENT;

/// Checks that each entry is for this very layer. The crate compares payload, signature and signer with the entry, but not
/// the envelope, since a bundle does not keep the bytes that were logged; a layer does.
pub(super) fn check_envelope(bundle: &Bundle, layer: &[u8]) -> Result<(), String> {
    let entries = &bundle.verification_material.tlog_entries;
    entries.iter().filter(|entry| entry.kind_version == KindVersion::DsseV001).try_for_each(|entry| check(entry, layer))
}

fn check(entry: &TransparencyLogEntry, layer: &[u8]) -> Result<(), String> {
    let body = json::parse(entry.canonicalized_body.as_bytes(), MAX_BODY)
        .map_err(|error| format!("the log entry is not JSON with one meaning: {error}"))?;
    if is_envelope_hash(&body, layer) { Ok(()) } else { Err("the log entry is for another envelope".into()) }
}

/// Whether the body of an entry of the kind `dsse` is about the envelope with these bytes.
pub(crate) fn is_envelope_hash(body: &Value, envelope: &[u8]) -> bool {
    let hash = |member: &str| body.pointer(&format!("/spec/envelopeHash/{member}")).and_then(Value::as_str);
    hash("algorithm") == Some("sha256") && hash("value") == Some(&Digest::of(envelope).hex())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(kind: &str, hash: &Value) -> Bundle {
        let version = if kind == "intoto" { "0.0.2" } else { "0.0.1" };
        let body = json!({"apiVersion": version, "kind": kind, "spec": {"envelopeHash": hash}}).to_string();
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "verificationMaterial": {
                "publicKey": {},
                "tlogEntries": [{
                    "logIndex": "1", "logId": {"keyId": "AA=="}, "kindVersion": {"kind": kind, "version": version},
                    "canonicalizedBody": sigstore_verify::types::SignatureBytes::from_bytes(body.as_bytes()).to_base64(),
                }],
            },
            "messageSignature": {"signature": "AA=="},
        });
        Bundle::from_json(&bundle.to_string()).unwrap()
    }

    #[test]
    fn only_the_layer_that_was_logged_will_do() {
        let hash = |layer: &[u8], algorithm: &str| json!({"algorithm": algorithm, "value": Digest::of(layer).hex()});
        let check = |kind: &str, hash: &Value| check_envelope(&entry(kind, hash), b"layer").is_ok();
        assert!(check("dsse", &hash(b"layer", "sha256")));
        assert!(!check("dsse", &hash(b"other", "sha256")));
        assert!(!check("dsse", &hash(b"layer", "sha512")));
        assert!(!check("dsse", &Value::Null));
        // This kind has no hash of the envelope; the crate compares all that stands in it.
        assert!(check("intoto", &Value::Null));
    }
}
