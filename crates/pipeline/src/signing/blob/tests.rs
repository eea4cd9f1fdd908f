use std::fs;

use distil_signing::key::PrivateKey;
use distil_signing::verify::Trust;

use super::*;

fn by(key: &PublicKey) -> Requirements {
    Requirements::new(Trust::Keys(vec![key.clone()]))
}

#[test]
fn every_form_that_is_written_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = [0, 1].map(|_| PrivateKey::generate().unwrap());
    let blob = Blob::read("it", &b"the bytes"[..]).unwrap();
    let changed = Blob::read("it", &b"the bytez"[..]).unwrap();
    let signed = sign_blob(&blob, &one).unwrap();
    let (signature, legacy, bundle) =
        (dir.path().join("a.sig"), dir.path().join("a.legacy"), dir.path().join("a.json"));
    signed.write_signature(&signature).unwrap();
    signed.write_bundle(&legacy, BlobBundle::Legacy).unwrap();
    signed.write_bundle(&bundle, BlobBundle::Sigstore).unwrap();
    for file in [SignatureFile::Signature(&signature), SignatureFile::Bundle(&legacy), SignatureFile::Bundle(&bundle)] {
        let verified = |blob, key: &PrivateKey| verify_blob(blob, file, &by(key.public_key())).unwrap().is_verified();
        assert!(verified(&blob, &one), "{file:?}");
        assert!(!verified(&changed, &one) && !verified(&blob, &other), "{file:?}");
    }
    assert_eq!(fs::read_to_string(&legacy).unwrap(), format!("{{\"base64Signature\":\"{}\"}}", signed.to_base64()));
    assert!(matches!(
        verify_blob(&blob, SignatureFile::Bundle(&dir.path().join("none")), &by(one.public_key())),
        Err(BlobError::Read { .. })
    ));
}

/// Of what is too large to be kept there is the digest, by which some kinds of keys sign, and the same signatures.
#[test]
fn a_large_file_is_signed_by_its_digest() {
    let dir = tempfile::tempdir().unwrap();
    let keys = |name: &str| {
        let pem =
            fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../signing/tests/data/keys/").to_owned() + name).unwrap();
        PrivateKey::import(&pem).unwrap()
    };
    let text = b"0123456789";
    let small = Blob::read_keeping("it", &text[..], 10).unwrap();
    let large = Blob::read_keeping("it", &text[..], 4).unwrap();
    let changed = Blob::read_keeping("it", &text[..9], 4).unwrap();
    assert!(matches!((&small.content, &large.content), (Content::Bytes(_), Content::Digest { limit: 4, .. })));
    for name in ["import-p256sec1.pem", "import-rsa2048.pem"] {
        let key = keys(name);
        let (one, other) = (sign_blob(&small, &key).unwrap(), sign_blob(&large, &key).unwrap());
        assert_eq!(one.to_bundle(BlobBundle::Sigstore), other.to_bundle(BlobBundle::Sigstore), "{name}");
        let file = dir.path().join(name);
        other.write_bundle(&file, BlobBundle::Sigstore).unwrap();
        let verified =
            |blob| verify_blob(blob, SignatureFile::Bundle(&file), &by(key.public_key())).unwrap().is_verified();
        assert!(verified(&small) && verified(&large) && !verified(&changed), "{name}");
    }
    for name in ["import-p384.pem", "import-ed25519.pem"] {
        let key = keys(name);
        let error = sign_blob(&large, &key).unwrap_err();
        assert!(matches!(error, BlobError::Unsignable { limit: 4, .. }) && error.is_mistake(), "{error:?}");
        let file = dir.path().join(name);
        sign_blob(&small, &key).unwrap().write_signature(&file).unwrap();
        let verified = |blob| verify_blob(blob, SignatureFile::Signature(&file), &by(key.public_key())).unwrap();
        assert!(verified(&small).is_verified() && !verified(&large).is_verified(), "{name}");
    }
}
