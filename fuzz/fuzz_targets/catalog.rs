//! What is found in a file does not depend on how its bytes are cut, can be kept, and becomes packages with URLs that are
//! read back; a URL that was written stays as it is.

#![no_main]

use distil_imgcore::ImagePath;
use distil_sbom::catalog::{Finder, Found, find};
use distil_sbom::purl::Purl;
use libfuzzer_sys::fuzz_target;

/// A file for each kind of thing that is found.
const NAMES: [&str; 5] = [
    "/usr/bin/program",
    "/usr/lib/python3/dist-packages/x.egg-info/PKG-INFO",
    "/usr/share/nodejs/x/package.json",
    "/usr/share/java/x-1.0.jar",
    "/srv/app.war",
];
/// A program that holds lists of modules and crates, so that its damaged forms are found without guessing it first.
const PROGRAM: &[u8] = include_bytes!("../../crates/sbom/testdata/catalog/program64");

fuzz_target!(|input: &[u8]| {
    let Some((step, bytes)) = input.split_first() else { return };
    for name in NAMES {
        check(name, bytes, usize::from(*step) + 1);
    }
    let mut program = PROGRAM.to_vec();
    for change in bytes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % program.len();
        program[place] = change[2];
    }
    check(NAMES[0], &program, usize::from(*step) + 1);
    if let Ok(purl) = String::from_utf8_lossy(bytes).parse::<Purl>() {
        check_purl(&purl);
    }
});

fn check(name: &str, bytes: &[u8], step: usize) {
    let path = ImagePath::from_absolute(name.as_bytes()).expect("a name of ours");
    let found = find(&path, bytes, true);
    let mut finder = Finder::of(&path, bytes.len() as u64, true);
    for piece in bytes.chunks(step) {
        if let Some(finder) = &mut finder {
            finder.update(piece);
        }
    }
    assert_eq!(finder.map(Finder::finish).unwrap_or_default(), found);
    let kept = serde_json::to_vec(&found).expect("texts are written");
    assert_eq!(serde_json::from_slice::<Vec<Found>>(&kept).expect("what was written is read"), found);
    for found in &found {
        check_purl(&Purl::of(&found.to_package(&path), None));
    }
}

fn check_purl(purl: &Purl) {
    let written = purl.to_string();
    assert!(written.bytes().all(|b| b.is_ascii_graphic()), "{written}");
    let again: Purl = written.parse().expect("what was written is read");
    assert_eq!(again.to_string(), written);
}
