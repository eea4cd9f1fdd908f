//! `distil scan`: packages of an image against advisories of Debian, with reports of scanners and VEX.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program, place};
use serde_json::{Value, json};

use crate::example::reference;

/// The vulnerabilities that DSA-5343-1 repairs in openssl 1.1.1n-0+deb11u4.
pub(crate) const REPAIRED: [&str; 5] =
    ["CVE-2022-2097", "CVE-2022-4304", "CVE-2022-4450", "CVE-2023-0215", "CVE-2023-0286"];
/// The lists of advisories end in 2023.
const ANY_AGE: &str = "--max-data-age=9999w";

pub(crate) struct Scene {
    pub(crate) home: PathBuf,
    pub(crate) image: String,
    _guard: tempfile::TempDir,
}

fn deb(name: &str, source: &str, version: &str) -> Deb {
    Deb::new(name).with("Version", version).field(&format!("Source: {source}"))
}

impl Scene {
    /// An image of this release of Debian with these packages, and a database of the lists of advisories.
    pub(crate) fn new(release: &str, debs: &[Deb]) -> Self {
        let (guard, home) = folder();
        let text = format!("PRETTY_NAME=\"A system\"\n{release}");
        let base = Deb::new("base-files").file("/usr/lib/os-release", &text);
        let files = debs.iter().chain([&base]).flat_map(|deb| ["--deb".into(), deb.write(&home)]);
        let files: Vec<PathBuf> = files.collect();
        let image = reference(&home.join("layout"), "test");
        let scene = Self { home, image, _guard: guard };
        let _ = scene.run(&["build", "-o", &scene.image], &files).success();
        scene
    }

    pub(crate) fn with_lists(self) -> Self {
        let lists = ["DSA.list", "DLA.list"];
        let lists = lists.map(|name| place::root().join("crates/vulns/tests/data/lists").join(name));
        let _ = self.run(&["db", "import"], &lists).success();
        self
    }

    pub(crate) fn run(&self, words: &[&str], files: &[PathBuf]) -> Ran {
        let program = Program::distil().args(words).args(files).current_dir(&self.home);
        let program = program.env("HOME", &self.home).env("XDG_STATE_HOME", self.home.join("state"));
        program.env("XDG_CACHE_HOME", self.home.join("cache")).env("COSIGN_PASSWORD", "").run()
    }

    fn scan(&self, words: &[&str]) -> Ran {
        self.run(&[&["scan", &self.image], words].concat(), &[])
    }

    fn write(&self, name: &str, value: &Value) {
        fs::write(self.home.join(name), value.to_string()).unwrap();
    }
}

pub(crate) fn openssl(version: &str) -> [Deb; 2] {
    [deb("libssl1.1", "openssl", version), deb("openssl", "openssl", version)]
}

pub(crate) const BULLSEYE: &str = "ID=debian\nVERSION_ID=\"11\"\nVERSION_CODENAME=bullseye\n";

