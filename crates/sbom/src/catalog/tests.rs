use std::io::Write as _;

use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;
use crate::purl::Purl;

const PROGRAM: &[u8] = include_bytes!("../../testdata/catalog/program64");
const OF_32_BITS: &[u8] = include_bytes!("../../testdata/catalog/program32");

/// What `go version -m` and the list of crates say of the program.
const IN_PROGRAM: &[&str] = &[
    "pkg:cargo/auditee@0.1.0",
    "pkg:cargo/hex@0.4.3",
    "pkg:cargo/itoa@1.0.19",
    "pkg:golang/stdlib@1.26.8",
    "pkg:golang/example.org/team/greeting/v2@v2.3.4",
    "pkg:golang/golang.org/x/text@v0.0.0-20170915032832-14c0d48ead0c",
    "pkg:golang/rsc.io/quote@v1.5.2",
    "pkg:golang/rsc.io/sampler@v1.3.1",
];

fn path(name: &str) -> ImagePath {
    ImagePath::from_absolute(name.as_bytes()).unwrap()
}

fn purls(name: &str, found: &[Found]) -> Vec<String> {
    found.iter().map(|found| Purl::of(&found.to_package(&path(name)), None).to_string()).collect()
}

/// What is found in a file that anybody may run, in one piece and in pieces.
#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &[&str]) -> Vec<Found> {
    let found = find(&path(name), bytes, true);
    assert_eq!(purls(name, &found), expected);
    for length in [1, 7, 16, 100, 4096] {
        assert_eq!(in_pieces(&path(name), bytes, length), found);
    }
    found
}

fn in_pieces(path: &ImagePath, bytes: &[u8], length: usize) -> Vec<Found> {
    let Some(mut finder) = Finder::of(path, bytes.len() as u64, true) else { return Vec::new() };
    bytes.chunks(length).for_each(|piece| finder.update(piece));
    finder.finish()
}

#[test]
fn programs_tell_of_their_modules_and_crates() {
    check("/usr/bin/x", PROGRAM, IN_PROGRAM);
    check("/usr/bin/x", OF_32_BITS, IN_PROGRAM);
    assert_eq!(find(&path("/usr/share/x"), PROGRAM, false), []);
    assert_eq!(purls("/x", &find(&path("/usr/lib/libx.so.1"), PROGRAM, false)), IN_PROGRAM);
    check("/usr/bin/x", &PROGRAM[..PROGRAM.len() - 1], &IN_PROGRAM[3..]);
    check("/usr/bin/x", &PROGRAM[..800], &[]);
    check("/usr/bin/x", b"#!/bin/sh\necho this is no program, but long enough for one\n", &[]);
}

/// A finder that is told a size which is not that of the bytes that come holds to what it was told.
#[test]
fn a_wrong_size_is_no_harm() {
    for size in [52, PROGRAM.len() as u64 - 9, PROGRAM.len() as u64 + 9, u64::MAX] {
        let mut finder = Finder::of(&path("/usr/bin/x"), size, true).unwrap();
        finder.update(PROGRAM);
        assert!(finder.finish().iter().all(|found| found.kind == "golang"));
    }
}

#[test]
fn a_library_is_licensed_as_it_says() {
    let metadata = b"Metadata-Version: 2.1\r\nName: Py_YAML.x\r\nVersion: 6.0\r\nSummary: about\r\n\
        License: MIT\r\nAuthor: A. Uthor\r\nAuthor-email: a@example.org\r\nProject-URL: Home, https://example.org/\r\n\r\n\
        Version: 9\r\n";
    let name = "/usr/lib/python3/dist-packages/py_yaml.x-6.0.dist-info/METADATA";
    let found = check(name, metadata, &["pkg:pypi/py-yaml-x@6.0"]);
    let package = found[0].to_package(&path(name));
    assert_eq!(package.licences.declared.as_deref(), Some("MIT"));
    assert_eq!(package.homepage.as_deref(), Some("https://example.org/"));
    assert_eq!(package.maintainer, crate::inventory::Agent::parse("A. Uthor <a@example.org>"));
    assert_eq!(package.locations, [path(name)]);
}

#[test]
fn an_unclear_licence_is_none() {
    #[track_caller]
    fn check(fields: &str, licence: Option<&str>, declared: Option<&str>) {
        let metadata = format!("Name: x\nVersion: 1\n{fields}\n\nbody");
        let path = path("/opt/x.egg-info/PKG-INFO");
        let found = find(&path, metadata.as_bytes(), false);
        assert_eq!(found[0].licence.as_deref(), licence);
        assert_eq!(found[0].to_package(&path).licences.declared.as_deref(), declared);
    }
    check("License: UNKNOWN", None, None);
    check("License: BSD", Some("BSD"), None);
    check("License: Redistribution and use\n        are permitted", None, None);
    check("License-Expression: MIT OR Apache-2.0", Some("MIT OR Apache-2.0"), Some("MIT OR Apache-2.0"));
    let isc = "Classifier: License :: OSI Approved :: ISC License (ISCL)";
    check(
        &format!("License: own\nClassifier: License :: OSI Approved\n{isc}"),
        Some("License :: OSI Approved :: ISC License (ISCL)"),
        Some("ISC"),
    );
    check(&format!("{isc}\nClassifier: License :: OSI Approved :: MIT License"), None, None);
}

