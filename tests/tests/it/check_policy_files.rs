//! Files that a policy names, from its own folder: the ledger and VEX documents.

use std::fs;

use distil_tests::Registry;

use crate::check_attested::{FIRST_DAY, NAME, POLICY, scene, vex};
use crate::scan::REPAIRED;

#[test]
fn a_policy_names_its_ledger_and_its_vex_documents() {
    let scene = scene("1.1.1n-0+deb11u3", "");
    let folder = scene.home.join("rules");
    let (named, beside) = (folder.join("ledger.jsonl"), folder.join("vex"));
    fs::create_dir_all(&beside).unwrap();
    let rules = "[vulnerabilities]\nledger = 'ledger.jsonl'\n[vex]\ndocuments = ['vex/*.json']\n";
    fs::write(folder.join("policy.toml"), format!("{POLICY}{rules}")).unwrap();
    let judge =
        |words: &[&str]| scene.run(&[&["check", "--policy", "rules/policy.toml", "--json"][..], words].concat(), &[]);
    let image = [scene.image.as_str(), "--now", FIRST_DAY, "--new"];
    let check = |more: &[&str]| judge(&[&image[..], more].concat());
    let none = check(&[]).exits(2);
    assert!(none.errors().contains("vex/*.json") && !named.exists(), "{none}");
    vex(&scene, "rules/vex/one.json", REPAIRED[0]);
    // The signature beside the document is no document, though its name fits.
    let document = "rules/vex/one.json";
    let sign = ["sign-blob", document, "--key", "release.key", "--bundle", "rules/vex/one.json.sigstore.json"];
    let _signed = scene.run(&sign, &[]).success();
    let verdict = check(&["--no-ledger-update"]).exits(1).json();
    assert!(verdict["suppressed"].to_string().contains(REPAIRED[0]) && !named.exists(), "{verdict}");
    assert_eq!(check(&["--vex", document, "--ledger", "other.jsonl"]).exits(1).json(), verdict);
    assert!(scene.home.join("other.jsonl").exists() && !named.exists());
    assert_eq!(check(&["--save-facts", "facts.json"]).exits(1).json(), verdict);
    let ledger = fs::read_to_string(&named).unwrap();
    assert!(ledger.contains(FIRST_DAY), "{ledger}");
    // Facts have what the files said.
    fs::remove_dir_all(beside).unwrap();
    fs::write(&named, "no ledger\n").unwrap();
    assert_eq!(judge(&["--facts", "facts.json"]).exits(1).json(), verdict);
    let _broken = check(&["--vex", "nosuch.json"]).exits(2);
}

#[test]
fn a_promotion_hands_on_the_ledger_that_the_policy_names() {
    let scene = scene("1.1.1n-0+deb11u4", "[vulnerabilities]\nledger = 'ledger.jsonl'\n");
    let registry = Registry::start();
    let after = registry.repository("team/app:v1");
    let _signed = scene.run(&["sign", &scene.image, "--key", "other.key", "--reference", NAME], &[]).success();
    let words = ["promote", &scene.image, &after, "--policy", "policy.toml", "--verify-key", "other.pub"];
    let _promoted = scene.run(&[&words[..], &["--key", "release.key"]].concat(), &[]).success();
    assert!(scene.home.join("ledger.jsonl").exists());
    let words = ["verify-attestation", &after, "--type", "ledger", "--key", "release.pub"];
    let _handed_on = scene.run(&words, &[]).success();
}
