//! What `distil check` and `distil promote` read and write as signed statements: the ledger, the verdict, VEX and scans.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use distil_tests::program::Ran;
use distil_tests::{Deb, Program, Registry};
use serde_json::{Value, json};

use crate::example::reference;
use crate::registry_image::own;
use crate::scan::{BULLSEYE, REPAIRED, Scene, openssl};

const LEDGER: &str = "https://git.example.org/distil/docs/ledger.md#v1";
const VSA: &str = "https://slsa.dev/verification_summary/v1";
pub(crate) const NAME: &str = "registry.example.org/team/app";
pub(crate) const FIRST_DAY: &str = "2023-03-01";
/// Thirty days for what is high, and one more.
const TOO_LATE: &str = "2023-04-01";

/// Lists name no severity, end in 2023, and are about a release that is no longer supported by all.
pub(crate) const POLICY: &str = "version = 1\nname = 'test'\n[data]\nmax-data-age = '9999d'\n[severity]\nunknown = 'high'\n\
                      [freshness]\nsupport-tier = 'elts'\nmax-image-age = 'none'\n[hardening]\nprofile = 'none'\n";
const NO_GATE: &str = "[vulnerabilities.at-creation]\nfail-on = 'none'\n";
const AUTHORITY: &str = "[[signatures.authority]]\nname = 'release'\nkey = 'release.pub'\n";

/// An image with packages, two keys, and a policy that trusts one of them.
pub(crate) fn scene(version: &str, rules: &str) -> Scene {
    let scene = Scene::new(BULLSEYE, &openssl(version)).with_lists();
    for prefix in ["release", "other"] {
        let _made = scene.run(&["key", "generate", "--output-key-prefix", prefix], &[]).success();
    }
    policy(&scene, "require-signature = false\n", rules);
    scene
}

fn policy(scene: &Scene, signatures: &str, rules: &str) {
    let text = format!("{POLICY}{rules}[signatures]\n{signatures}{AUTHORITY}");
    fs::write(scene.home.join("policy.toml"), text).unwrap();
}

fn check(scene: &Scene, image: &str, day: &str, more: &[&str]) -> Ran {
    let words = ["check", image, "--policy", "policy.toml", "--now", day, "--json"];
    scene.run(&[&words[..], more].concat(), &[])
}

pub(crate) fn attest(scene: &Scene, image: &str, key: &str, kind: &str, file: &str) -> Ran {
    let words = ["attest", image, "--type", kind, "--predicate", file, "--key", key, "--reference", NAME];
    scene.run(&words, &[])
}

fn cosign(scene: &Scene, words: &[&str]) -> Ran {
    own(Program::new("cosign3").args(words), &scene.home).env("COSIGN_PASSWORD", "").env("COSIGN_YES", "true").run()
}

fn cosign_verifies(scene: &Scene, image: &str, kind: &str) {
    let words = ["verify-attestation", "--insecure-ignore-tlog=true", "--key", "release.pub", "--type", kind, image];
    let _verified = cosign(scene, &words).success();
}

pub(crate) fn rules(verdict: &Value) -> Vec<&str> {
    verdict["violations"].as_array().unwrap().iter().map(|found| found["rule"].as_str().unwrap()).collect()
}

/// The same packages and one more, in another image.
fn rebuilt(scene: &Scene) -> String {
    let mut debs: Vec<PathBuf> = fs::read_dir(&scene.home).unwrap().map(|entry| entry.unwrap().path()).collect();
    debs.retain(|path| path.extension().is_some_and(|suffix| suffix == "deb"));
    debs.push(Deb::new("extra").file("/usr/share/extra", "x").write(&scene.home));
    debs.sort();
    let image = reference(&scene.home.join("rebuilt"), "test");
    let files: Vec<PathBuf> = debs.into_iter().flat_map(|deb| ["--deb".into(), deb]).collect();
    let _built = scene.run(&["build", "-o", &image], &files).success();
    image
}

