use std::fs;

use distil_vulns::{Level, Rater, Status};

use super::*;
use crate::progress::Silent;
use crate::testimage::{self, record};

const OS_RELEASE: (&str, &str) = ("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");

static NO_VEX: BTreeMap<Digest, Vec<VexDocument>> = BTreeMap::new();

fn request<'a>(reference: &'a Reference, machine: &'a Machine) -> ScanRequest<'a> {
    ScanRequest {
        reference,
        platform: None,
        database: None,
        reports: &[],
        vex: &[],
        vex_of: &NO_VEX,
        max_data_age: SignedDuration::from_hours(48),
        all: false,
        cache_dir: None,
        jobs: NonZeroUsize::MIN,
        machine,
    }
}

fn report(dir: &Path, name: &str, text: &str) -> ReportFile {
    let path = dir.join(name);
    crate::whole_file::create(&path, text.as_bytes()).unwrap();
    read_report(&path).unwrap()
}

const GRYPE: &str = r#"{"matches":[{"vulnerability":{"id":"CVE-2024-0001","namespace":"debian:distro:debian:12",
    "severity":"Low","fix":{"versions":["1-2"],"state":"fixed"}},"artifact":{"name":"aa","version":"2-1","type":"deb"}}]}"#;

#[test]
fn reports_are_put_in_the_images_terms() {
    let dir = tempfile::tempdir().unwrap();
    let (aa, bb) = (record("aa", "2-1", "Source: ss (1-1)\n"), record("bb", "3-1", "Source: ss (1-1)\n"));
    let layers: [&[(&str, &str)]; 2] =
        [&[OS_RELEASE, ("var/lib/dpkg/status.d/aa", &aa)], &[("var/lib/dpkg/status.d/bb", &bb)]];
    let reference = testimage::write(dir.path(), &["linux/amd64", "linux/arm64"], &layers);
    let machine = Machine::new(0);
    let reports = [report(dir.path(), "grype.json", GRYPE)];
    let request = ScanRequest { reports: &reports, ..request(&reference, &machine) };
    let found = scan(&request, &Silent).unwrap();
    assert!(found.is_decided(), "{:?}", found.undecided);
    let document = ScanDocument::new(&found, &SeverityOrder::default());
    assert_eq!((document.release.as_deref(), document.platforms.len()), (Some("bookworm"), 2));
    let [one] = &document.findings[..] else { panic!("{:#?}", document.findings) };
    assert_eq!((one.finding.source.as_str(), one.finding.source_version.as_str()), ("ss", "1-1"));
    assert_eq!((one.finding.packages.len(), one.platforms.len(), one.finding.status), (2, 2, Status::Fixed));
    assert_eq!((one.severity.level, one.severity.from), (Some(Level::Low), Some(Rater::DebianUrgency)));
    assert_eq!(one.finding.origins.first().unwrap().report.as_deref(), Some("grype.json"));
    let arm = "linux/arm64".parse().unwrap();
    let one = scan(&ScanRequest { platform: Some(&arm), ..request }, &Silent).unwrap();
    assert_eq!(one.platforms.keys().collect::<Vec<_>>(), ["linux/arm64"]);

    let schema = serde_json::from_str(&crate::schema::scan()).unwrap();
    let document = serde_json::to_value(&document).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    assert_eq!(schema.iter_errors(&document).map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    for key in ["id", "aliases", "source", "source-version", "packages", "status", "fixed", "severity", "origins"] {
        assert!(document["findings"][0].get(key).is_some(), "{key}");
    }
}

#[test]
fn a_report_about_another_image_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let aa = record("aa", "2-1", "");
    let layers: [&[(&str, &str)]; 1] = [&[OS_RELEASE, ("var/lib/dpkg/status.d/aa", &aa)]];
    let reference = testimage::write(dir.path(), &["linux/amd64", "linux/arm64"], &layers);
    let machine = Machine::new(0);
    let with = |digest: &str, name: &str| {
        let source = format!("{{\"source\":{{\"target\":{{\"manifestDigest\":\"{digest}\"}}}},");
        [report(dir.path(), name, &GRYPE.replacen('{', &source, 1))]
    };
    let other = with(&format!("sha256:{}", "0".repeat(64)), "other.json");
    let found = scan(&ScanRequest { reports: &other, ..request(&reference, &machine) }, &Silent).unwrap();
    assert!(found.notes.contains("other.json: it names another image by its digest"), "{:?}", found.notes);
    let arm = &found.platforms["linux/arm64"].facts.digest;
    let of_arm = with(arm, "arm.json");
    let found = scan(&ScanRequest { reports: &of_arm, ..request(&reference, &machine) }, &Silent).unwrap();
    let counts: Vec<usize> = found.platforms.values().map(|platform| platform.facts.findings.len()).collect();
    assert_eq!(counts, [0, 1]);
}

#[test]
fn without_anything_to_look_up_nothing_is_decided() {
    let dir = tempfile::tempdir().unwrap();
    let reference = testimage::write(dir.path(), &["linux/amd64"], &[&[OS_RELEASE]]);
    let machine = Machine::new(0);
    let found = scan(&request(&reference, &machine), &Silent).unwrap();
    assert_eq!(found.undecided, BTreeSet::from(["there are no advisories".to_owned()]));
    let wanted = "linux/s390x".parse().unwrap();
    let error = scan(&ScanRequest { platform: Some(&wanted), ..request(&reference, &machine) }, &Silent).unwrap_err();
    assert!(error.is_mistake() && !error.is_undecided());
    assert!(matches!(read_report(dir.path()), Err(ScanError::File { .. })));
    assert!(read_report(&dir.path().join("none")).unwrap_err().is_mistake());
    crate::whole_file::create(&dir.path().join("r"), b"{}").unwrap();
    assert!(matches!(read_report(&dir.path().join("r")), Err(ScanError::Report { .. })));
}

