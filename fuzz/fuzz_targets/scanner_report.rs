//! A report of a scanner, whatever it holds, is read or refused; what is read can be put in the terms of an image and joined,
//! and joining it again changes nothing.

#![no_main]

use std::collections::BTreeMap;

use distil_vulns::merge;
use distil_vulns::report::{BinaryPackage, read, resolve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(report) = read(input) else { return };
    for note in &report.notes {
        assert!(!note.contains(char::is_control));
    }
    let package = BinaryPackage { version: "1-1".into(), source: "s".into(), source_version: "1-1".into() };
    let packages = BTreeMap::from([("p".to_owned(), package)]);
    let resolved = resolve(&report, "report", &packages, Some(("bookworm", Some("12"))));
    let merged = merge(resolved.findings);
    assert_eq!(merge(merged.clone()), merged);
});
