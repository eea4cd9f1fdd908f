//! The vectors, each with the answer that `cases.json` has for it.

use std::collections::BTreeMap;

use distil_signing::verify::{self, Artifact, Detached, Identity, Pattern, Report, Requirements, Trust};
use serde_json::Value;

use super::data::{by_keys, candidates, layout, trusted_root, vector};

/// What came of a case: good signatures, and everything that was said.
struct Outcome {
    good: usize,
    told: String,
}

fn text<'a>(case: &'a Value, field: &str) -> Option<&'a str> {
    case.get(field).and_then(Value::as_str)
}

fn flag(case: &Value, field: &str) -> bool {
    case.get(field).and_then(Value::as_bool).unwrap_or_default()
}

fn requirements(case: &Value) -> Requirements {
    let mut wanted = if let Some(key) = text(case, "key") {
        by_keys(&[key.trim_start_matches("keys/").trim_end_matches(".pub")])
    } else {
        let subject = match text(case, "identity_regexp") {
            Some(pattern) => Pattern::regex(pattern).unwrap(),
            None => Pattern::exact(text(case, "identity").unwrap()).unwrap(),
        };
        let issuer = Pattern::exact(text(case, "issuer").unwrap()).unwrap();
        Requirements::new(Trust::Identity(Identity::new(subject, issuer)))
    };
    wanted.trusted_root = text(case, "trusted_root").map(trusted_root);
    wanted.require_tlog = flag(case, "require_tlog");
    wanted.use_signed_timestamps = flag(case, "use_signed_timestamps");
    wanted.reference = text(case, "require_reference").map(str::to_owned);
    let annotations = case.get("annotations").cloned();
    wanted.annotations = annotations.map(|map| serde_json::from_value(map).unwrap()).unwrap_or_default();
    wanted
}

fn outcome<V>(report: &Report<V>) -> Outcome {
    assert_eq!(report.is_verified(), !report.verified().is_empty());
    Outcome { good: report.verified().len(), told: serde_json::to_string_pretty(report).unwrap() }
}

fn run(case: &Value) -> Outcome {
    let wanted = requirements(case);
    if text(case, "op") == Some("verify-blob") {
        let artifact = vector(text(case, "artifact").unwrap());
        let detached = match text(case, "bundle") {
            Some(name) => Detached::Bundle(vector(name)),
            None => Detached::Signature(vector(text(case, "signature").unwrap())),
        };
        return outcome(&verify::blob(&Artifact::Bytes(&artifact), "the signature", &detached, &wanted));
    }
    let image = text(case, "image").unwrap().parse().unwrap();
    let layout = layout(text(case, "layout").unwrap().trim_start_matches("layouts/"));
    let candidates = match candidates(&layout, &image) {
        Ok(candidates) => candidates,
        Err(error) => return Outcome { good: 0, told: error.to_string() },
    };
    match text(case, "op").unwrap() {
        "verify" => outcome(&verify::image(&image, &candidates, &wanted)),
        "verify-attestation" => {
            let wanted_type = text(case, "type").unwrap().parse().unwrap();
            outcome(&verify::attestation(&image, &wanted_type, &candidates, &wanted))
        }
        other => panic!("{other} is not known"),
    }
}

fn cases() -> Vec<Value> {
    let cases: Value = serde_json::from_slice(&vector("cases.json")).unwrap();
    cases["cases"].as_array().unwrap().clone()
}

#[test]
fn every_case_has_its_answer() {
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let op = text(&case, "op").unwrap().to_owned();
        *counts.entry(op.clone()).or_insert(0) += 1;
        if op == "load-key" {
            continue;
        }
        let Outcome { good, told } = run(&case);
        let min = case.get("min_signatures").and_then(Value::as_u64).unwrap_or(1);
        let right = match text(&case, "expect").unwrap() {
            "pass" => good as u64 >= min,
            "fail" => good == 0,
            "either" => true,
            other => panic!("{other} is not known"),
        };
        if !right {
            wrong.push(format!("{}: {} expected, {good} good; {told}", case["name"], case["expect"]));
        }
    }
    let expected = [("load-key", 17), ("verify", 127), ("verify-attestation", 35), ("verify-blob", 18)];
    assert_eq!(counts, expected.map(|(op, count)| (op.to_owned(), count)).into());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Each of these is refused for the reason that it was made for.
#[test]
fn refusals_name_the_step() {
    let all = cases();
    for (name, step) in [
        ("legacy-v2-wrong-key", "signer"),
        ("bundle-v3-wrong-key", "signer"),
        ("kb-not-key", "signer"),
        ("att-v3-not-a-signature", "type"),
        ("bundle-predicate", "type"),
        ("wrong-type", "type"),
        ("att-v2-slsa", "type"),
        ("att-annotation-lies", "type"),
        ("payload-not-json", "type"),
        ("digest-swapped", "subject"),
        ("bundle-digest-swapped", "subject"),
        ("att-wrong-subject", "subject"),
        ("multi-a-env-dev", "annotations"),
        ("identity-strict", "reference"),
        ("sig-notbase64", "form"),
        ("bundle-two-sigs", "form"),
        ("bundle-not-json", "form"),
        ("bundle-blob-mismatch", "form"),
        ("key-no-tlog", "log"),
        ("key-no-tlog-legacy", "log"),
        ("key-tlog-v2-wrong-key", "signer"),
        ("keyless-v2-wrong-identity", "signer"),
        ("keyless-v3-wrong-issuer", "signer"),
        ("kl-no-eku", "signer"),
        ("kl-no-sct", "signer"),
        ("kl-rogue-ca", "signer"),
        ("kl-late", "signer"),
        ("kl-expired-intermediate", "signer"),
        ("kl-foreign-entry", "log"),
        ("kl-entry-other-sig", "log"),
        ("kl-set-time", "log"),
        ("kl-unknown-log", "log"),
        ("kl-sig-other-key", "signature"),
        ("kl-wrong-digest", "subject"),
        ("kb-dup-entry", "form"),
        ("kb-no-proof", "form"),
        ("kb-root-hash", "log"),
        ("kb-tsa-rogue", "timestamps"),
        ("kb-tsa-other", "timestamps"),
        ("keyless-v3-no-tsa", "timestamps"),
        ("blob-digest-lie", "signature"),
        ("blob-digest-follow", "signer"),
    ] {
        let case = all.iter().find(|case| text(case, "name") == Some(name)).unwrap();
        let told = run(case).told;
        let report: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{name}: {told}"));
        let failed: Vec<&Value> = report["signatures"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|verdict| verdict["steps"].as_array().unwrap().last())
            .filter(|last| last["ok"] == false)
            .map(|last| &last["step"])
            .collect();
        assert!(failed.iter().any(|failed| *failed == step), "{name}: {step} expected; {told}");
    }
}
