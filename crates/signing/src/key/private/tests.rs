use proptest::prelude::*;

use super::super::{Scheme, sign};
use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/keys/", $name)).as_slice()
    };
}

#[test]
fn signatures_are_those_of_rfc_6979() {
    // Appendices A.2.5 and A.2.6, "sample".
    let key = hex::decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721").unwrap();
    let key = PrivateKey::p256(&p256::SecretKey::from_slice(&key).unwrap()).unwrap();
    assert_eq!(
        hex::encode(key.sign(b"sample").unwrap()),
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    );
    let key = "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5";
    let key = PrivateKey::p384(&p384::SecretKey::from_slice(&hex::decode(key).unwrap()).unwrap()).unwrap();
    assert_eq!(
        hex::encode(key.sign(b"sample").unwrap()),
        "306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46\
         02310099ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"
    );
}

#[test]
fn the_same_message_gets_the_same_signature() {
    let keys = [
        data!("import-p256sec1.pem"),
        data!("import-p384.pem"),
        data!("import-rsa2048.pem"),
        data!("import-ed25519.pem"),
    ];
    for pem in keys {
        let sign = || PrivateKey::import(pem).unwrap().sign(b"a message").unwrap();
        assert_eq!(sign(), sign());
    }
}

#[test]
fn what_is_sealed_of_an_imported_key_is_what_cosign_seals() {
    for (pem, sealed) in [
        (data!("import-p256sec1.pem"), data!("p256sec1.key")),
        (data!("import-p384.pem"), data!("p384.key")),
        (data!("import-rsa2048.pem"), data!("rsa2048.key")),
        (data!("import-ed25519.pem"), data!("ed25519.key")),
    ] {
        let imported = PrivateKey::import(pem).unwrap();
        let plain = Sealed::read(sealed).unwrap().open(b"import-pass").unwrap();
        assert_eq!(*imported.pkcs8, *plain, "{imported:?}");
    }
    // cosign 3.1.1 imports these as well; OpenSSL writes them in the form that Go does.
    for (sec1, pkcs8) in [
        (data!("openssl/p521-sec1.pem"), data!("openssl/p521-pkcs8.pem")),
        (data!("openssl/p256-no-public-sec1.pem"), data!("openssl/p256-pkcs8.pem")),
        (data!("openssl/rsa4096-pkcs8.pem"), data!("openssl/rsa4096-pkcs8.pem")),
    ] {
        let imported = PrivateKey::import(sec1).unwrap();
        assert_eq!(*imported.pkcs8, *pem::read(pkcs8).unwrap().bytes, "{imported:?}");
    }
}

#[test]
fn new_keys_are_new_and_of_p256() {
    let [one, other] = [PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap()];
    assert_ne!(one.public_key(), other.public_key());
    assert_eq!(one.public_key().kind(), KeyKind::P256);
    assert_eq!(one.pkcs8.len(), 138);
    let signature = sign(&one, b"a message").unwrap();
    assert_eq!(one.public_key().verify(b"a message", &signature), Ok(Scheme::EcdsaP256Sha256));
    assert!(other.public_key().verify(b"a message", &signature).is_err());
}

#[test]
fn nothing_of_a_key_is_shown() {
    let key = PrivateKey::import(data!("import-p256sec1.pem")).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey { kind: P256, .. }");
}

#[test]
fn halves_of_two_keys_are_refused() {
    for (label, pem, other) in [
        ("EC PRIVATE KEY", data!("import-p256sec1.pem"), data!("openssl/p256-pkcs8.pem")),
        ("EC PRIVATE KEY", data!("openssl/p521-sec1.pem"), data!("openssl/p521-sec1.pem")),
    ] {
        let other = PrivateKey::import(other).unwrap();
        let own = PrivateKey::import(pem).unwrap();
        let block = pem::read(pem).unwrap();
        let mut der = block.bytes.to_vec();
        let end = der.len();
        let length = if own.public.kind() == KeyKind::P256 { 65 } else { 133 };
        if own.public == other.public {
            // There is one key of this curve only, so its own point is moved off the curve.
            der[end - 1] ^= 1;
        } else {
            der[end - length..].copy_from_slice(&other.public.spki()[other.public.spki().len() - length..]);
        }
        let kind = own.public.kind();
        let found = PrivateKey::import(pem::write(label, &der).as_bytes()).unwrap_err();
        let expected = [KeyError::Inconsistent { kind }, KeyError::Invalid { kind }];
        assert!(expected.contains(&found), "{found}");
    }
    let pem = data!("import-rsa2048.pem");
    let block = pem::read(pem).unwrap();
    for at in [100, 400, 700, 1000] {
        let mut der = block.bytes.to_vec();
        der[at] ^= 2;
        let found = PrivateKey::import(pem::write("RSA PRIVATE KEY", &der).as_bytes()).unwrap_err();
        assert_eq!(found, KeyError::Invalid { kind: KeyKind::Rsa { bits: 2048 } }, "byte {at}");
    }
}

#[test]
fn an_ed25519_key_with_its_public_half_is_the_same_key() {
    let plain = PrivateKey::import(data!("import-ed25519.pem")).unwrap();
    let point = &plain.public.spki()[12..];
    // RFC 8410, section 7: version 1, and the public half in the field [1].
    let with = |point: &[u8]| {
        let der = [&[0x30, 0x51, 2, 1, 1], &plain.pkcs8[5..], &[0x81, 0x21, 0], point].concat();
        PrivateKey::import(pem::write("PRIVATE KEY", &der).as_bytes())
    };
    let both = with(point).unwrap();
    assert_eq!((both.public_key(), &*both.pkcs8), (plain.public_key(), &*plain.pkcs8));
    let other = [&point[..31], &[point[31] ^ 1]].concat();
    assert_eq!(with(&other).unwrap_err(), KeyError::Inconsistent { kind: KeyKind::Ed25519 });
}

#[derive(Debug)]
struct Swapped(PrivateKey, PrivateKey);

impl Signer for Swapped {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.1.sign(message)
    }
}

#[test]
fn a_device_with_another_key_is_found_out() {
    let signer = Swapped(PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    assert!(matches!(sign(&signer, b"a message").unwrap_err(), SignerError::Unverified { kind: KeyKind::P256 }));
}

proptest! {
    #[test]
    fn whatever_is_imported_signs(
        kind in 0..3_usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let pem = [data!("import-p256sec1.pem"), data!("openssl/p256-pkcs8.pem"), data!("import-ed25519.pem")][kind];
        let block = pem::read(pem).unwrap();
        let mut der = block.bytes.to_vec();
        for (at, bits) in changes {
            let at = at.index(der.len());
            der[at] ^= bits;
        }
        if let Ok(key) = PrivateKey::import(pem::write(block.label, &der).as_bytes()) {
            prop_assert!(sign(&key, b"a message").is_ok());
        } else {
            prop_assert!(der != *block.bytes);
        }
    }
}
