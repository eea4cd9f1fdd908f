//! What the real cosigns wrote is read, and written again from its values in the same bytes.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what stops a test is its result")]

use std::fs;
use std::path::{Path, PathBuf};

use distil_imgcore::statement::{self, Form, Statement};
use distil_imgcore::{Descriptor, Manifest, MediaType, time};
use distil_signing::bundle::{self, Bundle, Content, HashAlgorithm, Material, MessageDigest};
use distil_signing::dsse::{Envelope, IN_TOTO};
use distil_signing::key::PublicKey;
use distil_signing::legacy::{self, Layer};
use distil_signing::predicate::{PredicateType, signature_statement};
use distil_signing::referrer;
use distil_signing::simple::Payload;
use proptest::prelude::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn key(name: &str) -> PublicKey {
    PublicKey::from_pem(&read(&data("keys").join(name).with_extension("pub"))).unwrap()
}

/// A manifest of the vectors with the bytes of its config and layers.
struct Sample {
    name: &'static str,
    manifest: Manifest,
    config: Option<Vec<u8>>,
    layers: Vec<Vec<u8>>,
}

fn sample(name: &'static str) -> Sample {
    let folder = data("formats").join(name);
    let media_type: MediaType = MediaType::MANIFEST.parse().unwrap();
    let manifest = Manifest::parse(read(&folder.join("manifest.json")), &media_type).unwrap();
    let config = fs::read(folder.join("config.json")).ok();
    let layers = (0..manifest.layers().len()).map(|n| read(&folder.join(format!("layer-{n}.json")))).collect();
    Sample { name, manifest, config, layers }
}

impl Sample {
    /// Its layers, as somebody reads them.
    fn stored(&self) -> Vec<Layer> {
        let layers = legacy::layers(&self.manifest).unwrap();
        layers.into_iter().zip(&self.layers).map(|(layer, bytes)| layer.with_payload(bytes.clone()).unwrap()).collect()
    }

    fn check_manifest(&self, layers: &[Layer]) {
        let written = legacy::manifest(layers).unwrap();
        assert_eq!(text(&written.manifest.bytes), text(self.manifest.bytes()), "{}", self.name);
        assert_eq!(text(&written.blobs[0].bytes), text(self.config.as_ref().unwrap()), "{}", self.name);
        assert_eq!(&written.manifest.descriptor, self.manifest.descriptor());
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn with_all(layer: Layer, annotations: &Layer) -> Layer {
    let all = annotations.annotations().iter();
    all.fold(layer, |layer, (key, value)| layer.with_annotation(key, value))
}

const SIGNATURES: [&str; 7] =
    ["legacy-v2-0", "legacy-v3-0", "multi-0", "ann-escape-v2-0", "alg-rsa2048-v2-0", "key-tsa-v2-0", "keyless-v2-0"];

#[test]
fn simple_signatures_are_written_in_the_same_bytes() {
    for sample in SIGNATURES.map(sample) {
        let layers = sample.stored().into_iter().map(|layer| {
            let payload = Payload::parse(layer.payload().unwrap()).unwrap();
            assert_eq!(text(&payload.to_bytes()), text(layer.payload().unwrap()), "{}", sample.name);
            let made = Layer::signature(payload.to_bytes(), &layer.signature_bytes().unwrap());
            with_all(made, &layer)
        });
        sample.check_manifest(&layers.collect::<Vec<_>>());
    }
}

#[test]
fn signing_again_with_a_key_adds_nothing_and_with_another_it_does() {
    let multi = sample("multi-0");
    let stored = multi.stored();
    let payload = stored[0].payload().unwrap();
    let again = |name: &str| {
        let key = key(name);
        let verifies = |message: &[u8], signature: &[u8]| key.verify(message, signature).is_ok();
        legacy::append(&stored, Layer::signature(payload.to_vec(), b"another"), verifies).map(|layers| layers.len())
    };
    // The first two layers are by a and b over the same payload; nothing else is by another key.
    assert_eq!((again("a"), again("b"), again("rsa2048")), (None, None, Some(4)));
}

#[test]
fn attestations_of_cosign_3_are_written_in_the_same_bytes() {
    let sample = sample("att-v3-legacy-0");
    let layers = sample.stored().into_iter().map(|layer| {
        let bytes = layer.payload().unwrap();
        let envelope = Envelope::parse(bytes).unwrap();
        let (kind, payload) = attested(&envelope.payload);
        assert_eq!(text(&payload), text(&envelope.payload));
        let envelope = Envelope { payload_type: IN_TOTO.to_owned(), payload, ..envelope };
        assert_eq!(text(&envelope.to_bytes()), text(bytes));
        assert!(key("b").verify(&envelope.pae(), &envelope.signature).is_ok());
        Layer::attestation(envelope.to_bytes(), kind.uri())
    });
    sample.check_manifest(&layers.collect::<Vec<_>>());
}

/// Makes the statement of an attestation anew.
fn attested(payload: &[u8]) -> (PredicateType, Vec<u8>) {
    let statement = statement::read_signed(payload).unwrap();
    let kind: PredicateType = statement.predicate_type.parse().unwrap();
    let [subject] = &statement.subjects[..] else { panic!("{statement:?}") };
    let digest = format!("sha256:{}", subject.digests["sha256"]).parse().unwrap();
    let made = kind.statement(&subject.name, &digest, statement.predicate.unwrap());
    (kind, made)
}

/// Cosign 2 writes its envelopes and statements in other orders, which are read and not written.
#[test]
fn attestations_of_cosign_2_are_read_and_their_manifests_written_in_the_same_bytes() {
    for (sample, key) in [(sample("att-v2-0"), Some(key("a"))), (sample("keyless-v2-1"), None)] {
        let layers = sample.stored().into_iter().map(|layer| {
            let bytes = layer.payload().unwrap();
            let envelope = Envelope::parse(bytes).unwrap();
            assert!(key.as_ref().is_none_or(|key| key.verify(&envelope.pae(), &envelope.signature).is_ok()));
            let statement = statement::read_signed(&envelope.payload).unwrap();
            assert_eq!(text(&rewritten(Form::COSIGN_2, &statement)), text(&envelope.payload));
            assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope.clone()));
            assert_ne!(text(&envelope.to_bytes()), text(bytes));
            with_all(Layer::attestation(bytes.to_vec(), &statement.predicate_type), &layer)
        });
        sample.check_manifest(&layers.collect::<Vec<_>>());
    }
}

