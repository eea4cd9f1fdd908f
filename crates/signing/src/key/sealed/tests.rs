use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{PrivateKey, Signer};
use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/keys/", $name)).as_slice()
    };
}

/// A sealed key with this JSON in it.
fn with(json: &str) -> Result<Sealed, KeyError> {
    Sealed::read(pem::write(LABEL, json.as_bytes()).as_bytes())
}

/// The JSON of a key that opens, with a part of it replaced.
fn changed(from: &str, to: &str) -> Result<Sealed, KeyError> {
    let block = pem::read(data!("a.key")).unwrap();
    let json = std::str::from_utf8(&block.bytes).unwrap();
    assert!(json.contains(from), "{from}");
    with(&json.replacen(from, to, 1))
}

#[test]
fn what_is_sealed_is_cosigns_file_byte_for_byte() {
    for (file, password) in
        [(data!("a.key"), "shared-pass-A"), (data!("b.key"), "shared-pass-B"), (data!("rsa2048.key"), "import-pass")]
    {
        let sealed = Sealed::read(file).unwrap();
        let plain = sealed.open(password.as_bytes()).unwrap();
        let again = seal_with(&plain, password.as_bytes(), &sealed.salt, &sealed.nonce).unwrap();
        assert_eq!(again.as_bytes(), file);
    }
}

#[test]
fn the_old_label_and_cost_are_read() {
    for (file, log_n) in [(data!("old-label.key"), 15), (data!("a.key"), 16), (data!("owasp-n.key"), 17)] {
        let sealed = Sealed::read(file).unwrap();
        assert_eq!(sealed.log_n, log_n);
        assert_eq!(sealed.open(b"shared-pass-A").unwrap().len(), 138);
    }
}

#[test]
fn a_cost_that_is_not_cosigns_is_refused() {
    for (from, to, (n, r, p)) in [
        ("65536", "65535", (65535, 8, 1)),
        ("65536", "1", (1, 8, 1)),
        ("65536", "262144", (262_144, 8, 1)),
        ("65536", "18446744073709551615", (u64::MAX, 8, 1)),
        ("\"r\":8", "\"r\":9", (65536, 9, 1)),
        ("\"r\":8", "\"r\":0", (65536, 0, 1)),
        ("\"p\":1", "\"p\":2", (65536, 8, 2)),
        ("\"p\":1", "\"p\":4294967297", (65536, 8, 4_294_967_297)),
    ] {
        assert_eq!(changed(from, to).unwrap_err(), KeyError::Cost { n, r, p });
    }
}

#[test]
fn each_other_part_of_the_file_is_checked() {
    assert_eq!(changed("scrypt", "argon2").unwrap_err(), KeyError::Derivation);
    assert_eq!(changed("nacl/secretbox", "nacl/box").unwrap_err(), KeyError::Cipher);
    for (from, to, member, expected) in [
        ("\"salt\":\"", "\"salt\":\"AAAA", "salt", "32 bytes"),
        ("\"salt\":\"", "\"salt\":\"*", "salt", "32 bytes"),
        ("\"nonce\":\"", "\"nonce\":\"AAAA", "nonce", "24 bytes"),
        ("\"ciphertext\":\"", "\"ciphertext\":\"A", "ciphertext", "bytes"),
        // Without padding, which Go's reader refuses too.
        ("=\"},\"cipher\"", "\"},\"cipher\"", "salt", "32 bytes"),
    ] {
        assert_eq!(changed(from, to).unwrap_err(), KeyError::Member { member, expected });
    }
    for (from, to) in [
        ("\"kdf\":", "\"extra\":1,\"kdf\":"),
        ("\"r\":8,", ""),
        ("\"r\":8,", "\"r\":\"8\","),
        ("\"r\":8,", "\"r\":-8,"),
        ("{\"kdf\"", "{\"Kdf\""),
    ] {
        assert!(matches!(changed(from, to).unwrap_err(), KeyError::Members { .. }), "{to}");
    }
    for (from, to) in [
        ("\"r\":8,", "\"r\":8,\"r\":8,"),
        ("\"r\":8,", "\"r\":8,\"R\":8,"),
        ("\"r\":8,", "\"r\":8.0,"),
        ("{\"kdf\"", "{}{\"kdf\""),
        ("{\"kdf\"", "\u{feff}{\"kdf\""),
    ] {
        assert!(matches!(changed(from, to).unwrap_err(), KeyError::Json(_)), "{to}");
    }
    assert_eq!(with("[]").err().map(|error| matches!(error, KeyError::Members { .. })), Some(true));
}

#[test]
fn a_ciphertext_without_room_for_its_tag_is_refused() {
    let mut sealed = Sealed::read(data!("a.key")).unwrap();
    for length in [0, 15, 16] {
        sealed.ciphertext.truncate(length);
        assert_eq!(sealed.open_with(&[0; 32]).unwrap_err(), KeyError::Password);
        sealed.ciphertext.resize(16, 0);
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let file = data!("a.key");
    let mut keys = BTreeMap::new();
    let (mut read, mut at_the_end) = (0, 0);
    for index in 0..file.len() {
        for bit in 0..8 {
            let mut flipped = file.to_vec();
            flipped[index] ^= 1 << bit;
            let Ok(sealed) = Sealed::read(&flipped) else { continue };
            read += 1;
            // Deriving a key takes long, so of the flips in one byte only the first that reaches it derives another.
            let key = keys.entry(sealed.salt).or_insert_with(|| {
                let new = bit == 0 || sealed.salt == Sealed::read(file).unwrap().salt;
                new.then(|| derive(b"shared-pass-A", &sealed.salt, sealed.log_n).unwrap())
            });
            if let Some(key) = key {
                at_the_end += 1;
                assert_eq!(sealed.open_with(key).unwrap_err(), KeyError::Password, "byte {index}, bit {bit}");
            }
        }
    }
    assert!(read > at_the_end && at_the_end > 500, "{at_the_end} of {read}");
    assert!(Sealed::read(file).unwrap().open(b"shared-pass-A").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_sealed_opens_with_its_password_alone(
        password in proptest::collection::vec(any::<u8>(), 0..80),
        other in proptest::collection::vec(any::<u8>(), 0..80),
        kind in 0..4,
    ) {
        let key = PrivateKey::import(match kind {
            0 => data!("import-p256sec1.pem"),
            1 => data!("openssl/p521-sec1.pem"),
            2 => data!("import-rsa2048.pem"),
            _ => data!("import-ed25519.pem"),
        }).unwrap();
        let file = key.seal(&password).unwrap();
        let again = PrivateKey::open(file.as_bytes(), &password).unwrap();
        prop_assert_eq!(again.public_key(), key.public_key());
        if other != password {
            prop_assert_eq!(PrivateKey::open(file.as_bytes(), &other).unwrap_err(), KeyError::Password);
        }
    }
}
