//! Present versions of other scanners, asked about a small image with the advisories that we are asked with.

use super::*;
use crate::advisory::Item;
use crate::feed::{self, FeedKind};
use crate::release::Releases;

const RECORDS: &[u8] = data!("../small-debian-11.jsonl");
const GRYPE: &[u8] = data!("grype/small-debian-11.json");
const GRYPE_SARIF: &[u8] = data!("sarif/small-debian-11-grype.sarif");
const OSV: &[u8] = data!("osv-scanner/small-debian-11.json");
const OSV_SARIF: &[u8] = data!("sarif/small-debian-11-osv-scanner.sarif");

fn advisories() -> Vec<Advisory> {
    let mut advisories = Vec::new();
    let mut each = |item| {
        if let Item::Advisory(advisory) = item {
            advisories.push(advisory);
        }
    };
    feed::read(FeedKind::Osv, &mut &RECORDS[..], &Releases::embedded(), &mut each).unwrap();
    advisories
}

/// The packages of the image; one was rebuilt, and bears another version than its source.
fn image() -> BTreeMap<String, BinaryPackage> {
    let packages = [
        ("gpgv", "2.2.27-2+deb11u1", "gnupg2", "2.2.27-2+deb11u1"),
        ("gzip", "1.10-4+b1", "gzip", "1.10-4"),
        ("libexpat1", "2.2.10-2+deb11u1", "expat", "2.2.10-2+deb11u1"),
        ("liblzma5", "5.2.5-2.1~deb11u1", "xz-utils", "5.2.5-2.1~deb11u1"),
        ("libssl1.1", "1.1.1n-0+deb11u1", "openssl", "1.1.1n-0+deb11u1"),
        ("openssl", "1.1.1n-0+deb11u1", "openssl", "1.1.1n-0+deb11u1"),
        ("tar", "1.34+dfsg-1", "tar", "1.34+dfsg-1"),
        ("zlib1g", "1:1.2.11.dfsg-2", "zlib", "1:1.2.11.dfsg-2"),
    ];
    let package = |(name, version, source, source_version): (&str, &str, &str, &str)| {
        let [version, source, source_version] = [version, source, source_version].map(str::to_owned);
        (name.to_owned(), BinaryPackage { version, source, source_version })
    };
    packages.map(package).into()
}

fn own(advisories: &[Advisory]) -> Vec<Finding> {
    let image = image();
    let sources: BTreeSet<_> = image.values().map(|p| (p.source.clone(), p.source_version.clone())).collect();
    let found = sources.into_iter().flat_map(|(source, source_version)| {
        let built = image.iter().filter(|(_, package)| package.source == source);
        let packages = built.map(|(name, package)| (name.clone(), package.version.clone())).collect();
        let installed = Installed { release: "bullseye".to_owned(), source, source_version, packages };
        find(&installed, advisories, &mut |_| None, Available::NotAsked, false)
    });
    merge(found.collect())
}

/// What a report says in terms of the image.
fn told(report: &[u8], advisories: &[Advisory]) -> Vec<Finding> {
    let mut resolved = resolve(&read(report).unwrap(), "r", &image(), Some(("bullseye", Some("11"))));
    assert_eq!(resolved.notes, Vec::<String>::new());
    for finding in &mut resolved.findings {
        name_cves(finding, advisories);
    }
    merge(resolved.findings)
}

#[test]
fn they_find_what_we_find_in_every_form() {
    let advisories = advisories();
    let all = own(&advisories);
    // An update that repairs an update has no CVE, so that Grype's data does not have it.
    let with_cve: Vec<Finding> = all.iter().filter(|finding| finding.id != "DSA-5085-2").cloned().collect();
    assert_eq!((all.len(), with_cve.len()), (21, 20));
    for (report, own, says_repairs) in
        [(GRYPE, &with_cve, true), (GRYPE_SARIF, &with_cve, true), (OSV, &all, true), (OSV_SARIF, &all, false)]
    {
        let key = |finding: &Finding| {
            let Finding { id, release, source, source_version, packages, fixed, .. } = finding.clone();
            (id, release, source, source_version, packages, fixed.filter(|_| says_repairs))
        };
        let told = told(report, &advisories);
        assert_eq!(told.iter().map(key).collect::<Vec<_>>(), own.iter().map(key).collect::<Vec<_>>());
        // Joined with what we find nothing is there twice.
        assert_eq!(merge(own.iter().cloned().chain(told).collect()).len(), own.len());
    }
}

#[test]
fn who_reported_is_told() {
    let kinds = [GRYPE, GRYPE_SARIF, OSV, OSV_SARIF].map(|bytes| {
        let report = read(bytes).unwrap();
        (report.kind, report.tool.unwrap(), report.version, report.digests.len())
    });
    let said = |version: &str| Some(version.to_owned());
    assert_eq!(
        kinds,
        [
            (ReportKind::Grype, "grype".to_owned(), said("0.121.2"), 2),
            (ReportKind::Sarif, "grype".to_owned(), said("0.121.2"), 0),
            (ReportKind::OsvScanner, "osv-scanner".to_owned(), None, 0),
            (ReportKind::Sarif, "osv-scanner".to_owned(), said("2.5.0"), 0),
        ]
    );
}

#[test]
fn an_advisory_has_its_cves_and_a_cve_no_others() {
    let advisories = advisories();
    let mut findings = resolve(&read(OSV_SARIF).unwrap(), "r", &image(), None).findings;
    for finding in &mut findings {
        name_cves(finding, &advisories);
    }
    let of = |id: &str| findings.iter().find(|finding| finding.id == id).unwrap();
    assert!(of("DSA-5174-1").aliases.contains("CVE-2022-34903"));
    let mut other = Finding { source: "tar".to_owned(), ..of("DSA-5343-1").clone() };
    other.aliases.clear();
    name_cves(&mut other, &advisories);
    assert!(other.aliases.is_empty());
    let zlib = of("DSA-5218-1");
    let cves: Vec<&String> = zlib.aliases.iter().filter(|id| crate::canonical::cve_of(id).is_some()).collect();
    assert_eq!(cves, ["DEBIAN-CVE-2022-37434"]);
}
