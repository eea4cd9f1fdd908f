use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use distil_imgcore::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bundle::{self, Bundle, MessageDigest};
use crate::dsse::Envelope;
use crate::key::{PrivateKey, PublicKey, Signer as _};
use crate::verify::SignedBy;

/// A certificate that was made for the vectors, and its key: the leaf of a signature by cosign 2.
fn certificate() -> (Vec<u8>, PublicKey) {
    let pem = include_str!("tests/certificate.pem");
    let der = crate::certificates::read(pem).unwrap().remove(0);
    let info =
        sigstore_verify::crypto::parse_certificate_info(&sigstore_verify::types::DerCertificate::new(der.clone()));
    (der, PublicKey::from_spki(info.unwrap().public_key.as_bytes()).unwrap())
}

fn certified() -> Certificate {
    let (der, key) = certificate();
    Certificate::read(&answer(&[der]), &key).unwrap()
}

fn answer(chain: &[Vec<u8>]) -> Vec<u8> {
    let chain: Vec<String> = chain.iter().map(|der| crate::certificates::write(der)).collect();
    json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}).to_string().into_bytes()
}

fn token(claims: &Value) -> Result<Token, TokenError> {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Token::parse(format!(" {}.{}.{}\n", part(b"{}"), part(claims.to_string().as_bytes()), part(b"x")).as_bytes())
}

#[test]
fn a_token_names_an_address_or_a_subject() {
    let named = |claims: Value| token(&claims).map(|token| (token.subject().to_owned(), token.expires()));
    assert_eq!(named(json!({"sub": "a", "exp": 7})), Ok(("a".to_owned(), Some(7))));
    for verified in [json!(true), json!("true")] {
        let found = named(json!({"sub": "a", "email": "b@c", "email_verified": verified}));
        assert_eq!(found, Ok(("b@c".to_owned(), None)));
    }
    for verified in [json!(false), json!("false"), json!(null), json!(1)] {
        let found = named(json!({"sub": "a", "email": "b@c", "email_verified": verified}));
        assert_eq!(found, Err(TokenError::Unverified));
    }
    for claims in [json!({}), json!({"sub": ""}), json!({"sub": 7}), json!({"email": ""})] {
        assert_eq!(named(claims), Err(TokenError::Nobody));
    }
    for claims in [json!([]), json!("a"), json!(7)] {
        assert_eq!(named(claims), Err(TokenError::Form));
    }
    for text in ["", ".", "a.b", "a.b.c.d", "e30.e30", "e30.e30.", ".e30.e30", "e30.eyJzdWIiOiJhIn0=.e30", "e30.e.e30"]
    {
        assert!(matches!(Token::parse(text.as_bytes()), Err(TokenError::Form)), "{text}");
    }
    let twice = URL_SAFE_NO_PAD.encode(br#"{"sub":"a","sub":"b"}"#);
    assert!(matches!(Token::parse(format!("e30.{twice}.e30").as_bytes()), Err(TokenError::Form)));
    assert!(!format!("{:?}", token(&json!({"sub": "secret"})).unwrap()).contains("secret"));
}

#[test]
fn the_key_signs_the_name_in_the_token() {
    let key = PrivateKey::generate().unwrap();
    let token = token(&json!({"sub": "somebody"})).unwrap();
    let request: Value = serde_json::from_slice(&certificate_request(&token, &key).unwrap()).unwrap();
    assert_eq!(request["credentials"]["oidcIdentityToken"], token.reveal());
    let wanted = &request["publicKeyRequest"];
    assert_eq!(wanted["publicKey"], json!({"algorithm": "ECDSA", "content": key.public_key().to_pem()}));
    let proof = STANDARD.decode(wanted["proofOfPossession"].as_str().unwrap()).unwrap();
    assert!(key.public_key().verify(b"somebody", &proof).is_ok());
}

#[test]
fn a_certificate_is_for_the_key_that_was_sent() {
    let (der, key) = certificate();
    let found = Certificate::read(&answer(&[der.clone(), b"above".to_vec()]), &key).unwrap();
    assert_eq!((found.der(), found.chain_to_pem()), (der.as_slice(), crate::certificates::write(b"above")));
    let by = SignedBy::Identity { subject: "release@distil.test".into(), issuer: "https://issuer.distil.test".into() };
    assert_eq!(found.signer(), &by);
    let other = PrivateKey::generate().unwrap();
    assert_eq!(Certificate::read(&answer(std::slice::from_ref(&der)), other.public_key()), Err(AnswerError::OtherKey));
    let read = |answer: Value| Certificate::read(answer.to_string().as_bytes(), &key).unwrap_err();
    let detached = json!({"signedCertificateDetachedSct": {"chain": {"certificates": []}}});
    assert_eq!(read(detached), AnswerError::Detached);
    let of = |certificates: Value| json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}});
    for wrong in [json!({}), of(json!([])), of(json!([7])), of(json!(vec!["a"; 17])), of(Value::Null)] {
        assert!(matches!(read(wrong.clone()), AnswerError::Form(_)), "{wrong}");
    }
    for wrong in [of(json!(["a"])), of(json!([crate::certificates::write(b"none")]))] {
        assert!(matches!(read(wrong.clone()), AnswerError::Certificate(_)), "{wrong}");
    }
    assert!(matches!(Certificate::read(b"{\"a\":1,\"a\":2}", &key), Err(AnswerError::Json(_))));
}

