//! The validators themselves: each takes what is right and refuses what breaks one rule, so that their silence says
//! something.

use std::fs;
use std::panic::catch_unwind;

use distil_tests::place;
use distil_tests::validators::{self, Compliance, SyftPackage};
use serde_json::{Value, json};

fn spdx2() -> Value {
    let package = json!({
        "SPDXID": "SPDXRef-Package-hello", "name": "hello", "versionInfo": "2.10-3", "downloadLocation": "NONE",
        "filesAnalyzed": false, "licenseConcluded": "GPL-3.0-or-later", "licenseDeclared": "GPL-3.0-or-later",
        "copyrightText": "NONE", "supplier": "Organization: Debian",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": "pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12&upstream=greeting%402.10"}],
    });
    json!({
        "SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "name": "hello",
        "documentNamespace": "https://example.org/hello",
        "creationInfo": {"created": "2020-01-01T00:00:00Z", "creators": ["Organization: Example"]},
        "packages": [package],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
            "relatedSpdxElement": "SPDXRef-Package-hello"}],
    })
}

fn spdx3() -> Value {
    json!({
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2020-01-01T00:00:00Z",
             "createdBy": ["https://example.org/organisation"]},
            {"type": "Organization", "spdxId": "https://example.org/organisation", "creationInfo": "_:c", "name": "x"},
            {"type": "SpdxDocument", "spdxId": "https://example.org/document", "creationInfo": "_:c",
             "rootElement": ["https://example.org/organisation"], "profileConformance": ["core"]},
        ],
    })
}

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [{"type": "library", "name": "hello", "version": "2.10-3",
            "licenses": [{"expression": "GPL-3.0-or-later"}],
            "purl": "pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12"}],
    })
}

fn statement() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "_", "digest": {"sha256": "00"}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {"buildType": "https://example.org/build", "externalParameters": {"a": 1}},
            "runDetails": {"builder": {"id": "https://example.org/builder"}},
        },
    })
}

/// The validator takes the document, and refuses it with `value` at `pointer`.
fn check(validator: fn(&[u8]), document: Value, pointer: &str, value: Value) {
    validator(document.to_string().as_bytes());
    let mut broken = document;
    *broken.pointer_mut(pointer).unwrap() = value;
    let bytes = broken.to_string().into_bytes();
    assert!(catch_unwind(move || validator(&bytes)).is_err(), "accepted: {broken}");
}

#[test]
fn each_validator_refuses_what_breaks_one_rule() {
    check(validators::spdx2, spdx2(), "/packages/0/licenseConcluded", json!("GPL-3"));
    check(validators::spdx2, spdx2(), "/relationships/0/relatedSpdxElement", json!("SPDXRef-none"));
    check(validators::spdx3, spdx3(), "/@graph/1/creationInfo", Value::Null);
    check(validators::cyclonedx, cyclonedx(), "/components/0", json!({"type": "library", "name": "a", "colour": 1}));
    check(validators::statement, statement(), "/subject", json!([]));
    check(validators::statement, statement(), "/predicate/runDetails/builder/id", json!(""));
    check(validators::statement, statement(), "/predicate/runDetails", json!({"builder": {"id": "x"}, "colour": 1}));
    let minimum = |document: &[u8]| validators::sbomcheck(document, Compliance::Ntia);
    check(minimum, spdx2(), "/packages/0/supplier", json!("NOASSERTION"));
}

/// The page on provenance shows what distil writes, which its own tests compare.
#[test]
fn provenance_is_what_slsa_defines() {
    let page = fs::read_to_string(place::root().join("docs/provenance.md")).unwrap();
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let mut statement = statement();
    statement["predicate"] = serde_json::from_str(example).unwrap();
    validators::statement(statement.to_string().as_bytes());
}

#[test]
fn syft_says_what_it_reads() {
    let hello = |source: &str, version: &str, purl: &str| SyftPackage {
        name: "hello".into(),
        version: "2.10-3".into(),
        kind: "deb".into(),
        purl: format!("pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12{purl}"),
        source: (source.into(), version.into()),
        licences: vec!["GPL-3.0-or-later".into()],
    };
    let found = validators::syft_convert(spdx2().to_string().as_bytes());
    assert_eq!(found, [hello("greeting", "2.10", "&upstream=greeting%402.10")]);
    assert_eq!(validators::syft_convert(cyclonedx().to_string().as_bytes()), [hello("", "", "")]);
}
