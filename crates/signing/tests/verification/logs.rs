//! Log entries of signatures by keys: each has to be for this very payload, signature and key. The log is made here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Digest;
use distil_signing::key::{PrivateKey, PublicKey, Signer as _};
use distil_signing::verify::{self, Candidate, Requirements, StepName, Stored, Trust, TrustedRoot};
use distil_signing::{dsse, legacy};
use serde_json::{Value, json};

use super::data::{candidates, key, layout};

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";
const TYPE: &str = "https://example.test/p/v1";
/// In 2023.
const TIME: u64 = 1_700_000_000;

struct Log(PrivateKey);

impl Log {
    fn new() -> Self {
        Self(PrivateKey::generate().unwrap())
    }

    fn id(&self) -> [u8; 32] {
        *self.0.public_key().fingerprint().as_sha256().unwrap()
    }

    fn trusted_root(&self) -> TrustedRoot {
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256", "logId": {"keyId": STANDARD.encode(self.id())},
                "publicKey": {
                    "rawBytes": STANDARD.encode(self.0.public_key().spki()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2020-01-01T00:00:00Z"}
                },
            }],
        });
        TrustedRoot::from_json(root.to_string().as_bytes()).unwrap()
    }

    /// An entry as cosign 2 has it in an annotation, with the promise of the log.
    fn entry(&self, body: &Value) -> Value {
        let hex = self.0.public_key().fingerprint().hex();
        let payload = json!({
            "body": STANDARD.encode(body.to_string()), "integratedTime": TIME, "logID": hex, "logIndex": 7
        });
        // The members are sorted, so this is canonical.
        let promise = self.0.sign(payload.to_string().as_bytes()).unwrap();
        json!({"SignedEntryTimestamp": STANDARD.encode(promise), "Payload": payload})
    }
}

fn hashed(payload: &[u8], signature: &str, key: &PublicKey) -> Value {
    json!({
        "apiVersion": "0.0.1", "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": Digest::of(payload).hex()}},
            "signature": {"content": signature, "publicKey": {"content": STANDARD.encode(key.to_pem())}},
        },
    })
}

fn wanted(log: &Log, key: &PublicKey) -> Requirements {
    let trusted_root = Some(log.trusted_root());
    Requirements { require_tlog: true, trusted_root, ..Requirements::new(Trust::Keys(vec![key.clone()])) }
}

/// The step that fails.
fn failure(stored: Stored, wanted: &Requirements) -> Option<StepName> {
    let image: Digest = IMAGE.parse().unwrap();
    let is_statement = matches!(stored, Stored::Envelope { .. });
    let candidates = [Candidate { place: "here".into(), stored }];
    let verdicts = if is_statement {
        verify::attestation(&image, &TYPE.parse().unwrap(), &candidates, wanted).verdicts().to_vec()
    } else {
        verify::image(&image, &candidates, wanted).verdicts().to_vec()
    };
    verdicts[0].failure().map(|(step, _)| step)
}

#[test]
fn entries_of_simple_signatures_are_bound() {
    let (log, other_log) = (Log::new(), Log::new());
    // P-384 both ways: cosign 2 signed over SHA-256.
    for (name, signer) in [("legacy-v2", "a"), ("alg-rsa2048-v2", "rsa2048"), ("alg-p384-v2", "p384")] {
        let found = candidates(&layout(name), &IMAGE.parse().unwrap()).unwrap();
        let Stored::Simple { payload, annotations } = &found[0].stored else { panic!("{found:?}") };
        let (key, other) = (key(signer), key("b"));
        let signature = annotations[legacy::SIGNATURE].as_str();
        let check = |entry: Value| {
            let mut annotations = annotations.clone();
            annotations.insert(legacy::BUNDLE.into(), entry.to_string());
            failure(Stored::Simple { payload: payload.clone(), annotations }, &wanted(&log, &key))
        };
        let good = hashed(payload, signature, &key);
        assert_eq!(check(log.entry(&good)), None, "{name}");
        assert_eq!(check(log.entry(&hashed(b"another payload", signature, &key))), Some(StepName::Log), "{name}");
        assert_eq!(check(log.entry(&hashed(payload, "MAYCAQECAQE=", &key))), Some(StepName::Log), "{name}");
        assert_eq!(check(log.entry(&hashed(payload, signature, &other))), Some(StepName::Log), "{name}");
        // A log that is not trusted, and one that is trusted without its signature.
        let foreign = other_log.entry(&good);
        assert_eq!(check(foreign.clone()), Some(StepName::Log), "{name}");
        let mut relabelled = foreign;
        relabelled["Payload"]["logID"] = log.entry(&good)["Payload"]["logID"].clone();
        assert_eq!(check(relabelled), Some(StepName::Log), "{name}");
        for (member, value) in [("integratedTime", TIME + 1), ("logIndex", 8)] {
            let mut entry = log.entry(&good);
            entry["Payload"][member] = value.into();
            assert_eq!(check(entry), Some(StepName::Log), "{name}: {member}");
        }
    }
}

#[test]
fn entries_of_envelopes_are_bound_to_the_envelope() {
    let log = Log::new();
    let signer = PrivateKey::generate().unwrap();
    let key = signer.public_key();
    let subject = json!([{"name": "r.example.com/a", "digest": {"sha256": IMAGE.trim_start_matches("sha256:")}}]);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1", "subject": subject, "predicateType": TYPE, "predicate": {}
    });
    let statement = statement.to_string().into_bytes();
    let envelope = dsse::Envelope {
        payload_type: dsse::IN_TOTO.to_owned(),
        signature: signer.sign(&dsse::pae(dsse::IN_TOTO, &statement)).unwrap(),
        payload: statement.clone(),
    };
    let layer = envelope.to_bytes();
    let signature = STANDARD.encode(&envelope.signature);
    let body = |envelope: &[u8], payload: &[u8], signature: &str, key: &PublicKey| {
        let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": Digest::of(bytes).hex()});
        let verifier = STANDARD.encode(key.to_pem());
        json!({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": hash(envelope), "payloadHash": hash(payload),
                "signatures": [{"signature": signature, "verifier": verifier}],
            },
        })
    };
    let check = |body: &Value| {
        let annotations = BTreeMap::from([(legacy::BUNDLE.to_owned(), log.entry(body).to_string())]);
        failure(Stored::Envelope { bytes: layer.clone(), annotations }, &wanted(&log, key))
    };
    let other = PrivateKey::generate().unwrap();
    assert_eq!(check(&body(&layer, &statement, &signature, key)), None);
    // The same statement and signature in an envelope of other bytes.
    assert_eq!(check(&body(&[layer.as_slice(), b"\n"].concat(), &statement, &signature, key)), Some(StepName::Log));
    assert_eq!(check(&body(&layer, b"another", &signature, key)), Some(StepName::Log));
    assert_eq!(check(&body(&layer, &statement, "MAYCAQECAQE=", key)), Some(StepName::Log));
    assert_eq!(check(&body(&layer, &statement, &signature, other.public_key())), Some(StepName::Log));
    assert_eq!(check(&hashed(&statement, &signature, key)), Some(StepName::Log));
}
