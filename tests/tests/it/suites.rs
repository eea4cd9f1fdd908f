//! `distil db import --suites`: which repairs are to be had, which packages have newer versions, and which have less support.

use std::fs;
use std::path::Path;

use distil_tests::apt::{DAY, TIME};
use distil_tests::program::Ran;
use distil_tests::{Deb, Repository};
use serde_json::Value;

use crate::example::reference;
use crate::project::Project;

/// Advisories about lib: one repaired in 1.1, another one in 1.2.
const LIST: &str = "[01 Nov 2026] DSA-9001-1 lib - security update\n\t{CVE-2026-1001}\n\t[bookworm] - lib 1.1\n\
                    [02 Nov 2026] DSA-9002-1 lib - security update\n\t{CVE-2026-1002}\n\t[bookworm] - lib 1.2\n";

/// The list is as old as it likes, and images are judged by what they lack alone.
const POLICY: &str = "version = 1\n[data]\nmax-data-age = '9999d'\n[severity]\nunknown = 'high'\n\
                      [vulnerabilities]\nat-creation = { fail-on = 'none' }\n\
                      [freshness]\nsupport-tier = 'elts'\n[hardening]\nprofile = 'none'\n";

const OS_RELEASE: &str = "PRETTY_NAME=\"A system\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

fn lib(version: &str) -> Deb {
    Deb::new("lib").with("Version", version)
}

fn security(version: &str, date: i64) -> Repository {
    Repository::new("bookworm-security").with(lib(version)).dated(date)
}

/// An image of app and lib 1.0, in a suite for security updates that has lib 1.0 too.
fn project() -> Project {
    let app = Deb::new("app").field("Depends: lib");
    let base = Deb::new("base-files").file("/usr/lib/os-release", OS_RELEASE);
    let project = Project::new(&Repository::new("bookworm").with(app).with(lib("1.0")).with(base));
    project.publish(&security("1.0", TIME));
    let mirror = format!("file://{}", project.repository().display());
    let suites = "suites = [\"bookworm\", \"bookworm-security\"]\ncomponents = [\"main\"]";
    project.write_recipe(&["app"], &format!("uris = [{mirror:?}]\n{suites}"));
    let _built = project.build(&[]).success();
    write(&project, "DSA.list", LIST);
    write(&project, "policy.toml", POLICY);
    project
}

fn write(project: &Project, name: &str, text: &str) {
    fs::write(project.folder.join(name), text).unwrap();
}

fn import(project: &Project, words: &[&str]) -> Ran {
    project.distil(&[&["db", "import", "--database", "advisories.redb"], words].concat())
}

fn scan(project: &Project) -> Value {
    let image = reference(&project.layout(), "test");
    let words = ["scan", &image, "--database", "advisories.redb", "--max-data-age", "9999w", "--json"];
    project.distil(&words).success().json()
}

