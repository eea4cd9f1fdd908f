//! `distil db`: what is imported is told, and what is damaged, foreign or killed leaves the database as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, place};
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    place::root().join("crates/vulns/tests/data").join(name)
}

fn program(program: Program, home: &Path, words: &[&str], files: &[PathBuf]) -> Program {
    let program = program.arg("db").args(words).args(files).current_dir(home);
    program.env("HOME", home).env("XDG_STATE_HOME", home.join("state"))
}

fn distil(home: &Path, words: &[&str], files: &[PathBuf]) -> Ran {
    program(Program::distil(), home, words, files).run()
}

fn status(home: &Path) -> Value {
    let document = distil(home, &["status", "--json"], &[]).success().json();
    let schema = Program::distil().args(["schema", "db"]).run().success().json();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&document), "{document}");
    document
}

fn all() -> Vec<PathBuf> {
    ["lists/DSA.list", "lists/DLA.list", "tracker/vunnel-input.json", "osv/records", "kev", "nvd"].map(data).into()
}

#[test]
fn what_is_imported_is_told() {
    let (_guard, home) = folder();
    let missing = distil(&home, &["status"], &[]).exits(3);
    assert!(missing.errors().contains("distil db import"), "{missing}");

    let imported = distil(&home, &["import", "--json"], &all()).success().json();
    assert_eq!(imported, status(&home));
    assert!(home.join("state/distil/advisories.redb").is_file());
    assert_eq!(imported["schema"], "distil.db/v1");
    let sources = imported["sources"].as_array().unwrap();
    let told: Vec<_> =
        sources.iter().map(|source| (source["kind"].as_str().unwrap(), source["records"].as_u64().unwrap())).collect();
    assert_eq!(told.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["dla", "dsa", "kev", "nvd", "osv", "tracker"]);
    assert!(told.contains(&("dsa", 5406)) && told.contains(&("dla", 3534)) && told.contains(&("kev", 163)));
    let dsa = sources.iter().find(|source| source["kind"] == "dsa").unwrap();
    assert_eq!((dsa["name"].as_str(), dsa["date"].as_str()), (Some("DSA.list"), Some("2023-03-29T00:00:00Z")));
    let sum = Program::new("sha256sum").arg(data("lists/DSA.list")).run().success().text();
    assert!(sum.starts_with(dsa["sha256"].as_str().unwrap()));
    let releases = imported["releases"].as_array().unwrap();
    let bullseye = releases.iter().find(|release| release["codename"] == "bullseye").unwrap();
    assert_eq!((bullseye["version"].as_str(), bullseye["lts"].as_str()), (Some("11"), Some("2026-08-31")));

    let text = distil(&home, &["status"], &[]).success().text();
    assert!(text.contains("5406 records") && text.contains("bookworm"), "{text}");
    // A newer file of one kind: the others stay.
    let newer = home.join("any-name");
    fs::write(&newer, "[01 Jan 2024] DSA-9999-1 a - b\n\t[bullseye] - a 9\n").unwrap();
    let after = distil(&home, &["import", "--json"], &[newer]).success().json();
    let records = |document: &Value, kind: &str| {
        document["sources"].as_array().unwrap().iter().find(|source| source["kind"] == kind).unwrap()["records"].clone()
    };
    assert_eq!((records(&after, "dsa"), records(&after, "dla")), (1.into(), 3534.into()));
}

#[test]
fn what_is_damaged_leaves_the_database() {
    let (_guard, home) = folder();
    let _first = distil(&home, &["import"], &all()).success();
    let database = home.join("state/distil/advisories.redb");
    let before = fs::read(&database).unwrap();
    let cut = home.join("cut.json");
    let tracker = fs::read(data("tracker/vunnel-input.json")).unwrap();
    fs::write(&cut, &tracker[..tracker.len() - 100]).unwrap();
    let ran = distil(&home, &["import"], &[data("lists/DLA.list"), cut]).exits(4);
    assert!(ran.errors().contains("cut.json") && ran.errors().contains("line "), "{ran}");
    let odd = home.join("odd\u{1b}[31m");
    fs::write(&odd, "no feed").unwrap();
    let ran = distil(&home, &["import"], &[odd]).exits(2);
    assert!(!ran.errors().contains('\u{1b}'), "{ran}");
    let _missing = distil(&home, &["import"], &[home.join("nowhere")]).exits(2);
    let hostile = home.join("hostile.list");
    fs::write(&hostile, format!("[01 Jan 2024] DSA-1-1 a - b\n\t{{{}}}\n", "CVE-1 ".repeat(1 << 20))).unwrap();
    let _refused = distil(&home, &["import"], &[hostile]).exits(4);
    assert!(fs::read(&database).unwrap() == before);
}

#[test]
fn what_is_no_database_is_said_and_left() {
    let (_guard, home) = folder();
    let notes = home.join("notes");
    fs::write(&notes, "precious").unwrap();
    let _status = distil(&home, &["status", "--database", "notes"], &[]).exits(3);
    let _import = distil(&home, &["import", "--database", "notes"], &[data("osv/records")]).exits(3);
    assert_eq!(fs::read_to_string(&notes).unwrap(), "precious");
    let _directory = distil(&home, &["status", "--database", "."], &[]).exits(4);
}

/// How often an import is killed, each time later.
const ROUNDS: u32 = 8;

#[test]
fn an_import_that_is_killed_leaves_the_database() {
    let (_guard, home) = folder();
    let _first = distil(&home, &["import"], &[data("osv/records")]).success();
    let before = status(&home);
    let files = [data("lists/DSA.list"), data("lists/DLA.list")];
    let other = ["import", "--database", "other.redb"];
    let start = Instant::now();
    let _once = distil(&home, &other, &files).success();
    let whole = start.elapsed().as_secs_f64();
    let mut kills = 0;
    for step in 0..ROUNDS {
        let seconds = (whole * f64::from(step) / f64::from(ROUNDS)).max(0.001);
        let ran = program(Program::distil_within(seconds), &home, &["import"], &files).run();
        if ran.code() != 137 {
            break;
        }
        kills += 1;
        assert_eq!(status(&home), before);
    }
    assert!(kills > 0);
    println!("{kills} imports were killed");
    let _finished = distil(&home, &["import"], &files).success();
    let names: Vec<_> =
        fs::read_dir(home.join("state/distil")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}: the database and its lock");
    assert_eq!(status(&home)["sources"].as_array().unwrap().len(), 3);
}