fn rewritten(form: Form, statement: &Statement<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let predicate = statement.predicate.unwrap().as_bytes();
    let mut write = |out: &mut dyn std::io::Write| out.write_all(predicate);
    statement::write_as(form, &statement.subjects, &statement.predicate_type, &mut write, &mut out).unwrap();
    out
}

#[test]
fn bundles_and_their_manifests_are_written_in_the_same_bytes() {
    let attestations = ["att-v3-0", "att-v3-1", "att-v3-2", "att-v3-3"].map(|name| (name, "b"));
    let signatures = [("bundle-v3-0", "b"), ("ann-v3-0", "b"), ("alg-p384-v3-0", "p384")];
    for (name, key_name) in attestations.into_iter().chain(signatures) {
        let (sample, key) = (sample(name), key(key_name));
        assert_eq!(referrer::bundle(&sample.manifest).unwrap(), &sample.manifest.layers()[0]);
        let bytes = &sample.layers[0];
        let bundle = Bundle::parse(bytes).unwrap();
        assert_eq!(bundle.material, Material::Key { hint: Some(key.hint()) });
        let Content::Envelope(envelope) = &bundle.content else { panic!("{name} has no envelope") };
        assert!(key.verify(&envelope.pae(), &envelope.signature).is_ok());
        let statement = statement::read_signed(&envelope.payload).unwrap();
        let payload = if PredicateType::SIGN.is(&statement.predicate_type) {
            signed(&statement)
        } else {
            attested(&envelope.payload).1
        };
        assert_eq!(text(&payload), text(&envelope.payload), "{name}");
        let envelope = Envelope { payload_type: IN_TOTO.to_owned(), payload, signature: envelope.signature.clone() };
        assert_eq!(text(&bundle::of_envelope(&key, &envelope)), text(bytes), "{name}");
        check_referrer(&sample, &statement.predicate_type);
    }
}

/// Makes the statement of a signature anew.
fn signed(statement: &Statement<'_>) -> Vec<u8> {
    let [subject] = &statement.subjects[..] else { panic!("{statement:?}") };
    let annotations = subject.annotations.as_ref().unwrap().iter();
    let annotations = annotations.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
    signature_statement(&format!("sha256:{}", subject.digests["sha256"]).parse().unwrap(), &annotations)
}

fn check_referrer(sample: &Sample, predicate_type: &str) {
    let created = &sample.manifest.annotations()["org.opencontainers.image.created"];
    let created = time::parse_rfc3339(created).unwrap();
    let subject: &Descriptor = sample.manifest.subject().unwrap();
    let written = referrer::manifest(sample.layers[0].clone(), subject, predicate_type, created).unwrap();
    assert_eq!(text(&written.manifest.bytes), text(sample.manifest.bytes()), "{}", sample.name);
    let named: Vec<_> = written.blobs.into_iter().map(|blob| blob.descriptor).collect();
    assert_eq!(named, [sample.manifest.config().bare(), sample.manifest.layers()[0].bare()]);
}

