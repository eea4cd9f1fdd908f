use proptest::prelude::*;

use super::*;

fn sample() -> Envelope {
    Envelope { payload_type: IN_TOTO.to_owned(), payload: b"{}".to_vec(), signature: b"sig".to_vec() }
}

#[test]
fn what_is_signed_is_that_of_the_specification() {
    let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    assert_eq!(pae("\u{fc}", b""), "DSSEv1 2 \u{fc} 0 ".as_bytes());
}

#[test]
fn both_orders_are_read_and_that_of_cosign_3_is_written() {
    let third = r#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"c2ln"}]}"#;
    let second =
        r#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"keyid":"","sig":"c2ln"}]}"#;
    assert_eq!(sample().to_bytes(), third.as_bytes());
    assert_eq!(Envelope::parse(third.as_bytes()), Ok(sample()));
    assert_eq!(Envelope::parse(second.as_bytes()), Ok(sample()));
}

/// Each case breaks one thing.
#[test]
fn what_is_not_one_signed_payload_is_refused() {
    use EnvelopeError as E;
    let text = String::from_utf8(sample().to_bytes()).unwrap();
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Envelope::parse(text.replacen(from, to, 1).as_bytes())
    };
    assert_eq!(check("{\"sig\"", "{\"other\":1,\"sig\""), Ok(sample()));
    assert_eq!(check("[{\"sig\":\"c2ln\"}]", "[]"), Err(E::Signatures(0)));
    assert_eq!(check("]", ",{\"sig\":\"c2ln\"}]"), Err(E::Signatures(2)));
    assert_eq!(check(",\"signatures\":[{\"sig\":\"c2ln\"}]", ""), Err(E::Signatures(0)));
    assert_eq!(check("c2ln", ""), Err(E::EmptySignature));
    assert!(matches!(check("\"sig\"", "\"Sig\""), Err(E::Form(FieldError::Missing { member: "sig", .. }))));
    assert!(matches!(check("\"payload\"", "\"Payload\""), Err(E::Form(FieldError::Missing { .. }))));
    assert!(matches!(
        check("\"payload\"", "\"Payload\":\"\",\"payload\""),
        Err(E::Json(JsonError::DuplicateKey { .. }))
    ));
    assert!(matches!(check("\"payload\"", "\"payload\":\"\",\"payload\""), Err(E::Json(_))));
    for loose in ["e30", "e31=", "e30=\\n", "e_0=", "e30==="] {
        assert!(matches!(check("e30=", loose), Err(E::Form(FieldError::Form { member: "payload", .. }))), "{loose}");
    }
    assert!(matches!(check("\"application/vnd.in-toto+json\"", "1"), Err(E::Form(_))));
    assert!(matches!(Envelope::parse(format!("{text}{text}").as_bytes()), Err(E::Json(JsonError::Trailing { .. }))));
    assert!(matches!(Envelope::parse(b"[\"e30=\",\"t\",[[\"c2ln\"]]]"), Err(E::Form(FieldError::NoObject { .. }))));
}

#[test]
fn only_a_signature_by_the_key_over_the_same_is_a_repetition() {
    let by_key = |message: &[u8], signature: &[u8]| message == sample().pae() && signature == b"sig";
    assert!(sample().repeats(IN_TOTO, b"{}", by_key));
    assert!(!sample().repeats(IN_TOTO, b"{ }", |_, _| true));
    assert!(!sample().repeats("text/plain", b"{}", |_, _| true));
    assert!(!sample().repeats(IN_TOTO, b"{}", |_, _| false));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        payload_type in any::<String>(),
        payload in any::<Vec<u8>>(),
        signature in proptest::collection::vec(any::<u8>(), 1..80),
    ) {
        let envelope = Envelope { payload_type, payload, signature };
        prop_assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
    }

    /// The encoding is of one type and one payload only.
    #[test]
    fn encodings_differ(a in "[ 0-9a]{0,6}", b in "[ 0-9a]{0,6}", c in "[ 0-9a]{0,6}", d in "[ 0-9a]{0,6}") {
        prop_assert_eq!(pae(&a, b.as_bytes()) == pae(&c, d.as_bytes()), (a, b) == (c, d));
    }

    #[test]
    fn no_bytes_are_fatal(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = sample().to_bytes();
        for (at, byte) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
        }
    }
}
