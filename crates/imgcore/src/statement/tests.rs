use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

fn written(subjects: &[Subject], predicate_type: &str, predicate: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write(subjects, predicate_type, &mut |out| out.write_all(predicate.as_bytes()), &mut out).unwrap();
    out
}

#[test]
fn the_form_is_that_of_the_specification() {
    let digest = Digest::of(b"x");
    let text = written(&[Subject::new("_", &digest)], "https://spdx.dev/Document", r#"{"a":[1.5]}"#);
    let hex = digest.to_string().replace("sha256:", "");
    let expected = format!(
        concat!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"_","digest":{{"sha256":"{hex}"}}}}],"#,
            r#""predicateType":"https://spdx.dev/Document","predicate":{{"a":[1.5]}}}}"#
        ),
        hex = hex
    );
    assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
    let statement = read(&text).unwrap();
    assert!(statement.subjects[0].is(&digest) && !statement.subjects[0].is(&Digest::of(b"y")));
    assert_eq!((statement.version, statement.predicate), (Version::V1, Some(r#"{"a":[1.5]}"#)));
    let old = expected.replace("v1", "v0.1").replace(r#""subject""#, " \n\"other\" : { } ,\t\"sub\\u006aect\" ");
    assert_eq!(read(old.as_bytes()).unwrap(), Statement { version: Version::V0_1, ..statement });
}

#[test]
fn each_break_is_found() {
    use StatementError as E;
    let text = String::from_utf8(written(&[Subject::new("a", &Digest::of(b"x"))], "t", "{}")).unwrap();
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        read(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    assert!(matches!(check("Statement/v1", "Statement/v2"), E::Type(_)));
    assert!(matches!(check("\"predicateType\":\"t\",", ""), E::Missing("predicateType")));
    assert!(matches!(check("{\"_type\"", "{\"predicate\":1,\"_type\""), E::Twice("predicate")));
    assert!(matches!(check("\"sha256\"", "\"sha256\":\"0\",\"sha256\""), E::Subjects(JsonError::DuplicateKey { .. })));
    assert!(matches!(check("\"name\"", "\"digest\":{},\"name\""), E::Subjects(_)));
    assert!(matches!(check("\"digest\"", "\"digests\""), E::NoDigest));
    assert!(matches!(check("\"t\"", "1"), E::Form(_)));
    assert!(matches!(check("{}}", "{"), E::Form(_)));
    assert!(matches!(check("{}}", "{},}"), E::Form(_)));
    assert!(matches!(check("{}}", "{}}1"), E::NoObject { .. }));
    assert!(matches!(check("{\"_type\"", "[\"_type\""), E::NoObject { at: 0 }));
    assert!(matches!(read(&[b'{', 0xff]).unwrap_err(), E::NotUtf8(_)));
}

#[test]
fn depth_is_for_whoever_reads_the_predicate() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = written(&[Subject::new("a", &Digest::of(b"x"))], "t", &deep);
    assert!(read(&text).unwrap().predicate == Some(&deep));
    assert!(matches!(read_signed(&text), Err(StatementError::Ambiguous(JsonError::TooDeep { .. }))));
}

/// As cosign 2.5.0 and 3.1.1 wrote them with `attest-blob`, the subject apart; 3.1.1's signature has the same escapes.
#[test]
fn the_other_forms_are_those_of_cosign() {
    let digest = Digest::of(b"x");
    let check = |form: Form, name: &str, annotations: Option<&BTreeMap<String, String>>, expected: &str| {
        let subject = Subject::new(name, &digest);
        let subject = annotations.map_or(subject.clone(), |annotations| subject.with_annotations(annotations));
        let mut text = Vec::new();
        write_as(form, &[subject], "https://x.test/p", &mut |out| out.write_all(b"{}"), &mut text).unwrap();
        assert_eq!(String::from_utf8(text.clone()).unwrap(), expected.replace("HEX", &digest.hex()));
        let statement = read_signed(&text).unwrap();
        assert_eq!((statement.version, &*statement.subjects[0].name), (form.version, name));
        let found = statement.subjects[0].annotations.as_ref().map(|found| found.keys().collect::<Vec<_>>());
        assert_eq!(found, annotations.map(|annotations| annotations.keys().collect()));
    };
    check(
        Form::COSIGN_2,
        "a<\u{2028}",
        None,
        concat!(
            r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://x.test/p","#,
            r#""subject":[{"name":"a\u003c\u2028","digest":{"sha256":"HEX"}}],"predicate":{}}"#
        ),
    );
    check(
        Form::COSIGN_3,
        "a<\u{2028}\u{202e}\u{7f}\u{1}",
        None,
        concat!(
            r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"a<"#,
            "\u{2028}\u{202e}\u{7f}",
            r#"\u0001","digest":{"sha256":"HEX"}}],"predicateType":"https://x.test/p","predicate":{}}"#
        ),
    );
    let annotations = BTreeMap::from([("env", "prod"), ("b", "1")].map(|(key, value)| (key.into(), value.into())));
    check(
        Form::COSIGN_3_SIGNATURE,
        "",
        Some(&annotations),
        concat!(
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"HEX"},"#,
            r#""annotations":{"b":"1","env":"prod"}}],"predicateType":"https://x.test/p","predicate":{}}"#
        ),
    );
}

#[test]
fn what_is_signed_has_one_meaning() {
    use StatementError as E;
    let text = String::from_utf8(written(&[Subject::new("a", &Digest::of(b"x"))], "t", "{\"n\":1.5}")).unwrap();
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        read_signed(text.as_bytes()).map(|statement| statement.predicate.map(str::to_owned))
    };
    assert_eq!(check("t", "t").unwrap().as_deref(), Some("{\"n\":1.5}"));
    // In-toto has it that unknown members are passed over; cosign 3.0.0 to 3.0.4 wrote no predicate.
    assert!(check("{\"_type\"", "{\"other\":[1.5],\"_type\"").is_ok());
    assert_eq!(check(",\"predicate\":{\"n\":1.5}", "").unwrap(), None);
    assert_eq!(check("{\"n\":1.5}", "null").unwrap(), None);
    assert_eq!(check("{\"n\":1.5}", "\"x\"").unwrap().as_deref(), Some("\"x\""));
    for other in ["[1]", "1", "true"] {
        assert!(matches!(check("{\"n\":1.5}", other), Err(E::Predicate)), "{other}");
    }
    assert!(matches!(check("\"n\":1.5", "\"n\":1,\"\\u006e\":2"), Err(E::Ambiguous(_))));
    assert!(matches!(check("1.5}}", "1.5}} {}"), Err(E::Ambiguous(_))));
    assert!(matches!(check("\"predicate\"", "\"Predicate\""), Err(E::Respelled { known: "predicate", .. })));
    assert!(matches!(check("\"name\"", "\"NAME\""), Err(E::Respelled { known: "name", .. })));
    assert!(matches!(check("Statement/v1", "Statement/v0.2"), Err(E::Type(_))));
}

#[test]
fn subjects_and_digests_of_what_is_signed_are_counted() {
    use StatementError as E;
    let subject = Subject::new("a", &Digest::of(b"x"));
    let check = |subjects: &[Subject]| read_signed(&written(subjects, "t", "{}")).map(|found| found.subjects.len());
    assert_eq!(check(&vec![subject.clone(); MAX_SUBJECTS]).unwrap(), MAX_SUBJECTS);
    assert!(matches!(check(&vec![subject.clone(); MAX_SUBJECTS + 1]), Err(E::TooMany { what: "subjects", .. })));
    let digests = |count: usize| (0..count).map(|n| (format!("h{n}"), "00".to_owned())).collect();
    assert_eq!(check(&[Subject { digests: digests(MAX_DIGESTS), ..subject.clone() }]).unwrap(), 1);
    let many = Subject { digests: digests(MAX_DIGESTS + 1), ..subject.clone() };
    assert!(matches!(check(std::slice::from_ref(&many)), Err(E::TooMany { found: 33, .. })));
    assert!(read(&written(&vec![many; MAX_SUBJECTS + 1], "t", "{}")).is_ok());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        names in proptest::collection::vec(any::<String>(), 1..4),
        predicate_type in any::<String>(),
        predicate in "[a-z]{0,9}",
    ) {
        let subjects: Vec<Subject> =
            names.iter().map(|name| Subject::new(name, &Digest::of(name.as_bytes()))).collect();
        let predicate = format!("{{\"{predicate}\": [null, -1e9]}}");
        let text = written(&subjects, &predicate_type, &predicate);
        prop_assert!(!text.iter().any(u8::is_ascii_control));
        let version = Version::V1;
        let expected = Statement { version, subjects, predicate_type, predicate: Some(&predicate) };
        prop_assert_eq!(read(&text).unwrap(), expected);
    }

    #[test]
    fn no_bytes_are_fatal(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut text = written(&[Subject::new("a", &Digest::of(b"x"))], "t", "{\"b\":[\"c\",1]}");
        for (at, byte) in &edits {
            let at = at.index(text.len());
            text[at] = *byte;
        }
        if let Ok(statement) = read(&text) {
            prop_assert!(serde_json::from_str::<IgnoredAny>(statement.predicate.unwrap_or("0")).is_ok());
        }
    }
}
