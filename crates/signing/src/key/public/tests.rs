use proptest::prelude::*;

use super::super::{PrivateKey, Signer};
use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/keys/", $name)).as_slice()
    };
}

/// Public keys of every kind.
fn keys() -> Vec<PublicKey> {
    let private = [data!("openssl/p521-sec1.pem"), data!("openssl/rsa4096-pkcs8.pem")];
    let private = private.map(|pem| PrivateKey::import(pem).unwrap().public_key().clone());
    let public = [data!("a.pub"), data!("p384.pub"), data!("ed25519.pub"), data!("rsa2048.pub")];
    public.map(|pem| PublicKey::from_pem(pem).unwrap()).into_iter().chain(private).collect()
}

fn der(hex: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_spki(&hex::decode(hex.replace(' ', "")).unwrap())
}

fn ed25519_key(hex: &str) -> Result<PublicKey, KeyError> {
    der(&format!("302a300506032b6570032100{hex}"))
}

#[test]
fn a_key_is_read_again_as_the_same() {
    for key in keys() {
        assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()), Ok(key.clone()));
        assert_eq!(PublicKey::from_spki(key.spki()), Ok(key));
    }
}

#[test]
fn the_hint_is_cosigns() {
    // What cosign 3.1.1 wrote into a bundle that it signed with this key.
    let key = PublicKey::from_pem(data!("b.pub")).unwrap();
    assert_eq!(key.hint(), "Grp/YxVTBZwQu8dp1MMSJ+477f9mD0ReH58PR9rOPQA=");
    assert_eq!(STANDARD.encode(key.fingerprint().as_sha256().unwrap()), key.hint());
}

#[test]
fn a_point_is_written_in_one_way() {
    let key = PublicKey::from_pem(data!("a.pub")).unwrap();
    let (header, point) = key.spki().split_at(key.spki().len() - 65);
    let expected = KeyError::Encoding { expected: "an uncompressed point" };
    for form in [0, 2, 3, 5, 6, 7] {
        let mut other = key.spki().to_vec();
        other[header.len()] = form;
        assert_eq!(PublicKey::from_spki(&other).unwrap_err(), expected);
    }
    assert!(key.has_point(point));
    let mut compressed = point[..33].to_vec();
    compressed[0] = 2 + point[64] % 2;
    assert!(key.has_point(&compressed));
    compressed[0] ^= 1;
    assert!(!key.has_point(&compressed) && !key.has_point(&point[..64]) && !key.has_point(&[]));
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    for pem in [data!("a.pub"), data!("p384.pub")] {
        let key = PublicKey::from_pem(pem).unwrap();
        let mut other = key.spki().to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(PublicKey::from_spki(&other).unwrap_err(), KeyError::Invalid { kind: key.kind() });
    }
    let key = PrivateKey::import(data!("openssl/p521-sec1.pem")).unwrap();
    let mut other = key.public_key().spki().to_vec();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(PublicKey::from_spki(&other).unwrap_err(), KeyError::Invalid { kind: KeyKind::P521 });
}

#[test]
fn keys_under_which_everybody_signs_are_none() {
    let invalid = KeyError::Invalid { kind: KeyKind::Ed25519 };
    for small in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // The same in their other encodings.
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000080",
    ] {
        assert_eq!(ed25519_key(small).unwrap_err(), invalid, "{small}");
    }
    // A point of the full order, whose coordinate 3 is also written as that plus the prime.
    assert!(ed25519_key("0300000000000000000000000000000000000000000000000000000000000000").is_ok());
    let other = "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
    assert_eq!(ed25519_key(other).unwrap_err(), invalid);
}

#[test]
fn an_algorithm_has_its_parameters_and_no_others() {
    let expected = |expected| KeyError::Encoding { expected };
    let rsa = hex::encode(PublicKey::from_pem(data!("rsa2048.pub")).unwrap().spki());
    // Without the NULL, which changes the lengths around it.
    let bare = rsa.replacen("30820122300d06092a864886f70d0101010500", "30820120300b06092a864886f70d010101", 1);
    assert_ne!(bare, rsa);
    assert_eq!(der(&bare).unwrap_err(), expected("AlgorithmIdentifier"));
    let key = "aa".repeat(32);
    let with_null = der(&format!("302c300706032b65700500032100{key}"));
    assert_eq!(with_null.unwrap_err(), expected("AlgorithmIdentifier"));
    assert_eq!(
        der(&format!("3029300506032b65700320 00{}", "aa".repeat(31))).unwrap_err(),
        expected("an Ed25519 public key")
    );
    // An unused bit, and bytes after the end.
    assert_eq!(der(&format!("302a300506032b6570032101{key}")).unwrap_err(), expected("SubjectPublicKeyInfo"));
    assert_eq!(der(&format!("302a300506032b6570032100{key}00")).unwrap_err(), expected("SubjectPublicKeyInfo"));
    assert_eq!(der("3000").unwrap_err(), expected("SubjectPublicKeyInfo"));
    assert_eq!(
        PublicKey::from_spki(&vec![0; MAX_PEM + 1]).unwrap_err(),
        KeyError::TooLarge { limit: MAX_PEM, found: MAX_PEM + 1 }
    );
}

