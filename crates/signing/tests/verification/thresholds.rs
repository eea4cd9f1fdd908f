//! How many signers there are, and what hides nothing.

use std::num::NonZeroUsize;

use distil_imgcore::Digest;
use distil_signing::verify::{self, Candidate, Requirements, SignedBy, Stored};

use super::data::{by_keys, candidates, key, layout};

fn multi() -> (Digest, Vec<Candidate>) {
    let image: Digest = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b".parse().unwrap();
    let found = candidates(&layout("multi"), &image).unwrap();
    (image, found)
}

fn with(threshold: usize, wanted: Requirements) -> Requirements {
    Requirements { threshold: NonZeroUsize::new(threshold).unwrap(), ..wanted }
}

/// The layout has three signatures: two by `a`, of which one has annotations, and one by `b`.
#[test]
fn keys_are_counted_and_not_signatures() {
    let (image, candidates) = multi();
    let check = |threshold: usize, keys: &[&str], expected: usize, signers: usize| {
        let report = verify::image(&image, &candidates, &with(threshold, by_keys(keys)));
        assert_eq!((report.verified().len(), report.signers()), (expected, signers), "{threshold} of {keys:?}");
        assert_eq!(report.is_verified(), expected > 0);
    };
    check(1, &["a"], 2, 1);
    check(2, &["a"], 0, 1);
    // One key twice is one key.
    check(2, &["a", "a"], 0, 1);
    check(2, &["a", "b"], 3, 2);
    check(3, &["a", "b"], 0, 2);
    check(2, &["a", "b", "p384"], 3, 2);
    check(1, &[], 0, 0);
    check(1, &["p384"], 0, 0);
}

#[test]
fn one_signature_shown_often_counts_once() {
    let (image, candidates) = multi();
    let often: Vec<Candidate> = candidates.iter().cycle().take(30).cloned().collect();
    let report = verify::image(&image, &often, &with(3, by_keys(&["a", "b"])));
    assert_eq!((report.signers(), report.verified().len()), (2, 0));
}

#[test]
fn only_those_that_fit_are_counted() {
    let (image, candidates) = multi();
    let mut wanted = with(2, by_keys(&["a", "b"]));
    wanted.annotations.insert("env".into(), "prod".into());
    let report = verify::image(&image, &candidates, &wanted);
    assert_eq!((report.signers(), report.is_verified()), (1, false));
}

#[test]
fn what_cannot_be_read_hides_nothing() {
    let (image, mut candidates) = multi();
    let wanted = by_keys(&["a"]);
    let before = verify::image(&image, &candidates, &wanted).verified().len();
    let bad = |stored| Candidate { place: "bad".into(), stored };
    let broken = [
        bad(Stored::Unreadable { reason: "gone".into() }),
        bad(Stored::Bundle(b"{".to_vec())),
        bad(Stored::Bundle(Vec::new())),
        bad(Stored::Simple { payload: b"{}".to_vec(), annotations: [].into() }),
    ];
    let total = candidates.len() + broken.len();
    candidates.splice(0..0, broken);
    let report = verify::image(&image, &candidates, &wanted);
    assert_eq!((report.verified().len(), report.verdicts().len()), (before, total));
    assert!(report.verdicts()[..4].iter().all(|verdict| !verdict.is_good() && verdict.payload.is_none()));
}

#[test]
fn the_report_says_what_the_documents_have() {
    let (image, candidates) = multi();
    let report = verify::image(&image, &candidates, &by_keys(&["b"]));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["verified"], &json["digest"]), (&true.into(), &image.to_string().into()));
    let good: Vec<_> = json["signatures"].as_array().unwrap().iter().filter(|one| one["verified"] == true).collect();
    assert_eq!(good.len(), 1);
    assert_eq!(good[0]["key"], key("b").fingerprint().to_string());
    assert!(good[0]["payload"].as_str().unwrap().starts_with(r#"{"critical":{"identity""#));
    assert_eq!(good[0]["steps"][0]["step"], "form");
    let bad = json["signatures"].as_array().unwrap().iter().find(|one| one["verified"] == false).unwrap();
    assert!(bad.get("payload").is_none() && bad.get("key").is_none(), "{bad}");
    assert_eq!(report.verified()[0].signer(), &SignedBy::Key(key("b").fingerprint()));
}