#[test]
fn packages_of_npm_are_those_that_can_be_loaded() {
    let json =
        br#"{"name":"@Scope/pkg","version":"1.2.3","license":{"type":"ISC"},"author":"A <a@example.org> (page)"}"#;
    let expected: &[&str] = &["pkg:npm/%40scope/pkg@1.2.3"];
    let found = check("/app/node_modules/@scope/pkg/package.json", json, expected);
    assert_eq!(found[0].licence.as_deref(), Some("ISC"));
    assert_eq!(found[0].author.as_deref(), Some("A <a@example.org>"));
    check("/app/node_modules/a/node_modules/pkg/package.json", json, expected);
    check("/usr/share/nodejs/pkg/package.json", json, expected);
    for elsewhere in [
        "/app/package.json",
        "/package.json",
        "/app/node_modules/pkg/test/package.json",
        "/app/node_modules/@scope/package.json",
        "/home/nodejs/pkg/package.json",
    ] {
        assert_eq!(find(&path(elsewhere), json, false), [], "{elsewhere}");
    }
    check("/app/node_modules/pkg/package.json", br#"{"name":"pkg","private":true}"#, &[]);
    let choice = br#"{"name":"old","version":"0.1.0","licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]}"#;
    let found = check("/app/node_modules/old/package.json", choice, &["pkg:npm/old@0.1.0"]);
    assert_eq!(found[0].licence.as_deref(), Some("MIT OR GPL-2.0"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check("/app/node_modules/deep/package.json", deep.as_bytes(), &[]);
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let entry = archive.new_file(name).compression_method(CompressionMethod::DEFLATE).start();
        let (mut entry, config) = entry.unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

const MANIFEST: &str = "META-INF/MANIFEST.MF";

fn properties(group: &str, artefact: &str) -> (String, String) {
    (
        format!("META-INF/maven/{group}/{artefact}/pom.properties"),
        format!("#Generated\ngroupId={group}\nartifactId = {artefact}\nversion=1.1\n"),
    )
}

#[test]
fn java_archives_are_their_artefacts_and_those_packed_into_them() {
    let manifest: &[u8] = b"Manifest-Version: 1.0\nImplementation-Version: 1.1\nBundle-License: Apache-2.0\n\n";
    let (own, own_text) = properties("org.example", "thing");
    let (other, other_text) = properties("org.other", "shaded");
    let bytes = archive(&[(MANIFEST, manifest), (&own, own_text.as_bytes()), (&other, other_text.as_bytes())]);
    let both: &[&str] = &["pkg:maven/org.example/thing@1.1", "pkg:maven/org.other/shaded@1.1"];
    let found = check("/usr/share/java/thing-1.1.jar", &bytes, both);
    assert_eq!(found[0].licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(found[1].licence, None);
    // Called after none of the two, it is a third.
    let found = check("/opt/app.jar", &bytes, &["pkg:maven/app/app@1.1", both[0], both[1]]);
    assert_eq!(found[0].licence.as_deref(), Some("Apache-2.0"));
    let plain = archive(&[(MANIFEST, b"Manifest-Version: 1.0\n\n")]);
    check("/usr/share/java/plain-3.0.jar", &plain, &["pkg:maven/plain/plain@3.0"]);
    check("/usr/share/java/plain.jar", &plain, &[]);
    check("/usr/share/java/broken-3.0.jar", b"PK\x03\x04 and nothing else", &[]);
}

#[test]
fn archives_in_archives_are_looked_at_once() {
    let manifest: (&str, &[u8]) = (MANIFEST, b"Manifest-Version: 1.0\n\n");
    let innermost = archive(&[manifest]);
    let inner = archive(&[manifest, ("lib/c-3.0.jar", &innermost)]);
    let outer = archive(&[("WEB-INF/lib/b-2.0.jar", &inner), ("x.txt", b"x")]);
    check("/srv/a-1.0.war", &outer, &["pkg:maven/a/a@1.0", "pkg:maven/b/b@2.0"]);
}

/// What is inflated for one file is bounded, whatever it holds: many archives that inflate a thousandfold.
#[test]
fn what_inflates_without_end_is_passed_over() {
    let zeros = vec![0; 20 << 20];
    let bomb: Vec<(String, &[u8])> = (0..40).map(|n| (format!("{n}-1.0.jar"), zeros.as_slice())).collect();
    let bomb: Vec<(&str, &[u8])> = bomb.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    let bytes = archive(&bomb);
    assert!(bytes.len() < 8 << 20);
    assert_eq!(purls("/x", &find(&path("/srv/bomb-1.0.jar"), &bytes, false)), ["pkg:maven/bomb/bomb@1.0"]);
}

#[test]
fn what_is_too_large_is_left() {
    #[track_caller]
    fn check(name: &str, size: u64, is_executable: bool, expected: Interest) {
        assert_eq!(Interest::of(&path(name), size, is_executable), expected);
        assert_eq!(Finder::of(&path(name), size, is_executable).is_none(), expected == Interest::Leave);
    }
    check("/opt/a.jar", MAX_ARCHIVE, false, Interest::Whole { limit: MAX_ARCHIVE });
    check("/opt/a.jar", MAX_ARCHIVE + 1, false, Interest::Leave);
    check("/opt/a.egg-info", MAX_METADATA + 1, false, Interest::Leave);
    check("/opt/.jar", 1, false, Interest::Leave);
    check("/opt/a", u64::MAX, true, Interest::Pass);
    check("/opt/a", 51, true, Interest::Leave);
    check("/", 100, true, Interest::Leave);
    check("/usr/lib/libz.so.1.2.13", 100, false, Interest::Pass);
    check("/usr/lib/also.txt", 100, false, Interest::Leave);
}

#[test]
fn what_was_found_can_be_kept() {
    let found = find(&path("/usr/bin/x"), PROGRAM, true);
    let kept = serde_json::to_vec(&found).unwrap();
    assert_eq!(serde_json::from_slice::<Vec<Found>>(&kept).unwrap(), found);
}

/// A program of as many sections as fit, whose names have no end: each is looked at once, and not the whole table of names for
/// each.
#[test]
fn names_of_sections_without_end_are_passed_over() {
    let (count, at, names) = (100_000_u64, 64_u64, vec![b'A'; 8 << 20]);
    let mut program = PROGRAM[..64].to_vec();
    // No segments. How many sections there are stands in the first one, and their names are in the second.
    program[0x28..0x30].copy_from_slice(&at.to_le_bytes());
    program[0x38..0x3a].fill(0);
    program[0x3c..0x40].copy_from_slice(&[0, 0, 1, 0]);
    let mut section = [0; 64];
    section[4] = 8;
    section[32..40].copy_from_slice(&count.to_le_bytes());
    program.extend_from_slice(&section);
    section[4] = 3;
    section[24..32].copy_from_slice(&(at + 64 * count).to_le_bytes());
    section[32..40].copy_from_slice(&(names.len() as u64).to_le_bytes());
    for _ in 1..count {
        program.extend_from_slice(&section);
    }
    program.extend_from_slice(&names);
    assert_eq!(find(&path("/usr/bin/x"), &program, true), []);
    // But for that, the program is sound.
    let start = program.len() - names.len();
    program[start] = 0;
    let parts = elf::Parts { size: program.len() as u64, head: &program[..64], tail: &program[64..] };
    assert_eq!(parts.section(b""), Some(&[][..]));
}

proptest! {
    #[test]
    fn damaged_programs_are_read_alike_in_all_pieces(
        places in proptest::collection::vec((0..PROGRAM.len(), any::<u8>()), 0..12), length in 1..3000_usize, cut in 0..PROGRAM.len(),
    ) {
        let mut bytes = PROGRAM.to_vec();
        for (place, byte) in places {
            bytes[place] = byte;
        }
        bytes.truncate(PROGRAM.len() - cut / 8);
        let path = path("/usr/bin/x");
        prop_assert_eq!(in_pieces(&path, &bytes, length), find(&path, &bytes, true));
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600), text in ".{0,300}") {
        for name in ["/x/METADATA", "/x.dist-info/METADATA", "/node_modules/x/package.json", "/x.jar", "/x"] {
            let _ = find(&path(name), &bytes, true);
            let _ = find(&path(name), text.as_bytes(), true);
            let _ = find(&path(name), &[b"\x7fELF\x02\x01\x01", &bytes[..]].concat(), true);
            let _ = find(&path(name), &[b"PK\x03\x04", &bytes[..]].concat(), true);
        }
    }

    #[test]
    fn damaged_archives_are_read(places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let (own, text) = properties("org.example", "thing");
        let mut bytes = archive(&[(MANIFEST, b"Bundle-Version: 1\n\n"), (&own, text.as_bytes()), ("a-1.jar", &archive(&[]))]);
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = find(&path("/x.jar"), &bytes, false);
    }
}
