use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::key::{PrivateKey, Signer as _};

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn log_entry() -> Value {
    json!({
        "logIndex": "7",
        "logId": {"keyId": base64(&[1; 32])},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": "1795308587",
        "inclusionPromise": {"signedEntryTimestamp": base64(b"set")},
        "inclusionProof": {
            "logIndex": "1",
            "rootHash": base64(&[2; 32]),
            "treeSize": "3",
            "hashes": [base64(&[3; 32]), base64(&[4; 32])],
            "checkpoint": {"envelope": "note"},
        },
        "canonicalizedBody": base64(b"{}"),
    })
}

/// A bundle with one of everything.
fn whole() -> Value {
    json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {
            "certificate": {"rawBytes": base64(b"der")},
            "tlogEntries": [log_entry()],
            "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": base64(b"time")}]},
        },
        "dsseEnvelope": {
            "payload": base64(b"{}"),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": base64(b"sig"), "keyid": ""}],
        },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut bundle = whole();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    bundle.pointer_mut(parent).unwrap()[member] = value;
    bundle
}

fn error(bundle: &Value) -> BundleError {
    Bundle::parse(bundle.to_string().as_bytes()).unwrap_err()
}

fn is_read(bundle: &Value) -> bool {
    Bundle::parse(bundle.to_string().as_bytes()).is_ok()
}

const MATERIAL: &str = "/verificationMaterial";

#[test]
fn everything_is_read() {
    let text = whole().to_string();
    let bundle = Bundle::parse(text.as_bytes()).unwrap();
    assert_eq!((bundle.version, bundle.text), (Version::V0_3, &*text));
    assert_eq!(bundle.material, Material::Certificate(b"der".to_vec()));
    assert_eq!(bundle.timestamps, [b"time".to_vec()]);
    let [entry] = &bundle.entries[..] else { panic!("{:?}", bundle.entries) };
    assert_eq!((entry.log_index, &*entry.log_id, entry.integrated_time), (7, &[1; 32][..], Some(1_795_308_587)));
    assert_eq!((&*entry.kind, &*entry.kind_version, &*entry.body), ("dsse", "0.0.1", &b"{}"[..]));
    assert_eq!(entry.promise.as_deref(), Some(&b"set"[..]));
    let proof = entry.proof.as_ref().unwrap();
    assert_eq!((proof.log_index, proof.tree_size, proof.root_hash), (1, 3, [2; 32]));
    assert_eq!((&proof.hashes[..], proof.checkpoint.as_deref()), (&[[3; 32], [4; 32]][..], Some("note")));
    let Content::Envelope(envelope) = &bundle.content else { panic!("{:?}", bundle.content) };
    assert_eq!((&*envelope.payload, &*envelope.signature), (&b"{}"[..], &b"sig"[..]));
    // Zero is left out by protocol buffers, and null is as good as missing.
    let mut first = whole();
    let entry = first.pointer_mut("/verificationMaterial/tlogEntries/0").unwrap().as_object_mut().unwrap();
    entry.remove("logIndex");
    entry["integratedTime"] = json!("0");
    entry["inclusionPromise"] = Value::Null;
    entry["inclusionProof"] = json!({"rootHash": base64(&[2; 32]), "treeSize": 1, "checkpoint": {"envelope": "note"}});
    let text = first.to_string();
    let entry = Bundle::parse(text.as_bytes()).unwrap().entries.remove(0);
    assert_eq!((entry.log_index, entry.integrated_time, entry.promise), (0, None, None));
    assert_eq!(entry.proof.unwrap().hashes.len(), 0);
}

