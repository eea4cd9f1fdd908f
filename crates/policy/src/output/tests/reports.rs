//! Hostile reports of scanners, all the way to every form of a verdict. Each place of each sample gets each hostile value in turn:
//! the report is refused, or every form can be read and holds nothing but text.

use std::fs;
use std::path::Path;

use distil_vulns::merge;
use distil_vulns::report::{Report, read, resolve};
use distil_vulns::vex::{Subject, read as read_vex};
use serde_json::json;

use super::*;
use crate::facts::{FACTS, Facts};
use crate::{Policy, evaluate};

/// What is in no file that a person reads.
const HIDDEN: [char; 8] = ['\u{1b}', '\0', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200f}', '\r'];

/// Elements of each list that are looked at: the rest are like it.
const FIRST: usize = 1;

/// The samples of real scanners, with short lists.
fn samples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vulns/tests/data/reports");
    let mut samples = Vec::new();
    for kind in ["trivy", "grype", "sarif", "osv-scanner"] {
        for entry in fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            shorten(&mut value);
            samples.push((path.file_name().unwrap().to_string_lossy().into_owned(), value));
        }
    }
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(samples.len() >= 15, "{}", samples.len());
    samples
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(all) => {
            all.truncate(FIRST);
            all.iter_mut().for_each(shorten);
        }
        Value::Object(all) => all.values_mut().for_each(shorten),
        _ => {}
    }
}