fn ids(document: &Value) -> BTreeSet<String> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn advisories_tell_what_an_older_version_lacks() {
    let docker = Deb::new("docker-ce").with("Maintainer", "Docker <support@docker.com>");
    let [one, two] = openssl("1.1.1n-0+deb11u3");
    let scene = Scene::new(BULLSEYE, &[one, two, docker]).with_lists();
    let ran = scene.scan(&["--json", ANY_AGE]).success();
    let document = ran.json();
    let schema = Program::distil().args(["schema", "scan"]).run().success().json();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    assert_eq!(schema.iter_errors(&document).map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(ids(&document), REPAIRED.map(str::to_owned).into());
    assert_eq!(
        (document["release"].as_str(), document["undecided"].as_array().map(Vec::len)),
        (Some("bullseye"), Some(0))
    );
    let found = &document["findings"][0];
    assert_eq!(found["fixed"], "1.1.1n-0+deb11u4");
    assert_eq!(found["packages"], json!({ "libssl1.1": "1.1.1n-0+deb11u3", "openssl": "1.1.1n-0+deb11u3" }));
    assert_eq!(found["aliases"], json!(["DSA-5343-1"]));
    assert_eq!(document["platforms"][0]["without-advisories"], json!({ "docker-ce": "1.0" }));
    assert!(ran.errors().contains("docker-ce"), "{ran}");

    let text = scene.scan(&[ANY_AGE]).success().text();
    assert!(text.starts_with("PACKAGE") && text.contains("libssl1.1 +1") && text.contains("5 known"), "{text}");
    // Old data decides nothing, and says so beside what it knows.
    let stale = scene.scan(&[]).exits(3);
    assert!(stale.text().contains("there may be more") && stale.errors().contains("hours ago"), "{stale}");
    let sarif: Value = serde_json::from_str(&scene.scan(&["--format", "sarif", ANY_AGE]).success().text()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(5));

    let repaired = Scene::new(BULLSEYE, &openssl("1.1.1n-0+deb11u4")).with_lists();
    let document = repaired.scan(&["--json", ANY_AGE]).success().json();
    assert_eq!(ids(&document), BTreeSet::new());
    let all = repaired.scan(&["--json", "--all", ANY_AGE]).success().json();
    assert!(ids(&all).is_superset(&REPAIRED.map(str::to_owned).into()));
    let said: Value = serde_json::from_str(&repaired.scan(&["--format", "openvex", ANY_AGE]).success().text()).unwrap();
    assert!(said["statements"].as_array().unwrap().len() >= 5, "{said}");
}

#[test]
fn what_cannot_be_looked_up_is_undecided() {
    let missing = Scene::new(BULLSEYE, &openssl("1.1.1n-0+deb11u3"));
    let ran = missing.scan(&[]).exits(3);
    assert!(ran.errors().contains("distil db import"), "{ran}");
    for release in [
        "ID=ubuntu\nVERSION_ID=\"22.04\"\n",
        "ID=debian\nVERSION_ID=\"99\"\n",
        "ID=debian\nVERSION_ID=\"13\"\n",
        "NAME=x\n",
    ] {
        let scene = Scene::new(release, &openssl("1.1.1n-0+deb11u3")).with_lists();
        let ran = scene.scan(&["--json", ANY_AGE]).exits(3);
        assert_eq!(ran.json()["undecided"].as_array().map(Vec::len), Some(1), "{ran}");
    }
    let _ = missing.scan(&["--report", "none.json"]).exits(2);
    fs::write(missing.home.join("what.json"), "{\"a\":[}").unwrap();
    let ran = missing.scan(&["--report", "what.json"]).exits(4);
    assert!(ran.errors().contains("what.json") && ran.errors().contains("line 1"), "{ran}");
    let _ = missing.scan(&["--max-data-age", "yesterday"]).exits(2);
}

#[test]
fn reports_and_vex_are_taken_into_account() {
    let scene = Scene::new(BULLSEYE, &openssl("1.1.1n-0+deb11u3")).with_lists();
    let vulnerability = |id: &str| {
        json!({ "VulnerabilityID": id, "PkgName": "libssl1.1", "InstalledVersion": "1.1.1n-0+deb11u3",
            "Title": "a\u{1b}[31m <title>", "Severity": "HIGH", "SeveritySource": "nvd" })
    };
    let found = [vulnerability("CVE-2023-0286"), vulnerability("CVE-2024-9999")];
    let system = json!({ "OS": { "Family": "debian", "Name": "11.6" } });
    let results = json!([{ "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found }]);
    scene.write("trivy.json", &json!({ "SchemaVersion": 2, "Metadata": system, "Results": results }));
    let document = scene.scan(&["--json", ANY_AGE, "--report", "trivy.json"]).success().json();
    let expected: BTreeSet<String> = REPAIRED.into_iter().chain(["CVE-2024-9999"]).map(str::to_owned).collect();
    assert_eq!(ids(&document), expected);
    let of = |id: &str| document["findings"].as_array().unwrap().iter().find(|f| f["id"] == id).unwrap().clone();
    let kinds = |id: &str| -> Vec<String> {
        of(id)["origins"].as_array().unwrap().iter().map(|o| o["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (kinds("CVE-2023-0286"), kinds("CVE-2024-9999")),
        (vec!["dsa".to_owned(), "trivy".to_owned()], vec!["trivy".to_owned()])
    );
    assert_eq!(of("CVE-2024-9999")["source"], "openssl");
    assert_eq!(of("CVE-2023-0286")["severity"], json!({ "level": "high", "score": null, "from": "nvd-cvss" }));
    let text = scene.scan(&[ANY_AGE, "--report", "trivy.json"]).success();
    assert!(!text.text().contains('\u{1b}') && text.text().contains("6 known"), "{text}");

    // A report alone needs no advisories.
    let alone = Scene::new(BULLSEYE, &openssl("1.1.1n-0+deb11u3"));
    fs::copy(scene.home.join("trivy.json"), alone.home.join("trivy.json")).unwrap();
    assert_eq!(ids(&alone.scan(&["--json", "--report", "trivy.json"]).success().json()).len(), 2);

    let product = json!([{ "@id": "pkg:deb/debian/openssl" }, { "@id": "pkg:deb/debian/libssl1.1" }]);
    let statement = json!([{ "vulnerability": { "name": "CVE-2023-0286" }, "products": product, "status": "not_affected",
        "justification": "vulnerable_code_not_present" }]);
    scene.write(
        "vex.json",
        &json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
        "author": "A", "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": statement }),
    );
    let text = scene.scan(&[ANY_AGE, "--vex", "vex.json"]).success().text();
    assert!(text.contains("4 known") && text.contains("1 more") && text.contains("(VEX)"), "{text}");
}

#[test]
fn a_second_scan_reads_no_layer() {
    let scene = Scene::new(BULLSEYE, &openssl("1.1.1n-0+deb11u3")).with_lists();
    let first = scene.scan(&["--json", ANY_AGE]).success().json();
    for blob in fs::read_dir(scene.home.join("layout/blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        if !is_json(&path) {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(scene.scan(&["--json", ANY_AGE]).success().json(), first);
    fs::remove_dir_all(scene.home.join("cache")).unwrap();
    let _ = scene.scan(&[ANY_AGE]).exits(4);
}

fn is_json(path: &Path) -> bool {
    fs::read(path).unwrap().starts_with(b"{")
}
