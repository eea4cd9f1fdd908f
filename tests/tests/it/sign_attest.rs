//! `distil attest`: both cosigns verify the statements that it puts beside an image, whether their predicates come from a file or
//! were attached by the build.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry};
use serde_json::{Value, json};

use crate::registry_image::{at, copied, image};
use crate::sign_image::{beside, bundles, distil, key, manifest, repository, run};

/// What a cosign verifies of a type: the predicates.
fn attested(folder: &Path, cosign: &str, key: &str, kind: &str, more: &[&str]) -> Vec<Value> {
    let public = format!("{key}.pub");
    let words =
        [&["verify-attestation", "--insecure-ignore-tlog=true", "--key", &public, "--type", kind], more].concat();
    let ran = run(folder, cosign, &words).success();
    let statements = ran.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()).flat_map(|line| {
        // Cosign prints a line for each envelope, or one array of them.
        match serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {ran}")) {
            Value::Array(all) => all,
            one => vec![one],
        }
    });
    let decoded = |envelope: Value| {
        let payload = envelope["payload"].as_str().unwrap_or_else(|| panic!("{envelope}")).to_owned();
        let ran = Program::new("base64").arg("-d").input(payload.into_bytes()).run().success();
        ran.json()["predicate"].clone()
    };
    statements.map(decoded).collect()
}

fn attest(folder: &Path, key: &str, words: &[&str]) -> Ran {
    distil(folder, &[&["attest", "--json", "--key", &format!("{key}.key")], words].concat())
}

#[test]
fn both_cosigns_verify_a_predicate_of_each_type() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign2");
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let digest = copied(&image().reference(), &name);
    let predicate = json!({ "scanner": { "uri": "<x>", "result": 12 }, "number": 9_007_199_254_740_993_u64 });
    fs::write(folder.join("predicate.json"), predicate.to_string()).unwrap();
    for kind in ["vuln", "openvex", "custom", "test-result", "https://example.org/answer", "spdx"] {
        let ran = attest(&folder, &key, &[&name, "--type", kind, "--predicate", "predicate.json"]).success();
        assert_eq!(ran.json()["digest"], digest.as_str(), "{ran}");
        // Cosign has no name for this one.
        let kind = if kind == "test-result" { "https://in-toto.io/attestation/test-result/v0.1" } else { kind };
        // Cosign 3 verifies no text in a bundle, not its own either.
        let readers: &[&str] = if kind == "spdx" { &["cosign2"] } else { &["cosign2", "cosign3"] };
        for cosign in readers {
            let found = attested(&folder, cosign, &key, kind, &[&name]);
            assert_eq!(found.len(), 1, "{cosign} {kind}");
            match kind {
                "spdx" => assert_eq!(found[0], predicate.to_string().as_str()),
                "custom" => assert_eq!(found[0]["Data"], predicate.to_string().as_str()),
                _ => assert_eq!(found[0], predicate, "{cosign} {kind}"),
            }
        }
    }
}

#[test]
fn the_same_again_adds_nothing_and_another_replaces_where_that_is_asked_for() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    for registry in [Registry::start(), Registry::start_with_referrers()] {
        let name = registry.repository("team/app:v1");
        let digest = copied(&image().reference(), &name);
        let kind = "https://example.org/answer";
        let say = |answer: u64, more: &[&str]| {
            fs::write(folder.join("predicate.json"), json!({ "answer": answer }).to_string()).unwrap();
            let words = [&[&name, "--type", kind, "--predicate", "predicate.json"], more].concat();
            attest(&folder, &key, &words).success().json()
        };
        let count = || {
            let layers = manifest(&beside(repository(&name), &digest, "att"))["layers"].as_array().unwrap().len();
            (layers, bundles(repository(&name), &digest).len())
        };
        let first = say(1, &[]);
        assert!(first["signed"][0]["forms"].as_array().unwrap().iter().all(|form| form["new"] == true), "{first}");
        let again = say(1, &[]);
        assert!(again["signed"][0]["forms"].as_array().unwrap().iter().all(|form| form["new"] == false), "{again}");
        assert_eq!(count(), (1, 1));
        let _second = say(2, &[]);
        assert_eq!(count(), (2, 2));
        // Referrers stay.
        let _third = say(3, &["--replace"]);
        assert_eq!(count(), (1, 3));
        let _again = say(3, &["--replace"]);
        assert_eq!(count(), (1, 3));
        assert_eq!(attested(&folder, "cosign2", &key, kind, &[&name]), [json!({ "answer": 3 })]);
        assert_eq!(attested(&folder, "cosign3", &key, kind, &[&name]).len(), 3);
    }
}

#[test]
fn what_the_build_attached_is_signed_about_each_manifest() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign2");
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let digest = copied(&image().reference(), &name);
    let child = distil_tests::layout::image(&image().layout, "test").digest;
    let of = |digest: &str| format!("{}@{digest}", repository(&name));
    let limited = attest(&folder, &key, &[&name, "--type", "cyclonedx"]).success().json();
    // Of two platforms: both documents about the index, and each about its image.
    assert_eq!(limited["signed"].as_array().unwrap().len(), 4, "{limited}");
    let all = attest(&folder, &key, &[&name]).success().json();
    assert_eq!(all["signed"].as_array().unwrap().len(), 16, "{all}");
    for cosign in ["cosign2", "cosign3"] {
        for (kind, says) in [
            ("spdxjson", "/spdxVersion"),
            ("https://spdx.dev/Document/v3", "/@graph"),
            ("cyclonedx", "/bomFormat"),
            ("slsaprovenance1", "/buildDefinition"),
        ] {
            for (digest, count) in [(&digest, 2), (&child, 1)] {
                let found = attested(&folder, cosign, &key, kind, &[&of(digest)]);
                assert_eq!(found.len(), count, "{cosign} {kind} {digest}");
                assert!(found.iter().all(|predicate| predicate.pointer(says).is_some()), "{cosign} {kind}");
            }
        }
    }
    let again = attest(&folder, &key, &[&name]).success().json();
    let forms = again["signed"].as_array().unwrap().iter().flat_map(|one| one["forms"].as_array().unwrap().clone());
    assert!(forms.into_iter().all(|form| form["new"] == false), "{again}");
}

