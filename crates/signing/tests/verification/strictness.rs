//! What is validly signed by the right key, and refused nevertheless.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Digest;
use distil_signing::dsse;
use distil_signing::key::{PrivateKey, Signer as _};
use distil_signing::verify::{self, Candidate, Requirements, StepName, Stored, Trust};
use serde_json::json;

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

struct Bench {
    key: PrivateKey,
    image: Digest,
}

impl Bench {
    fn new() -> Self {
        Self { key: PrivateKey::generate().unwrap(), image: Digest::of(b"an image") }
    }

    fn wanted(&self) -> Requirements {
        Requirements::new(Trust::Keys(vec![self.key.public_key().clone()]))
    }

    fn payload(&self) -> String {
        format!(
            concat!(
                r#"{{"critical":{{"identity":{{"docker-reference":"r.example.com/a"}},"image":{{"docker-manifest-digest":"{}"}},"#,
                r#""type":"cosign container image signature"}},"optional":{{"a":"1"}}}}"#
            ),
            self.image
        )
    }

    fn statement(&self, predicate_type: &str) -> String {
        let hex = self.image.hex();
        format!(
            concat!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}},"annotations":{{"a":"1"}}}}],"#,
                r#""predicateType":"{}","predicate":{{"n":1.5}}}}"#
            ),
            hex, predicate_type
        )
    }

    fn simple(&self, payload: &str) -> Stored {
        let signature = STANDARD.encode(self.key.sign(payload.as_bytes()).unwrap());
        let annotations = BTreeMap::from([("dev.cosignproject.cosign/signature".to_owned(), signature)]);
        Stored::Simple { payload: payload.as_bytes().to_vec(), annotations }
    }

    fn envelope(&self, payload_type: &str, payload: &str) -> String {
        let signature = self.key.sign(&dsse::pae(payload_type, payload.as_bytes())).unwrap();
        let (payload, signature) = (STANDARD.encode(payload), STANDARD.encode(signature));
        format!(r#"{{"payload":"{payload}","payloadType":"{payload_type}","signatures":[{{"sig":"{signature}"}}]}}"#)
    }

    fn bundle(&self, payload: &str) -> Stored {
        let envelope = self.envelope(dsse::IN_TOTO, payload);
        let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let material = json!({"publicKey": {"hint": self.key.public_key().hint()}});
        let bundle =
            format!(r#"{{"mediaType":"{media_type}","verificationMaterial":{material},"dsseEnvelope":{envelope}}}"#);
        Stored::Bundle(bundle.into_bytes())
    }

    fn layer(&self, payload: &str) -> Stored {
        let bytes = self.envelope(dsse::IN_TOTO, payload).into_bytes();
        Stored::Envelope { bytes, annotations: BTreeMap::new() }
    }

    /// The step that fails, if one does.
    fn signature(&self, stored: Stored) -> Option<StepName> {
        let candidates = [Candidate { place: "here".into(), stored }];
        let report = verify::image(&self.image, &candidates, &self.wanted());
        let failed = report.verdicts().first().and_then(|verdict| verdict.failure()).map(|(step, _)| step);
        assert_eq!(report.is_verified(), failed.is_none() && report.verdicts().len() == 1);
        failed
    }

    fn attestation(&self, stored: Stored) -> Option<StepName> {
        let candidates = [Candidate { place: "here".into(), stored }];
        let report = verify::attestation(&self.image, &VULN.parse().unwrap(), &candidates, &self.wanted());
        let failed = report.verdicts().first().and_then(|verdict| verdict.failure()).map(|(step, _)| step);
        assert_eq!(report.is_verified(), failed.is_none());
        failed
    }
}

#[test]
fn payloads_have_one_meaning_and_are_image_signatures() {
    let bench = Bench::new();
    let good = bench.payload();
    assert_eq!(bench.signature(bench.simple(&good)), None);
    let other = Digest::of(b"another image").to_string();
    for (from, to, step) in [
        // Go takes the last of two members.
        (
            r#""image":"#.to_owned(),
            format!(r#""image":{{"docker-manifest-digest":"{other}"}},"image":"#),
            StepName::Type,
        ),
        (
            r#""image":"#.to_owned(),
            format!(r#""Image":{{"docker-manifest-digest":"{other}"}},"image":"#),
            StepName::Type,
        ),
        ("container image signature".to_owned(), "something else".to_owned(), StepName::Type),
        (r#""1"}}"#.to_owned(), r#""1"}} {}"#.to_owned(), StepName::Type),
        (r#""1"}}"#.to_owned(), "\"1\"}}\0".to_owned(), StepName::Type),
        (bench.image.to_string(), other, StepName::Subject),
    ] {
        assert!(good.contains(&from), "{from}");
        let payload = good.replacen(&from, &to, 1);
        assert_eq!(bench.signature(bench.simple(&payload)), Some(step), "{payload}");
    }
}

#[test]
fn statements_have_one_meaning_and_are_of_the_right_type() {
    let bench = Bench::new();
    let other = Digest::of(b"another image").hex();
    let changes = [
        ("Statement/v1".to_owned(), "Statement/v9".to_owned(), StepName::Type),
        (r#""predicateType":"#.to_owned(), r#""predicateType":"x","predicateType":"#.to_owned(), StepName::Type),
        (r#""predicateType":"#.to_owned(), r#""PredicateType":"x","predicateType":"#.to_owned(), StepName::Type),
        (r#""predicateType":""#.to_owned(), r#""predicateType":"x"#.to_owned(), StepName::Type),
        (r#"{"n":1.5}"#.to_owned(), r#"{"n":1.5,"n":2}"#.to_owned(), StepName::Type),
        (r#"{"n":1.5}}"#.to_owned(), r#"{"n":1.5}}{}"#.to_owned(), StepName::Type),
        (r#"{"n":1.5}}"#.to_owned(), "{\"n\":1.5}}x".to_owned(), StepName::Type),
        (
            format!(r#""sha256":"{}""#, bench.image.hex()),
            format!(r#""sha512":"{}""#, bench.image.hex()),
            StepName::Subject,
        ),
        (bench.image.hex(), other, StepName::Subject),
        (bench.image.hex(), bench.image.hex().to_uppercase(), StepName::Subject),
    ];
    let sign = bench.statement(SIGN);
    let vuln = bench.statement(VULN);
    assert_eq!(bench.signature(bench.bundle(&sign)), None);
    assert_eq!(bench.attestation(bench.bundle(&vuln)), None);
    assert_eq!(bench.attestation(bench.layer(&vuln)), None);
    for (from, to, step) in changes {
        for (good, check) in [
            (&sign, &(|text: &str| bench.signature(bench.bundle(text))) as &dyn Fn(&str) -> Option<StepName>),
            (&vuln, &|text: &str| bench.attestation(bench.bundle(text))),
            (&vuln, &|text: &str| bench.attestation(bench.layer(text))),
        ] {
            assert!(good.contains(&from), "{from}");
            let statement = good.replacen(&from, &to, 1);
            assert_eq!(check(&statement), Some(step), "{statement}");
        }
    }
}

#[test]
fn an_attestation_is_no_signature_and_a_signature_no_other_attestation() {
    let bench = Bench::new();
    assert_eq!(bench.signature(bench.bundle(&bench.statement(VULN))), Some(StepName::Type));
    assert_eq!(bench.attestation(bench.bundle(&bench.statement(SIGN))), Some(StepName::Type));
    // Under the tag of attestations nothing counts as a signature, and under that of signatures nothing as an attestation.
    let wanted = bench.wanted();
    let at = |stored| [Candidate { place: "here".into(), stored }];
    let report = verify::image(&bench.image, &at(bench.layer(&bench.statement(SIGN))), &wanted);
    assert!(!report.is_verified() && report.verdicts().is_empty());
    let report =
        verify::attestation(&bench.image, &SIGN.parse().unwrap(), &at(bench.simple(&bench.payload())), &wanted);
    assert!(!report.is_verified() && report.verdicts().is_empty());
}

#[test]
fn what_an_envelope_says_of_its_payload_is_signed() {
    let bench = Bench::new();
    let statement = bench.statement(VULN);
    let layer = |text: String| Stored::Envelope { bytes: text.into_bytes(), annotations: BTreeMap::new() };
    let other = bench.envelope("application/json", &statement);
    assert_eq!(bench.attestation(layer(other.clone())), Some(StepName::Type));
    let relabelled = other.replace("application/json", dsse::IN_TOTO);
    assert_eq!(bench.attestation(layer(relabelled)), Some(StepName::Signer));
    let twice =
        bench.envelope(dsse::IN_TOTO, &statement).replace("\"signatures\":[", "\"signatures\":[{\"sig\":\"AA==\"},");
    assert_eq!(bench.attestation(layer(twice)), Some(StepName::Form));
    let after = bench.envelope(dsse::IN_TOTO, &statement) + "{}";
    assert_eq!(bench.attestation(layer(after)), Some(StepName::Form));
}

#[test]
fn evidence_is_not_taken_on_trust() {
    let bench = Bench::new();
    for (require_tlog, use_signed_timestamps, step) in
        [(true, false, StepName::Log), (false, true, StepName::Timestamps), (true, true, StepName::Log)]
    {
        for stored in [bench.simple(&bench.payload()), bench.bundle(&bench.statement(SIGN))] {
            let wanted = Requirements { require_tlog, use_signed_timestamps, ..bench.wanted() };
            let report = verify::image(&bench.image, &[Candidate { place: "here".into(), stored }], &wanted);
            assert!(!report.is_verified());
            assert_eq!(report.verdicts()[0].failure().map(|(step, _)| step), Some(step));
        }
    }
}

#[test]
fn annotations_and_names_have_to_be_signed() {
    let bench = Bench::new();
    let check = |stored: &Stored, annotations: &[(&str, &str)], reference: Option<&str>| {
        let annotations = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let wanted = Requirements { annotations, reference: reference.map(str::to_owned), ..bench.wanted() };
        let candidates = [Candidate { place: "here".into(), stored: stored.clone() }];
        verify::image(&bench.image, &candidates, &wanted).verdicts()[0].failure().map(|(step, _)| step)
    };
    let simple = bench.simple(&bench.payload());
    let bundle = bench.bundle(&bench.statement(SIGN));
    for stored in [&simple, &bundle] {
        assert_eq!(check(stored, &[("a", "1")], None), None);
        assert_eq!(check(stored, &[("a", "2")], None), Some(StepName::Annotations));
        assert_eq!(check(stored, &[("a", "1"), ("b", "1")], None), Some(StepName::Annotations));
    }
    assert_eq!(check(&simple, &[], Some("r.example.com/a:v1")), None);
    assert_eq!(check(&simple, &[], Some("r.example.com/ab")), Some(StepName::Reference));
    assert_eq!(check(&simple, &[], Some("")), Some(StepName::Reference));
    // A bundle of cosign's names no image.
    assert_eq!(check(&bundle, &[], Some("r.example.com/a")), Some(StepName::Reference));
}
