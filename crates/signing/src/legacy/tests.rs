use std::cell::Cell;

use super::*;

fn signature(payload: &[u8], signature: &[u8]) -> Layer {
    Layer::signature(payload.to_vec(), signature)
}

fn never(_: &[u8], _: &[u8]) -> bool {
    false
}

fn parse(written: &Written) -> Manifest {
    Manifest::parse(written.manifest.bytes.clone(), written.manifest.descriptor.media_type()).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let all = [signature(b"a", b"1"), signature(b"a", b"2"), Layer::attestation(b"{}".to_vec(), "https://x.test/p")];
    let written = manifest(&all).unwrap();
    let found = layers(&parse(&written)).unwrap();
    let filled: Vec<Layer> = found
        .into_iter()
        .zip(&all)
        .map(|(layer, all)| layer.with_payload(all.payload().unwrap().to_vec()).unwrap())
        .collect();
    assert_eq!(filled, all);
    assert_eq!(filled[1].signature_bytes().unwrap(), b"2");
    assert_eq!(filled[2].annotations()[SIGNATURE], "");
    assert!(matches!(filled[2].signature_bytes(), Err(LegacyError::NoSignature(_))));
    let names: Vec<_> = written.blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    assert_eq!(names[0], *parse(&written).config());
    assert_eq!(names[1..], all.map(|layer| layer.descriptor.bare()));
    for blob in &written.blobs {
        assert_eq!(blob.descriptor.digest(), &Digest::of(&blob.bytes));
    }
    // What is in the store already is named and not written.
    let stored = layers(&parse(&written)).unwrap();
    let again = manifest(&stored).unwrap();
    assert_eq!((again.manifest, again.blobs.len()), (written.manifest, 1));
}

#[test]
fn bytes_are_those_that_the_descriptor_names() {
    let stored = layers(&parse(&manifest(&[signature(b"ab", b"1")]).unwrap())).unwrap().remove(0);
    assert_eq!(stored.payload(), None);
    assert_eq!(stored.clone().with_payload(b"ab".to_vec()).unwrap().payload(), Some(&b"ab"[..]));
    for other in [&b"ac"[..], b"a", b"abc"] {
        let error = stored.clone().with_payload(other.to_vec()).unwrap_err();
        assert_eq!(error, LegacyError::OtherBytes(Digest::of(b"ab")));
    }
}

#[test]
fn a_signature_by_the_same_key_over_the_same_is_not_added() {
    let stored = [signature(b"a", b"1"), signature(b"b", b"2")];
    let asked = Cell::new(0);
    let by_key = |message: &[u8], signature: &[u8]| {
        asked.set(asked.get() + 1);
        (message, signature) == (b"b", b"2")
    };
    assert_eq!(append(&stored, signature(b"b", b"3"), by_key), None);
    assert_eq!(asked.get(), 1, "only what has the same payload is verified");
    let added = append(&stored, signature(b"b", b"3"), never).unwrap();
    assert_eq!((added.len(), &added[..2], &added[2]), (3, &stored[..], &signature(b"b", b"3")));
}

/// Each case differs in one thing from a repetition.
#[test]
fn only_what_says_nothing_new_is_a_repetition() {
    let there = signature(b"a", b"1").with_annotation("x", "1");
    let is_added = |there: &Layer, new: Layer| append(std::slice::from_ref(there), new, |_, _| true).is_some();
    assert!(!is_added(&there, signature(b"a", b"2")));
    assert!(!is_added(&there, signature(b"a", b"2").with_annotation("x", "1")));
    assert!(is_added(&there, signature(b"a", b"2").with_annotation("x", "2")));
    assert!(is_added(&there, signature(b"a", b"2").with_annotation("y", "1")));
    assert!(is_added(&there, signature(b"b", b"2")));
    assert!(is_added(&signature(b"a", b""), signature(b"a", b"2")), "there is no signature to repeat");
    assert!(is_added(&there.clone().with_annotation(SIGNATURE, "!"), signature(b"a", b"2")));
    let envelope = Layer::attestation(b"a".to_vec(), "t");
    assert!(is_added(&envelope, envelope.clone()), "an envelope has its signature itself");
}

#[test]
fn an_attestation_takes_the_place_of_those_of_its_type() {
    let [a, b, c] = [("1", "t"), ("2", "u"), ("3", "t")].map(|(text, kind)| Layer::attestation(text.into(), kind));
    let new = Layer::attestation(b"4".to_vec(), "t");
    assert_eq!(replace(&[a.clone(), b.clone(), c], new.clone()), [new, b]);
    let untyped = signature(b"x", b"1");
    assert_eq!(replace(&[a.clone(), untyped.clone()], untyped.clone()), [untyped.clone(), a, untyped]);
}

#[test]
fn layers_are_counted_and_measured() {
    let many = vec![signature(b"a", b"1"); MAX_ATTESTATIONS];
    assert_eq!(layers(&parse(&manifest(&many).unwrap())).unwrap().len(), MAX_ATTESTATIONS);
    assert_eq!(manifest(&[many, vec![signature(b"a", b"1")]].concat()), Err(LegacyError::TooMany(1001)));
    assert_eq!(manifest(&[]), Err(LegacyError::None));
    let large = |size| {
        let descriptor = Descriptor::new(MediaType::SIMPLE_SIGNING.parse().unwrap(), Digest::of(b""), size);
        Layer { descriptor, payload: None }
    };
    let fitting = manifest(&[large(MAX_LAYER as u64)]).unwrap();
    assert!(layers(&parse(&fitting)).is_ok());
    assert!(matches!(manifest(&[large(MAX_LAYER as u64 + 1)]), Err(LegacyError::TooLarge { .. })));
    let text = String::from_utf8(fitting.manifest.bytes).unwrap().replace("134217728", "134217729");
    let foreign = Manifest::parse(text.into_bytes(), fitting.manifest.descriptor.media_type()).unwrap();
    assert!(matches!(layers(&foreign), Err(LegacyError::TooLarge { size: 134_217_729, .. })));
}