/// The places of a document, each kind of them once: members by name, elements by the first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(all) => all.iter().take(1).for_each(|one| places(one, &format!("{at}/0"), found)),
        Value::Object(all) => {
            for (name, one) in all {
                places(one, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

fn everywhere(value: &mut Value, text: &str) {
    match value {
        Value::String(old) => text.clone_into(old),
        Value::Array(all) => all.iter_mut().for_each(|one| everywhere(one, text)),
        Value::Object(all) => all.values_mut().for_each(|one| everywhere(one, text)),
        _ => {}
    }
}

/// The verdict about an image of which a report says this.
fn judged(report: &Report) -> (Facts, Verdict) {
    let resolved = resolve(report, "report.json", &BTreeMap::new(), Some(("bookworm", Some("12"))));
    let platform = json!({
        "digest": "sha256:aa", "size": 1, "layers": [], "annotations": {}, "created": null, "system": "debian",
        "release": "bookworm", "packages": [], "unreadable": [], "observations": [], "findings": [],
        "config": {
            "user": "1", "env": [], "entrypoint": ["/a"], "cmd": null, "workdir": null, "exposed-ports": [],
            "volumes": [], "labels": {}, "has-healthcheck": true, "history": []
        }
    });
    let facts = json!({
        "schema": FACTS, "now": "2026-11-23T00:00:00Z", "reference": "registry.example.org/app:1", "digest": "sha256:aa",
        "platforms": { "linux/amd64": platform }, "signatures": { "verified": [], "refused": [] }, "attached": [],
        "data": { "sources": [] }, "ledger": [],
        "support": { "bookworm": { "version": "12", "regular": "2028-08-09", "lts": "2030-06-30", "elts": null } }
    });
    let mut facts: Facts = serde_json::from_value(facts).unwrap();
    for platform in facts.platforms.values_mut() {
        platform.findings = merge(resolved.findings.clone());
    }
    facts.notes = report.notes.iter().chain(&resolved.notes).cloned().collect();
    let policy =
        Policy::parse("version = 1\n[hardening]\nprofile = 'none'\n[vulnerabilities]\nunfixed = 'count'\n").unwrap();
    let verdict = evaluate(&facts, &policy).verdict;
    (facts, verdict)
}

/// Reads every form of the verdict as other programs do. Whether there was something to tell.
fn check(document: &Value, what: &str) -> bool {
    let Ok(report) = read(document.to_string().as_bytes()) else { return false };
    let (facts, verdict) = judged(&report);
    let findings: Vec<Finding> = facts.platforms.values().flat_map(|platform| platform.findings.clone()).collect();
    let subject = Subject { digests: [format!("sha256:{}", "a".repeat(64))].into(), ..Subject::default() };
    let images = [Described { findings: &findings, subject: &subject }];
    let vex = openvex(&images, &verdict.suppressed, "Team", verdict.now);
    assert!(read_vex(vex.as_bytes(), "vex").is_ok(), "{what}: {vex}");
    let (log, page) = (sarif(&verdict, "registry.example.org/app"), markdown(&verdict));
    let _valid = valid(&log);
    let of_cases = junit(&verdict);
    assert!(quick_junit::Report::deserialize_from_str(&of_cases).is_ok(), "{what}: {of_cases}");
    let document = json(&verdict);
    assert_eq!(serde_json::from_str::<Verdict>(&document).unwrap(), verdict, "{what}");
    let (wide, narrow) = (table(&verdict, 0, false), table(&verdict, 80, false));
    for (form, text) in [
        ("openvex", &vex),
        ("sarif", &log),
        ("markdown", &page),
        ("junit", &of_cases),
        ("json", &document),
        ("table", &wide),
        ("narrow table", &narrow),
        ("notes", &facts.notes.join("\n")),
    ] {
        let is_text = |c: char| c == '\n' || !(c.is_control() || HIDDEN.contains(&c));
        assert!(text.chars().all(is_text), "{form} of {what}: {text:?}");
    }
    !findings.is_empty()
}

#[test]
fn hostile_text_in_every_place_of_a_report_stays_text() {
    let hostile = format!("{HOSTILE}\r\u{7f}\u{9b}31m\u{2066}\u{200f}\"'><!--\\u001b%1b${{x}}");
    let mut told = 0;
    for (name, sample) in samples() {
        let mut all = sample.clone();
        everywhere(&mut all, &hostile);
        check(&all, &format!("{name}, everywhere"));
        let mut found = Vec::new();
        places(&sample, "", &mut found);
        for place in found {
            let mut document = sample.clone();
            let Some(Value::String(text)) = document.pointer_mut(&place) else { continue };
            hostile.clone_into(text);
            told += usize::from(check(&document, &format!("{name} at {place}")));
        }
    }
    assert!(told > 300, "{told}");
}

#[test]
fn a_value_of_another_type_in_any_place_is_refused_or_left_out() {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!([[["a"]]]),
        json!({ "a": { "b": null } }),
    ];
    for (name, sample) in samples() {
        let mut found = Vec::new();
        places(&sample, "", &mut found);
        for place in found {
            for value in &strange {
                let mut document = sample.clone();
                *document.pointer_mut(&place).unwrap() = value.clone();
                check(&document, &format!("{name} with {value} at {place}"));
            }
        }
    }
}

#[test]
fn what_is_no_json_is_refused() {
    let deep =
        |length: usize| format!("{{\"SchemaVersion\":2,\"Results\":{}{}}}", "[".repeat(length), "]".repeat(length));
    for text in [
        deep(200),
        deep(2_000_000),
        "{\"SchemaVersion\":2,\"Results\":[{\"Vulnerabilities\":[{\"VulnerabilityID\":\"CVE-1\",\"PkgName\":NaN}]}]}"
            .to_owned(),
        "{\"SchemaVersion\":2,\"Results\":[{\"Vulnerabilities\":[{\"CVSS\":{\"nvd\":{\"V3Score\":1e999}}}]}]}"
            .to_owned(),
        "{\"SchemaVersion\":2,\"Results\":[{\"Vulnerabilities\":[],\"Vulnerabilities\":[]}]}".to_owned(),
        "{\"SchemaVersion\":2,\"ArtifactName\":\"\u{1}\"}".to_owned(),
        "{\"SchemaVersion\":2,\"ArtifactName\":\"\\ud800\"}".to_owned(),
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:.100}");
    }
}
