//! The vectors of Wycheproof; which of its "acceptable" ones are accepted stands in the README beside them.

use distil_signing::key::{PrivateKey, PublicKey, Scheme, Signer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Group {
    key: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    id: u32,
    comment: String,
    result: String,
    msg: String,
    sig: String,
}

macro_rules! groups {
    ($name:literal) => {
        serde_json::from_str::<Vec<Group>>(include_str!(concat!("../data/wycheproof/", $name, ".json"))).unwrap()
    };
}

/// Verifies every test, and gives how many there were.
fn check(groups: &[Group], scheme: Scheme) -> usize {
    for group in groups {
        let key = PublicKey::from_spki(&hex::decode(&group.key).unwrap()).unwrap();
        for test in &group.tests {
            let found = key.verify(&hex::decode(&test.msg).unwrap(), &hex::decode(&test.sig).unwrap());
            let expected = (test.result == "valid").then_some(scheme);
            assert_eq!(found.ok(), expected, "{}: {} ({})", test.id, test.comment, test.result);
        }
    }
    groups.iter().map(|group| group.tests.len()).sum()
}

#[test]
fn ecdsa() {
    assert_eq!(check(&groups!("ecdsa-p256-sha256"), Scheme::EcdsaP256Sha256), 484);
    assert_eq!(check(&groups!("ecdsa-p384-sha384"), Scheme::EcdsaP384Sha384), 504);
    assert_eq!(check(&groups!("ecdsa-p384-sha256"), Scheme::EcdsaP384Sha256), 472);
    assert_eq!(check(&groups!("ecdsa-p521-sha512"), Scheme::EcdsaP521Sha512), 542);
}

#[test]
fn rsa() {
    assert_eq!(check(&groups!("rsa-2048-sha256"), Scheme::RsaPkcs1Sha256), 259);
    assert_eq!(check(&groups!("rsa-3072-sha256"), Scheme::RsaPkcs1Sha256), 259);
    assert_eq!(check(&groups!("rsa-4096-sha256"), Scheme::RsaPkcs1Sha256), 258);
}

#[test]
fn ed25519() {
    assert_eq!(check(&groups!("ed25519"), Scheme::Ed25519), 151);
}

#[test]
fn rsa_signatures_are_these_bytes() {
    let mut signed = 0;
    for group in groups!("rsa-sign-sha256") {
        let der = hex::decode(&group.key).unwrap();
        let pem = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, &der).unwrap();
        let key = PrivateKey::import(pem.as_bytes()).unwrap();
        for test in group.tests {
            let signature = key.sign(&hex::decode(&test.msg).unwrap()).unwrap();
            assert_eq!(hex::encode(signature), test.sig, "{}: {}", test.id, test.comment);
            signed += 1;
        }
    }
    assert_eq!(signed, 27);
}
