//! Timestamps of legacy attestations, which are over the whole layer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Digest;
use distil_signing::key::PublicKey;
use distil_signing::verify::{self, Candidate, Requirements, StepName, Stored, Trust, TrustedRoot};

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/timestamps").join(name)).unwrap()
}

/// The step that fails with this response in the annotation.
fn failure(response: Option<&[u8]>, asked: bool) -> Option<StepName> {
    let image: Digest = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b".parse().unwrap();
    let timestamp = response.map(|response| format!(r#"{{"SignedRFC3161Timestamp":"{}"}}"#, STANDARD.encode(response)));
    let annotations: BTreeMap<_, _> =
        timestamp.map(|text| ("dev.sigstore.cosign/rfc3161timestamp".to_owned(), text)).into_iter().collect();
    let candidate =
        Candidate { place: "here".into(), stored: Stored::Envelope { bytes: file("layer.json"), annotations } };
    let wanted = Requirements {
        use_signed_timestamps: asked,
        trusted_root: Some(TrustedRoot::from_json(&file("trusted_root.json")).unwrap()),
        ..Requirements::new(Trust::Keys(vec![PublicKey::from_pem(&file("key.pub")).unwrap()]))
    };
    let wanted_type = "https://example.test/p/v1".parse().unwrap();
    let report = verify::attestation(&image, &wanted_type, &[candidate], &wanted);
    let failed = report.verdicts()[0].failure().map(|(step, _)| step);
    assert_eq!(report.is_verified(), failed.is_none());
    failed
}

#[test]
fn only_one_over_the_layer_counts() {
    assert_eq!(failure(Some(&file("layer.tsr")), true), None);
    assert_eq!(failure(Some(&file("signature.tsr")), true), Some(StepName::Timestamps));
    assert_eq!(failure(None, true), Some(StepName::Timestamps));
    // Where none is asked for, none is looked at.
    assert_eq!(failure(None, false), None);
    assert_eq!(failure(Some(b"nonsense"), false), None);
    assert_eq!(failure(Some(b"nonsense"), true), Some(StepName::Timestamps));
}

/// The authority signed hash, time and all else between these two; and there is its signature, at the end. The rest of a
/// response (a certificate, names of algorithms) is passed over: what counts of it stands in the trusted root.
#[test]
fn no_byte_of_what_was_stamped_can_change() {
    let good = file("layer.tsr");
    let hash = *Digest::of(&file("layer.json")).as_sha256().unwrap();
    let find = |part: &[u8]| good.windows(part.len()).position(|found| found == part).unwrap();
    let time = b"20261122210512Z";
    let signed = find(&hash)..find(time) + time.len();
    assert_eq!(signed.len(), 32 + 5 + time.len());
    for at in signed.chain(good.len() - 60..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(failure(Some(&bad), true), Some(StepName::Timestamps), "byte {at}");
    }
}
