//! Keys in the clear, in every form that is read, and in those that are not.

use distil_signing::key::{KeyError, KeyKind, MAX_PEM, PrivateKey, PublicKey, Signer};

use crate::data;

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (forms, kind) in [
        (
            [
                data!("openssl/p256-pkcs8.pem"),
                data!("openssl/p256-compressed-sec1.pem"),
                data!("openssl/p256-no-public-sec1.pem"),
            ],
            KeyKind::P256,
        ),
        (
            [data!("openssl/p521-pkcs8.pem"), data!("openssl/p521-sec1.pem"), data!("openssl/p521-no-public-sec1.pem")],
            KeyKind::P521,
        ),
    ] {
        let keys = forms.map(|form| PrivateKey::import(form).unwrap().public_key().clone());
        assert!(keys.iter().all(|key| *key == keys[0] && key.kind() == kind));
    }
    let sealed = PrivateKey::open(data!("rsa2048.key"), b"import-pass").unwrap();
    let imported = PrivateKey::import(data!("import-rsa2048.pem")).unwrap();
    assert_eq!(sealed.public_key(), imported.public_key());
    let kinds = [
        (data!("import-p384.pem"), KeyKind::P384),
        (data!("openssl/p384-pkcs8.pem"), KeyKind::P384),
        (data!("import-ed25519.pem"), KeyKind::Ed25519),
        (data!("openssl/rsa3072-pkcs8.pem"), KeyKind::Rsa { bits: 3072 }),
        (data!("openssl/rsa4096-pkcs8.pem"), KeyKind::Rsa { bits: 4096 }),
    ];
    for (form, kind) in kinds {
        assert_eq!(PrivateKey::import(form).unwrap().public_key().kind(), kind);
    }
    let both = [data!("openssl/rsa3072.pub"), data!("openssl/rsa3072-pkcs1.pub")];
    let [one, other] = both.map(|form| PublicKey::from_pem(form).unwrap());
    assert_eq!(one, other);
    assert_eq!(one.to_pem().as_bytes(), data!("openssl/rsa3072.pub"));
    assert_eq!(&one, PrivateKey::import(data!("openssl/rsa3072-pkcs8.pem")).unwrap().public_key());
}

#[test]
fn what_is_not_imported_is_refused_with_its_reason() {
    let algorithm = |oid: &str| KeyError::Algorithm { oid: oid.to_owned() };
    let curve = |oid: &str| KeyError::Curve { oid: oid.to_owned() };
    for (form, error) in [
        (data!("openssl/ec-parameters.pem"), KeyError::EcParameters),
        (data!("openssl/p256-encrypted-pkcs8.pem"), KeyError::Encrypted),
        (data!("openssl/p256-encrypted-sec1.pem"), KeyError::Encrypted),
        (data!("a.key"), KeyError::Sealed),
        (data!("old-label.key"), KeyError::Sealed),
        (data!("openssl/secp256k1-sec1.pem"), curve("1.3.132.0.10")),
        (data!("openssl/p224-pkcs8.pem"), curve("1.3.132.0.33")),
        (data!("openssl/x25519.pem"), algorithm("1.3.101.110")),
        (data!("openssl/ed448.pem"), algorithm("1.3.101.113")),
        (data!("openssl/rsa-pss.pem"), algorithm("1.2.840.113549.1.1.10")),
        (data!("openssl/rsa1024-pkcs1.pem"), KeyError::RsaSize { bits: 1024 }),
        (data!("openssl/rsa2560-pkcs1.pem"), KeyError::RsaSize { bits: 2560 }),
        (data!("openssl/p256-explicit.pem"), KeyError::Encoding { expected: "a named curve" }),
        (
            data!("a.pub"),
            KeyError::Label {
                found: "PUBLIC KEY".to_owned(),
                expected: "PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY",
            },
        ),
        (b"", KeyError::NoBlock),
        (&vec![b' '; MAX_PEM + 1], KeyError::TooLarge { limit: MAX_PEM, found: MAX_PEM + 1 }),
    ] {
        assert_eq!(PrivateKey::import(form).unwrap_err(), error);
    }
    assert_eq!(curve("1.3.132.0.10").to_string(), "keys on the curve secp256k1 (1.3.132.0.10) are not supported");
    assert_eq!(curve("1.2.3").to_string(), "keys on the curve 1.2.3 are not supported");
}

#[test]
fn a_public_key_of_another_kind_is_refused_with_its_reason() {
    for (form, error) in [
        (data!("openssl/ed448.pub"), KeyError::Algorithm { oid: "1.3.101.113".to_owned() }),
        (data!("openssl/rsa-pss.pub"), KeyError::Algorithm { oid: "1.2.840.113549.1.1.10".to_owned() }),
        (data!("openssl/rsa1024.pub"), KeyError::RsaSize { bits: 1024 }),
        (data!("openssl/p256-compressed.pub"), KeyError::Encoding { expected: "an uncompressed point" }),
        (
            data!("import-p384.pem"),
            KeyError::Label { found: "EC PRIVATE KEY".to_owned(), expected: "PUBLIC KEY or RSA PUBLIC KEY" },
        ),
    ] {
        assert_eq!(PublicKey::from_pem(form).unwrap_err(), error);
    }
}

#[test]
fn a_key_in_the_clear_is_not_opened() {
    for form in [data!("openssl/p256-pkcs8.pem"), data!("import-p256sec1.pem"), data!("import-rsa2048.pem")] {
        assert_eq!(PrivateKey::open(form, b"").unwrap_err(), KeyError::NotSealed);
    }
    assert_eq!(PrivateKey::open(data!("openssl/p256-encrypted-pkcs8.pem"), b"x").unwrap_err(), KeyError::Encrypted);
}

#[test]
fn one_block_and_no_other() {
    let pem = data!("a.pub");
    let [twice, after, before] = [[pem, pem].concat(), [pem, b"more\n"].concat(), [b"a note\n", pem].concat()];
    assert_eq!(PublicKey::from_pem(&twice).unwrap_err(), KeyError::SeveralBlocks);
    assert_eq!(PublicKey::from_pem(&after).unwrap_err(), KeyError::Pem);
    let key = PublicKey::from_pem(pem).unwrap();
    assert_eq!(PublicKey::from_pem(&before), Ok(key.clone()));
    assert_eq!(PublicKey::from_pem(&[pem, b" \r\n\n"].concat()), Ok(key.clone()));
    let dos = String::from_utf8(pem.to_vec()).unwrap().replace('\n', "\r\n");
    assert_eq!(PublicKey::from_pem(dos.as_bytes()), Ok(key));
}
