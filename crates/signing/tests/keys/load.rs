//! Sealed keys as cosign writes them, sound and broken: the cases of this project's vectors.

use std::path::Path;

use distil_signing::key::{PrivateKey, PublicKey, Signer, sign};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    key_file: String,
    password: String,
    public: Option<String>,
    expect: String,
    note: String,
}

#[test]
fn sealed_keys_open_or_are_refused_as_the_vectors_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let about = format!("{}: {}", case.name, case.note);
        let opened = PrivateKey::open(&std::fs::read(folder.join(&case.key_file)).unwrap(), case.password.as_bytes());
        if case.expect == "fail" {
            assert!(opened.is_err(), "{about}");
            continue;
        }
        assert_eq!(case.expect, "pass");
        let key = opened.expect(&about);
        let file = std::fs::read(folder.join(case.public.unwrap())).unwrap();
        let public = PublicKey::from_pem(&file).unwrap();
        assert_eq!(key.public_key(), &public, "{about}");
        assert_eq!(public.to_pem().as_bytes(), file, "{about}");
        let signature = sign(&key, b"a message").unwrap();
        assert_eq!(public.verify(b"a message", &signature), Ok(public.kind().scheme()), "{about}");
    }
}
