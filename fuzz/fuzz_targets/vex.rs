//! What a document says, written again, is a document that says no more.

#![no_main]

use distil_vulns::vex::{VexError, openvex, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(document) = read(input, "document") else { return };
    assert!(document.statements.iter().all(|statement| statement.check().is_ok()));
    let now = "1970-01-01T00:00:00Z".parse().expect("it is a time");
    match read(&openvex::write("fuzz", now, &document.statements), "document") {
        Ok(again) => {
            for statement in &again.statements {
                let is_said =
                    document.statements.iter().any(|said| said.ids == statement.ids && said.status == statement.status);
                assert!(is_said, "{statement:?} is new");
            }
        }
        Err(VexError::NoProduct { .. }) => {}
        Err(other) => panic!("what is written cannot be read: {other}"),
    }
});