#[test]
fn the_ledger_of_the_release_before_is_counted_from_after_a_rebuild() {
    let scene = scene("1.1.1n-0+deb11u3", NO_GATE);
    let (first, second) = (scene.image.clone(), rebuilt(&scene));
    let one = check(&scene, &first, FIRST_DAY, &["--ledger", "first.jsonl"]).success().json();
    fs::write(scene.home.join("broken.jsonl"), "\n{}\n").unwrap();
    let refused = attest(&scene, &first, "release.key", "ledger", "broken.jsonl").exits(2);
    assert!(refused.errors().contains("broken.jsonl") && refused.errors().contains("line 2"), "{refused}");

    let registry = Registry::start();
    let pushed = registry.repository("team/app:v1");
    let _copied = scene.run(&["copy", &first, &pushed], &[]).success();
    for before in [first.as_str(), pushed.as_str()] {
        // Before anybody has signed one, and where a stranger has, there is none.
        for _ in 0..2 {
            let lost = check(&scene, &second, TOO_LATE, &["--ledger-from", before, "--ledger", "lost.jsonl"]).exits(3);
            assert!(lost.errors().contains("begin anew") && !scene.home.join("lost.jsonl").exists(), "{lost}");
            let _foreign = attest(&scene, before, "other.key", "ledger", "first.jsonl").success();
        }
        let _attested = attest(&scene, before, "release.key", "ledger", "first.jsonl").success();
        let without = check(&scene, &second, TOO_LATE, &[]).success().json();
        assert_ne!(without["digest"], one["digest"]);
        let more = ["--ledger-from", before, "--ledger", "second.jsonl", "--save-facts", "facts.json"];
        let with = check(&scene, &second, TOO_LATE, &more).exits(1).json();
        assert_eq!(rules(&with), ["DSTL-VUL-001"; 5]);
        let ledger = fs::read_to_string(scene.home.join("second.jsonl")).unwrap();
        assert_eq!(ledger.lines().filter(|line| line.contains("\"first-seen\":\"2023-03-01\"")).count(), 5, "{ledger}");
        let again = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
        assert_eq!(scene.run(&again, &[]).exits(1).json(), with);
        let facts: Value = serde_json::from_str(&fs::read_to_string(scene.home.join("facts.json")).unwrap()).unwrap();
        assert_eq!(facts["ledger-from"]["digest"], one["digest"]);
        fs::remove_file(scene.home.join("second.jsonl")).unwrap();
    }
    cosign_verifies(&scene, &pushed, LEDGER);
    let words = ["verify-attestation", &pushed, "--type", "ledger", "--key", "release.pub", "--print", "predicate"];
    let predicate = scene.run(&words, &[]).success().text();
    let predicate: Value = serde_json::from_str(predicate.lines().next().unwrap()).unwrap();
    assert_eq!((&predicate["schema"], predicate["entries"].as_array().unwrap().len()), (&json!("distil.ledger/v1"), 5));
    fs::write(scene.home.join("policy.toml"), POLICY).unwrap();
    let nobody = check(&scene, &second, TOO_LATE, &["--ledger-from", &pushed]).exits(2);
    assert!(nobody.errors().contains("authority"), "{nobody}");
}

#[test]
fn a_verdict_is_attested_asked_for_and_taken_back() {
    let scene = scene("1.1.1n-0+deb11u4", "");
    let registry = Registry::start();
    let image = registry.repository("team/app:v1");
    let _copied = scene.run(&["copy", &scene.image, &image], &[]).success();
    let judge = |day: &str, policy: &str, file: &str| {
        let output = format!("vsa={file}");
        scene.run(&["check", &image, "--policy", policy, "--now", day, "--output", &output], &[])
    };
    let asked = || check(&scene, &image, "2023-03-05", &[]);
    let _good = judge(FIRST_DAY, "policy.toml", "good.json").success();
    policy(&scene, "require-signature = false\nrequire-attestations = ['vsa']\n", "");
    assert_eq!(rules(&asked().exits(1).json()), ["DSTL-SIG-002"]);
    let _attested = attest(&scene, &image, "other.key", "vsa", "good.json").success();
    assert_eq!(rules(&asked().exits(1).json()), ["DSTL-SIG-002"]);
    let _attested = attest(&scene, &image, "release.key", "vsa", "good.json").success();
    let _in_order = asked().success();
    cosign_verifies(&scene, &image, VSA);
    let words = ["verify-attestation", &image, "--type", "vsa", "--key", "release.pub", "--print", "predicate"];
    let predicate = scene.run(&words, &[]).success().text();
    let summary: Value = serde_json::from_str(predicate.lines().next().unwrap()).unwrap();
    assert_eq!(summary["verificationResult"], "PASSED");
    let resource = summary["resourceUri"].as_str().unwrap();
    assert!(resource.starts_with("pkg:oci/app@sha256") && resource.contains("repository_url"), "{resource}");
    // A later one says something else.
    fs::write(scene.home.join("strict.toml"), format!("{POLICY}[packages]\nforbidden = ['openssl']\n")).unwrap();
    let _bad = judge("2023-03-04", "strict.toml", "bad.json").exits(1);
    let _attested = attest(&scene, &image, "release.key", "vsa", "bad.json").success();
    let taken_back = asked().exits(1).json();
    assert!(taken_back["violations"][0]["evidence"].as_str().unwrap().contains("did not pass"), "{taken_back}");
}

