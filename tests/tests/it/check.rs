//! `distil check`: what is against an image, as the clock moves; what is kept, replayed and written; and with which status it
//! ends.

use std::fs;
use std::path::Path;

use distil_tests::Program;
use distil_tests::program::{Ran, folder};
use serde_json::{Value, json};

/// Facts about an image with one vulnerability, of which the data is as fresh as the day that is asked for.
fn facts(now: &str) -> Value {
    let package = json!({
        "kind": "deb", "name": "zlib1g", "version": "1:1.2.13.dfsg-1", "source": "zlib",
        "source-version": "1:1.2.13.dfsg-1", "architecture": "amd64", "licences": null, "repository": null,
        "has-advisories": true, "candidate": null
    });
    let finding = json!({
        "id": "CVE-2026-0001", "aliases": ["DEBIAN-CVE-2026-0001"], "release": "trixie", "source": "zlib",
        "source-version": "1:1.2.13.dfsg-1", "packages": { "zlib1g": "1:1.2.13.dfsg-1" }, "status": "fixed",
        "fixed": "1:1.2.13.dfsg-2", "fix-state": "in-suite",
        "ratings": [{ "rater": "nvd-cvss", "level": "high", "score": 7.5, "vector": null }],
        "published": null, "fix-available": null, "kev": null, "epss": null, "title": "<b>\u{1b}[31m",
        "origins": [{ "kind": "tracker", "id": "CVE-2026-0001", "report": null }]
    });
    let config = json!({
        "user": "65532:65532", "env": [], "entrypoint": ["/usr/bin/app"], "cmd": null, "workdir": null,
        "exposed-ports": [], "volumes": [], "labels": {}, "has-healthcheck": true, "history": []
    });
    let platform = json!({
        "digest": digest(), "size": 1000, "layers": [], "config": config, "annotations": {}, "created": null,
        "system": "debian", "release": "trixie", "packages": [package], "unreadable": [], "observations": [],
        "findings": [finding]
    });
    let entry = json!({
        "release": "trixie", "source": "zlib", "id": "CVE-2026-0001", "first-seen": "2026-03-01",
        "first-fixable": "2026-03-01", "last-seen": "2026-03-01", "severity-at-first-seen": "high"
    });
    let source = json!({
        "kind": "tracker", "name": "tracker.json", "sha256": "00", "date": format!("{now}T00:00:00Z"), "records": 1
    });
    json!({
        "schema": "distil.facts/v1", "now": format!("{now}T00:00:00Z"),
        "reference": "registry.example.org/team/app:1", "digest": digest(),
        "platforms": { "linux/amd64": platform }, "signatures": { "verified": [], "refused": [] }, "attached": [],
        "data": { "sources": [source] },
        "support": { "trixie": { "version": "13", "regular": "2028-08-09", "lts": "2030-06-30", "elts": null } },
        "ledger": [entry]
    })
}

fn digest() -> String {
    format!("sha256:{}", "a".repeat(64))
}

const POLICY: &str =
    "version = 1\nname = 'test'\n[hardening]\nprofile = 'none'\n[vulnerabilities.at-creation]\nfail-on = 'none'\n";
const EXCEPTION: &str = "[[exception]]\nid = 'CVE-2026-0001'\npackage = 'zlib'\nexpires = 2026-05-01\nreason = 'not built'\n\
                         approved-by = 'security@example.org'\n";

fn distil(home: &Path, words: &[&str]) -> Ran {
    Program::distil().args(words).current_dir(home).env("HOME", home).env("XDG_STATE_HOME", home.join("state")).run()
}

fn at(home: &Path, day: &str, policy: &str) -> Ran {
    fs::write(home.join("facts.json"), facts(day).to_string()).unwrap();
    fs::write(home.join("policy.toml"), policy).unwrap();
    distil(home, &["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"])
}

#[test]
fn the_same_facts_are_in_order_late_excepted_and_late_again_as_the_clock_moves() {
    let (_guard, home) = folder();
    let excepting = format!("{POLICY}{EXCEPTION}");
    for (day, policy, status, verdict, rules) in [
        ("2026-03-10", POLICY, 0, "pass", &["DSTL-VUL-004"][..]),
        ("2026-03-31", POLICY, 0, "pass", &["DSTL-VUL-004"]),
        ("2026-04-01", POLICY, 1, "fail", &["DSTL-VUL-001"]),
        ("2026-04-30", excepting.as_str(), 0, "pass", &[]),
        ("2026-05-01", excepting.as_str(), 1, "fail", &["DSTL-VUL-001", "DSTL-VUL-005"]),
    ] {
        let ran = at(&home, day, policy).exits(status);
        let document = ran.json();
        assert_eq!(document["verdict"], verdict, "{day}");
        let found = document["violations"].as_array().unwrap();
        let found: Vec<_> = found.iter().map(|violation| violation["rule"].as_str().unwrap()).collect();
        assert_eq!(found, rules, "{day}");
    }
    let late = at(&home, "2026-04-01", POLICY).exits(1).json();
    assert_eq!(late["violations"][0]["deadline"], "2026-03-31");
    assert_eq!(late["violations"][0]["days-left"], -1);
    let schema = distil(&home, &["schema", "check"]).success().json();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&late), "{late}");
}

