//! Whatever is imported signs, and its own public half verifies that.

#![no_main]

use distil_fuzz::pem;
use distil_signing::key::{PrivateKey, sign};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check(input);
    for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
        check(pem(label, input).as_bytes());
    }
});

fn check(file: &[u8]) {
    if let Ok(key) = PrivateKey::import(file) {
        sign(&key, b"a message").expect("a key that was imported signs");
    }
}
