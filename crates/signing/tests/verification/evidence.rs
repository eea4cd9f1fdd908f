//! What lies beside a signature by a certificate, written: the bytes are those of the real cosigns.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_signing::bundle::{self, Bundle, Content, LogEntry, Material};
use distil_signing::key::PublicKey;
use distil_signing::keyless::{Certificate, Evidence};
use distil_signing::legacy::{self, Layer};
use distil_signing::verify::Stored;
use serde_json::{Value, json};
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::types::DerCertificate;

use super::data::{candidates, layout, vector};

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";

/// A certificate and those above it, as an authority would answer with them.
fn certificate(pem: &str, chain: &str) -> Certificate {
    let leaf = parse_certificate_info(&DerCertificate::from_pem(pem).unwrap()).unwrap();
    let key = PublicKey::from_spki(leaf.public_key.as_bytes()).unwrap();
    let answer = json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": [pem, chain]}}});
    Certificate::read(answer.to_string().as_bytes(), &key).unwrap()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What cosign 2 keeps of an entry.
fn entry(entry: &Value) -> LogEntry {
    let payload = &entry["Payload"];
    LogEntry {
        log_index: payload["logIndex"].as_u64().unwrap(),
        log_id: hex::decode(payload["logID"].as_str().unwrap()).unwrap(),
        kind: String::new(),
        kind_version: String::new(),
        integrated_time: payload["integratedTime"].as_u64(),
        promise: Some(bytes(&entry["SignedEntryTimestamp"])),
        proof: None,
        body: bytes(&payload["body"]),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn stored(name: &str) -> Vec<Stored> {
    let found = candidates(&layout(name), &IMAGE.parse().unwrap()).unwrap();
    found.into_iter().map(|candidate| candidate.stored).collect()
}

#[test]
fn bundles_are_those_of_cosign_3() {
    let mut stamped = 0;
    for name in ["keyless-v3", "keyless-v3-tsa"] {
        for found in stored(name) {
            let Stored::Bundle(bytes) = found else { continue };
            let read = Bundle::parse(&bytes).unwrap();
            let (Material::Certificate(der), Content::Envelope(envelope)) = (&read.material, &read.content) else {
                panic!("{read:?}")
            };
            let evidence = Evidence {
                certificate: certificate(&pem(der), ""),
                entry: read.entries[0].clone(),
                timestamp: read.timestamps.first().cloned(),
            };
            stamped += read.timestamps.len();
            let written = bundle::of_envelope(&evidence, envelope);
            assert_eq!(String::from_utf8(written).unwrap(), read.text);
        }
    }
    assert_eq!(stamped, 1);
}

#[test]
fn annotations_are_those_of_cosign_2() {
    let mut seen = 0;
    for found in stored("keyless-v2") {
        let (layer, annotations) = match found {
            Stored::Simple { payload, annotations } => {
                let signature = STANDARD.decode(&annotations[legacy::SIGNATURE]).unwrap();
                (Layer::signature(payload, &signature), annotations)
            }
            Stored::Envelope { bytes, annotations } => {
                (Layer::attestation(bytes, &annotations[legacy::PREDICATE_TYPE]), annotations)
            }
            _ => continue,
        };
        let entry = entry(&serde_json::from_str(&annotations[legacy::BUNDLE]).unwrap());
        let certificate = certificate(&annotations[legacy::CERTIFICATE], &annotations[legacy::CHAIN]);
        let layer = layer.with_evidence(&Evidence { certificate, entry, timestamp: None });
        assert_eq!(*layer.annotations(), annotations);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn bundles_of_files_are_those_of_both() {
    let new = vector("blobs/v3-keyless.sigstore.json");
    let read = Bundle::parse(&new).unwrap();
    let (Material::Certificate(der), Content::Message { digest, signature }) = (&read.material, &read.content) else {
        panic!("{read:?}")
    };
    let evidence = Evidence {
        certificate: certificate(&pem(der), ""),
        entry: read.entries[0].clone(),
        timestamp: read.timestamps.first().cloned(),
    };
    let written = bundle::of_message(&evidence, digest.as_ref().unwrap(), signature);
    assert_eq!(String::from_utf8(written).unwrap(), read.text);

    let old = vector("blobs/v2-keyless.bundle.json");
    let value: Value = serde_json::from_slice(&old).unwrap();
    let text = String::from_utf8(bytes(&value["cert"])).unwrap();
    let evidence =
        Evidence { certificate: certificate(&text, ""), entry: entry(&value["rekorBundle"]), timestamp: None };
    let written = bundle::legacy_of_message(&evidence, &bytes(&value["base64Signature"]));
    assert_eq!(String::from_utf8(written), String::from_utf8(old));
}