/// Whether the repair of each vulnerability is to be had.
fn states(project: &Project) -> [String; 2] {
    let document = scan(project);
    ["CVE-2026-1001", "CVE-2026-1002"].map(|id| {
        let found = document["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id);
        found.unwrap_or_else(|| panic!("no {id} in {document}"))["fix-state"].as_str().unwrap().to_owned()
    })
}

fn check(project: &Project, words: &[&str]) -> Ran {
    let image = reference(&project.layout(), "test");
    let all = ["check", &image, "--database", "advisories.redb", "--policy", "policy.toml", "--json"];
    project.distil(&[&all, words].concat())
}

/// What a verdict says by a rule, each with its subject.
fn told(verdict: &Value, rule: &str) -> Vec<(String, String)> {
    let found = verdict["violations"].as_array().unwrap().iter().filter(|found| found["rule"] == rule);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found.map(|found| (text(&found["subject"]), text(&found["evidence"]))).collect()
}

#[test]
fn a_repair_is_to_be_had_where_the_suites_have_it() {
    let project = project();
    let _lists = import(&project, &["DSA.list"]).success();
    assert_eq!(states(&project), ["unchecked", "unchecked"], "nobody asked");
    project.publish(&security("1.1", TIME + DAY));
    let status = import(&project, &["--suites", "distil.toml", "--json"]).success().json();
    let sources = status["sources"].as_array().unwrap();
    let suites: Vec<_> = sources.iter().filter(|source| source["kind"] == "suite").collect();
    let names: Vec<_> = suites.iter().map(|suite| (suite["name"].as_str(), suite["records"].as_u64())).collect();
    assert_eq!(names, [(Some("bookworm"), Some(3)), (Some("bookworm-security"), Some(1))]);
    assert_eq!(suites[1]["date"], "2026-01-02T00:00:00Z");
    assert!(suites.iter().all(|suite| suite["fetched"].is_string()), "{status}");
    assert!(sources.iter().any(|source| source["kind"] == "dsa"), "what was there stays: {status}");
    let signed = fs::read(project.repository().join("dists/bookworm-security/InRelease")).unwrap();
    assert_eq!(suites[1]["sha256"], distil_tests::apt::sha256(&signed));

    // From now on nothing is asked but the database.
    fs::rename(project.repository(), project.folder.join("away")).unwrap();
    assert_eq!(states(&project), ["in-suite", "announced"]);
    let text = ["scan", &reference(&project.layout(), "test"), "--database", "advisories.redb"];
    let table = project.distil(&text).exits(3).text();
    assert!(table.contains("1.2 (not in its suites)") && !table.contains("1.1 (not"), "{table}");
    // Suites that cannot be asked are an error, and what was known of them stays; so it does where a feed alone is read.
    let _away = import(&project, &["--suites", "distil.toml"]).exits(4);
    let _lists = import(&project, &["DSA.list"]).success();
    assert_eq!(states(&project), ["in-suite", "announced"]);
}

#[test]
fn a_security_update_is_wanted_and_a_clock_starts_when_a_repair_comes() {
    let project = project();
    project.publish(&security("1.1", TIME + DAY));
    let _imported = import(&project, &["DSA.list", "--suites", "distil.toml"]).success();
    let words = |day| ["--ledger", "ledger.jsonl", "--now", day, "--save-facts", "facts.json"];
    let verdict = check(&project, &words("2026-11-24")).exits(1).json();
    let pending = "1.0 is there, and 1.1 to be had in bookworm-security, a security update; it repairs CVE-2026-1001";
    assert_eq!(told(&verdict, "DSTL-UPD-002"), [("lib".to_owned(), pending.to_owned())]);
    let clocks =
        |verdict: &Value| told(verdict, "DSTL-VUL-004").into_iter().map(|(_, words)| words).collect::<Vec<_>>();
    let held = "of unknown severity, taken as high; no version repairs it yet, and its days begin when one does";
    let late = |day| format!("of unknown severity, taken as high, first seen on 2026-11-24, in order until {day}");
    assert_eq!(clocks(&verdict), [late("2026-12-24"), held.to_owned()]);
    // The facts alone say the same.
    let replay = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
    assert_eq!(project.distil(&replay).exits(1).json(), verdict);

    project.publish(&security("1.2", TIME + 2 * DAY));
    let _imported = import(&project, &["--suites", "distil.toml"]).success();
    let verdict = check(&project, &words("2026-12-01")).exits(1).json();
    assert_eq!(clocks(&verdict), [late("2026-12-24"), late("2026-12-31")]);

    // What is no security update is a warning, and what the policy leaves out is nothing.
    write(&project, "DSA.list", "[01 Nov 2026] DSA-9003-1 other - update\n\t[bookworm] - other 1\n");
    project.publish(&Repository::new("bookworm-security").dated(TIME + 3 * DAY));
    let newer = Repository::new("bookworm").with(lib("1.5")).dated(TIME + 3 * DAY);
    project.publish(&newer);
    let _imported = import(&project, &["DSA.list", "--suites", "distil.toml"]).success();
    let verdict = check(&project, &[]).success().json();
    let newer = "1.0 is there, and 1.5 to be had in bookworm";
    assert_eq!(told(&verdict, "DSTL-UPD-002"), [("lib".to_owned(), newer.to_owned())]);
    write(&project, "policy.toml", &POLICY.replace("[freshness]", "[freshness]\npackages = 'off'"));
    assert_eq!(told(&check(&project, &[]).success().json(), "DSTL-UPD-002"), []);
}

#[test]
fn suites_whose_word_is_over_decide_nothing() {
    let project = project();
    // No clock of a machine that runs this is later.
    let end = TIME + 20_000 * DAY;
    let security = Repository { valid_until: Some(end), ..security("1.1", TIME + DAY) };
    project.publish(&security);
    let _imported = import(&project, &["DSA.list", "--suites", "distil.toml"]).success();
    write(&project, "policy.toml", &POLICY.replace("9999d", "9999w"));
    let _told = check(&project, &["--now", "2026-11-24"]).exits(1);
    let verdict = check(&project, &["--now", "2081-01-01", "--save-facts", "facts.json"]).exits(1).json();
    let undecided = verdict["undecided"].as_array().unwrap();
    let is_suite = |line: &Value| line.as_str().unwrap().starts_with("bookworm-security: the suite was to be believed");
    assert!(undecided.iter().any(is_suite), "{verdict}");
    // A repair that it does not have counts as one that is to be had: it may have come since.
    assert!(!verdict.to_string().contains("no version repairs it yet"), "{verdict}");
}

#[test]
fn packages_with_less_support_are_told() {
    let project = project();
    let _lists = import(&project, &["DSA.list"]).success();
    let head = "# List of packages whose security support ends before the distribution EOL\n\n";
    let ended = format!("{head}li.*   0    2026-01-31   abandoned upstream\nother 1 2026-01-31\n");
    write(&project, "security-support-ended.deb12", &ended);
    write(&project, "security-support-ended.deb11", &ended.replace("li.*", "app"));
    write(&project, "renamed", &ended);
    let limited = "# List of packages where security support is limited\n\napp   Only for trusted content\n";
    write(&project, "security-support-limited", limited);
    let refused = import(&project, &["renamed"]).exits(2);
    assert!(refused.errors().contains(".deb12"), "{refused}");
    let lists = ["security-support-ended.deb12", "security-support-ended.deb11", "security-support-limited"];
    let _imported = import(&project, &lists).success();
    assert!(Path::new(&project.folder).join("advisories.redb").is_file());
    let verdict = check(&project, &["--save-facts", "facts.json"]).success().json();
    let expected = [
        ("lib", "its support ended on 2026-01-31: abandoned upstream"),
        ("app", "its support is limited: Only for trusted content"),
    ];
    let expected = expected.map(|(source, words)| (source.to_owned(), words.to_owned()));
    assert_eq!(told(&verdict, "DSTL-EOS-003"), expected);
    let replay = ["check", "--facts", "facts.json", "--policy", "policy.toml", "--json"];
    assert_eq!(project.distil(&replay).success().json(), verdict);
    write(&project, "policy.toml", &POLICY.replace("[freshness]", "[freshness]\nlimited-support = 'error'"));
    let _fails = check(&project, &[]).exits(1);
}