#[test]
fn a_promotion_says_the_verdict_and_hands_the_ledger_on() {
    let scene = scene("1.1.1n-0+deb11u4", "");
    let registry = Registry::start();
    let (before, after) = (registry.repository("team/app:v1"), registry.repository("team/app:v2"));
    let _signed = scene.run(&["sign", &scene.image, "--key", "other.key", "--reference", NAME], &[]).success();
    let promote = |from: &str, to: &str, ledger: &[&str]| {
        let words = ["promote", from, to, "--json", "--policy", "policy.toml", "--verify-key", "other.pub"];
        scene.run(&[&words[..], &["--key", "release.key"], ledger].concat(), &[])
    };
    let first = promote(&scene.image, &before, &["--ledger", "ledger.jsonl"]).success().json();
    for kind in [VSA, LEDGER] {
        cosign_verifies(&scene, &before, kind);
    }
    // Nothing is said twice.
    let count = || {
        let words = ["verify-attestation", &before, "--type", "vsa", "--key", "release.pub", "--print", "predicate"];
        scene.run(&words, &[]).success().text().lines().count()
    };
    let said = count();
    let again = promote(&scene.image, &before, &["--ledger", "ledger.jsonl"]).success().json();
    assert_eq!((count(), &again["record"]["record"]), (said, &first["record"]["record"]));
    let next = rebuilt(&scene);
    let _signed = scene.run(&["sign", &next, "--key", "other.key", "--reference", NAME], &[]).success();
    let _promoted = promote(&next, &after, &["--ledger-from", &before]).success();
    cosign_verifies(&scene, &after, LEDGER);
    policy(&scene, "require-attestations = ['vsa', 'ledger']\n", "");
    let _in_order = scene.run(&["check", &after, "--policy", "policy.toml"], &[]).success();
}

/// A document that lets one of the vulnerabilities pass.
pub(crate) fn vex(scene: &Scene, name: &str, id: &str) {
    let products = json!([{ "@id": "pkg:deb/debian/openssl" }, { "@id": "pkg:deb/debian/libssl1.1" }]);
    let statement = json!([{ "vulnerability": { "name": id }, "products": products, "status": "not_affected",
        "justification": "vulnerable_code_not_present" }]);
    let document = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": format!("https://example.org/{name}"),
        "author": "A", "timestamp": "2023-02-01T00:00:00Z", "version": 1, "statements": statement });
    fs::write(scene.home.join(name), document.to_string()).unwrap();
}

/// How many vulnerabilities the policy lets pass, and all that is said beside the verdict.
fn passing(scene: &Scene, image: &str, more: &[&str]) -> (usize, String) {
    let ran = check(scene, image, FIRST_DAY, &[&["--new"][..], more].concat()).exits(1);
    let verdict = ran.json();
    // The gate and the deadline are two violations of one.
    let subjects = verdict["suppressed"].as_array().unwrap().iter();
    let subjects: BTreeSet<String> = subjects.map(|found| found["violation"]["subject"].to_string()).collect();
    (subjects.len(), format!("{}{}", ran.errors(), ran.text()))
}

const OFFLINE: [&str; 2] = ["--use-signing-config=false", "--tlog-upload=false"];

#[test]
fn vex_that_is_attached_counts_where_an_authority_signed_it() {
    let scene = scene("1.1.1n-0+deb11u3", "[vex]\nrequire-signature = true\n");
    vex(&scene, "one.json", REPAIRED[0]);
    vex(&scene, "two.json", REPAIRED[1]);
    let registry = Registry::start();
    let pushed = registry.repository("team/app:v1");
    let digest = check(&scene, &scene.image, FIRST_DAY, &["--new"]).exits(1).json()["digest"].clone();
    let _copied = scene.run(&["copy", &scene.image, &pushed], &[]).success();
    let pinned = format!("{}@{}", pushed.rsplit_once(':').unwrap().0, digest.as_str().unwrap());
    for image in [scene.image.as_str(), pushed.as_str()] {
        assert_eq!(passing(&scene, image, &[]).0, 0);
        let _foreign = attest(&scene, image, "other.key", "openvex", "one.json").success();
        let (count, said) = passing(&scene, image, &[]);
        assert!(count == 0 && said.contains("no authority's signature of it was verified"), "{said}");
        let _attested = attest(&scene, image, "release.key", "openvex", "one.json").success();
        assert_eq!(passing(&scene, image, &["--save-facts", "facts.json"]).0, 1);
        let again = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
        let kept = scene.run(&again, &[]).exits(1).json();
        assert!(kept["suppressed"].to_string().contains(REPAIRED[0]), "{kept}");
    }
    let words = ["--key", "release.key", "--type", "openvex", "--predicate", "two.json", &pinned];
    let _attested = cosign(&scene, &[&["attest"][..], &OFFLINE, &words].concat()).success();
    assert_eq!(passing(&scene, &pushed, &[]).0, 2);
    policy(&scene, "require-signature = false\n", "[vex]\ndiscover-referrers = false\n");
    assert_eq!(passing(&scene, &pushed, &[]).0, 0);
}