#[test]
fn facts_are_judged_again_for_another_day_byte_for_byte() {
    let (_guard, home) = folder();
    let first = at(&home, "2026-03-10", POLICY).success().text();
    let words = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
    let kept = [&words[..], &["--save-facts", "kept.json"]].concat();
    assert_eq!(distil(&home, &kept).success().text(), first);
    let again = ["check", "--facts", "kept.json", "--policy", "policy.toml", "--json"];
    assert_eq!(distil(&home, &again).success().text(), first);
    // The data is too old on that day, and what is late is late.
    let later = distil(&home, &[&again[..], &["--now", "2026-04-01"]].concat()).exits(1).json();
    assert_eq!(later["undecided"].as_array().unwrap().len(), 1);
    let between = distil(&home, &[&again[..], &["--now", "2026-03-20T12:00:00Z"]].concat()).exits(3).json();
    assert_eq!(between["verdict"], "undecided");
}

#[test]
fn every_form_is_written_and_shows_no_foreign_escapes() {
    let (_guard, home) = folder();
    let _ran = at(&home, "2026-04-01", POLICY).exits(1);
    let words = ["check", "--facts", "facts.json", "--policy", "policy.toml"];
    let outputs = ["sarif=a.sarif", "junit=a.xml", "markdown=a.md", "json=a.json", "openvex=a.vex", "a.txt"];
    let outputs = outputs.map(|output| ["-o", output]).concat();
    let ran = distil(&home, &[&words[..], &outputs].concat()).exits(1);
    assert!(ran.text().contains("DSTL-VUL-001") || ran.text().contains("CVE-2026-0001"), "{ran}");
    assert_eq!(fs::read_to_string(home.join("a.txt")).unwrap(), ran.text());
    for name in ["a.sarif", "a.xml", "a.md", "a.json", "a.vex", "a.txt"] {
        let text = fs::read_to_string(home.join(name)).unwrap();
        assert!(text.contains("CVE-2026-0001") && !text.contains('\u{1b}'), "{name}: {text}");
    }
    let sarif: Value = serde_json::from_str(&fs::read_to_string(home.join("a.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn a_policy_with_mistakes_is_drawn_and_what_is_no_fact_is_told() {
    let (_guard, home) = folder();
    let ran = at(&home, "2026-03-10", "version = 1\n[vulnerabilites]\n").exits(2);
    assert!(ran.errors().contains("did you mean vulnerabilities"), "{ran}");
    let words = ["check", "--facts", "facts.json", "--policy", "policy.toml"];
    fs::write(home.join("policy.toml"), POLICY).unwrap();
    fs::write(home.join("facts.json"), "{}").unwrap();
    let _broken = distil(&home, &words).exits(4);
    let _missing = distil(&home, &["check", "--facts", "facts.json", "--policy", "nosuch.toml"]).exits(4);
    let _no_image = distil(&home, &["check", "--policy", "policy.toml"]).exits(2);
}

#[test]
fn an_image_without_packages_and_data_is_undecided_and_is_not_promoted() {
    let (_guard, home) = folder();
    fs::write(home.join("distil.toml"), "files.'/usr/bin/app' = { symlink = '/opt/app' }\n").unwrap();
    fs::write(home.join("policy.toml"), POLICY).unwrap();
    let _built = distil(&home, &["build", "-o", "oci:image:v1"]).success();
    let words = ["check", "oci:image:v1", "--policy", "policy.toml", "--ledger", "ledger.jsonl", "--json"];
    let verdict = distil(&home, &words).exits(3).json();
    assert_eq!(verdict["verdict"], "undecided");
    assert_eq!(fs::read(home.join("ledger.jsonl")).unwrap(), b"");
    // The last word on the policy is before anything is written.
    for prefix in ["internal", "release"] {
        let made = ["key", "generate", "--output-key-prefix", prefix];
        let _made = Program::distil().args(made).current_dir(&home).env("COSIGN_PASSWORD", "").run().success();
    }
    let password = |words: &[&str]| {
        let program = Program::distil().args(words).current_dir(&home).env("COSIGN_PASSWORD", "");
        program.env("HOME", &home).env("XDG_STATE_HOME", home.join("state")).run()
    };
    let _signed =
        password(&["sign", "oci:image:v1", "--key", "internal.key", "--reference", "registry.example.org/app"])
            .success();
    let promote = [
        "promote",
        "oci:image:v1",
        "oci:live:v1",
        "--verify-key",
        "internal.pub",
        "--key",
        "release.key",
        "--reference",
        "registry.example.com/app",
        "--policy",
        "policy.toml",
    ];
    let refused = password(&promote).exits(3);
    assert!(refused.errors().contains("DSTL-VUL-007"), "{refused}");
    assert!(!home.join("live").exists());
}
