use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use jiff::civil::date;
use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;
use crate::advisory::{Advisory, CveFacts, Feed, NoDsa, State, Urgency};
use crate::severity::{Level, Rater};
use crate::support::{Extent, PackageSupport};

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[derive(Debug, Default)]
struct Found {
    advisories: Vec<Advisory>,
    cves: Vec<CveFacts>,
    support: Vec<PackageSupport>,
    summary: Summary,
}

impl Found {
    fn take(&mut self) -> impl FnMut(Item) {
        |item| match item {
            Item::Advisory(advisory) => self.advisories.push(advisory),
            Item::Cve(facts) => self.cves.push(facts),
            Item::Support(support) => self.support.push(support),
        }
    }

    fn of(&self, id: &str, release: &str) -> &Advisory {
        let is_it = |advisory: &&Advisory| advisory.id == id && advisory.release == release;
        self.advisories.iter().find(is_it).unwrap_or_else(|| panic!("no {id} in {release}"))
    }
}

/// Reads a feed as what it is found to be.
fn try_read(bytes: &[u8]) -> Result<Found, FeedError> {
    let kind = detect(bytes).expect("a feed");
    read_as(kind, bytes)
}

fn read_as(kind: FeedKind, bytes: &[u8]) -> Result<Found, FeedError> {
    let mut found = Found::default();
    let summary = read(kind, &mut &bytes[..], &Releases::embedded(), &mut found.take())?;
    Ok(Found { summary, ..found })
}

