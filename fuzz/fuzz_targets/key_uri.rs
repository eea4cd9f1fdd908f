//! URIs of keys in tokens: what is read starts with what is shown of it, which holds no PIN.

#![no_main]

use distil_signing::key::pkcs11::{Pin, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(uri) = text.parse::<Uri>() else { return };
    let shown = uri.to_string();
    assert!(text.starts_with(&shown) && !shown.contains('?'));
    assert!(uri.module().is_absolute());
    if let Some(Pin::File(path)) = uri.pin() {
        assert!(path.is_absolute());
    }
});
