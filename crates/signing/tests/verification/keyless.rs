//! Certificates: whom they have to name, and that each byte of the evidence counts.

use std::num::NonZeroUsize;

use distil_imgcore::Digest;
use distil_signing::verify::{self, Candidate, Identity, Pattern, Requirements, SignedBy, StepName, Stored, Trust};
use serde_json::Value;

use super::data::{candidates, layout};
use super::layouts::keyless;

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const ENTRY: &str = "dev.sigstore.cosign/bundle";
const CHAIN: &str = "dev.sigstore.cosign/chain";

/// What was signed, and the step that failed.
fn judged(candidate: Candidate, wanted: &Requirements) -> Result<Vec<u8>, StepName> {
    let image: Digest = IMAGE.parse().unwrap();
    let report = verify::image(&image, &[candidate], wanted);
    match report.verified().first() {
        Some(proof) => Ok(proof.payload().to_vec()),
        None => Err(report.verdicts()[0].failure().unwrap().0),
    }
}

fn good(name: &str) -> Candidate {
    let found = candidates(&layout(name), &IMAGE.parse().unwrap()).unwrap();
    let fits = |candidate: &Candidate| {
        !matches!(candidate.stored, Stored::Envelope { .. }) && judged(candidate.clone(), &keyless()).is_ok()
    };
    found.into_iter().find(fits).unwrap()
}

#[test]
fn identity_and_issuer_are_whole() {
    let check = |subject: Pattern, issuer: Pattern, expected: bool| {
        let wanted =
            Requirements { trust: Trust::Identity(Identity::new(subject.clone(), issuer.clone())), ..keyless() };
        for name in ["keyless-v2", "keyless-v3"] {
            let found = judged(good(name), &wanted);
            assert_eq!(found.is_ok(), expected, "{name}: {subject} {issuer}");
            assert!(expected || found == Err(StepName::Signer));
        }
    };
    let exact = |text| Pattern::exact(text).unwrap();
    let regex = |text| Pattern::regex(text).unwrap();
    check(regex(".*@distil.test"), exact("https://issuer.distil.test"), true);
    check(regex("release@distil\\.test"), regex("https://(issuer|other)\\.distil\\.test"), true);
    check(regex("release"), exact("https://issuer.distil.test"), false);
    check(regex("@distil.test"), exact("https://issuer.distil.test"), false);
    check(exact("release@distil.test"), regex("https://issuer"), false);
    check(exact("Release@distil.test"), exact("https://issuer.distil.test"), false);
    check(exact("release@distil.test"), exact("https://issuer.distil.test/"), false);
}

#[test]
fn an_identity_counts_once() {
    let image: Digest = IMAGE.parse().unwrap();
    let wanted = |threshold| Requirements { threshold: NonZeroUsize::new(threshold).unwrap(), ..keyless() };
    let both = [good("keyless-v2"), good("keyless-v3")];
    let report = verify::image(&image, &both, &wanted(1));
    let signer =
        SignedBy::Identity { subject: "release@distil.test".into(), issuer: "https://issuer.distil.test".into() };
    assert_eq!(
        report.verified().iter().map(|proof| proof.signer().clone()).collect::<Vec<_>>(),
        [signer.clone(), signer]
    );
    assert!(!verify::image(&image, &both, &wanted(2)).is_verified());
}

#[test]
fn without_a_trusted_root_nobody_is_trusted() {
    let wanted = Requirements { trusted_root: None, ..keyless() };
    assert_eq!(judged(good("keyless-v3"), &wanted), Err(StepName::Signer));
}

#[test]
fn a_chain_brings_nothing() {
    let Candidate { place, stored: Stored::Simple { payload, annotations } } = good("keyless-v2") else { panic!() };
    let with = |chain: Option<String>| {
        let mut annotations = annotations.clone();
        match chain {
            Some(chain) => annotations.insert(CHAIN.into(), chain),
            None => annotations.remove(CHAIN),
        };
        judged(
            Candidate { place: place.clone(), stored: Stored::Simple { payload: payload.clone(), annotations } },
            &keyless(),
        )
    };
    // The trusted root has all that is needed.
    assert!(with(None).is_ok() && with(Some(String::new())).is_ok());
    assert!(with(Some("no certificate".into())).is_err());
    let Stored::Simple { annotations: rogue, payload: other } =
        &candidates(&layout("kl-rogue-ca"), &IMAGE.parse().unwrap()).unwrap()[0].stored.clone()
    else {
        panic!()
    };
    // A certificate of an authority that is not trusted, with the chain up to its root.
    assert!(rogue[CHAIN].contains("BEGIN CERTIFICATE"));
    let candidate = Candidate {
        place: String::new(),
        stored: Stored::Simple { payload: other.clone(), annotations: rogue.clone() },
    };
    assert_eq!(judged(candidate, &keyless()), Err(StepName::Signer));
}

/// Each byte of signature, certificate and log entry of a legacy signature. Where another text says the same (another
/// letter at the end of a PEM line, say) what comes out is what was signed.
#[test]
fn legacy_evidence_cannot_change() {
    let Candidate { place, stored: Stored::Simple { payload, annotations } } = good("keyless-v2") else { panic!() };
    for name in [SIGNATURE, CERTIFICATE, ENTRY] {
        let text = annotations[name].clone().into_bytes();
        for at in 0..text.len() {
            let mut bad = text.clone();
            bad[at] ^= 1;
            let mut annotations = annotations.clone();
            annotations.insert(name.into(), String::from_utf8(bad).unwrap());
            let stored = Stored::Simple { payload: payload.clone(), annotations };
            let found = judged(Candidate { place: place.clone(), stored }, &keyless());
            assert!(found.is_err(), "{name}: byte {at}, {:?}", char::from(text[at]));
        }
    }
}

/// Each byte of a bundle. Only what a checkpoint says beside what the log signed may differ.
#[test]
fn a_bundle_cannot_change() {
    let Candidate { place, stored: Stored::Bundle(bytes) } = good("keyless-v3") else { panic!() };
    let rest = |bytes: &[u8]| {
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        let proof = &mut value["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
        proof["checkpoint"]["envelope"] = Value::Null;
        value
    };
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        if judged(Candidate { place: place.clone(), stored: Stored::Bundle(bad.clone()) }, &keyless()).is_ok() {
            assert_eq!(rest(&bad), rest(&bytes), "byte {at}");
        }
    }
}
