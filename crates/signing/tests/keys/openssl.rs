//! OpenSSL verifies what is signed here, and the other way round.

use std::io::Write;
use std::process::Command;

use distil_signing::key::{PrivateKey, Scheme, Signer};
use tempfile::NamedTempFile;

use crate::data;

const MESSAGE: &[u8] = b"a message that both sides sign";

/// The schemes that a key verifies with, by the name that OpenSSL has for their hash; the first one signs.
type Schemes = &'static [(&'static str, Scheme)];

const KEYS: [(&[u8], Schemes); 8] = [
    (data!("import-p256sec1.pem"), &[("sha256", Scheme::EcdsaP256Sha256)]),
    (data!("import-p384.pem"), &[("sha384", Scheme::EcdsaP384Sha384), ("sha256", Scheme::EcdsaP384Sha256)]),
    (data!("openssl/p521-sec1.pem"), &[("sha512", Scheme::EcdsaP521Sha512), ("sha256", Scheme::EcdsaP521Sha256)]),
    (data!("import-rsa2048.pem"), &[("sha256", Scheme::RsaPkcs1Sha256)]),
    (data!("openssl/rsa3072-pkcs8.pem"), &[("sha256", Scheme::RsaPkcs1Sha256)]),
    (data!("openssl/rsa4096-pkcs8.pem"), &[("sha256", Scheme::RsaPkcs1Sha256)]),
    (data!("openssl/p256-pkcs8.pem"), &[("sha256", Scheme::EcdsaP256Sha256)]),
    (data!("import-ed25519.pem"), &[("", Scheme::Ed25519)]),
];

#[test]
fn openssl_verifies_what_is_signed_here() {
    let message = holding(MESSAGE);
    for (pem, schemes) in KEYS {
        let key = PrivateKey::import(pem).unwrap();
        let public = holding(key.public_key().to_pem().as_bytes());
        let hash = schemes[0].0;
        for changed in [false, true] {
            let mut signature = key.sign(MESSAGE).unwrap();
            if changed {
                *signature.last_mut().unwrap() ^= 1;
            }
            let signature = holding(&signature);
            let mut command = Command::new("openssl");
            if hash.is_empty() {
                command.args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"]).arg(public.path());
                command.arg("-sigfile").arg(signature.path()).arg("-in").arg(message.path());
            } else {
                command.args(["dgst", &format!("-{hash}"), "-verify"]).arg(public.path());
                command.arg("-signature").arg(signature.path()).arg(message.path());
            }
            assert_eq!(command.output().unwrap().status.success(), !changed, "{:?}", key.public_key());
        }
    }
}

#[test]
fn what_openssl_signs_is_verified_here() {
    let message = holding(MESSAGE);
    for (pem, schemes) in KEYS {
        let key = PrivateKey::import(pem).unwrap();
        let private = holding(pem);
        for (hash, scheme) in schemes {
            let mut command = Command::new("openssl");
            if hash.is_empty() {
                command.args(["pkeyutl", "-sign", "-rawin", "-inkey"]).arg(private.path());
                command.arg("-in").arg(message.path());
            } else {
                command.args(["dgst", &format!("-{hash}"), "-sign"]).arg(private.path()).arg(message.path());
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(key.public_key().verify(MESSAGE, &output.stdout), Ok(*scheme));
            assert!(key.public_key().verify(b"another message", &output.stdout).is_err());
        }
    }
}

#[test]
fn a_hash_that_is_not_the_kinds_is_refused() {
    let message = holding(MESSAGE);
    for (pem, hash) in [
        (data!("import-p256sec1.pem"), "-sha512"),
        (data!("import-p256sec1.pem"), "-sha1"),
        (data!("import-p384.pem"), "-sha512"),
        (data!("openssl/p521-sec1.pem"), "-sha384"),
        (data!("import-rsa2048.pem"), "-sha512"),
    ] {
        let private = holding(pem);
        let output =
            Command::new("openssl").args(["dgst", hash, "-sign"]).arg(private.path()).arg(message.path()).output();
        let signature = output.unwrap().stdout;
        assert!(!signature.is_empty());
        assert!(PrivateKey::import(pem).unwrap().public_key().verify(MESSAGE, &signature).is_err(), "{hash}");
    }
}

#[test]
fn a_signature_with_another_padding_is_refused() {
    let message = holding(MESSAGE);
    let pem = data!("import-rsa2048.pem");
    let private = holding(pem);
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sign"])
        .arg(private.path())
        .arg(message.path())
        .output();
    let signature = output.unwrap().stdout;
    assert_eq!(signature.len(), 256);
    assert!(PrivateKey::import(pem).unwrap().public_key().verify(MESSAGE, &signature).is_err());
}

fn holding(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}
