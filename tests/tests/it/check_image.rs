//! `distil check` and `promote --policy` of an image with packages, by the lists of advisories.

use std::fs;

use serde_json::Value;

use crate::scan::{BULLSEYE, REPAIRED, Scene, openssl};

/// Lists name no severity, end in 2023, and are about a release that is no longer supported by all.
const POLICY: &str = "version = 1\nname = 'test'\n[data]\nmax-data-age = '9999d'\n[severity]\nunknown = 'high'\n\
                      [freshness]\nsupport-tier = 'elts'\n[hardening]\nprofile = 'none'\n";

fn scene(version: &str) -> Scene {
    let scene = Scene::new(BULLSEYE, &openssl(version)).with_lists();
    fs::write(scene.home.join("policy.toml"), POLICY).unwrap();
    scene
}

#[test]
fn what_could_have_been_repaired_does_not_go_out() {
    let scene = scene("1.1.1n-0+deb11u3");
    let image = scene.image.clone();
    let check = |day: &str, more: &[&str]| {
        let words = ["check", &image, "--policy", "policy.toml", "--ledger", "ledger.jsonl", "--now", day, "--new"];
        scene.run(&[&words, more].concat(), &[])
    };
    let verdict = check("2023-03-01", &["--json", "--save-facts", "facts.json"]).exits(1).json();
    let subjects = |rule: &str, verdict: &Value| -> Vec<String> {
        let found = verdict["violations"].as_array().unwrap().iter().filter(|found| found["rule"] == rule);
        found.map(|found| found["subject"].as_str().unwrap().to_owned()).collect()
    };
    let expected = REPAIRED.map(|id| format!("{id} in openssl"));
    assert_eq!(subjects("DSTL-VUL-002", &verdict), expected);
    assert_eq!(subjects("DSTL-VUL-001", &verdict), [""; 0]);
    let ledger = fs::read_to_string(scene.home.join("ledger.jsonl")).unwrap();
    assert_eq!(ledger.lines().filter(|line| line.contains("\"first-seen\":\"2023-03-01\"")).count(), 5, "{ledger}");
    // The ledger remembers the day: thirty days for what is high, and not one more.
    let timely = check("2023-03-31", &["--json"]).exits(1).json();
    assert_eq!(subjects("DSTL-VUL-001", &timely), [""; 0]);
    let late = check("2023-04-01", &["--json"]).exits(1).json();
    assert_eq!(subjects("DSTL-VUL-001", &late), expected);
    // The facts of the first day give the first day's verdict.
    let words = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
    assert_eq!(scene.run(&words, &[]).exits(1).json(), verdict);
    for (form, what) in [
        ("sarif", "DSTL-VUL-002"),
        ("junit", "DSTL-VUL-002"),
        ("markdown", "CVE-2023-0286"),
        ("openvex", "CVE-2023-0286"),
    ] {
        let text = check("2023-03-01", &["--format", form]).exits(1).text();
        assert!(text.contains(what), "{form}: {text}");
    }
}

#[test]
fn what_is_repaired_passes_and_is_promoted_by_that_very_policy() {
    let scene = scene("1.1.1n-0+deb11u4");
    let image = scene.image.clone();
    let verdict = scene.run(&["check", &image, "--policy", "policy.toml", "--new", "--json"], &[]).success().json();
    assert_eq!(verdict["verdict"], "pass", "{verdict}");
    for prefix in ["internal", "release"] {
        let _made = scene.run(&["key", "generate", "--output-key-prefix", prefix], &[]).success();
    }
    let sign = ["sign", &image, "--key", "internal.key", "--reference", "registry.example.com/app"];
    let _signed = scene.run(&sign, &[]).success();
    let promote = |policy: &str| {
        let keys = ["--verify-key", "internal.pub", "--key", "release.key", "--reference", "registry.example.org/app"];
        let words = ["promote", &image, "oci:live:v1", "--json", "--policy", policy];
        scene.run(&[&words[..], &keys].concat(), &[])
    };
    fs::write(scene.home.join("strict.toml"), format!("{POLICY}[packages]\nforbidden = ['openssl']\n")).unwrap();
    let refused = promote("strict.toml").exits(1);
    assert!(refused.errors().contains("openssl") && !scene.home.join("live").exists(), "{refused}");
    let promoted = promote("policy.toml").success().json();
    let policy = promoted["record"].to_string();
    assert!(policy.contains(verdict["policy-sha256"].as_str().unwrap()), "{policy}");
}