#[test]
fn vex_in_a_file_counts_as_signed_with_a_good_signature_beside_it() {
    let scene = scene("1.1.1n-0+deb11u3", "[vex]\nrequire-signature = true\n");
    vex(&scene, "one.json", REPAIRED[0]);
    let passing = || passing(&scene, &scene.image, &["--vex", "one.json"]);
    let bundle = scene.home.join("one.json.sigstore.json");
    let sign = |key: &str, to: &[&str]| {
        let _signed = scene.run(&[&["sign-blob", "one.json", "--key", key][..], to].concat(), &[]).success();
    };
    let (count, said) = passing();
    assert!(count == 0 && said.contains("no signature of it was verified"), "{said}");
    let to_bundle = ["--bundle", "one.json.sigstore.json"];
    sign("other.key", &to_bundle);
    let (count, said) = passing();
    assert!(count == 0 && said.contains("one.json.sigstore.json is not good"), "{said}");
    fs::remove_file(&bundle).unwrap();
    sign("release.key", &to_bundle);
    assert_eq!(passing().0, 1);
    let text = fs::read_to_string(scene.home.join("one.json")).unwrap();
    vex(&scene, "one.json", REPAIRED[1]);
    assert_eq!(passing().0, 0, "the bundle is of other bytes");
    fs::write(scene.home.join("one.json"), text).unwrap();
    fs::remove_file(&bundle).unwrap();
    let words = [&["sign-blob", "--key", "release.key"][..], &OFFLINE, &to_bundle, &["one.json"]].concat();
    let _signed = cosign(&scene, &words).success();
    assert_eq!(passing().0, 1);
    fs::remove_file(&bundle).unwrap();
    sign("release.key", &["--output-signature", "one.json.sig"]);
    assert_eq!(passing().0, 1);
}

#[test]
fn a_scan_is_a_predicate_of_cosigns_type() {
    let scene = scene("1.1.1n-0+deb11u3", "");
    let registry = Registry::start();
    let image = registry.repository("team/app:v1");
    let _copied = scene.run(&["copy", &scene.image, &image], &[]).success();
    let words = ["scan", &image, "--format", "cosign-vuln", "--max-data-age=9999w"];
    let predicate = scene.run(&words, &[]).success().text();
    fs::write(scene.home.join("vuln.json"), &predicate).unwrap();
    let _attested = attest(&scene, &image, "release.key", "vuln", "vuln.json").success();
    cosign_verifies(&scene, &image, "vuln");
    let predicate: Value = serde_json::from_str(&predicate).unwrap();
    let sample = json!({ "invocation": ["parameters", "uri", "event_id", "builder.id"],
        "scanner": ["uri", "version", "db", "result"], "metadata": ["scanStartedOn", "scanFinishedOn"] });
    for (member, keys) in sample.as_object().unwrap() {
        for key in keys.as_array().unwrap() {
            assert!(predicate[member].get(key.as_str().unwrap()).is_some(), "{member} {key}");
        }
    }
    assert_eq!(predicate["scanner"]["result"]["findings"].as_array().unwrap().len(), 5);
    // A policy that wants a scan of the last month has one, and cosign writes it as well.
    let recent = "require-signature = false\nrequire-attestations = ['vuln']\nmax-attestation-age = '30d'\n";
    policy(&scene, recent, NO_GATE);
    let _in_order = scene.run(&["check", &image, "--policy", "policy.toml"], &[]).success();
    let pushed = registry.repository("team/other:v1");
    let _copied = scene.run(&["copy", &scene.image, &pushed], &[]).success();
    let old = scene.run(&["check", &pushed, "--policy", "policy.toml"], &[]).exits(1);
    assert!(old.text().contains("DSTL-SIG-002"), "{old}");
    let words = ["--key", "release.key", "--type", "vuln", "--predicate", "vuln.json", &pushed];
    let _attested = cosign(&scene, &[&["attest"][..], &OFFLINE, &words].concat()).success();
    let _in_order = scene.run(&["check", &pushed, "--policy", "policy.toml"], &[]).success();
}
