//! Licences of any copyright file are expressions that a document has as they are, with exactly the texts that they name; a
//! guess is never an empty text. How text is marked up may change what is found, never whether it can be written.

#![no_main]

use std::collections::BTreeSet;

use distil_sbom::licence::{Analysis, analyse};
use distil_sbom::{About, Format, Inventory, Package, PackageKind, read};
use libfuzzer_sys::fuzz_target;

/// What makes bytes a file in the form of DEP-5, whose stanzas free text hardly ever has.
const HEADER: &[u8] = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n";

fuzz_target!(|input: &[u8]| {
    check(input);
    check(&[HEADER, input].concat());
});

fn check(bytes: &[u8]) {
    let found = analyse(bytes, "source");
    assert_eq!(analyse(bytes, "source"), found);
    let Analysis { licences, texts } = &found;
    let both = [&licences.declared, &licences.concluded];
    let words = both.into_iter().flatten().flat_map(|text| text.split(|c: char| c.is_whitespace() || "()".contains(c)));
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("LicenseRef-")).collect();
    assert_eq!(texts.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);
    assert!(texts.values().all(|text| !text.is_empty()));

    // What is no expression would come back as unknown.
    let package = Package { licences: licences.clone(), ..Package::new(PackageKind::Deb, "a", Some("1".to_owned())) };
    let inventory = Inventory { packages: vec![package], licence_texts: texts.clone(), ..Inventory::default() };
    let about = About { author: None, created: 0, version: "1".to_owned(), files: false };
    let mut document = Vec::new();
    Format::Spdx23.write(&inventory, &about, &mut document).expect("memory takes all");
    let (_, again) = read(&document).expect("what was written is read");
    assert_eq!(again.packages[0].licences.declared, licences.declared);
    assert_eq!(again.packages[0].licences.concluded, licences.concluded);
    assert_eq!(again.licence_texts, *texts);
}
