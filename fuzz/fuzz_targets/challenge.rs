//! Challenges that are read mean the same when they are written again.

#![no_main]

// The parser is the crate's own affair, and needs nothing of the rest of it.
#[path = "../../crates/registry/src/transport/challenge.rs"]
mod challenge;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(challenges) = challenge::parse(text.lines()) else { return };
    let written = challenges.iter().map(|challenge| {
        let params = challenge
            .params
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
        format!("{} {}", challenge.scheme, params.collect::<Vec<_>>().join(", "))
    });
    let written: Vec<String> = written.collect();
    // Quotes and escapes may make a field longer than it may be.
    if written.iter().all(|field| field.len() <= text.len()) {
        assert_eq!(challenge::parse(written.iter().map(String::as_str)), Ok(challenges));
    }
});
