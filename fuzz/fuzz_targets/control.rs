//! Paragraphs read the same from their own bytes; a control file becomes a record from which it can be read again; and
//! relations are what they show.

#![no_main]

use distil_debunpack::deb822::{Comments, Limits, Paragraphs};
use distil_debunpack::records::{Records, status_file};
use distil_debunpack::{Control, RelationField, Relations};
use libfuzzer_sys::fuzz_target;

const RELATIONS: [RelationField; 3] = [RelationField::Depends, RelationField::Breaks, RelationField::Provides];

fuzz_target!(|input: &[u8]| {
    check_paragraphs(input);
    // The fields that every package has are no find.
    for file in [input.to_vec(), [b"Package: hello\nVersion: 1.0\nArchitecture: all\n", input].concat()] {
        if let Ok(control) = Control::parse(&file) {
            check_control(&control, &file);
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        check_relations(text);
    }
});

fn check_paragraphs(input: &[u8]) {
    for comments in [Comments::Refused, Comments::Skipped] {
        for paragraph in Paragraphs::new(input, comments, Limits::default()).flatten() {
            let again: Vec<_> = Paragraphs::new(paragraph.bytes(), comments, Limits::default()).collect();
            let [Ok(again)] = again.as_slice() else { panic!("{paragraph:?} became {again:?}") };
            let fields = |p: &distil_debunpack::deb822::Paragraph<'_>| {
                p.fields().iter().map(|f| (f.name().to_owned(), f.value().to_vec())).collect::<Vec<_>>()
            };
            assert_eq!(fields(&paragraph), fields(again));
        }
    }
}

fn check_control(control: &Control, file: &[u8]) {
    assert_eq!(control.bytes(), file);
    let record = status_file([control, control]);
    let records = Records::read(&record);
    assert!(records.broken.is_empty(), "a record of a sound control file is sound: {:?}", records.broken);
    assert_eq!(records.packages.len(), 2, "a control file became several records");
    for again in records.packages.iter().map(|found| &found.control) {
        assert_eq!(again.package(), control.package());
        assert_eq!(again.version().as_str(), control.version().as_str());
        assert_eq!(again.source(), control.source());
        let others = |c: &Control| {
            let kept = c.fields().filter(|(name, _)| *name != "Status");
            kept.map(|(name, value)| (name.to_owned(), value.to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(others(again), others(control));
    }
    for field in RELATIONS {
        if let Ok(relations) = control.relations(field) {
            assert_eq!(relations.to_string().parse(), Ok(relations));
        }
    }
}

fn check_relations(text: &str) {
    if let Ok(relations) = text.parse::<Relations>() {
        assert_eq!(relations.to_string().parse(), Ok(relations));
    }
}
