use proptest::prelude::*;

use super::*;

fn sample() -> Payload {
    let optional = BTreeMap::from([("note".to_owned(), "<a&b> ü\u{2028}".to_owned())]);
    Payload { reference: "registry.example.com/app".to_owned(), digest: Digest::of(b"x"), optional }
}

#[test]
fn the_bytes_are_those_of_go() {
    let expected = concat!(
        r#"{"critical":{"identity":{"docker-reference":"registry.example.com/app"},"image":{"docker-manifest-digest":"#,
        r#""DIGEST"},"type":"cosign container image signature"},"optional":{"note":"\u003ca\u0026b\u003e ü\u2028"}}"#
    );
    let expected = expected.replace("DIGEST", &Digest::of(b"x").to_string());
    assert_eq!(String::from_utf8(sample().to_bytes()).unwrap(), expected);
    let plain = Payload { optional: BTreeMap::new(), ..sample() };
    assert!(plain.to_bytes().ends_with(br#""},"optional":null}"#));
    assert_eq!(Payload::parse(&plain.to_bytes()).unwrap(), plain);
}

/// Each case breaks one thing.
#[test]
fn what_cosign_lets_through_is_refused() {
    use PayloadError as E;
    let text = String::from_utf8(sample().to_bytes()).unwrap();
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Payload::parse(text.replacen(from, to, 1).as_bytes())
    };
    assert!(check("}}", "} }\n").is_ok());
    assert!(
        matches!(check("cosign container", "atomic container"), Err(E::Type(found)) if found.starts_with("atomic"))
    );
    assert!(matches!(check("\"type\":", "\"Type\":"), Err(E::Form(FieldError::Unknown { .. }))));
    assert!(matches!(
        check("\"optional\"", "\"optional\":{},\"optional\""),
        Err(E::Json(JsonError::DuplicateKey { .. }))
    ));
    assert!(matches!(check("\"critical\"", "\"critical\":{},\"\\u0063ritical\""), Err(E::Json(_))));
    assert!(matches!(check("\"critical\"", "\"Critical\":{},\"critical\""), Err(E::Form(_))));
    assert!(matches!(check("\"identity\"", "\"more\":1,\"identity\""), Err(E::Form(FieldError::Unknown { .. }))));
    assert!(matches!(check("\"docker-reference\"", "\"x\""), Err(E::Form(_))));
    assert!(matches!(check("\"optional\"", "\"Optional\""), Err(E::Form(FieldError::Unknown { .. }))));
    assert!(matches!(check("sha256:", "sha256:0"), Err(E::Digest(_))));
    assert!(matches!(check("sha256:", ""), Err(E::Digest(_))));
    for behind in ["{}", " {}", "\0", "x"] {
        let whole = format!("{text}{behind}");
        assert!(matches!(Payload::parse(whole.as_bytes()), Err(E::Json(JsonError::Trailing { .. }))), "{behind:?}");
    }
    // What Go cannot read either.
    let listed = r#"{"critical":[["a"],["sha256:00"],"cosign container image signature"],"optional":null}"#;
    assert!(matches!(Payload::parse(listed.as_bytes()), Err(E::Form(FieldError::NoObject { object: "critical" }))));
    assert!(matches!(Payload::parse(b"[]"), Err(E::Form(FieldError::NoObject { .. }))));
    assert!(matches!(Payload::parse(b""), Err(E::Json(JsonError::Empty))));
}

#[test]
fn annotations_that_are_no_texts_are_passed_over() {
    let text = String::from_utf8(sample().to_bytes()).unwrap();
    let (head, _) = text.split_once("\"optional\":").unwrap();
    let optional = r#"{"creator":"someone","timestamp":1.7e9,"more":[{}],"a":"1","A":"2"}"#;
    let found = Payload::parse(format!("{head}\"optional\":{optional}}}").as_bytes()).unwrap().optional;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "a", "creator"]);
    assert!(Payload::parse(format!("{head}\"optional\":[]}}").as_bytes()).is_err());
    assert!(
        Payload::parse(text.split(",\"optional\"").next().map(|head| format!("{head}}}")).unwrap().as_bytes()).is_ok()
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        reference in any::<String>(),
        content in any::<Vec<u8>>(),
        optional in proptest::collection::btree_map("[a-zA-Z<&\u{2028}]{0,9}", any::<String>(), 0..4),
    ) {
        let payload = Payload { reference, digest: Digest::of(&content), optional };
        prop_assert_eq!(Payload::parse(&payload.to_bytes()).unwrap(), payload);
    }

    #[test]
    fn no_bytes_are_fatal(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = sample().to_bytes();
        for (at, byte) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Ok(payload) = Payload::parse(&bytes) {
            prop_assert_eq!(Payload::parse(&payload.to_bytes()).unwrap(), payload);
        }
    }
}