#[test]
fn members_that_nobody_knows_are_refused_everywhere() {
    for place in [
        "/x",
        "/verificationMaterial/x",
        "/verificationMaterial/certificate/x",
        "/verificationMaterial/timestampVerificationData/x",
        "/dsseEnvelope/x",
    ] {
        assert!(
            matches!(
                error(&with(place, json!(1))),
                BundleError::Form(FieldError::Unknown { .. })
                    | BundleError::Envelope(EnvelopeError::Form(FieldError::Unknown { .. }))
            ),
            "{place}"
        );
    }
    let mut lists = whole();
    lists["verificationMaterial"]["tlogEntries"][0]["x"] = json!(1);
    assert!(matches!(error(&lists), BundleError::Form(FieldError::Unknown { .. })));
    for inner in ["logId", "kindVersion", "inclusionPromise", "inclusionProof"] {
        let mut lists = whole();
        lists["verificationMaterial"]["tlogEntries"][0][inner]["x"] = json!(1);
        assert!(matches!(error(&lists), BundleError::Form(FieldError::Unknown { .. })), "{inner}");
    }
    let mut lists = whole();
    lists["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["x"] = json!(1);
    assert!(matches!(error(&lists), BundleError::Form(FieldError::Unknown { .. })));
    let mut lists = whole();
    lists["dsseEnvelope"]["signatures"][0]["x"] = json!(1);
    assert!(matches!(error(&lists), BundleError::Envelope(EnvelopeError::Form(FieldError::Unknown { .. }))));
}

#[test]
fn versions_are_those_that_are_known() {
    let named = |media_type: &str| with("/mediaType", json!(media_type));
    assert!(is_read(&named("application/vnd.dev.sigstore.bundle+json;version=0.3")));
    assert!(is_read(&named("application/vnd.dev.sigstore.bundle+json;version=0.2")));
    for other in
        ["application/vnd.dev.sigstore.bundle.v0.4+json", "application/vnd.dev.sigstore.bundle+json;version=0.4", ""]
    {
        assert_eq!(error(&named(other)), BundleError::Version(other.to_owned()));
    }
}

#[test]
fn there_is_one_material_and_one_content() {
    let chain = json!({"certificates": [{"rawBytes": base64(b"der")}]});
    let key = json!({"hint": "h"});
    let two = with(&format!("{MATERIAL}/publicKey"), key.clone());
    assert!(matches!(error(&two), BundleError::Choice { found: 2, .. }));
    let mut none = whole();
    none["verificationMaterial"]["certificate"] = Value::Null;
    assert!(matches!(error(&none), BundleError::Choice { found: 0, .. }));
    let mut chained = none.clone();
    chained["verificationMaterial"]["x509CertificateChain"] = chain;
    assert_eq!(error(&chained), BundleError::Chain(1));
    chained["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
    let text = chained.to_string();
    assert_eq!(Bundle::parse(text.as_bytes()).unwrap().material, Material::Chain(vec![b"der".to_vec()]));
    chained["verificationMaterial"]["x509CertificateChain"]["certificates"] = json!([]);
    assert_eq!(error(&chained), BundleError::Chain(0));
    let mut keyed = none;
    keyed["verificationMaterial"]["publicKey"] = json!({});
    let text = keyed.to_string();
    assert_eq!(Bundle::parse(text.as_bytes()).unwrap().material, Material::Key { hint: None });
    assert_eq!(
        error(&with("/verificationMaterial/certificate/rawBytes", json!(""))),
        BundleError::Empty("a certificate")
    );

    let message = json!({"messageDigest": {}, "signature": base64(b"s")});
    assert!(matches!(error(&with("/messageSignature", message.clone())), BundleError::Choice { found: 2, .. }));
    let mut of_message = with("/messageSignature", message);
    of_message.as_object_mut().unwrap().remove("dsseEnvelope");
    let text = of_message.to_string();
    let content = Bundle::parse(text.as_bytes()).unwrap().content;
    assert_eq!(content, Content::Message { digest: None, signature: b"s".to_vec() });
    for wrong in [
        json!({"algorithm": "SHA2_256", "digest": base64(&[0; 31])}),
        json!({"algorithm": "SHA2_384", "digest": base64(&[0; 32])}),
        json!({"algorithm": "MD5", "digest": base64(&[0; 16])}),
        json!({"algorithm": "SHA2_256"}),
        json!({"digest": base64(&[0; 32])}),
    ] {
        of_message["messageSignature"]["messageDigest"] = wrong;
        assert_eq!(error(&of_message), BundleError::MessageDigest);
    }
    of_message["messageSignature"] = json!({"signature": ""});
    assert_eq!(error(&of_message), BundleError::Empty("the signature"));
    of_message.as_object_mut().unwrap().remove("messageSignature");
    assert!(matches!(error(&of_message), BundleError::Choice { found: 0, .. }));
}

#[test]
fn an_envelope_has_one_signature_over_a_statement() {
    let signature = whole()["dsseEnvelope"]["signatures"][0].clone();
    for (list, found) in [(json!([]), 0), (json!([signature, signature]), 2)] {
        let error = error(&with("/dsseEnvelope/signatures", list));
        assert_eq!(error, BundleError::Envelope(EnvelopeError::Signatures(found)));
    }
    assert_eq!(
        error(&with("/dsseEnvelope/payloadType", json!("text/plain"))),
        BundleError::PayloadType("text/plain".into())
    );
}

/// Each case breaks one thing of the only log entry.
#[test]
fn a_log_entry_has_all_that_its_version_asks_for() {
    let changed = |version: &str, member: &str, value: Value| {
        let mut bundle =
            with("/mediaType", json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}")));
        bundle["verificationMaterial"]["tlogEntries"][0][member] = value;
        bundle
    };
    let proof = |member: &str, value: Value| {
        let mut proof = log_entry()["inclusionProof"].take();
        proof[member] = value;
        changed("0.3", "inclusionProof", proof)
    };
    let missing = |missing| BundleError::Entry { index: 0, missing };
    for version in ["0.2", "0.3"] {
        assert_eq!(error(&changed(version, "inclusionProof", Value::Null)), missing("inclusion proof"));
        assert!(is_read(&changed(version, "inclusionPromise", Value::Null)));
    }
    assert!(is_read(&changed("0.1", "inclusionProof", Value::Null)));
    assert_eq!(error(&changed("0.1", "inclusionPromise", Value::Null)), missing("inclusion promise"));
    assert_eq!(error(&proof("checkpoint", Value::Null)), missing("checkpoint"));
    assert_eq!(error(&proof("checkpoint", json!({"envelope": ""}))), missing("checkpoint"));
    assert_eq!(error(&changed("0.3", "logId", json!({}))), missing("log id"));
    assert_eq!(error(&changed("0.3", "kindVersion", json!({"version": "0.0.1"}))), missing("kind"));
    assert_eq!(error(&changed("0.3", "canonicalizedBody", json!(""))), missing("body"));
    for member in ["logId", "kindVersion"] {
        assert!(matches!(error(&changed("0.3", member, Value::Null)), BundleError::Form(FieldError::Missing { .. })));
    }
    for (member, value) in [("logIndex", json!("-1")), ("integratedTime", json!("-1")), ("logIndex", json!([]))] {
        assert!(
            matches!(error(&changed("0.3", member, value)), BundleError::Form(FieldError::Form { .. })),
            "{member}"
        );
    }
    for (member, value) in [
        ("treeSize", json!("1")),
        ("treeSize", Value::Null),
        ("rootHash", json!(base64(&[0; 31]))),
        ("rootHash", Value::Null),
        ("hashes", json!([base64(&[0; 33])])),
    ] {
        assert_eq!(error(&proof(member, value.clone())), BundleError::Proof { index: 0 }, "{member} {value}");
    }
    assert!(matches!(error(&proof("hashes", json!([1]))), BundleError::Form(FieldError::Form { .. })));
    let hashes = |count| proof("hashes", json!(vec![base64(&[0; 32]); count]));
    assert!(is_read(&hashes(63)));
    assert!(matches!(error(&hashes(64)), BundleError::Form(FieldError::TooMany { limit: 63, .. })));
}

#[test]
fn entries_and_timestamps_are_counted_and_no_entry_counts_twice() {
    let entries = |count: usize| {
        let one = |index: usize| {
            let mut entry = log_entry();
            entry["logIndex"] = json!(index.to_string());
            entry
        };
        with("/verificationMaterial/tlogEntries", (0..count).map(one).collect())
    };
    assert!(is_read(&entries(MAX_ENTRIES)));
    assert!(matches!(error(&entries(MAX_ENTRIES + 1)), BundleError::Form(FieldError::TooMany { found: 33, .. })));
    let twice = |other: Value| with("/verificationMaterial/tlogEntries", json!([log_entry(), other]));
    assert_eq!(error(&twice(log_entry())), BundleError::Twice { index: 1 });
    let mut other = log_entry();
    other["logId"]["keyId"] = json!(base64(&[9; 32]));
    assert!(is_read(&twice(other)));
    let timestamps = |count| {
        let one = json!({"signedTimestamp": base64(b"t")});
        with("/verificationMaterial/timestampVerificationData/rfc3161Timestamps", json!(vec![one; count]))
    };
    assert!(is_read(&timestamps(MAX_TIMESTAMPS)));
    assert!(matches!(error(&timestamps(MAX_TIMESTAMPS + 1)), BundleError::Form(FieldError::TooMany { .. })));
}

#[test]
fn a_bundle_has_one_meaning() {
    let text = whole().to_string();
    let check = |text: &str| Bundle::parse(text.as_bytes()).unwrap_err();
    assert!(matches!(check(&format!("{text}{text}")), BundleError::Json(JsonError::Trailing { .. })));
    let twice = text.replacen("\"mediaType\"", "\"mediaType\":\"x\",\"mediaType\"", 1);
    assert!(matches!(check(&twice), BundleError::Json(JsonError::DuplicateKey { .. })));
    let respelled = text.replacen("\"mediaType\"", "\"media_type\"", 1);
    assert!(matches!(check(&respelled), BundleError::Form(FieldError::Unknown { .. })));
    assert!(matches!(check("[]"), BundleError::Form(FieldError::NoObject { .. })));
    assert!(matches!(check("garbage"), BundleError::Json(_)));
    let url_safe = text.replacen(&base64(b"der"), "_-__", 1);
    assert!(matches!(check(&url_safe), BundleError::Form(FieldError::Form { member: "rawBytes", .. })));
}

#[test]
fn what_is_written_is_read() {
    let key = PrivateKey::generate().unwrap();
    let key = key.public_key();
    let envelope =
        Envelope { payload_type: crate::dsse::IN_TOTO.into(), payload: b"{}".into(), signature: b"s".into() };
    let bytes = of_envelope(key, &envelope);
    let bundle = Bundle::parse(&bytes).unwrap();
    assert_eq!(bundle.content, Content::Envelope(envelope));
    assert_eq!(bundle.material, Material::Key { hint: Some(key.hint()) });
    assert_eq!((bundle.entries.len(), bundle.timestamps.len()), (0, 0));
    for (algorithm, name) in [(HashAlgorithm::Sha256, "SHA2_256"), (HashAlgorithm::Sha384, "SHA2_384")] {
        let digest = MessageDigest::new(algorithm, vec![7; algorithm.length()]).unwrap();
        let bytes = of_message(key, &digest, b"s");
        assert!(String::from_utf8_lossy(&bytes).contains(&format!("\"algorithm\":\"{name}\"")));
        let content = Bundle::parse(&bytes).unwrap().content;
        assert_eq!(content, Content::Message { digest: Some(digest), signature: b"s".to_vec() });
    }
    assert_eq!(MessageDigest::of(b"x").bytes(), distil_imgcore::Digest::of(b"x").as_sha256().unwrap());
    assert_eq!(MessageDigest::new(HashAlgorithm::Sha512, vec![0; 32]), None);
}
