//! Payloads, envelopes and statements that are read are written and read as the same.

#![no_main]

use distil_imgcore::statement::{self, Form};
use distil_signing::dsse::Envelope;
use distil_signing::simple::Payload;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(payload) = Payload::parse(input) {
        assert_eq!(Payload::parse(&payload.to_bytes()).expect("what is written can be read"), payload);
    }
    if let Ok(envelope) = Envelope::parse(input) {
        assert_eq!(Envelope::parse(&envelope.to_bytes()).expect("what is written can be read"), envelope);
    }
    if let Ok(found) = statement::read_signed(input) {
        for form in [Form::COSIGN_2, Form::COSIGN_3, Form::COSIGN_3_SIGNATURE] {
            let mut text = Vec::new();
            let document = found.predicate.unwrap_or("null").as_bytes();
            let mut predicate = |out: &mut dyn std::io::Write| out.write_all(document);
            statement::write_as(form, &found.subjects, &found.predicate_type, &mut predicate, &mut text)
                .expect("memory takes all");
            let again = statement::read_signed(&text).expect("what is written can be read");
            assert_eq!(again, statement::Statement { version: form.version, ..found.clone() });
        }
    }
});