#[test]
fn a_number_of_rsa_is_written_in_one_way() {
    let key = PublicKey::from_pem(data!("rsa2048.pub")).unwrap();
    let info = SubjectPublicKeyInfoRef::from_der(key.spki()).unwrap();
    let numbers = info.subject_public_key.raw_bytes();
    assert_eq!(asn1::rsa_bits(numbers), Ok(2048));
    for wrong in [
        [numbers, &[0]].concat(),
        // The exponent with a zero before it.
        [&[0x30, 0x82, 0x01, 0x0b], &numbers[4..numbers.len() - 5], &[2, 4, 0, 1, 0, 1]].concat(),
        // A third number.
        [&[0x30, 0x82, 0x01, 0x0d], &numbers[4..], &[2, 1, 3]].concat(),
    ] {
        let found = PublicKey::from_key(asn1::rsa_algorithm(), &wrong);
        assert_eq!(found.unwrap_err(), KeyError::Encoding { expected: "RSAPublicKey" });
    }
    // An even exponent.
    let even = [&numbers[..numbers.len() - 1], &[2]].concat();
    let found = PublicKey::from_key(asn1::rsa_algorithm(), &even);
    assert_eq!(found.unwrap_err(), KeyError::Invalid { kind: KeyKind::Rsa { bits: 2048 } });
}

#[test]
fn a_prehashed_signature_is_told_from_a_pure_one() {
    // RFC 8032, section 7.3.
    let seed = hex::decode("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42").unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
    let key = PublicKey::from_key(asn1::ed25519_algorithm(), key.verifying_key().as_bytes()).unwrap();
    let signature = hex::decode(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    )
    .unwrap();
    assert_eq!(key.verify(b"abc", &signature), Ok(Scheme::Ed25519ph));
    assert_eq!(key.verify(b"abd", &signature), Err(BadSignature::Mismatch { kind: KeyKind::Ed25519 }));
}

#[test]
fn a_signature_in_another_form_is_told_from_a_wrong_one() {
    for (pem, length) in [
        (data!("import-p256sec1.pem"), 64),
        (data!("import-p384.pem"), 96),
        (data!("openssl/p521-sec1.pem"), 132),
        (data!("import-rsa2048.pem"), 255),
        (data!("import-ed25519.pem"), 63),
    ] {
        let private = PrivateKey::import(pem).unwrap();
        let key = private.public_key();
        let form = Err(BadSignature::Form { kind: key.kind() });
        let signature = private.sign(b"a message").unwrap();
        // Also the two numbers of ECDSA without DER, which cosign accepts and nobody writes.
        assert_eq!(key.verify(b"a message", &vec![1; length]), form);
        assert_eq!(key.verify(b"a message", b""), form);
        assert_eq!(key.verify(b"a message", &[&signature, [0].as_slice()].concat()), form);
        assert_eq!(key.verify(b"a message", &signature[..signature.len() - 1]), form);
        assert_eq!(key.verify(b"", &signature), Err(BadSignature::Mismatch { kind: key.kind() }));
    }
}

#[test]
fn a_flipped_bit_in_every_byte_of_a_signature_is_noticed() {
    for pem in [
        data!("import-p256sec1.pem"),
        data!("import-p384.pem"),
        data!("openssl/p521-sec1.pem"),
        data!("import-ed25519.pem"),
    ] {
        let private = PrivateKey::import(pem).unwrap();
        let signature = private.sign(b"a message").unwrap();
        for index in (0..signature.len() * 8).step_by(7) {
            let mut flipped = signature.clone();
            flipped[index / 8] ^= 1 << (index % 8);
            assert!(private.public_key().verify(b"a message", &flipped).is_err(), "bit {index}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..91, bits: u8) {
        drop(PublicKey::from_spki(&bytes));
        let key = PublicKey::from_pem(data!("a.pub")).unwrap();
        let mut other = key.spki().to_vec();
        other[at] ^= bits;
        // What is still a key is another key.
        prop_assert_eq!(PublicKey::from_spki(&other).is_ok_and(|other| other == key), bits == 0);
    }
}