#[test]
fn a_statement_about_something_else_is_left_and_said() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign2");
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let digest = copied(&image().reference(), &name);
    let plain = format!("{}@{digest}", repository(&name));
    let mut attached = Vec::new();
    for (file, kind, hex) in [
        ("foreign.json", "https://example.org/answer", "0a".repeat(32)),
        // Signed as an attestation, this would be the signature of the image.
        ("signature.json", "https://sigstore.dev/cosign/sign/v1", digest.replace("sha256:", "")),
        ("good.json", "https://example.org/answer", digest.replace("sha256:", "")),
    ] {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": [{ "name": "_", "digest": { "sha256": hex } }],
            "predicateType": kind, "predicate": { "answer": 42 },
        });
        fs::write(folder.join(file), statement.to_string()).unwrap();
        let file = format!("{file}:application/vnd.in-toto+json");
        let words = [
            "attach",
            "--plain-http",
            "--format",
            "json",
            "--artifact-type",
            "application/vnd.in-toto+json",
            &plain,
            &file,
        ];
        let ran = Program::new("oras").args(words).current_dir(&folder).env("HOME", &folder).run().success();
        attached.push(ran.json()["digest"].as_str().unwrap().to_owned());
    }
    let ran = attest(&folder, &key, &[&name, "--type", "https://example.org/answer"]).success();
    assert_eq!(ran.json()["foreign"], json!([attached[0]]), "{ran}");
    assert!(ran.errors().contains(&attached[0]), "{ran}");
    assert_eq!(ran.json()["signed"].as_array().unwrap().len(), 1, "{ran}");
    let all = attest(&folder, &key, &[&name]).success().json();
    let types: Vec<&Value> = all["signed"].as_array().unwrap().iter().map(|one| &one["predicate-type"]).collect();
    assert!(!types.iter().any(|kind| kind.as_str().unwrap().contains("cosign/sign")), "{all}");
    let sign = "https://sigstore.dev/cosign/sign/v1";
    let refused = attest(&folder, &key, &[&name, "--type", sign, "--predicate", "good.json"]).exits(2);
    assert!(refused.errors().contains("distil sign"), "{refused}");
}

#[test]
fn layouts_and_archives_keep_statements_too() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    let name = ["--reference", "registry.example.org/team/app"];
    fs::write(folder.join("predicate.json"), r#"{"answer":42}"#).unwrap();
    let copy =
        ["copy", "--platform", "linux/amd64", &image().reference(), "oci:layout:v1", "--to", "oci-archive:a.tar:v1"];
    let _copied = at(&folder, &copy).success();
    for place in ["oci:layout:v1", "oci-archive:a.tar:v1"] {
        let refused = attest(&folder, &key, &[place, "--type", "custom", "--predicate", "predicate.json"]).exits(2);
        assert!(refused.errors().contains("--reference"), "{refused}");
        let kind = ["--type", "https://example.org/answer", "--predicate", "predicate.json"];
        let _attested = attest(&folder, &key, &[&[place], &kind[..], &name].concat()).success();
        let _attested = attest(&folder, &key, &[&[place], &name[..]].concat()).success();
        let _valid = at(&folder, &["validate", place]).success();
    }
    fs::create_dir(folder.join("unpacked")).unwrap();
    let _unpacked =
        Program::new("tar").args(["-x", "-f", "a.tar", "-C", "unpacked"]).current_dir(&folder).run().success();
    for dir in ["layout", "unpacked"] {
        for cosign in ["cosign2", "cosign3"] {
            for kind in ["https://example.org/answer", "spdxjson", "cyclonedx", "slsaprovenance1"] {
                assert_eq!(
                    attested(&folder, cosign, &key, kind, &["--local-image", dir]).len(),
                    1,
                    "{dir} {cosign} {kind}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_predicate_or_not_there_is_refused() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    fs::write(folder.join("list.json"), "[1]").unwrap();
    let (image, name) = (image().reference(), ["--reference", "registry.example.org/team/app"]);
    let _copied = at(&folder, &["copy", &image, "oci:layout:v1"]).success();
    let check = |words: &[&str], status: i32, said: &str| {
        let ran = attest(&folder, &key, &[&["oci:layout:v1"], &name[..], words].concat()).exits(status);
        assert!(ran.errors().contains(said), "{ran}");
    };
    check(&["--type", "vuln", "--predicate", "list.json"], 2, "list.json");
    check(&["--type", "vuln", "--predicate", "none.json"], 4, "none.json");
    check(&["--type", "no type", "--predicate", "list.json"], 2, "no type");
    check(&["--predicate", "list.json"], 2, "--type");
    check(&["--type", "openvex"], 3, "https://openvex.dev/ns");
}
