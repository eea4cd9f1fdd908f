use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use distil_vulns::{Finding, FixState, Level, Rater, Score, Status};
use serde_json::Value;

use super::*;
use crate::{Suppressed, VERDICT, VulnerabilityNote};

mod reports;

/// Text that wants to be more than text, in every form there is.
const HOSTILE: &str = "\u{1b}[31m<script>alert(1)</script> `code` | [link](https://evil.example) ]]> &amp; @everyone\u{202e}\n## heading\0";

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_bytes!("../../tests/data/sarif/sarif-schema-2.1.0.json");
    jsonschema::validator_for(&serde_json::from_slice(schema).unwrap()).unwrap()
});

fn violation(rule: &str, weight: Weight, subject: &str, evidence: &str) -> Violation {
    Violation {
        rule: rule.into(),
        weight,
        subject: subject.into(),
        evidence: evidence.into(),
        fix: "repair it".into(),
        deadline: None,
        days_left: None,
        platforms: Vec::new(),
        location: None,
        vulnerability: None,
    }
}

fn vulnerability(id: &str, source: &str, installed: &str, level: Option<Level>, days_left: i64) -> Violation {
    Violation {
        deadline: Some("2026-11-20".parse().unwrap()),
        days_left: Some(days_left),
        vulnerability: Some(VulnerabilityNote {
            id: id.into(),
            source: source.into(),
            installed: installed.into(),
            fixed: Some("1:1.2.13.dfsg-2".into()),
            packages: vec![format!("{source}1g"), format!("{source}1g-dev")],
            severity: Severity { level, score: None, from: level.map(|_| Rater::NvdCvss) },
            status: Status::Fixed,
            title: Some("a title".into()),
            release: Some("bookworm".into()),
        }),
        ..violation("DSTL-VUL-001", Weight::Error, &format!("{id} in {source}"), "the time to resolve it has passed")
    }
}

fn verdict(violations: Vec<Violation>) -> Verdict {
    Verdict {
        schema: VERDICT.into(),
        verdict: Outcome::Fail,
        reference: "registry.example.org/team/app:1.0".into(),
        digest: "sha256:aa".into(),
        now: "2026-11-23T00:00:00Z".parse().unwrap(),
        good_until: None,
        policy: "production".into(),
        policy_sha256: "bb".into(),
        sources: Vec::new(),
        violations,
        suppressed: Vec::new(),
        undecided: Vec::new(),
        manual: BTreeMap::from([("DSTL-MAN-001".into(), "somebody looks at it".into())]),
    }
}

/// Something of everything.
fn sample() -> Verdict {
    let mut file = violation("DSTL-FS-001", Weight::Warning, "/usr/bin/su", "setuid root");
    file.location = Some("usr/bin/su".into());
    let mut sample = verdict(vec![
        vulnerability("CVE-2023-45853", "zlib", "1:1.2.13.dfsg-1", Some(Level::Critical), -3),
        vulnerability("CVE-2024-0001", "zlib", "1:1.2.13.dfsg-1", Some(Level::Moderate), 12),
        violation("DSTL-CFG-001", Weight::Error, "User", "runs as root"),
        file,
        violation("DSTL-CFG-006", Weight::Note, "Healthcheck", "there is none"),
    ]);
    sample.suppressed = vec![Suppressed {
        violation: vulnerability("CVE-2024-0002", "perl", "5.36.0-7", Some(Level::High), 1),
        by: "exception at line 12 of the policy".into(),
        reason: "the module is not used".into(),
        expires: Some("2027-01-31".parse().unwrap()),
    }];
    sample.undecided = vec!["the vulnerability data is 40 days old".into()];
    sample
}

/// The sample with hostile text wherever text by others may be.
fn hostile() -> Verdict {
    let mut verdict = sample();
    verdict.reference = HOSTILE.into();
    verdict.undecided = vec![HOSTILE.into()];
    for violation in verdict.violations.iter_mut().chain(verdict.suppressed.iter_mut().map(|s| &mut s.violation)) {
        violation.subject = HOSTILE.into();
        violation.evidence = HOSTILE.into();
        violation.fix = HOSTILE.into();
        violation.location = violation.location.as_ref().map(|_| HOSTILE.into());
        if let Some(note) = &mut violation.vulnerability {
            note.title = Some(HOSTILE.into());
            note.id = HOSTILE.into();
            note.source = HOSTILE.into();
            note.installed = HOSTILE.into();
            note.fixed = Some(HOSTILE.into());
            note.packages = vec![HOSTILE.into()];
        }
    }
    verdict.suppressed[0].reason = HOSTILE.into();
    verdict.suppressed[0].by = HOSTILE.into();
    verdict
}

