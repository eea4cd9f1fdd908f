//! What a document says and is written again means the same, and reading it again changes nothing.

#![no_main]

use distil_vulns::vex::{openvex, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(document) = read(input, "document") else { return };
    assert!(document.statements.iter().all(|statement| statement.check().is_ok()));
    let now = jiff::Timestamp::UNIX_EPOCH;
    let written = openvex::write("fuzz", now, &document.statements);
    if document.statements.is_empty() {
        return;
    }
    let again = read(&written, "document").expect("what is written can be read");
    assert_eq!(again.statements.len(), document.statements.len());
    for (first, second) in document.statements.iter().zip(&again.statements) {
        assert_eq!((&first.ids, first.status, &first.justification), (&second.ids, second.status, &second.justification));
    }
    assert_eq!(openvex::write("fuzz", now, &again.statements).len(), {
        let third = read(&openvex::write("fuzz", now, &again.statements), "document").expect("it is read once more");
        openvex::write("fuzz", now, &third.statements).len()
    });
});
