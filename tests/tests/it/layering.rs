//! Arrows between crates point down only, and ARCHITECTURE.md draws the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use distil_tests::{Program, place};

/// Each crate, its level, and the crates that it may use.
const ALLOWED: &[(&str, u8, &[&str])] = &[
    ("imgcore", 0, &[]),
    ("cache", 0, &[]),
    ("net", 0, &[]),
    ("debunpack", 1, &["imgcore"]),
    ("registry", 1, &["imgcore", "net"]),
    ("signing", 1, &["imgcore"]),
    ("settings", 1, &["imgcore"]),
    ("rootfs", 2, &["imgcore", "debunpack"]),
    ("aptrepo", 2, &["imgcore", "cache", "net", "debunpack"]),
    ("sbom", 2, &["imgcore", "debunpack"]),
    ("vulns", 3, &["imgcore", "debunpack", "sbom"]),
    ("policy", 4, &["imgcore", "settings", "signing", "sbom", "vulns"]),
    (
        "pipeline",
        5,
        &[
            "imgcore",
            "cache",
            "net",
            "debunpack",
            "registry",
            "signing",
            "settings",
            "rootfs",
            "aptrepo",
            "sbom",
            "vulns",
            "policy",
        ],
    ),
    ("cli", 6, &["pipeline"]),
];

#[test]
fn manifests_keep_to_the_allowed_arrows() {
    let manifest = place::root().join("Cargo.toml");
    let ran =
        Program::new("cargo").args(["metadata", "--no-deps", "--offline", "--format-version=1", "--manifest-path"]);
    let metadata = ran.arg(manifest).run().success().json();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(name, _, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let path = package["manifest_path"].as_str().unwrap();
        let Some((_, rest)) = path.split_once("/crates/") else { continue };
        let folder = rest.split('/').next().unwrap();
        let may_use = allowed.get(folder).unwrap_or_else(|| panic!("crates/{folder} has no row in the table"));
        seen.insert(folder.to_owned());
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            // What only tests use is not part of the drawing.
            if let (Some(used), false) = (name.strip_prefix("distil-"), dependency["kind"] == "dev") {
                assert!(may_use.contains(used), "crates/{folder} must not use {name}");
            }
        }
    }
    assert_eq!(seen, allowed.keys().map(|name| (*name).to_owned()).collect(), "crates in the table and in crates/");
}

#[test]
fn arrows_point_down() {
    let level: BTreeMap<&str, u8> = ALLOWED.iter().map(|(name, level, _)| (*name, *level)).collect();
    for (name, own, uses) in ALLOWED {
        for used in *uses {
            assert!(level[used] < *own, "{name} on level {own} uses {used} on level {}", level[used]);
        }
    }
}

#[test]
fn the_drawing_is_the_table() {
    let text = fs::read_to_string(place::root().join("ARCHITECTURE.md")).unwrap();
    let is_row =
        |line: &&str| line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let rows: BTreeSet<String> = text.lines().filter(is_row).map(without_purpose).collect();
    let row = |(name, level, uses): &(&str, u8, &[&str])| {
        let uses = if uses.is_empty() { "-".to_owned() } else { uses.join(", ") };
        format!("{level} {name} {uses}")
    };
    assert_eq!(rows, ALLOWED.iter().map(row).collect());
}

/// Of a row `| level | crate | for | may use |`, everything but what the crate is for.
fn without_purpose(row: &str) -> String {
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
    match cells.as_slice() {
        [level, name, .., uses] => format!("{level} {name} {uses}"),
        _ => row.to_owned(),
    }
}