fn valid(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    let problems: Vec<_> =
        SCHEMA.iter_errors(&value).take(5).map(|e| format!("{}: {e:.200}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    value
}

#[test]
fn table_for_people() {
    insta::assert_snapshot!("table", table(&sample(), 0, false));
    insta::assert_snapshot!("table_narrow", table(&sample(), 60, false));
    let coloured = table(&sample(), 0, true);
    assert!(coloured.contains("\x1b[31mcritical (nvd-cvss)"), "{coloured:?}");
    assert_eq!(coloured.matches("\x1b[0m").count(), coloured.matches("\x1b[").count() / 2);
    for width in [1, 10, 40, 79, 80, 200] {
        for line in table(&hostile(), width, false).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn markdown_for_a_page() {
    insta::assert_snapshot!("markdown", markdown(&sample()));
}

#[test]
fn nothing_steers_a_terminal_or_a_page() {
    for text in [
        table(&hostile(), 0, false),
        markdown(&hostile()),
        junit(&hostile()),
        sarif(&hostile(), "app"),
        json(&hostile()),
    ] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{text}");
    }
    let page = markdown(&hostile());
    assert!(!page.contains("\n## heading"));
    // Whatever is markup stands in a code span, and none of those is open at the end of a cell.
    for line in page.lines().filter(|line| line.starts_with("| `") || line.starts_with("| error")) {
        for cell in line.replace("\\|", "").split(" | ") {
            assert_eq!(cell.matches('`').count() % 2, 0, "{cell}");
            assert!(!cell.contains("script") || cell.trim_matches(['|', ' ']).starts_with('`'), "{cell}");
        }
    }
}

#[test]
fn a_page_ends() {
    let many = (0..20_000).map(|n| vulnerability(&format!("CVE-2024-{n}"), "zlib", "1", Some(Level::Low), n)).collect();
    let page = markdown(&verdict(many));
    assert!(page.len() < 1 << 20, "{}", page.len());
    assert!(page.trim_end().ends_with("rows are left out, since a page ends."));
}

#[test]
fn junit_is_read_back() {
    for (name, verdict) in [("sample", sample()), ("hostile", hostile())] {
        let report = quick_junit::Report::deserialize_from_str(&junit(&verdict)).unwrap();
        let suite = &report.test_suites[0];
        assert_eq!((suite.tests, suite.failures, suite.errors), (7, 3, 1), "{name}");
    }
    let mut clean = verdict(Vec::new());
    clean.verdict = Outcome::Pass;
    let report = quick_junit::Report::deserialize_from_str(&junit(&clean)).unwrap();
    assert_eq!((report.tests, report.failures), (1, 0));
    assert_eq!(report.test_suites[0].test_cases[0].name.as_str(), "pass: errors 0, warnings 0, notes 0, suppressed 0");
}

#[test]
fn json_is_read_back_and_fits_its_schema() {
    let schema = jsonschema::validator_for(&serde_json::to_value(json_schema()).unwrap()).unwrap();
    for verdict in [sample(), hostile()] {
        let text = json(&verdict);
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
        let value = serde_json::from_str(&text).unwrap();
        let problems: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

#[test]
fn sarif_is_what_github_wants() {
    let log = valid(&sarif(&sample(), "registry.example.org/team/app"));
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "distil/registry.example.org_team_app/");
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"][0]["level"], "error");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let severity = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("{id}"));
        rule["properties"]["security-severity"].as_str()
    };
    assert_eq!(severity("CVE-2023-45853-zlib"), Some("9.5"));
    assert_eq!(severity("CVE-2024-0001-zlib"), Some("5.5"));
    assert_eq!(severity("DSTL-CFG-001"), None);
    let results = run["results"].as_array().unwrap();
    let of = |id: &str| results.iter().find(|result| result["ruleId"] == id).unwrap();
    let place = |id: &str| of(id)["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert_eq!(place("CVE-2023-45853-zlib"), "var/lib/dpkg/status.d/zlib1g");
    assert_eq!((place("DSTL-FS-001"), place("DSTL-CFG-001")), ("usr/bin/su", "config.json"));
    let suppression = &of("CVE-2024-0002-perl")["suppressions"][0];
    assert_eq!((suppression["kind"].as_str(), suppression["status"].as_str()), (Some("external"), Some("accepted")));
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
}

#[test]
fn hostile_text_is_text_in_sarif() {
    let log = valid(&sarif(&hostile(), HOSTILE));
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(!text.replace("\\[", "").contains('['), "{text}");
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_~+%".contains(&b)), "{uri}");
    }
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        assert!(rule["helpUri"].as_str().is_none_or(|uri| !uri.contains("script")));
    }
}

#[test]
fn two_violations_about_one_vulnerability_are_one_alert() {
    let first = vulnerability("CVE-2023-45853", "zlib", "1", Some(Level::High), -3);
    let mut second = Violation { rule: "DSTL-VUL-003".into(), weight: Weight::Warning, ..first.clone() };
    second.evidence = "it is known to be exploited".into();
    let mut verdict = verdict(vec![second.clone(), first]);
    verdict.suppressed = vec![Suppressed { violation: second, by: "b".into(), reason: "r".into(), expires: None }];
    let log = valid(&sarif(&verdict, "app"));
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["level"], "error");
    assert!(results[0]["suppressions"].is_null());
    let text = results[0]["message"]["text"].as_str().unwrap();
    assert!(text.contains("DSTL-VUL-001") && text.contains("known to be exploited"), "{text}");
}

/// Rule and fingerprint of every result.
fn fingerprints(log: &str) -> BTreeSet<(String, String)> {
    let log: Value = serde_json::from_str(log).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    results
        .iter()
        .map(|result| (text(&result["ruleId"]), text(&result["partialFingerprints"]["primaryLocationLineHash"])))
        .collect()
}

#[test]
fn a_rebuild_gives_the_same_alerts() {
    let first = sample();
    let mut second = sample();
    second.digest = "sha256:cc".into();
    second.reference = "registry.example.org/team/app:1.1".into();
    for note in second.violations.iter_mut().filter_map(|violation| violation.vulnerability.as_mut()) {
        note.installed = "1:1.2.13.dfsg-1+deb12u1".into();
        note.packages.truncate(1);
    }
    let name = "registry.example.org/team/app";
    assert_eq!(fingerprints(&sarif(&first, name)), fingerprints(&sarif(&second, name)));
    assert_ne!(fingerprints(&sarif(&first, name)), fingerprints(&sarif(&first, "registry.example.org/team/other")));
    assert_eq!(fingerprints(&sarif(&first, name)).len(), 6);
}

fn finding(number: usize) -> (Finding, Severity) {
    let levels = [
        None,
        Some(Level::Negligible),
        Some(Level::Low),
        Some(Level::Moderate),
        Some(Level::High),
        Some(Level::Critical),
    ];
    let level = levels[number % levels.len()];
    // A score of 0.0 would make GitHub take it for something else than a vulnerability.
    let score = (number.is_multiple_of(7)).then(|| Score::from_tenths(0).unwrap());
    let finding = Finding {
        id: format!("CVE-2024-{number}"),
        aliases: BTreeSet::new(),
        release: Some("bookworm".into()),
        source: "linux".into(),
        source_version: "6.1.0-1".into(),
        packages: BTreeMap::from([("linux-libc-dev".into(), "6.1.0-1".into())]),
        status: Status::Affected,
        fixed: None,
        fix_state: FixState::None,
        ratings: Vec::new(),
        published: None,
        fix_available: None,
        kev: None,
        epss: None,
        title: Some(HOSTILE.repeat(40)),
        origins: BTreeSet::new(),
        vex: Vec::new(),
    };
    (finding, Severity { level, score, from: None })
}

#[test]
fn of_too_many_the_worst_are_kept() {
    let findings: Vec<_> = (0..30_000).map(finding).collect();
    let text = sarif_findings(findings.iter().map(|(finding, severity)| (finding, severity)), "app");
    let log = valid(&text);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
        "25000 of 30000 results are left out: these are the worst 5000."
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 5_000);
    for rule in rules {
        assert_eq!(rule["properties"]["security-severity"], "9.5");
        assert!(rule["fullDescription"]["text"].as_str().unwrap().chars().count() <= 1024);
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
    }
    assert!(text.len() < 40 << 20, "{}", text.len());
}