#[test]
fn old_advisories_decide_nothing() {
    let source = |kind: &str, date: Option<&str>| SourceFacts {
        kind: kind.to_owned(),
        name: String::new(),
        sha256: String::new(),
        date: date.map(|date| date.parse().unwrap()),
        fetched: None,
        valid_until: None,
        records: 1,
    };
    let now: Timestamp = "2026-01-03T00:00:00Z".parse().unwrap();
    let is_stale = |sources: &[SourceFacts]| stale(sources, now, SignedDuration::from_hours(48));
    assert_eq!(is_stale(&[source("tracker", Some("2026-01-01T00:00:00Z"))]), None);
    assert!(is_stale(&[source("tracker", Some("2025-12-31T23:59:59Z"))]).is_some());
    let both = [source("osv", Some("2026-01-02T00:00:00Z")), source("dsa", Some("2020-01-01T00:00:00Z"))];
    assert_eq!(is_stale(&both), None);
    // How bad something is says nothing of what is affected.
    assert!(is_stale(&[source("kev", Some("2026-01-03T00:00:00Z"))]).is_some());
    assert!(is_stale(&[source("tracker", None)]).is_some() && is_stale(&[]).is_some());
}

/// The packages and the system of an image of these layers, without a cache, and with one that is empty and then full.
fn told(layers: &[&[(&str, &str)]]) -> (Vec<String>, Option<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let reference = testimage::write(dir.path(), &["linux/amd64"], layers);
    let machine = Machine::new(0);
    let cache = dir.path().join("cache");
    let tell = |cache_dir| {
        let found = scan(&ScanRequest { cache_dir, ..request(&reference, &machine) }, &Silent).unwrap();
        let ScannedPlatform { facts, subject, .. } = found.platforms.into_values().next().unwrap();
        let packages = facts.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
        (packages, subject.distro, facts.unreadable)
    };
    let first = tell(None);
    assert_eq!(tell(Some(&cache)), first);
    // Nothing but the cache tells what the layers hold now.
    for blob in fs::read_dir(dir.path().join("image/blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        if !fs::read(&path).unwrap().starts_with(b"{") {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(tell(Some(&cache)), first);
    assert!(scan(&request(&reference, &machine), &Silent).is_err());
    first
}

#[test]
fn the_cache_tells_what_the_layers_do() {
    let (old, new, bb) = (record("aa", "1", ""), record("aa", "2", ""), record("bb", "1", ""));
    let status = |records: &[&str]| {
        records.iter().map(|r| format!("{r}Status: install ok installed\n")).collect::<Vec<_>>().join("\n")
    };
    let base: &[(&str, &str)] =
        &[OS_RELEASE, ("usr/bin/aa", "x"), ("var/lib/dpkg/status.d/aa", &old), ("var/lib/dpkg/status.d/bb", &bb)];
    let check = |layers: &[&[(&str, &str)]], packages: &[&str]| {
        let (found, distro, _) = told(layers);
        assert_eq!(found, packages);
        distro
    };
    assert_eq!(check(&[base], &["aa 1", "bb 1"]).as_deref(), Some("debian-12"));
    check(&[base, &[("var/lib/dpkg/status.d/aa", &new)]], &["aa 2", "bb 1"]);
    check(&[base, &[("var/lib/dpkg/status.d/.wh.aa", "")]], &["bb 1"]);
    check(&[base, &[("var/lib/dpkg/status.d/.wh..wh..opq", ""), ("var/lib/dpkg/status.d/aa", &new)]], &["aa 2"]);
    assert_eq!(check(&[base, &[("usr/.wh.lib", ""), ("var/lib/.wh.dpkg", "")]], &[]), None);
    check(&[base, &[("var", "a file")]], &[]);
    check(&[base, &[("etc/.wh..wh..opq", ""), ("usr/share/.wh.x", "")]], &["aa 1", "bb 1"]);
    let (one, two) = (status(&[&old, &bb]), status(&[&new]));
    check(&[&[("var/lib/dpkg/status", &one)], &[("var/lib/dpkg/status", &two)]], &["aa 2"]);
    let (packages, _, unreadable) = told(&[&[OS_RELEASE, ("var/lib/dpkg/status.d/x", "nothing")]]);
    assert_eq!((packages.len(), unreadable), (0, vec!["/var/lib/dpkg/status.d/x".to_owned()]));
}

#[test]
fn the_system_is_told_by_whatever_names_it() {
    let distro = |files: &[(&str, &str)]| told(&[files]).1;
    assert_eq!(distro(&[("etc/debian_version", "11.7\n")]).as_deref(), Some("debian-11"));
    assert_eq!(distro(&[("etc/debian_version", "trixie/sid\n")]), None);
    let sid = ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux\"\n");
    assert_eq!(distro(&[sid, ("etc/debian_version", "12.1\n")]).as_deref(), Some("debian-12"));
    let other = ("etc/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\n");
    assert_eq!(distro(&[other, ("etc/debian_version", "12.1\n")]).as_deref(), Some("ubuntu-22.04"));
}