/// A time at which that certificate is valid.
const TIME: u64 = 1_795_310_600;

/// An answer with the entry that a log makes of this body.
fn entry(body: &Value) -> Value {
    let hash = "00".repeat(32);
    json!({"id": {
        "body": STANDARD.encode(body.to_string()), "integratedTime": TIME, "logID": hash, "logIndex": 7,
        "verification": {
            "signedEntryTimestamp": "AA==",
            "inclusionProof": {"checkpoint": "c", "hashes": [hash], "logIndex": 1, "rootHash": hash, "treeSize": 2},
        },
    }})
}

#[test]
fn an_entry_is_about_what_was_sent() {
    let certificate = certified();
    let digest = [7; 32];
    let signed = Logged::Bytes { digest: &digest, signature: b"signature" };
    let body: Value = serde_json::from_slice(&signed.request(&certificate)).unwrap();
    let read = |answer: &Value| signed.entry(answer.to_string().as_bytes(), &certificate);
    let found = read(&entry(&body)).unwrap();
    assert_eq!((found.log_index, found.integrated_time, found.kind.as_str()), (7, Some(TIME), "hashedrekord"));
    assert_eq!(found.proof.unwrap().tree_size, 2);
    let other = STANDARD.encode(crate::certificates::write(b"other"));
    for (path, value, what) in [
        ("/kind", "dsse", "another kind of thing"),
        ("/apiVersion", "0.0.2", "another kind of thing"),
        ("/spec/data/hash/value", "00", "another digest"),
        ("/spec/data/hash/algorithm", "sha512", "another digest"),
        ("/spec/signature/content", "AA==", "another signature"),
        ("/spec/signature/publicKey/content", other.as_str(), "another certificate"),
    ] {
        let mut body = body.clone();
        *body.pointer_mut(path).unwrap() = value.into();
        assert_eq!(read(&entry(&body)), Err(AnswerError::Other(what)), "{path}");
    }
    for (path, value) in [
        ("/id/verification/signedEntryTimestamp", json!("")),
        ("/id/verification/inclusionProof", Value::Null),
        ("/id/verification/inclusionProof/checkpoint", json!("")),
        ("/id/verification", Value::Null),
        ("/id/integratedTime", json!(0)),
    ] {
        let mut answer = entry(&body);
        *answer.pointer_mut(path).unwrap() = value;
        assert!(matches!(read(&answer), Err(AnswerError::Missing(_))), "{path}");
    }
    for (path, value) in [
        ("/id/verification/inclusionProof/rootHash", json!("00")),
        ("/id/verification/inclusionProof/treeSize", json!(1)),
        ("/id/verification/inclusionProof/hashes", json!(["zz"])),
        ("/id/verification/inclusionProof/hashes", json!(vec!["00".repeat(32); 64])),
        ("/id/logID", json!("AA==")),
        ("/id/logIndex", json!(-1)),
        ("/id/body", json!("?")),
    ] {
        let mut answer = entry(&body);
        *answer.pointer_mut(path).unwrap() = value;
        assert!(matches!(read(&answer), Err(AnswerError::Form(_))), "{path}");
    }
    let mut late = entry(&body);
    late["id"]["integratedTime"] = (TIME + 3600).into();
    assert_eq!(read(&late), Err(AnswerError::Time { time: TIME + 3600 }));
    let mut two = entry(&body);
    two["more"] = two["id"].clone();
    assert_eq!((read(&two), read(&json!({}))), (Err(AnswerError::Entries(2)), Err(AnswerError::Entries(0))));
}