#[test]
fn no_severity_is_zero() {
    let findings: Vec<_> = (0..42).map(finding).collect();
    let text = sarif_findings(findings.iter().map(|(finding, severity)| (finding, severity)), "app");
    for rule in valid(&text)["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        let severity = rule["properties"]["security-severity"].as_str();
        assert!(severity.is_none_or(|text| (0.1..=10.0).contains(&text.parse::<f64>().unwrap())), "{severity:?}");
    }
}

#[test]
fn what_was_decided_is_told_as_it_is() {
    use distil_vulns::VexNote;
    use distil_vulns::vex::{Subject, VexStatus, read};

    let mut findings: Vec<Finding> = (1..=3).map(|number| finding(number).0).collect();
    findings[1].vex = vec![VexNote {
        document: "urn:x".into(),
        author: None,
        status: "not-affected".into(),
        justification: Some("component_not_present".into()),
        impact: Some("it is not built".into()),
        date: None,
        is_verified: false,
    }];
    let decision = |id: &str, by: &str| Suppressed {
        violation: vulnerability(id, "linux", "6.1.0-1", None, 0),
        by: by.into(),
        reason: "the module is not loaded".into(),
        expires: Some("2027-01-31".parse().unwrap()),
    };
    let decisions = [
        decision("CVE-2024-1", "exception CVE-2024-1 for linux (line 7 of the policy)"),
        decision("CVE-2024-2", "VEX urn:x"),
    ];
    let subject = |digit: &str| Subject {
        digests: [format!("sha256:{}", digit.repeat(64))].into(),
        name: Some("app".into()),
        ..Subject::default()
    };
    let (amd64, arm64) = (subject("a"), subject("b"));
    let images =
        [Described { findings: &findings, subject: &amd64 }, Described { findings: &findings, subject: &arm64 }];
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let text = openvex(&images, &decisions, "Team <team@example.org>", now);
    assert_eq!(text, openvex(&images, &decisions, "Team <team@example.org>", now));

    let document = read(text.as_bytes(), "x").unwrap();
    assert_eq!((document.statements.len(), document.unusable.len()), (3, 0));
    let [let_pass, believed, open] = &document.statements[..] else { panic!("{document:?}") };
    assert!(document.statements.iter().all(|statement| statement.products.len() == 2), "one for each platform");
    assert_eq!(let_pass.status, VexStatus::Affected, "an exception makes nothing unaffected");
    let action =
        "Let pass until 2027-01-31 by exception CVE-2024-1 for linux (line 7 of the policy): the module is not loaded";
    assert_eq!(let_pass.action.as_deref(), Some(action));
    assert_eq!(
        (believed.status, believed.justification.as_deref()),
        (VexStatus::NotAffected, Some("component_not_present"))
    );
    assert_eq!((open.status, open.justification.as_deref()), (VexStatus::Affected, None));
}

