use super::*;

fn judged(signer: Option<SignedBy>) -> (Verdict, Option<()>) {
    let outcome = signer.as_ref().map(|_| "good".to_owned()).ok_or_else(|| "bad".to_owned());
    let steps = vec![Step { name: StepName::Form, outcome }];
    let proof = signer.as_ref().map(|_| ());
    (Verdict { place: "here".into(), format: Format::Bundle, signer, steps, payload: None }, proof)
}

fn identity(subject: &str, issuer: &str) -> SignedBy {
    SignedBy::Identity { subject: subject.into(), issuer: issuer.into() }
}

#[test]
fn signers_are_counted_by_what_they_are() {
    let check = |threshold: usize, signers: Vec<Option<SignedBy>>, good: bool| {
        let judged = signers.iter().cloned().map(judged).collect();
        let report = Report::new(Digest::of(b"x"), NonZeroUsize::new(threshold).unwrap(), judged);
        assert_eq!((report.is_verified(), report.verdicts().len()), (good, signers.len()), "{signers:?}");
    };
    let key = |name: &str| Some(SignedBy::Key(Digest::of(name.as_bytes())));
    let identity = |subject, issuer| Some(identity(subject, issuer));
    check(1, vec![], false);
    check(1, vec![None], false);
    check(1, vec![None, key("a")], true);
    check(2, vec![key("a"), key("a"), None], false);
    check(2, vec![key("a"), key("b")], true);
    check(2, vec![identity("a", "x"), identity("a", "x")], false);
    check(2, vec![identity("a", "x"), identity("a", "y")], true);
    check(2, vec![identity("a", "x"), identity("b", "x")], true);
}

#[test]
fn names_are_those_of_the_documents() {
    let (verdict, _) = judged(Some(identity("a", "x")));
    let json = serde_json::to_value(&verdict).unwrap();
    let expected = serde_json::json!({
        "place": "here", "format": "bundle", "identity": "a", "issuer": "x", "verified": true,
        "steps": [{"step": "form", "ok": true, "detail": "good"}]
    });
    assert_eq!(json, expected);
}
