//! Each byte of what is verified is changed: nothing of that may be accepted that says something else.

use distil_imgcore::Digest;
use distil_signing::verify::{self, Candidate, Requirements, Stored};
use serde_json::{Value, json};

use super::data::{by_keys, candidates, layout};

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What is accepted of a candidate: the bytes that were signed.
fn accepted(candidate: Candidate, wanted: &Requirements, predicate_type: Option<&str>) -> Option<Vec<u8>> {
    let image: Digest = IMAGE.parse().unwrap();
    let candidates = [candidate];
    match predicate_type {
        None => verify::image(&image, &candidates, wanted).verified().first().map(|proof| proof.payload().to_vec()),
        Some(uri) => {
            let report = verify::attestation(&image, &uri.parse().unwrap(), &candidates, wanted);
            report.verified().first().map(|proof| proof.payload().to_vec())
        }
    }
}

/// Changes each byte in several ways, and the length.
fn mutations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let flips = (0..bytes.len()).flat_map(move |at| {
        [0x01, 0x20, 0x80].into_iter().map(move |mask| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= mask;
            bytes
        })
    });
    let cuts = (0..bytes.len()).map(|at| bytes[..at].to_vec());
    let more = [b"\n".as_slice(), b" ", b"{}", b"\0"].into_iter().map(move |more| [bytes, more].concat());
    flips.chain(cuts).chain(more)
}

/// The candidate that is good, of an image of the vectors.
fn good(name: &str, wanted: &Requirements, predicate_type: Option<&str>) -> Candidate {
    let found = candidates(&layout(name), &IMAGE.parse().unwrap()).unwrap();
    let good = |candidate: &Candidate| accepted(candidate.clone(), wanted, predicate_type).is_some();
    found.into_iter().find(good).unwrap_or_else(|| panic!("{name} has no good signature"))
}

/// Whether two documents say the same, as far as `said` has it.
fn says_the_same(a: &[u8], b: &[u8], said: impl Fn(Value) -> Value) -> bool {
    let said = |bytes: &[u8]| serde_json::from_slice(bytes).ok().map(&said);
    said(a).is_some() && said(a) == said(b)
}

/// What is accepted may differ in nothing but what `may_stay` lets through, and says what was signed.
fn none_is_accepted(
    name: &str,
    key: &str,
    predicate_type: Option<&str>,
    change: impl Fn(&Stored) -> Vec<Stored>,
    may_stay: impl Fn(&Stored, &Stored) -> bool,
) {
    let wanted = by_keys(&[key]);
    let candidate = good(name, &wanted, predicate_type);
    let signed = accepted(candidate.clone(), &wanted, predicate_type);
    let changed = change(&candidate.stored);
    assert!(changed.len() > 250, "{name}: only {} were tried", changed.len());
    for stored in changed {
        let changed = Candidate { stored: stored.clone(), ..candidate.clone() };
        if let Some(found) = accepted(changed, &wanted, predicate_type) {
            assert!(may_stay(&candidate.stored, &stored) && Some(found) == signed, "{name}: {stored:?}");
        }
    }
}

fn never(_: &Stored, _: &Stored) -> bool {
    false
}

#[test]
fn payloads_of_simple_signatures() {
    for (name, key) in [("legacy-v2", "a"), ("legacy-v3", "b"), ("alg-rsa2048-v2", "rsa2048")] {
        none_is_accepted(
            name,
            key,
            None,
            |stored| {
                let Stored::Simple { payload, annotations } = stored else { panic!("{stored:?}") };
                let simple = |payload| Stored::Simple { payload, annotations: annotations.clone() };
                mutations(payload).map(simple).collect()
            },
            never,
        );
    }
}

#[test]
fn signatures_of_simple_signatures() {
    for (name, key) in [("legacy-v2", "a"), ("alg-rsa2048-v2", "rsa2048"), ("alg-ed25519-v2", "ed25519")] {
        none_is_accepted(
            name,
            key,
            None,
            |stored| {
                let Stored::Simple { payload, annotations } = stored else { panic!("{stored:?}") };
                let changed =
                    mutations(annotations[SIGNATURE].as_bytes()).filter_map(|text| String::from_utf8(text).ok());
                let simple = |text| {
                    let mut annotations = annotations.clone();
                    annotations.insert(SIGNATURE.into(), text);
                    Stored::Simple { payload: payload.clone(), annotations }
                };
                changed.map(simple).collect()
            },
            never,
        );
    }
}

/// The name of a key in an envelope is not signed, nor are space and members that nobody knows.
#[test]
fn envelopes() {
    const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
    for (name, key) in [("att-v2", "a"), ("att-v3-legacy", "b")] {
        none_is_accepted(
            name,
            key,
            Some(VULN),
            |stored| {
                let Stored::Envelope { bytes, annotations } = stored else { panic!("{stored:?}") };
                mutations(bytes).map(|bytes| Stored::Envelope { bytes, annotations: annotations.clone() }).collect()
            },
            |before, after| {
                let (Stored::Envelope { bytes: a, .. }, Stored::Envelope { bytes: b, .. }) = (before, after) else {
                    return false;
                };
                says_the_same(a, b, |envelope| {
                    let signatures = envelope["signatures"].as_array().unwrap();
                    json!([envelope["payload"], envelope["payloadType"], signatures[0]["sig"], signatures.len()])
                })
            },
        );
    }
}

/// The hint of a key in a bundle is not signed, nor is space around it.
#[test]
fn bundles() {
    for (name, key) in [("bundle-v3", "b"), ("alg-rsa2048-v3", "rsa2048")] {
        none_is_accepted(
            name,
            key,
            None,
            |stored| {
                let Stored::Bundle(bytes) = stored else { panic!("{stored:?}") };
                mutations(bytes).map(Stored::Bundle).collect()
            },
            |before, after| {
                let (Stored::Bundle(a), Stored::Bundle(b)) = (before, after) else { return false };
                says_the_same(a, b, |mut bundle| {
                    bundle["verificationMaterial"]["publicKey"].as_object_mut().unwrap().remove("hint");
                    bundle
                })
            },
        );
    }
}