/// Its writer puts blanks where it likes.
#[test]
fn a_bundle_of_cosign_2_differs_in_blanks_alone() {
    let sample = sample("att-v2-bundle-0");
    let Content::Envelope(envelope) = Bundle::parse(&sample.layers[0]).unwrap().content else { panic!("no envelope") };
    let written = bundle::of_envelope(&key("a"), &envelope);
    assert_eq!(text(&written), text(&sample.layers[0]).replace(", ", ","));
    let statement = statement::read_signed(&envelope.payload).unwrap();
    assert_eq!(text(&rewritten(Form::COSIGN_2, &statement)), text(&envelope.payload));
    check_referrer(&sample, &statement.predicate_type);
}

#[test]
fn bundles_with_certificates_entries_and_timestamps_are_read() {
    for (name, timestamps) in [("keyless-v3-0", 0), ("keyless-v3-1", 0), ("keyless-v3-tsa-0", 1)] {
        let sample = sample(name);
        let bundle = Bundle::parse(&sample.layers[0]).unwrap();
        assert!(matches!(bundle.material, Material::Certificate(_)), "{name}");
        assert_eq!((bundle.entries.len(), bundle.timestamps.len()), (1, timestamps), "{name}");
        assert_eq!((&*bundle.entries[0].kind, bundle.text.as_bytes()), ("dsse", &*sample.layers[0]));
        let Content::Envelope(envelope) = &bundle.content else { panic!("{name} has no envelope") };
        check_referrer(&sample, &statement::read_signed(&envelope.payload).unwrap().predicate_type);
    }
}

#[test]
fn bundles_of_messages_are_written_in_the_same_bytes() {
    for (name, key_name, algorithm) in [("v3", "b", HashAlgorithm::Sha256), ("v3-p384", "p384", HashAlgorithm::Sha384)]
    {
        let bytes = read(&data("formats").join(name).with_extension("sigstore.json"));
        let Content::Message { digest, signature } = Bundle::parse(&bytes).unwrap().content else { panic!("{name}") };
        let digest = digest.unwrap();
        assert_eq!(digest.algorithm(), algorithm);
        assert_eq!(text(&bundle::of_message(&key(key_name), &digest, &signature)), text(&bytes), "{name}");
    }
    let second = read(&data("formats/v2-new.sigstore.json"));
    let Content::Message { digest, signature } = Bundle::parse(&second).unwrap().content else { panic!("v2-new") };
    let digest: MessageDigest = digest.unwrap();
    let written = bundle::of_message(&key("a"), &digest, &signature);
    assert_eq!(text(&written), text(&second).replace(", ", ",").trim_end());
    let without = read(&data("formats/v3-ed25519.sigstore.json"));
    let content = Bundle::parse(&without).unwrap().content;
    assert!(matches!(content, Content::Message { digest: None, .. }));
}

#[test]
fn a_custom_predicate_is_that_of_cosign() {
    let file = read(&data("formats/custom-predicate.json"));
    let kind: PredicateType = "custom".parse().unwrap();
    let mut found = 0;
    for name in ["att-v3-0", "att-v3-1", "att-v3-2", "att-v3-3"] {
        let sample = sample(name);
        let Content::Envelope(envelope) = Bundle::parse(&sample.layers[0]).unwrap().content else { panic!("{name}") };
        let statement = statement::read_signed(&envelope.payload).unwrap();
        if kind.is(&statement.predicate_type) {
            let predicate = statement.predicate.unwrap();
            let (_, time) = predicate.split_once("\"Timestamp\":\"").unwrap();
            let time = time::parse_rfc3339(time.trim_end_matches("\"}")).unwrap();
            assert_eq!(kind.predicate(&file, time).unwrap(), predicate);
            found += 1;
        }
    }
    assert_eq!(found, 1);
}

/// Real documents, of which a test breaks some bytes.
fn documents() -> Vec<Vec<u8>> {
    let names = ["bundle-v3-0", "keyless-v3-tsa-0", "legacy-v2-0", "att-v2-0", "att-v3-legacy-0", "ann-escape-v2-0"];
    let mut all: Vec<Vec<u8>> = names.map(|name| sample(name).layers.swap_remove(0)).into();
    all.push(read(&data("formats/v3.sigstore.json")));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No change of bytes makes a parser panic, and what is read can be written and read as the same.
    #[test]
    fn broken_documents_are_errors(
        which in 0..7_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = documents().swap_remove(which);
        for (at, byte) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        if let Ok(bundle) = Bundle::parse(&bytes) {
            prop_assert_eq!(bundle.text.as_bytes(), &bytes);
            if let Content::Envelope(envelope) = &bundle.content {
                let _ = statement::read_signed(&envelope.payload);
            }
        }
        if let Ok(payload) = Payload::parse(&bytes) {
            prop_assert_eq!(Payload::parse(&payload.to_bytes()).unwrap(), payload);
        }
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
        }
    }
}