#[test]
fn an_entry_is_about_the_envelope_that_was_sent() {
    let certificate = certified();
    let envelope = Envelope {
        payload_type: crate::dsse::IN_TOTO.to_owned(),
        payload: b"{}".to_vec(),
        signature: b"signature".to_vec(),
    };
    let signed = Logged::Envelope(&envelope);
    let request: Value = serde_json::from_slice(&signed.request(&certificate)).unwrap();
    let sent = request["spec"]["proposedContent"]["envelope"].as_str().unwrap();
    assert_eq!(sent.as_bytes(), envelope.to_bytes());
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": Digest::of(bytes).hex()});
    let signature = json!({
        "signature": STANDARD.encode(&envelope.signature), "verifier": STANDARD.encode(certificate.to_pem())
    });
    let body = json!({
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": hash(sent.as_bytes()), "payloadHash": hash(b"{}"), "signatures": [signature],
        },
    });
    let read = |body: &Value| signed.entry(entry(body).to_string().as_bytes(), &certificate);
    assert_eq!(read(&body).unwrap().kind, "dsse");
    for (path, value, what) in [
        ("/spec/envelopeHash", hash(b"other"), "another statement"),
        ("/spec/payloadHash", hash(b"other"), "another statement"),
        ("/spec/signatures", json!([signature, signature]), "another statement"),
        ("/spec/signatures/0/signature", json!("AA=="), "another signature"),
        ("/spec/signatures/0/verifier", json!("AA=="), "another certificate"),
    ] {
        let mut body = body.clone();
        *body.pointer_mut(path).unwrap() = value;
        assert_eq!(read(&body), Err(AnswerError::Other(what)), "{path}");
    }
}

#[test]
fn a_timestamp_is_granted_or_none() {
    let request = stamp_request(b"signature");
    let imprint = Digest::of(b"signature");
    assert!(request.windows(32).any(|window| window == imprint.as_sha256().unwrap()));
    assert_eq!(&request[..5], [0x30, 57, 2, 1, 1]);
    // Status and token; a status alone; a refusal.
    let (granted, refused) = ([0x30, 7, 0x30, 3, 2, 1, 0, 0x30, 0], [0x30, 7, 0x30, 3, 2, 1, 2, 0x30, 0]);
    assert_eq!(read_stamp(granted.to_vec()), Ok(granted.to_vec()));
    for wrong in [&refused[..], &[0x30, 5, 0x30, 3, 2, 1, 0], &[&granted[..], &[0]].concat(), b"", b"0"] {
        assert!(matches!(read_stamp(wrong.to_vec()), Err(AnswerError::NoStamp(_))), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..2000, new in any::<u8>()) {
        let (der, key) = certificate();
        let good = certified();
        let signed = Logged::Bytes { digest: &[7; 32], signature: b"s" };
        let body: Value = serde_json::from_slice(&signed.request(&good)).unwrap();
        let mut answers = [answer(&[der]), entry(&body).to_string().into_bytes()];
        for answer in &mut answers {
            let at = cut % answer.len();
            answer[at] = new;
        }
        let _ = Certificate::read(&answers[0], &key);
        // What is taken is what can be read again.
        if let Ok(entry) = signed.entry(&answers[1], &good) {
            let evidence = Evidence { certificate: good.clone(), entry: entry.clone(), timestamp: None };
            let written = bundle::of_message(&evidence, &MessageDigest::of_sha256([7; 32]), b"s");
            prop_assert_eq!(&Bundle::parse(&written).unwrap().entries, &[entry]);
        }
        let _ = Certificate::read(&bytes, &key);
        let _ = signed.entry(&bytes, &good);
        let _ = Token::parse(&bytes);
        let _ = read_stamp(bytes);
    }
}
