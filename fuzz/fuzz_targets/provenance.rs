//! A statement that is read is written and read as the same; provenance, once it was written, is a fixed point.

#![no_main]

use distil_imgcore::statement;
use distil_sbom::provenance::Provenance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(found) = statement::read(input) {
        let mut text = Vec::new();
        let found = statement::Statement { predicate: found.predicate.or(Some("{}")), ..found };
        let document = found.predicate.unwrap_or_default().as_bytes();
        let form = statement::Form { version: found.version, ..statement::Form::DISTIL };
        let mut predicate = |out: &mut dyn std::io::Write| out.write_all(document);
        statement::write_as(form, &found.subjects, &found.predicate_type, &mut predicate, &mut text)
            .expect("memory takes all");
        assert_eq!(statement::read(&text).expect("what is written can be read"), found);
    }
    let written = |all: &Provenance| {
        let mut text = Vec::new();
        all.write(&mut text).expect("what was read can be written");
        text
    };
    if let Ok(all) = Provenance::read(input) {
        let text = written(&all);
        let told = Provenance::read(&text).expect("what is written can be read");
        assert_eq!(written(&told), text);
    }
});
