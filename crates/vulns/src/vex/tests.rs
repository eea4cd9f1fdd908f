use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::finding::{Finding, FixState, Status};
use crate::severity::{Level, Rater, Rating};

const DIGEST: &str = "sha256:124c7d2707904eea7431fffe91522a01e5a861a624ee31d03372cc1d138a3126";
const OTHER: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/vex/", $name)).as_slice()
    };
}

fn finding(id: &str, source: &str, version: &str, packages: &[(&str, &str)]) -> Finding {
    Finding {
        id: id.into(),
        aliases: BTreeSet::new(),
        release: Some("bookworm".into()),
        source: source.into(),
        source_version: version.into(),
        packages: packages
            .iter()
            .map(|(name, version)| ((*name).into(), (*version).into()))
            .collect::<BTreeMap<_, _>>(),
        status: Status::Affected,
        fixed: None,
        fix_state: FixState::None,
        ratings: Vec::new(),
        published: None,
        fix_available: None,
        kev: None,
        epss: None,
        title: None,
        origins: BTreeSet::new(),
        vex: Vec::new(),
    }
}

fn zlib() -> Finding {
    finding("CVE-2023-45853", "zlib", "1:1.2.13.dfsg-1", &[("zlib1g", "1:1.2.13.dfsg-1+b1")])
}

fn subject() -> Subject {
    Subject {
        digests: [DIGEST.into()].into(),
        references: ["docker.io/library/debian:12".into()].into(),
        name: Some("debian".into()),
        architecture: Some("amd64".into()),
        distro: Some("debian-12".into()),
    }
}

fn now() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

/// A document about the zlib of the images above, with one statement for each of these parts.
fn openvex(statements: &[&str]) -> VexDocument {
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:test","author":"a@example.org",
        "timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{}]}}"#,
        statements.join(",")
    );
    read(text.as_bytes(), "test.json").unwrap()
}

fn about(product: &str, more: &str) -> String {
    format!(
        r#"{{"vulnerability":{{"name":"CVE-2023-45853"}},"products":[{product}],"status":"not_affected",
        "justification":"vulnerable_code_not_present"{more}}}"#
    )
}

/// Whether one statement about the product is taken to be about zlib1g.
fn is_meant(product: &str) -> bool {
    let mut findings = [zlib()];
    apply(&mut findings, &[openvex(&[&about(product, "")])], &subject(), now());
    !findings[0].vex.is_empty()
}

/// A document about packages of another ecosystem as one about Debian's.
fn of_debian(bytes: &[u8]) -> Vec<u8> {
    let mut text = std::str::from_utf8(bytes).unwrap().to_owned();
    for other in ["pkg:maven/org.springframework.boot/", "pkg:golang/github.com/aquasecurity/", "pkg:apk/alpine/"] {
        text = text.replace(other, "pkg:deb/debian/");
    }
    text.into_bytes()
}

