//! A public key has one encoding: what is read is written again as the same bytes. No bytes are a signature by a key that
//! made none.

#![no_main]

use distil_signing::key::PublicKey;
use libfuzzer_sys::fuzz_target;

const KEYS: [&[u8]; 4] = [
    include_bytes!("../../crates/signing/tests/data/keys/a.pub"),
    include_bytes!("../../crates/signing/tests/data/keys/p384.pub"),
    include_bytes!("../../crates/signing/tests/data/keys/rsa2048.pub"),
    include_bytes!("../../crates/signing/tests/data/keys/ed25519.pub"),
];

fuzz_target!(|input: &[u8]| {
    if let Ok(key) = PublicKey::from_spki(input) {
        assert_eq!(key.spki(), input);
        same(&key);
    }
    if let Ok(key) = PublicKey::from_pem(input) {
        same(&key);
    }
    for pem in KEYS {
        let key = PublicKey::from_pem(pem).expect("the sample is sound");
        assert!(key.verify(b"never signed", input).is_err());
        let mut spki = key.spki().to_vec();
        for (byte, change) in spki.iter_mut().rev().zip(input) {
            *byte ^= change;
        }
        if let Ok(changed) = PublicKey::from_spki(&spki) {
            assert_eq!(changed == key, spki == key.spki());
            same(&changed);
        }
    }
});

fn same(key: &PublicKey) {
    assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()).as_ref(), Ok(key));
    assert_eq!(PublicKey::from_spki(key.spki()).as_ref(), Ok(key));
}
