use distil_imgcore::statement::{Version, read_signed};
use proptest::prelude::*;

use super::*;

fn kind(text: &str) -> PredicateType {
    text.parse().unwrap()
}

#[test]
fn names_and_uris_are_types() {
    for (name, known) in NAMES {
        assert_eq!(kind(name).uri(), known.uri());
        assert!(kind(known.uri()).is(known.uri()), "{name}");
    }
    assert_eq!(kind("https://example.test/p/v1").to_string(), "https://example.test/p/v1");
    assert_eq!(kind("urn:example:x").uri(), "urn:example:x");
    for bad in
        ["", "spdxJson", "vulnerability", "example.test/p", "1a:b", "a b:c", "https:", ":x", "https://a\u{e9}", "a:\n"]
    {
        assert_eq!(bad.parse::<PredicateType>(), Err(UnknownPredicateType(bad.to_owned())));
    }
}

#[test]
fn a_file_is_embedded_without_a_change() {
    let file = "\n{\"big\": 12345678901234567890, \"n\":1.50, \"e\":1E400,\"a\":{\"B\":1,\"b\":2}}\n";
    assert_eq!(kind("spdxjson").predicate(file.as_bytes(), 0).unwrap(), file.trim());
    let digest = Digest::of(b"x");
    let statement = kind("vuln").statement("registry.example.com/app", &digest, file.trim());
    let read = read_signed(&statement).unwrap();
    assert_eq!(read.predicate, Some(file.trim()));
    assert_eq!((read.version, &*read.predicate_type), (Version::V0_1, kind("vuln").uri()));
    assert!(read.subjects[0].is(&digest) && read.subjects[0].name == "registry.example.com/app");
}

#[test]
fn some_types_have_the_file_as_a_text() {
    let file = b"SPDXVersion: \"<2.3>\"\n";
    assert_eq!(kind("spdx").predicate(file, 0).unwrap(), r#""SPDXVersion: \"<2.3>\"\n""#);
    let dated = kind("custom").predicate(file, 1_795_310_525).unwrap();
    assert_eq!(dated, r#"{"Data":"SPDXVersion: \"<2.3>\"\n","Timestamp":"2026-11-22T01:22:05Z"}"#);
    assert_eq!(kind("custom").predicate(b"\xff", 0), Err(PredicateError::NotUtf8));
    assert_eq!(kind("custom").predicate(b"", i64::MAX), Err(PredicateError::Time(i64::MAX)));
}

#[test]
fn what_is_no_object_with_one_meaning_is_refused() {
    use PredicateError as E;
    let check = |file: &[u8]| kind("slsaprovenance1").predicate(file, 0);
    assert_eq!(check(b"[{}]"), Err(E::NoObject));
    assert_eq!(check(b"\"{}\""), Err(E::NoObject));
    assert_eq!(check(b"{} {}"), Err(E::Json(JsonError::Trailing { at: 3 })));
    assert!(matches!(check(b"{\"a\":1,\"a\":2}"), Err(E::Json(JsonError::DuplicateKey { .. }))));
    assert_eq!(check(b""), Err(E::Json(JsonError::Empty)));
}

#[test]
fn a_signature_is_a_statement_of_its_own_type() {
    let digest = Digest::of(b"x");
    let text = String::from_utf8(signature_statement(&digest, &BTreeMap::new())).unwrap();
    let expected = concat!(
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"HEX"},"annotations":{}}],"#,
        r#""predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#
    );
    assert_eq!(text, expected.replace("HEX", &digest.hex()));
}

proptest! {
    #[test]
    fn any_text_becomes_a_predicate(file in any::<String>(), name in "[ -~\u{2028}]{0,20}") {
        let digest = Digest::of(file.as_bytes());
        for kind in [kind("spdx"), kind("custom")] {
            let predicate = kind.predicate(file.as_bytes(), 0).unwrap();
            let statement = kind.statement(&name, &digest, &predicate);
            prop_assert_eq!(read_signed(&statement).unwrap().predicate, Some(&*predicate));
        }
    }
}