#[test]
fn documents_of_scanners_are_read() {
    let cases: [(&str, &[u8], usize, &[&str]); 9] = [
        ("openvex.json", sample!("trivy/openvex.json"), 1, &["the document has no identifier"]),
        ("openvex-multiple.json", sample!("trivy/openvex-multiple.json"), 2, &["the document has no identifier"]),
        ("csaf.json", sample!("trivy/csaf.json"), 1, &[]),
        ("openvex-demo1.json", sample!("grype/openvex-demo1.json"), 1, &[]),
        ("openvex-demo2.json", sample!("grype/openvex-demo2.json"), 5, &[]),
        (
            "openvex-debian.json",
            sample!("grype/openvex-debian.json"),
            1,
            &["statement 1 names no package, and counts for all of the image"],
        ),
        (
            "openvex-image-no-subcomponents.json",
            sample!("grype/openvex-image-no-subcomponents.json"),
            1,
            &["statement 1 names no package, and counts for all of the image"],
        ),
        ("csaf-demo1.json", sample!("grype/csaf-demo1.json"), 1, &[]),
        (
            "empty",
            br#"{"@context":"https://openvex.dev/ns","statements":null}"#,
            0,
            &["the document has no identifier"],
        ),
    ];
    for (name, bytes, statements, notes) in cases {
        let document = read(&of_debian(bytes), name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((document.statements.len(), document.unusable.len()), (statements, 0), "{name}: {document:?}");
        assert_eq!(document.notes, notes, "{name}");
    }
    let document = read(&of_debian(sample!("trivy/openvex.json")), "openvex.json").unwrap();
    assert_eq!((document.id.as_str(), document.author.as_deref()), ("openvex.json", Some("Aqua Security")));
    assert_eq!(document.timestamp.unwrap().to_string(), "2023-01-17T01:07:16.853479631Z");
    let csaf = read(&of_debian(sample!("grype/csaf-demo1.json")), "c").unwrap();
    assert_eq!(
        (csaf.id.as_str(), csaf.author.as_deref()),
        ("2022-EVD-UC-01-A-001", Some("Example Company ProductCERT"))
    );
    assert_eq!(csaf.statements[0].impact.as_deref(), Some("Class with vulnerable code was removed before shipping."));
}

#[test]
fn documents_that_name_nothing_at_hand_are_refused() {
    let cases: [(&[u8], &str); 9] = [
        (sample!("trivy/openvex.json"), "the product pkg:maven/"),
        (sample!("dockle.openvex.json"), "the product Unknown Product is neither an image nor a Debian package"),
        (
            sample!("csaf/sec-vex-2022-0001.json"),
            "the product Secvisogram <=1.14.0 is neither an image nor a Debian package",
        ),
        (sample!("csaf/2022-evd-uc-01-na-001.json"), "neither an image nor a Debian package"),
        (sample!("csaf/2022-evd-uc-01-f-001.json"), "neither an image nor a Debian package"),
        (sample!("csaf/2022-evd-uc-01-a-001.json"), "neither an image nor a Debian package"),
        (sample!("csaf/2022-evd-uc-01-ui-001.json"), "neither an image nor a Debian package"),
        (sample!("trivy/openvex-nested.json"), "a component as part of another package"),
        (sample!("trivy/csaf-relationships.json"), "a component as part of another package"),
    ];
    for (bytes, reason) in cases {
        match read(bytes, "x") {
            Err(VexError::NoProduct { first }) => assert!(first.contains(reason), "{first}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
}

#[test]
fn products_are_matched_as_package_urls_are() {
    let cases = [
        // No version: all of them; no qualifiers: any.
        (r#"{"@id":"pkg:deb/debian/zlib1g"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1%2Bb1"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1%2bb1?arch=amd64&distro=debian-12.4"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib1g@1.2.13.dfsg-1%2Bb1?epoch=1&distro=bookworm"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib1g?upstream=zlib%401:1.2.13.dfsg-1"}"#, true),
        (r#""pkg:deb/debian/zlib1g""#, true),
        (r#"{"@id":"urn:x","identifiers":{"purl":"pkg:deb/debian/zlib1g"}}"#, true),
        // Given qualifiers and versions are compared.
        (r#"{"@id":"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1"}"#, false),
        (r#"{"@id":"pkg:deb/debian/zlib1g?arch=arm64"}"#, false),
        (r#"{"@id":"pkg:deb/debian/zlib1g?distro=debian-11"}"#, false),
        (r#"{"@id":"pkg:deb/debian/zlib1g?upstream=zlib-ng"}"#, false),
        (r#"{"@id":"pkg:deb/ubuntu/zlib1g"}"#, false),
        // The source package, and not a binary one of its name.
        (r#"{"@id":"pkg:deb/debian/zlib?arch=source"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib@1:1.2.13.dfsg-1?arch=source&distro=debian-12"}"#, true),
        (r#"{"@id":"pkg:deb/debian/zlib@1:1.2.13.dfsg-2?arch=source"}"#, false),
        (r#"{"@id":"pkg:deb/debian/zlib"}"#, false),
        // The image, by what it is or where it lies.
        (&format!(r#"{{"@id":"pkg:oci/debian@{DIGEST}"}}"#), true),
        (&format!(r#"{{"@id":"pkg:oci/mirrored@{}?repository_url=x.example"}}"#, DIGEST.replace(':', "%3A")), true),
        (&format!(r#"{{"@id":"{DIGEST}"}}"#), true),
        (&format!(r#"{{"@id":"debian@{DIGEST}"}}"#), true),
        (&format!(r#"{{"@id":"urn:x","hashes":{{"sha-256":"{}"}}}}"#, DIGEST.trim_start_matches("sha256:")), true),
        (r#"{"@id":"pkg:oci/debian"}"#, true),
        (r#"{"@id":"pkg:oci/debian?repository_url=index.docker.io/library&tag=12"}"#, true),
        (r#"{"@id":"pkg:oci/debian?repository_url=docker.io/library/debian"}"#, true),
        (r#"{"@id":"docker.io/library/debian:12"}"#, true),
        (r#"{"@id":"debian"}"#, true),
        (&format!(r#"{{"@id":"pkg:oci/debian@{OTHER}"}}"#), false),
        (&format!(r#"{{"@id":"debian@{OTHER}"}}"#), false),
        (r#"{"@id":"pkg:oci/debian?repository_url=docker.io.evil.example/library"}"#, false),
        (r#"{"@id":"pkg:oci/debian?repository_url=docker.io/library&tag=11"}"#, false),
        (r#"{"@id":"pkg:oci/debian?arch=arm64"}"#, false),
        (r#"{"@id":"debian:11"}"#, false),
        (r#"{"@id":"registry.example.org/debian"}"#, false),
        // The image with packages in it.
        (r#"{"@id":"debian","subcomponents":[{"@id":"pkg:deb/debian/zlib1g"}]}"#, true),
        (r#"{"@id":"debian","subcomponents":["pkg:deb/debian/perl", "pkg:deb/debian/zlib?arch=source"]}"#, true),
        (r#"{"@id":"debian","subcomponents":[{"@id":"pkg:deb/debian/perl"}]}"#, false),
        (r#"{"@id":"debian:11","subcomponents":[{"@id":"pkg:deb/debian/zlib1g"}]}"#, false),
    ];
    for (product, expected) in cases {
        assert_eq!(is_meant(product), expected, "{product}");
    }
}

#[test]
fn the_form_before_0_2_0_is_understood() {
    let document = read(
        br#"{"@context":"https://openvex.dev/ns/v0.0.2","@id":"x","statements":[{"vulnerability":"CVE-2023-45853",
        "products":["pkg:oci/debian"],"subcomponents":["pkg:deb/debian/zlib1g"],"status":"fixed"}]}"#,
        "x",
    )
    .unwrap();
    let mut findings = [zlib(), finding("CVE-2023-45853", "perl", "5.36.0-7", &[("perl-base", "5.36.0-7")])];
    assert!(apply(&mut findings, &[document], &subject(), now()).is_empty());
    assert_eq!(findings[0].vex[0].status, "fixed");
    assert!(findings[1].vex.is_empty());
}

#[test]
fn a_relationship_is_a_package_in_an_image() {
    let text = format!(
        r#"{{"document":{{"category":"csaf_vex","csaf_version":"2.0","publisher":{{"name":"P"}},
        "tracking":{{"id":"T","status":"final","current_release_date":"2024-02-03T23:30:00-02:00"}}}},
        "product_tree":{{"full_product_names":[
          {{"product_id":"img","product_identification_helper":{{"purl":"pkg:oci/debian@{DIGEST}"}}}},
          {{"product_id":"pkg","product_identification_helper":{{"purl":"pkg:deb/debian/zlib1g"}}}}],
         "product_groups":[{{"group_id":"g","product_ids":["both"]}}],
         "relationships":[{{"category":"installed_with","product_reference":"pkg","relates_to_product_reference":"img",
          "full_product_name":{{"product_id":"both","name":"zlib in it"}}}}]}},
        "vulnerabilities":[{{"ids":[{{"text":"DSA-5000-1"}}],"product_status":{{"known_not_affected":["both"]}},
          "flags":[{{"label":"vulnerable_code_not_in_execute_path","group_ids":["g"]}}]}}]}}"#
    );
    let document = read(text.as_bytes(), "x").unwrap();
    let mut findings = [zlib(), finding("CVE-2023-45853", "perl", "5.36.0-7", &[("perl-base", "5.36.0-7")])];
    findings[0].aliases.insert("DSA-5000-1".into());
    findings[1].aliases.insert("DSA-5000-1".into());
    apply(&mut findings, &[document], &subject(), now());
    let note = &findings[0].vex[0];
    assert_eq!(note.justification.as_deref(), Some("vulnerable_code_not_in_execute_path"));
    assert_eq!((note.document.as_str(), note.author.as_deref()), ("T", Some("P")));
    assert_eq!(note.date.unwrap().to_string(), "2024-02-04", "a day begins at midnight UTC");
    assert!(findings[1].vex.is_empty());
}

#[test]
fn the_latest_statement_wins() {
    let product = r#""pkg:deb/debian/zlib1g""#;
    let statement = |status: &str, time: &str| {
        format!(
            r#"{{"vulnerability":{{"name":"DEBIAN-CVE-2023-45853"}},"products":[{product}],"status":"{status}",
            "impact_statement":"i","timestamp":"{time}"}}"#
        )
    };
    let cases = [
        (["not_affected", "affected"], ["2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"], "affected"),
        (["not_affected", "affected"], ["2024-01-03T00:00:00Z", "2024-01-02T00:00:00Z"], "not-affected"),
        // The same moment in two zones: the later in the document.
        (["affected", "fixed"], ["2024-01-03T00:00:00Z", "2024-01-03T01:00:00+01:00"], "fixed"),
    ];
    for (status, time, expected) in cases {
        let both = [statement(status[0], time[0]), statement(status[1], time[1])];
        for documents in [
            vec![openvex(&[&both[0], &both[1]])],
            // The order of documents does not matter where times differ.
            vec![openvex(&[&both[0]]), openvex(&[&both[1]])],
        ] {
            let mut findings = [zlib()];
            apply(&mut findings, &documents, &subject(), now());
            assert_eq!(findings[0].vex.len(), 1);
            assert_eq!(findings[0].vex[0].status, expected, "{status:?} {time:?}");
        }
    }
}

#[test]
fn a_statement_of_tomorrow_is_none_of_today() {
    let statement = |status: &str, time: &str| {
        let more = format!(r#","timestamp":"{time}""#);
        about(r#""pkg:deb/debian/zlib1g""#, &more).replace("not_affected", status)
    };
    let later = [statement("affected", "2029-12-01T00:00:00Z"), statement("not_affected", "2030-01-02T00:00:01Z")];
    let mut findings = [zlib()];
    let unusable = apply(&mut findings, &[openvex(&[&later[0], &later[1]])], &subject(), now());
    assert_eq!(unusable.len(), 1);
    assert_eq!((unusable[0].statement, findings[0].vex[0].status.as_str()), (2, "affected"));
    assert_eq!(unusable[0].reason, "it is dated 2030-01-02T00:00:01Z, which is still to come");
    let mut findings = [zlib()];
    let clocks = statement("not_affected", "2030-01-02T00:00:00Z");
    assert_eq!(apply(&mut findings, &[openvex(&[&later[0], &clocks])], &subject(), now()), []);
    assert_eq!(findings[0].vex[0].status, "not-affected");
}

#[test]
fn a_statement_about_packages_of_another_system_is_told() {
    let good = about(r#""pkg:deb/debian/zlib1g""#, "");
    let ubuntu = about(r#""pkg:deb/ubuntu/zlib1g""#, "");
    let both = about(r#""pkg:deb/ubuntu/zlib1g","pkg:deb/debian/zlib1g""#, "");
    let mut findings = [zlib()];
    let unusable = apply(&mut findings, &[openvex(&[&good, &ubuntu, &both])], &subject(), now());
    assert_eq!(unusable.len(), 1);
    assert_eq!(unusable[0].statement, 2);
    assert_eq!(unusable[0].reason, "the product pkg:deb/ubuntu/zlib1g is neither an image nor a package of debian");
}

#[test]
fn a_finding_of_several_packages_needs_a_statement_about_each() {
    let openssl =
        || finding("CVE-2023-45853", "openssl", "3.0.11-1", &[("libssl3", "3.0.11-1"), ("openssl", "3.0.11-1")]);
    let of = |name: &str| about(&format!(r#""pkg:deb/debian/{name}""#), "");
    let mut findings = [openssl()];
    let unusable = apply(&mut findings, &[openvex(&[&of("openssl")])], &subject(), now());
    assert!(findings[0].vex.is_empty());
    assert_eq!(unusable[0].reason, "it is not about libssl3, which has the vulnerability as well");
    let unusable = apply(&mut findings, &[openvex(&[&of("openssl"), &of("libssl3")])], &subject(), now());
    assert_eq!((findings[0].vex.len(), unusable.len()), (2, 0));
    // One that is affected is enough to keep the finding.
    let affected = of("libssl3").replace("not_affected", "affected");
    apply(&mut findings, &[openvex(&[&of("openssl"), &affected])], &subject(), now());
    assert_eq!(findings[0].vex.len(), 1);
    assert_eq!(findings[0].vex[0].status, "affected");
}

#[test]
fn statements_that_cannot_be_used_are_told() {
    let good = about(r#""pkg:deb/debian/zlib1g""#, "");
    let cases = [
        (
            good.replace(r#""justification":"vulnerable_code_not_present""#, r#""action_statement":"a""#),
            "without a justification",
        ),
        (good.replace("vulnerable_code_not_present", "trust_me"), "trust_me is no justification"),
        (good.replace("not_affected", "not affected"), "not affected is no status"),
        (good.replace("CVE-2023-45853", " "), "it names no vulnerability"),
        (good.replace(r#""pkg:deb/debian/zlib1g""#, ""), "it names no product"),
        (good.replace("pkg:deb/debian/zlib1g", "pkg:deb"), "neither an image nor a Debian package"),
        (good.replace("pkg:deb/debian/zlib1g", "The \u{202e}App\\n"), r"the product The \u{202e}App is neither"),
        (
            good.replace("pkg:deb/debian/zlib1g", "pkg:apk/alpine/zlib"),
            "pkg:apk/alpine/zlib is neither an image nor a Debian",
        ),
        (about(r#""pkg:deb/debian/zlib1g""#, r#","timestamp":"yesterday""#), "yesterday is no time"),
    ];
    for (bad, reason) in cases {
        let document = openvex(&[&good, &bad]);
        assert_eq!((document.statements.len(), document.unusable.len()), (1, 1), "{bad}");
        assert_eq!(document.unusable[0].statement, 2);
        assert!(document.unusable[0].reason.contains(reason), "{:?}", document.unusable[0].reason);
        let mut findings = [zlib()];
        assert_eq!(apply(&mut findings, &[document], &subject(), now()).len(), 1);
    }
}

#[test]
fn hostile_documents_are_errors() {
    let deep =
        format!(r#"{{"@context":"https://openvex.dev/ns","statements":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let branches = format!(
        r#"{{"document":{{"category":"csaf_vex"}},"product_tree":{}"branches":[]{}}}"#,
        r#"{"branches":["#.repeat(200),
        "]}".repeat(200)
    );
    let many = format!(r#"{{"@context":"https://openvex.dev/ns","statements":[{}{{}}]}}"#, "{},".repeat(MAX_ITEMS));
    for text in [
        deep.as_str(),
        &branches,
        &many,
        "",
        "[]",
        "null",
        r#"{"@context":1}"#,
        r#"{"@context":"https://openvex.dev/ns","statements":{}}"#,
        r#"{"@context":"https://openvex.dev/ns","statements":[1]}"#,
        r#"{"@context":"https://openvex.dev/ns","statements":[],"statements":[]}"#,
        r#"{"document":{"category":"csaf_vex"},"vulnerabilities":[{"cve":7}]}"#,
        r#"{"document":[]}"#,
    ] {
        match read(text.as_bytes(), "x") {
            Err(VexError::Json { line: 0..=1, .. } | VexError::Unknown) => {}
            other => panic!("{}: {other:?}", text.chars().take(80).collect::<String>()),
        }
    }
    let unknown = read(br#"{"@context":"https://openvex.dev/ns/v9"}"#, "x");
    assert_eq!(unknown, Err(VexError::Version("https://openvex.dev/ns/v9".into())));
    assert_eq!(read(br#"{"@context":"https://cyclonedx.org"}"#, "x"), Err(VexError::Unknown));
    let draft = br#"{"document":{"category":"csaf_vex","tracking":{"status":"draft"}}}"#;
    assert_eq!(read(draft, "x"), Err(VexError::Draft));
    assert_eq!(read(br#"{"document":{"category":"csaf_security_advisory"}}"#, "x"), Err(VexError::Unknown));
    assert!(matches!(read(&vec![b' '; MAX_BYTES + 1], "x"), Err(VexError::TooLarge { .. })));
}

/// One finding for each status.
fn findings() -> Vec<Finding> {
    let statuses = [
        Status::Fixed,
        Status::Affected,
        Status::NoDsa,
        Status::FixDeferred,
        Status::WillNotFix,
        Status::EndOfLife,
        Status::UnderInvestigation,
        Status::Unknown,
        Status::NotAffected,
        Status::Resolved,
    ];
    let mut findings: Vec<_> = (1..)
        .zip(statuses)
        .map(|(number, status)| Finding {
            id: format!("CVE-2024-{number:04}"),
            aliases: [format!("DSA-{number}-1")].into(),
            status,
            fixed: (status == Status::Fixed).then(|| "1:1.2.13.dfsg-2+deb12u1".into()),
            ..zlib()
        })
        .collect();
    let unimportant = Rating { rater: Rater::DebianUrgency, level: Some(Level::Negligible), score: None, vector: None };
    findings.push(Finding { id: "CVE-2024-9999".into(), ratings: vec![unimportant], ..zlib() });
    findings
}

#[test]
fn what_is_written_is_valid_and_means_the_same() {
    let schema = serde_json::from_slice(include_bytes!("../../tests/data/vex/openvex-0.2.0.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let at = "2026-11-23T00:00:00Z".parse().unwrap();
    let statements = statements(&findings(), &subject());
    let bytes = openvex::write("Team <team@example.org>", at, &statements);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let problems: Vec<_> = schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(bytes, openvex::write("Team <team@example.org>", at, &statements));
    assert_ne!(
        value["@id"],
        serde_json::from_slice::<serde_json::Value>(&openvex::write("x", at, &statements)).unwrap()["@id"]
    );

    let document = read(&bytes, "x").unwrap();
    assert_eq!((document.statements.len(), document.unusable.len()), (statements.len(), 0));
    assert_eq!(document.author.as_deref(), Some("Team <team@example.org>"));
    for (written, read) in statements.iter().zip(&document.statements) {
        let expected = Statement { timestamp: Some(at), ..written.clone() };
        assert_eq!(*read, expected);
    }
    let mut judged = findings();
    assert!(apply(&mut judged, &[document], &subject(), now()).is_empty());
    let status: Vec<_> = judged.iter().map(|finding| finding.vex[0].status.as_str()).collect();
    let (affected, unknown) = ("affected", "under-investigation");
    let expected = [
        affected,
        affected,
        affected,
        affected,
        affected,
        affected,
        unknown,
        unknown,
        "not-affected",
        "fixed",
        affected,
    ];
    assert_eq!(status, expected);
    // Of another image it says nothing.
    let mut other = findings();
    let elsewhere = Subject { digests: [OTHER.into()].into(), ..subject() };
    apply(&mut other, &[read(&bytes, "x").unwrap()], &elsewhere, now());
    assert!(other.iter().all(|finding| finding.vex.is_empty()));
}

#[test]
fn without_an_image_the_packages_are_named() {
    let statements = statements(&[zlib()], &Subject::default());
    assert!(statements[0].products[0].subcomponents.is_empty());
    let bytes = openvex::write("a", "2026-11-23T00:00:00Z".parse().unwrap(), &statements);
    let mut findings = [zlib()];
    apply(&mut findings, &[read(&bytes, "x").unwrap()], &subject(), now());
    assert_eq!(findings[0].vex[0].status, "affected");
}

fn samples() -> Vec<&'static [u8]> {
    vec![
        sample!("trivy/openvex-nested.json"),
        sample!("trivy/csaf-relationships.json"),
        sample!("grype/openvex-demo1.json"),
        sample!("grype/csaf-demo1.json"),
        sample!("csaf/sec-vex-2022-0001.json"),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read(&bytes, "x");
    }

    #[test]
    fn changed_documents_are_read_or_refused(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = sample.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(document) = read(&bytes, "x") {
            let mut findings = [zlib()];
            apply(&mut findings, &[document], &subject(), now());
        }
    }

    #[test]
    fn identifiers_of_products_come_back(text in "[ -~]{0,60}|pkg:(deb|oci)/[a-z%@?=&:/.0-9]{1,40}|[a-z./:@0-9-]{1,40}") {
        match Identifier::of(&text) {
            Identifier::Reference(name) => prop_assert_eq!(Identifier::of(&name.to_string()), Identifier::Reference(name)),
            Identifier::Digest(digest) => prop_assert_eq!(Identifier::of(&digest.to_string()), Identifier::Digest(digest)),
            Identifier::Purl(_) | Identifier::Other(_) => {}
        }
    }
}