fn feed(name: &str) -> Found {
    try_read(&data(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_kind_is_found_by_content() {
    let of = |name: &str| detect(&data(name));
    for path in files("tracker") {
        assert_eq!(detect(&fs::read(&path).unwrap()), Some(FeedKind::Tracker), "{}", path.display());
    }
    for path in files("osv/records") {
        assert_eq!(detect(&fs::read(&path).unwrap()), Some(FeedKind::Osv), "{}", path.display());
    }
    for path in files("nvd") {
        assert_eq!(detect(&fs::read(&path).unwrap()), Some(FeedKind::Nvd), "{}", path.display());
    }
    assert_eq!(of("derived-debian-9-10-11.jsonl"), Some(FeedKind::Osv));
    assert_eq!(of("lists/DSA.list"), Some(FeedKind::Dsa));
    assert_eq!(of("lists/DLA.list"), Some(FeedKind::Dla));
    assert_eq!(of("kev/known_exploited_vulnerabilities.subset.json"), Some(FeedKind::Kev));
    assert_eq!(detect(b"#model_version:v2023.03.01,score_date:2023-04-02T00:00:00+0000\n"), Some(FeedKind::Epss));
    assert_eq!(detect(b"version,codename,series,created,release,eol\n"), Some(FeedKind::DistroInfo));
    assert_eq!(detect(b"{\"format\":\"NVD_CVE\",\"vulnerabilities\":[{\"cve\":{"), Some(FeedKind::Nvd));
    // A package may have any name, also one that is a key of other feeds.
    assert_eq!(detect(b"{\"vulnerabilities\":{\"CVE-2024-1\":{\"rel"), Some(FeedKind::Tracker));
    for other in
        ["", "{}", "[]", "{\"a\":1}", "hello", "\u{1f}", "{\"SchemaVersion\":2,\"Results\":[]}", "{\"", "{\"\\"]
    {
        assert_eq!(detect(other.as_bytes()), None, "{other:?}");
    }
    for path in files("reports/trivy").iter().chain(&files("reports/grype")).filter(|path| path.is_file()) {
        assert_eq!(detect(&fs::read(path).unwrap()), None, "{}", path.display());
    }
}

#[test]
fn the_tracker_is_read() {
    let found = feed("tracker/vunnel-input.json");
    let of = found.of("CVE-2008-7220", "stretch");
    assert_eq!((of.source.as_str(), of.urgency), ("prototypejs", Some(Urgency::High)));
    assert_eq!(of.state, State::Fixed("1.6.0.2-1".to_owned()));
    assert_eq!(of.archive.as_deref(), Some("1.7.1-3"));
    let title = found.cves.iter().find(|facts| facts.id == "CVE-2008-7220").unwrap().title.clone().unwrap();
    assert!(title.starts_with("Unspecified vulnerability in Prototype"), "{title}");

    let found = feed("tracker/vuls-389ds-wordpress.json");
    assert_eq!((found.summary.records, found.advisories.len()), (4, 8));
    assert_eq!(found.of("CVE-2012-0833", "bullseye").state, State::NotAffected);
    let ignored = found.of("CVE-2016-5416", "bullseye");
    assert_eq!((&ignored.state, ignored.no_dsa), (&State::Open, Some(NoDsa::Ignored)));
    assert_eq!(found.of("CVE-2016-5416", "sid").no_dsa, None);
    assert_eq!(found.of("TEMP-0000000-0CA7E3", "sid").urgency, Some(Urgency::Unimportant));
}

#[test]
fn what_the_tracker_cannot_say_is_refused() {
    let tracker = |status: &str| {
        let text = format!("{{\"a\":{{\"CVE-2024-1\":{{\"releases\":{{\"bookworm\":{{{status}}}}}}}}}}}");
        read_as(FeedKind::Tracker, text.as_bytes()).map(|found| found.advisories[0].clone())
    };
    let state = |status: &str| tracker(status).unwrap().state;
    assert_eq!(state("\"status\":\"undetermined\""), State::Undetermined);
    assert_eq!(state("\"status\":\"open\",\"urgency\":\"end-of-life\""), State::EndOfLife);
    assert_eq!(
        tracker("\"status\":\"open\",\"nodsa\":\"x\",\"nodsa_reason\":\"\"").unwrap().no_dsa,
        Some(NoDsa::Minor)
    );
    let later = "\"status\":\"open\",\"nodsa\":\"x\",\"nodsa_reason\":\"postponed\"";
    assert_eq!(tracker(later).unwrap().no_dsa, Some(NoDsa::Postponed));
    let no_dsa = |more: &str| tracker(&format!("\"status\":\"open\",{more}")).unwrap().no_dsa;
    assert_eq!(no_dsa("\"next_point_update\":true"), Some(NoDsa::Postponed));
    assert_eq!(no_dsa("\"nodsa_reason\":\"ignored\",\"next_point_update\":true"), Some(NoDsa::Ignored));
    assert_eq!(no_dsa("\"urgency\":\"low\""), None);
    for wrong in ["\"status\":\"resolved\"", "\"status\":\"fine\"", "\"status\":\"resolved\",\"fixed_version\":\"1 2\""]
    {
        let error = tracker(wrong).unwrap_err();
        assert!(matches!(&error, FeedError::Record { record, .. } if record == "CVE-2024-1 in a, bookworm"), "{error}");
    }
    assert!(matches!(tracker("\"status\":7"), Err(FeedError::Json { .. })));
    let archive = "\"status\":\"open\",\"repositories\":{\"a\":\"1.10\",\"b\":\"1.9\",\"c\":\"?\"}";
    assert_eq!(tracker(archive).unwrap().archive.as_deref(), Some("1.10"));
}

/// The converter of OSV gets the tracker's JSON, and its output is what ours says of the same input, but for what the
/// converter leaves out: sid, and what is not affected.
#[test]
fn the_tracker_says_what_the_converter_of_osv_makes_of_it() {
    let tracker = feed("tracker/osvdev-apparmor.json");
    let releases = Releases::embedded();
    for cve in ["CVE-2016-1585", "CVE-2017-6507"] {
        let parts: serde_json::Value = serde_json::from_slice(&data(&format!("osv/parts/{cve}.debian.json"))).unwrap();
        let mut expected = Vec::new();
        for part in parts.as_array().unwrap() {
            let release =
                releases.by_version(part["ecosystem"].as_str().unwrap().strip_prefix("Debian:").unwrap()).unwrap();
            let events = part["fixed_version"]["affected_versions"].as_array().unwrap();
            let fixed = events.iter().find_map(|event| event["fixed"].as_str());
            let state = fixed.map_or(State::Open, |fixed| State::Fixed(fixed.to_owned()));
            let urgency = tracker::urgency(part["ecosystem_specific"]["urgency"].as_str().unwrap());
            expected.push((release.codename.clone(), state, urgency));
        }
        let ours = tracker.advisories.iter().filter(|advisory| advisory.id == cve && advisory.release != "sid");
        let mut ours: Vec<_> = ours
            .filter(|found| found.state != State::NotAffected)
            .map(|found| (found.release.clone(), found.state.clone(), found.urgency))
            .collect();
        ours.sort_by(|one, two| one.0.cmp(&two.0));
        expected.sort_by(|one, two| one.0.cmp(&two.0));
        assert_eq!(ours, expected, "{cve}");
    }
}

#[test]
fn records_of_osv_of_every_generation_are_read() {
    let one = |name: &str| feed(&format!("osv/records/{name}.json"));
    let found = one("DSA-3029-1");
    let advisory = found.of("DSA-3029-1", "wheezy");
    assert_eq!((advisory.feed, advisory.aliases.as_slice()), (Feed::Osv, &["CVE-2014-3616".to_owned()][..]));
    assert_eq!(advisory.state, State::Fixed("1.2.1-2.2+wheezy3".to_owned()));
    assert_eq!(advisory.published, Some(date(2014, 9, 20)));
    assert_eq!(advisory.title.as_deref(), Some("nginx - security update"));
    // The versions that are listed beside the range lie within it.
    assert_eq!(one("DSA-135").of("DSA-135", "woody").state, State::Fixed("2.8.9-2".to_owned()));
    assert_eq!(one("DLA-0001-1").of("DLA-0001-1", "squeeze").aliases, ["CVE-2014-3466"]);
    assert_eq!(one("DTSA-1-1").of("DTSA-1-1", "etch").aliases.len(), 2);
    let nothing = one("DLA-3623-1");
    assert_eq!((nothing.advisories.len(), nothing.summary.records), (0, 1));
    let foreign = one("ROOT-OS-DEBIAN-bookworm-CVE-2025-53014");
    assert_eq!((foreign.advisories.len(), foreign.cves.len(), foreign.summary.passed_over), (0, 0, 1));
}

fn osv(more: &str, affected: &str) -> Found {
    let text = format!(
        "{{\"id\":\"DEBIAN-CVE-2024-1\",\"modified\":\"2024-02-03T04:05:06Z\",\"upstream\":[\"CVE-2024-1\"]{more},\
         \"affected\":[{{\"package\":{{\"ecosystem\":\"Debian:12\",\"name\":\"a\"}}{affected}}}]}}"
    );
    read_as(FeedKind::Osv, text.as_bytes()).unwrap()
}

#[test]
fn ranges_of_osv_are_walked_in_the_order_of_versions() {
    use crate::advisory::Range;
    let state = |events: &str| {
        let found = osv("", &format!(",\"ranges\":[{{\"type\":\"ECOSYSTEM\",\"events\":[{events}]}}]"));
        found.advisories.first().map(|advisory| advisory.state.clone())
    };
    let text = str::to_owned;
    assert_eq!(state("{\"introduced\":\"0\"}"), Some(State::Open));
    assert_eq!(state("{\"introduced\":\"no version\"},{\"fixed\":\"2\"}"), Some(State::Fixed(text("2"))));
    assert_eq!(state("{\"fixed\":\"2\"},{\"introduced\":\"0\"}"), Some(State::Fixed(text("2"))));
    assert_eq!(state(""), None);
    let ranges = |ranges: Vec<Range>| Some(State::Ranges { ranges, versions: Vec::new() });
    assert_eq!(
        state("{\"introduced\":\"10\"},{\"fixed\":\"9\"},{\"introduced\":\"1\"},{\"last_affected\":\"11~1\"}"),
        ranges(vec![Range::Below(text("1"), text("9")), Range::UpTo(text("10"), text("11~1"))])
    );
    let found = osv("", ",\"versions\":[\"1\",\"2\"]");
    assert_eq!(found.advisories[0].state, State::Ranges { ranges: vec![], versions: vec![text("1"), text("2")] });
}

#[test]
fn what_osv_says_of_a_cve_is_taken() {
    let vectors = ",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"},\
                   {\"type\":\"CVSS_V2\",\"score\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\"}],\"details\":\"\\nFirst\\nSecond\",\
                   \"related\":[\"CVE-2024-2\"],\"published\":\"2024-01-01T00:00:00Z\"";
    let found = osv(
        vectors,
        ",\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}],\
                             \"ecosystem_specific\":{\"urgency\":\"end-of-life\"}",
    );
    assert_eq!(found.advisories[0].aliases, ["CVE-2024-1"], "what is related is another CVE");
    assert_eq!(found.advisories[0].state, State::EndOfLife);
    let facts = &found.cves[0];
    assert_eq!((facts.id.as_str(), facts.title.as_deref()), ("CVE-2024-1", Some("First")));
    assert_eq!((facts.ratings.len(), facts.ratings[0].rater), (1, Rater::NvdCvss));
    assert_eq!(facts.ratings[0].level, Some(Level::Critical));
    assert_eq!(found.summary.newest.unwrap().to_string(), "2024-02-03T04:05:06Z");
    assert_eq!(osv(",\"withdrawn\":\"2024-01-01T00:00:00Z\"", "").summary.passed_over, 1);
}

#[test]
fn what_the_tracker_says_twice_is_refused() {
    let open = "{\"status\":\"open\"}";
    let clean = "{\"status\":\"resolved\",\"fixed_version\":\"0\"}";
    let tracker = |text: &str| read_as(FeedKind::Tracker, text.as_bytes()).map(|found| found.advisories.len());
    let issue = |releases: &str| format!("\"CVE-2024-1\":{{\"releases\":{{{releases}}}}}");
    let one = issue(&format!("\"bookworm\":{open}"));
    let other = issue(&format!("\"bookworm\":{clean}"));
    assert_eq!(tracker(&format!("{{\"a\":{{{one}}},\"b\":{{{other}}}}}")).unwrap(), 2);
    let releases = issue(&format!("\"bookworm\":{open},\n\"bookworm\":{clean}"));
    for (text, place) in [
        (format!("{{\"a\":{{{releases}}}}}"), "line 2, column 11: bookworm is there twice"),
        (format!("{{\"a\":{{{one},\n{other}}}}}"), "line 2, column 13: CVE-2024-1 is there twice"),
        (format!("{{\"a\":{{{one}}},\"a\":{{{other}}}}}"), "a: a source package must be there once"),
    ] {
        assert_eq!(tracker(&text).unwrap_err().to_string(), place);
    }
}

#[test]
fn a_record_of_a_zip_file_has_its_own_limit() {
    let long = vec![b' '; usize::try_from(MAX_RECORD).unwrap() + 1];
    let archive = zip(&long, CompressionMethod::DEFLATE);
    match read_zip(Cursor::new(&archive), &Releases::embedded(), &mut |_| {}) {
        Err(FeedError::Entry { entry, source }) => {
            assert_eq!(entry, "0.json");
            assert!(matches!(*source, FeedError::RecordTooLarge), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_and_archives_of_osv_give_the_same() {
    let lines = data("derived-debian-9-10-11.jsonl");
    let from_lines = try_read(&lines).unwrap();
    assert_eq!((from_lines.summary.records, from_lines.advisories.len()), (169, 190));
    for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
        let zip = zip(&lines, method);
        assert_eq!(detect(&zip), Some(FeedKind::Osv));
        let mut found = Found::default();
        let summary = read_zip(Cursor::new(&zip), &Releases::embedded(), &mut found.take()).unwrap();
        assert_eq!((&found.advisories, summary), (&from_lines.advisories, from_lines.summary));
        for cut in [zip.len() / 2, zip.len() - 1] {
            let cut = read_zip(Cursor::new(&zip[..cut]), &Releases::embedded(), &mut |_| {});
            assert!(matches!(cut, Err(FeedError::Zip { .. })), "{cut:?}");
        }
        if method == CompressionMethod::STORE {
            let mut changed = zip.clone();
            let letter = changed.windows(8).position(|bytes| bytes == b"security").unwrap();
            changed[letter] = b'S';
            assert!(
                read_zip(Cursor::new(&changed), &Releases::embedded(), &mut |_| {}).is_err(),
                "a checksum is wrong"
            );
        }
    }
}

/// A zip file with a file for each line.
fn zip(lines: &[u8], method: CompressionMethod) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut out);
    for (number, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let (mut entry, config) =
            archive.new_file(format!("{number}.json")).compression_method(method).start().unwrap();
        if method == CompressionMethod::STORE {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(line).unwrap();
            let (_, descriptor) = writer.finish().unwrap();
            entry.finish(descriptor).unwrap();
        } else {
            let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
            writer.write_all(line).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
    }
    archive.finish().unwrap();
    out
}

#[test]
fn the_lists_are_read_whole() {
    let (dsa, dla) = (feed("lists/DSA.list"), feed("lists/DLA.list"));
    assert_eq!((dsa.summary.records, dla.summary.records), (5406, 3534));
    assert_eq!(dsa.summary.newest.unwrap().to_string(), "2023-03-29T00:00:00Z");
    let xorg = dsa.of("DSA-5380-1", "bullseye");
    assert_eq!((xorg.source.as_str(), xorg.feed, xorg.published), ("xorg-server", Feed::Dsa, Some(date(2023, 3, 29))));
    assert_eq!(
        (&xorg.state, &xorg.aliases),
        (&State::Fixed("2:1.20.11-1+deb11u6".to_owned()), &vec!["CVE-2023-1393".to_owned()])
    );
    assert_eq!(xorg.title.as_deref(), Some("xorg-server - security update"));
    // A regression update states no CVEs, and is about those of the first.
    let (first, second) = (dsa.of("DSA-5356-1", "bullseye"), dsa.of("DSA-5356-2", "bullseye"));
    assert!(!first.aliases.is_empty() && first.aliases == second.aliases);
    assert_ne!(first.state, second.state);
    let states =
        |found: &Found, state: &State| found.advisories.iter().filter(|advisory| advisory.state == *state).count();
    let both = |state: &State| states(&dsa, state) + states(&dla, state);
    assert_eq!((both(&State::NotAffected), both(&State::Open), both(&State::EndOfLife)), (55, 3, 5));
}

#[test]
fn what_is_no_list_is_refused_with_its_line() {
    let head = "[01 Jan 2023] DSA-1-1 a - b\n";
    for (text, line) in [
        ("[01 Jan 2023] DSA-1-1 a - b\n\t[sid] - a\n", 2),
        ("[01 Jan 2023] DSA-1-1 a - b\n\t{CVE-1\n", 2),
        ("[01 Jan 2023] DSA-1-1 a - b\n\t[sid] - a <unheard-of>\n", 2),
        ("[01 Jan 2023] DSA-1-1 a - b\n\tfree words\n", 2),
        ("\t[sid] - a 1\n", 1),
        ("[32 Jan 2023] DSA-1-1 a - b\n", 1),
        ("[01 Jan 2023] XSA-1-1 a - b\n", 1),
    ] {
        let error = read_as(FeedKind::Dsa, text.as_bytes()).unwrap_err();
        assert!(matches!(error, FeedError::Line { line: found, .. } if found == line), "{text}: {error}");
    }
    let long = format!("{head}\t{{{}}}\n", "CVE-2023-0001 ".repeat(10_000));
    assert!(matches!(read_as(FeedKind::Dsa, long.as_bytes()), Err(FeedError::Line { line: 2, .. })));
    let temp = read_as(FeedKind::Dsa, format!("{head}\t[sid] - a <removed>\n\tNOTE: x\n").as_bytes()).unwrap();
    assert_eq!((temp.summary.records, temp.advisories.len()), (1, 0));
}

#[test]
fn lists_of_what_has_less_support_are_read() {
    let head = "\n# List of packages whose security support ends before the distribution EOL\n\n# File format: x\n";
    let ended = format!("{head}# 1. source package name\n\nphp-horde.*\t0\t\t2025-03-22\thttps://x; with PHP8  \n");
    let ended = format!("{ended}dnsdist         1.7.3-2                 2025-10-01  \n");
    let found = try_read(ended.as_bytes()).unwrap();
    assert_eq!(detect(ended.as_bytes()), Some(FeedKind::SupportEnded));
    let extent = |last: &str, day| Extent::Ended { last: last.to_owned(), day };
    let entry = |pattern: &str, extent, text: Option<&str>| PackageSupport {
        pattern: pattern.to_owned(),
        extent,
        text: text.map(str::to_owned),
    };
    let horde = entry("php-horde.*", extent("0", date(2025, 3, 22)), Some("https://x; with PHP8"));
    let dnsdist = entry("dnsdist", extent("1.7.3-2", date(2025, 10, 1)), None);
    assert_eq!((found.support, found.summary.records), (vec![horde, dnsdist], 2));

    let limited = "# List of packages where security support is limited\n\nbinutils   Only for trusted content\nvte\n";
    let found = try_read(limited.as_bytes()).unwrap();
    let binutils = entry("binutils", Extent::Limited, Some("Only for trusted content"));
    assert_eq!(found.support, [binutils, entry("vte", Extent::Limited, None)]);

    // Nothing may have lost its support yet, and comments may be gone.
    let none = try_read(format!("{head}# none yet\n").as_bytes()).unwrap();
    assert_eq!(none.summary.records, 0);
    assert_eq!(detect(b"xen 4.11 2021-08-28 a text\n"), Some(FeedKind::SupportEnded));
    for other in ["xen 4.11 soon\n", "# List of packages\nxen 4.11 2021-08-28\n", "#\n", "xen 4.11 20210828\n"] {
        assert_eq!(detect(other.as_bytes()), None, "{other:?}");
    }
    for (text, line) in [("a 1 2025-13-01", 1), ("\na 1", 2), ("a", 1)] {
        let error = read_as(FeedKind::SupportEnded, text.as_bytes()).unwrap_err();
        assert!(matches!(error, FeedError::Line { line: found, .. } if found == line), "{text}: {error}");
    }
    let many = "a b\n".repeat(10_001);
    assert!(matches!(read_as(FeedKind::SupportLimited, many.as_bytes()), Err(FeedError::TooMany)));
}

#[test]
fn the_catalogue_of_exploited_vulnerabilities_is_read() {
    let found = feed("kev/known_exploited_vulnerabilities.subset.json");
    assert_eq!((found.summary.records, found.cves.len()), (163, 163));
    assert_eq!(found.summary.newest.unwrap().to_string(), "2025-08-25T17:04:19.9796Z");
    let kev = found.cves.iter().find(|facts| facts.id == "CVE-2025-48384").unwrap().kev.clone().unwrap();
    assert_eq!((kev.added, kev.due, kev.ransomware), (date(2025, 8, 25), Some(date(2025, 9, 15)), false));
    assert!(found.cves.iter().any(|facts| facts.kev.as_ref().unwrap().ransomware));
}

#[test]
fn scores_of_exploitation_are_read() {
    let text = "#model_version:v2023.03.01,score_date:2023-04-02T00:00:00+0000\ncve,epss,percentile\n\
                CVE-2023-0001,0.00042,0.05\nCVE-2023-0002,0.97,1.0\n";
    let found = try_read(text.as_bytes()).unwrap();
    assert_eq!(found.summary.newest.unwrap().to_string(), "2023-04-02T00:00:00Z");
    let epss = found.cves[1].epss.clone().unwrap();
    assert_eq!((found.cves.len(), epss.score, epss.percentile), (2, 0.97, 1.0));
    for wrong in ["CVE-1,2,0.1\n", "CVE-1,0.1\n", "CVE-1,NaN,0.1\n", ",0.1,0.1\n"] {
        assert!(read_as(FeedKind::Epss, format!("cve,epss,percentile\n{wrong}").as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn records_of_nvd_are_read() {
    let found = feed("nvd/cve-2024-0727.json");
    let facts = &found.cves[0];
    assert_eq!((facts.id.as_str(), facts.published.is_some()), ("CVE-2024-0727", true));
    let nvd = facts.ratings.iter().find(|rating| rating.rater == Rater::NvdCvss).unwrap();
    assert_eq!(nvd.score.unwrap().to_string(), "5.5");
    assert!(facts.title.as_deref().unwrap().starts_with("Issue summary: Processing a maliciously"));
    let old = feed("nvd/cve-2022-0778.json");
    let nvd: Vec<_> = old.cves[0].ratings.iter().filter(|rating| rating.rater == Rater::NvdCvss).collect();
    assert_eq!((nvd.len(), nvd[0].score.unwrap().to_string()), (1, "7.5".to_owned()), "not what version 2 said");

    let one: serde_json::Value = serde_json::from_slice(&data("nvd/cve-2024-0727.json")).unwrap();
    let page = serde_json::json!({ "format": "NVD_CVE", "timestamp": "2025-12-01T00:00:00.000",
        "vulnerabilities": [one["item"], one["item"]] });
    let page = try_read(page.to_string().as_bytes()).unwrap();
    assert_eq!((page.cves.len(), &page.cves[0]), (2, facts));
    assert_eq!(page.summary.newest.unwrap().to_string(), "2025-12-01T00:00:00Z");
}

#[test]
fn hostile_feeds_end_in_errors_that_steer_no_terminal() {
    let deep = "[".repeat(100_000);
    let wide = format!("{{\"a\":{{\"CVE-1\":{{\"description\":\"{}\",\"releases\":{{}}}}}}}}", "x".repeat(1 << 20));
    assert!(read_as(FeedKind::Tracker, wide.as_bytes()).unwrap().cves[0].title.as_ref().unwrap().len() < 300);
    for kind in [FeedKind::Tracker, FeedKind::Osv, FeedKind::Nvd, FeedKind::Kev] {
        for text in [
            deep.as_str(),
            &format!("{{\"a\":{deep}"),
            "{\"vulnerabilities\":7}",
            "7",
            "null",
            "{\"id\":\"\\u001b[31m\",\"vulnerabilities\":[{\"cve\":{\"id\":\"\\u001b[31m\"}}]}",
            "{\"\\u001b[31m\":{\"\\u001b[31m\":{\"releases\":{\"\\u001b\":{\"status\":\"open\"}}}}}",
            "{\"a\":{\"CVE-1\":{\"releases\":\"\\u001b[31m\"}}}",
        ] {
            let Err(error) = read_as(kind, text.as_bytes()) else { continue };
            assert!(!error.to_string().contains(char::is_control), "{kind}: {error}");
        }
    }
    assert!(matches!(read_as(FeedKind::Dsa, b"\xff\xfe\n"), Err(FeedError::Line { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_a_feed_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = detect(&bytes);
        let kinds = [FeedKind::Tracker, FeedKind::Osv, FeedKind::Dsa, FeedKind::Kev, FeedKind::Epss, FeedKind::Nvd,
            FeedKind::DistroInfo, FeedKind::SupportEnded, FeedKind::SupportLimited];
        for kind in kinds {
            let _ = read_as(kind, &bytes);
        }
        let _ = read_zip(Cursor::new(&bytes), &Releases::embedded(), &mut |_| {});
        let _ = read_zip(Cursor::new([b"PK\x03\x04", &bytes[..]].concat()), &Releases::embedded(), &mut |_| {});
    }

    #[test]
    fn a_damaged_feed_is_read_or_refused(which in 0_usize..6, at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let names = ["tracker/vuls-389ds-wordpress.json", "osv/records/DSA-135.json", "nvd/cve-2024-0727.json",
            "tracker/osvdev-apparmor.json", "osv/records/DTSA-1-1.json", "lists/DLA.list"];
        let mut bytes = data(names[which]);
        bytes.truncate(20_000);
        let kind = detect(&bytes).unwrap();
        let place = at.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] = byte }
        let _ = detect(&bytes);
        if let Err(error) = read_as(kind, &bytes) {
            prop_assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
}