#[test]
fn a_summary_says_what_was_decided_by_what() {
    let facts: crate::Facts = serde_json::from_value(serde_json::json!({
        "schema": "distil.facts/v1", "now": "2026-11-23T00:00:00Z", "reference": "oci:app", "digest": "sha256:aa",
        "platforms": {}, "signatures": { "verified": [], "refused": [] }, "data": { "sources": [] }, "support": {}, "ledger": [],
        "attached": [
            { "digest": "sha256:0b", "kind": "k", "verified": ["release"], "platform": null, "made": null },
            { "digest": "sha256:0c", "kind": "k", "verified": [], "platform": null, "made": null }
        ],
        "ledger-from": { "reference": "oci:before", "digest": "sha256:bb", "statements": ["sha256:0a"] }
    }))
    .unwrap();
    let said = |verdict: &Verdict| -> Value { serde_json::from_str(&vsa(verdict, &facts, "pkg:oci/app")).unwrap() };
    let source = crate::facts::SourceFacts {
        kind: "tracker".into(),
        name: "tracker.json".into(),
        sha256: "0d".into(),
        date: None,
        fetched: None,
        valid_until: None,
        records: 1,
    };
    let against =
        Verdict { sources: vec![source], ..verdict(vec![violation("DSTL-FS-001", Weight::Error, "/x", "y")]) };
    let failed = said(&against);
    assert_eq!((&failed["verificationResult"], &failed["verifiedLevels"]), (&"FAILED".into(), &vec!["FAILED"].into()));
    assert_eq!(failed["timeVerified"], "2026-11-23T00:00:00Z");
    assert_eq!(failed["policy"]["digest"]["sha256"], against.policy_sha256);
    let input = |sha256: &str| serde_json::json!({ "digest": { "sha256": sha256 } });
    assert_eq!(failed["inputAttestations"], serde_json::json!([input("0a"), input("0b")]));
    let more = &failed["https://git.example.org/distil/docs/check.md#summary"];
    assert_eq!((&more["verdict"], &more["violated"]), (&"fail".into(), &vec!["DSTL-FS-001"].into()));
    assert_eq!(more["data"][0]["name"], "tracker.json");
    let passed = said(&Verdict { verdict: Outcome::Pass, ..verdict(Vec::new()) });
    assert_eq!(passed["verificationResult"], "PASSED");
    assert_eq!(passed["verifiedLevels"], serde_json::json!(["SLSA_BUILD_LEVEL_UNEVALUATED"]));
    let unknown = said(&Verdict { verdict: Outcome::Undecided, ..verdict(Vec::new()) });
    assert_eq!(unknown["verificationResult"], "FAILED");
}
