//! A sealed key opens to the key that was sealed or not at all, whatever is changed in it; and to no other password.

#![no_main]

use distil_fuzz::pem;
use distil_signing::key::{PrivateKey, PublicKey, Signer};
use libfuzzer_sys::fuzz_target;

const SEALED: &[u8] = include_bytes!("../../crates/signing/tests/data/keys/a.key");
const PUBLIC: &[u8] = include_bytes!("../../crates/signing/tests/data/keys/a.pub");

fuzz_target!(|input: &[u8]| {
    for file in [input, pem("ENCRYPTED SIGSTORE PRIVATE KEY", input).as_bytes()] {
        assert!(PrivateKey::open(file, b"a password that sealed nothing").is_err());
    }
    let mut changed = SEALED.to_vec();
    for change in input.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
        changed[place] ^= change[2];
    }
    if let Ok(key) = PrivateKey::open(&changed, b"shared-pass-A") {
        assert_eq!(key.public_key(), &PublicKey::from_pem(PUBLIC).expect("the sample is sound"));
    }
});
