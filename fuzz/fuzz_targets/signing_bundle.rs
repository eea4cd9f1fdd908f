//! A bundle that is read has the text that it was read from, within its bounds, and an envelope that can be written again.

#![no_main]

use distil_imgcore::statement;
use distil_signing::bundle::{Bundle, Content, MAX_ENTRIES, MAX_TIMESTAMPS};
use distil_signing::dsse::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(bundle) = Bundle::parse(input) else { return };
    assert_eq!(bundle.text.as_bytes(), input);
    assert!(bundle.entries.len() <= MAX_ENTRIES && bundle.timestamps.len() <= MAX_TIMESTAMPS);
    for proof in bundle.entries.iter().filter_map(|entry| entry.proof.as_ref()) {
        assert!(proof.log_index < proof.tree_size);
    }
    if let Content::Envelope(envelope) = &bundle.content {
        assert_eq!(Envelope::parse(&envelope.to_bytes()).as_ref(), Ok(envelope));
        let _ = statement::read_signed(&envelope.payload);
    }
});
