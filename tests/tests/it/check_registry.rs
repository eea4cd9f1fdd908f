//! `distil check`: what registries say of a base's tag, and a record of the image's own.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Registry, place};
use serde_json::Value;

use crate::registry_image::{at, copied, image, program, recipe};

const POLICY: &str = "version = 1\n[hardening]\nprofile = 'none'\n";

/// Another image than the usual one.
fn other(folder: &Path) -> String {
    let folder = folder.join("other");
    fs::create_dir(&folder).unwrap();
    recipe(&folder, "[image]\nlabels = { other = 'yes' }\n");
    let _built = at(&folder, &["build", "-o", "oci:other:test"]).success();
    format!("oci:{}:test", folder.join("other").display())
}

/// An image that says of itself that it was built on this.
fn built_on(folder: &Path, name: &str, digest: &str) {
    let key = "org.opencontainers.image.base";
    recipe(folder, &format!("[image]\nannotations = {{ '{key}.name' = '{name}', '{key}.digest' = '{digest}' }}\n"));
    let _built = at(folder, &["build", "-o", "oci:layout:test"]).success();
}

/// Weight and evidence of what a rule found.
fn told(ran: &Ran, rule: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let document = ran.json();
    let found = document["violations"].as_array().unwrap().iter().filter(|found| found["rule"] == rule);
    found.map(|found| (text(&found["weight"]), text(&found["evidence"]))).collect()
}

#[test]
fn a_base_whose_tag_means_another_image_is_out_of_date() {
    let (_guard, folder) = folder();
    let registry = Registry::start();
    let base = registry.repository("bases/debian:13");
    let first = copied(&image().reference(), &base);
    built_on(&folder, &base, &first);
    let strict = format!("{POLICY}[freshness]\nbase-image = 'error'\n");
    let (usual, off) = (POLICY.to_owned(), format!("{POLICY}[freshness]\nbase-image = 'off'\n"));
    for (name, text) in [("usual", &usual), ("strict", &strict), ("off", &off)] {
        fs::write(folder.join(name), text).unwrap();
    }
    let check = |policy: &str, more: &[&str]| {
        at(&folder, &[&["check", "oci:layout:test", "--json", "--policy", policy], more].concat())
    };
    assert_eq!(told(&check("strict", &[]), "DSTL-UPD-001"), []);

    let second = copied(&other(&folder), &base);
    assert_ne!(first, second);
    let old = check("strict", &["--save-facts", "facts.json"]).exits(1);
    let [(weight, evidence)] = &told(&old, "DSTL-UPD-001")[..] else { panic!("{old}") };
    assert!(weight == "error" && evidence.contains(&first) && evidence.contains(&second), "{old}");
    assert_eq!(told(&check("usual", &[]), "DSTL-UPD-001")[0].0, "warning");
    assert_eq!(told(&check("off", &[]), "DSTL-UPD-001"), []);
    // What somebody may not build upon is not asked for, be it there or not.
    fs::write(folder.join("listed"), format!("{strict}[admission]\nbase-images = ['registry.example.org']\n")).unwrap();
    assert_eq!(told(&check("listed", &[]), "DSTL-UPD-001")[0].0, "note");

    // Without a network nobody knows; that is an obstacle only where the policy refuses old bases.
    let unknown = |policy: &str| {
        let ran = check(policy, &["--offline"]).exits(3);
        let [(weight, evidence)] = &told(&ran, "DSTL-UPD-001")[..] else { panic!("{ran}") };
        assert!(weight == "note" && evidence.contains("no network"), "{ran}");
        ran.json()["undecided"].to_string().contains("tag of the base")
    };
    assert_eq!((unknown("usual"), unknown("strict")), (false, true));
    // The facts have the answer, and the registry is not asked again.
    drop(registry);
    let again = at(&folder, &["check", "--facts", "facts.json", "--policy", "strict", "--json", "--offline"]).exits(1);
    assert_eq!(again.json(), old.json());
}

#[test]
fn a_tag_that_must_not_move_is_compared_with_the_record() {
    let (_guard, folder) = folder();
    let registry = Registry::start();
    let name = registry.repository("team/app:1.4");
    let made = |prefix: &str| program(&folder, &["key", "generate", "--output-key-prefix", prefix]);
    for prefix in ["internal", "release"] {
        let _made = made(prefix).env("COSIGN_PASSWORD", "").run().success();
    }
    recipe(&folder, "");
    let _built = at(&folder, &["build", "-o", "oci:layout:test"]).success();
    let with_key = |words: &[&str]| program(&folder, words).env("COSIGN_PASSWORD", "").run().success();
    let _signed =
        with_key(&["sign", "oci:layout:test", "--key", "internal.key", "--reference", "registry.example.com/app"]);
    let keys = ["--verify-key", "internal.pub", "--key", "release.key", "--log", "log"];
    let _promoted = with_key(&[&["promote", "oci:layout:test", &name], &keys[..]].concat());

    fs::write(folder.join("policy"), format!("{POLICY}[registry.immutable]\ntags = ['[0-9]*']\nexcept = ['*-rc*']\n"))
        .unwrap();
    let moved = |reference: &str, more: &[&str]| {
        let ran = at(&folder, &[&["check", reference, "--json", "--policy", "policy"], more].concat());
        told(&ran, "DSTL-REG-001")
    };
    let record = ["--record", "log"];
    assert_eq!(moved(&name, &record), []);
    let second = copied(&other(&folder), &name);
    let found = moved(&name, &record);
    let first = fs::read_to_string(folder.join("log")).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    let first = first["digest"].as_str().unwrap();
    assert!(found.len() == 1 && found[0].1.contains(first) && found[0].1.contains(&second), "{found:?}");
    // One platform has a digest of its own, and the tag is that of all.
    assert_eq!(moved(&name, &["--record", "log", "--platform", "linux/amd64"]), found);
    assert_eq!(moved(&name, &[]), []);
    let bare = name.strip_suffix(":1.4").unwrap();
    assert_eq!(moved(&format!("{bare}@{second}"), &record), []);
    let _again = copied(&other_tag(&folder), &format!("{bare}:1.4-rc1"));
    assert_eq!(moved(&format!("{bare}:1.4-rc1"), &record), []);
    let missing = at(&folder, &["check", &name, "--policy", "policy", "--record", "nosuch"]);
    assert!(missing.code() == 4 && missing.errors().contains("nosuch"), "{missing}");
}

fn other_tag(folder: &Path) -> String {
    format!("oci:{}:test", folder.join("layout").display())
}

#[test]
fn a_table_is_as_wide_as_the_terminal_and_unbroken_elsewhere() {
    let (_guard, folder) = folder();
    recipe(&folder, "[image]\nuser = 'root'\n");
    let _built = at(&folder, &["build", "-o", "oci:layout:test"]).success();
    fs::write(folder.join("policy"), "version = 1\n").unwrap();
    let words = ["check", "oci:layout:test", "--policy", "policy", "--color", "never"];
    let plain = at(&folder, &words);
    assert!(plain.text().lines().any(|line| line.chars().count() > 60), "{plain}");
    let command = format!("stty cols 60; exec '{}' {} 2>/dev/null", place::distil().display(), words.join(" "));
    let shell = distil_tests::Terminal::start(Path::new("/bin/sh"), &["-c", &command], &folder);
    let (_, shown, _) = shell.end();
    // A terminal is read byte by byte.
    let shown = shown.replace("\u{e2}\u{80}\u{a6}", "…");
    assert!(shown.contains("DSTL-") && shown.lines().all(|line| line.trim_end().chars().count() <= 60), "{shown}");
}
