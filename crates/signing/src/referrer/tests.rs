use distil_imgcore::Digest;

use super::*;

fn subject() -> Descriptor {
    Descriptor::new(MediaType::MANIFEST.parse().unwrap(), Digest::of(b"x"), 1).with_annotation("a", "b")
}

fn written() -> Written {
    manifest(b"bundle".to_vec(), &subject(), "https://x.test/<p>", 1_795_310_525).unwrap()
}

fn parse(bytes: Vec<u8>) -> Manifest {
    Manifest::parse(bytes, &MediaType::MANIFEST.parse().unwrap()).unwrap()
}

#[test]
fn what_is_written_is_read() {
    let written = written();
    let manifest = parse(written.manifest.bytes.clone());
    assert_eq!(bundle(&manifest).unwrap(), &written.blobs[1].descriptor);
    assert_eq!(written.blobs[1].bytes, b"bundle");
    assert_eq!(manifest.config().digest(), &Digest::of(b"{}"));
    assert_eq!(manifest.subject(), Some(&subject().bare()));
    assert_eq!(manifest.artifact_type().as_str(), MEDIA_TYPE);
    let annotations: Vec<_> = manifest.annotations().iter().map(|(key, value)| (&**key, &**value)).collect();
    let expected = [(CONTENT, ENVELOPE), (PREDICATE_TYPE, "https://x.test/<p>"), (CREATED, "2026-11-22T01:22:05Z")];
    assert_eq!(annotations, expected);
    assert!(String::from_utf8(written.manifest.bytes).unwrap().contains(r"https://x.test/\u003cp\u003e"));
}

/// Each case breaks one thing.
#[test]
fn what_has_no_bundle_is_refused() {
    let text = String::from_utf8(written().manifest.bytes).unwrap();
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        bundle(&parse(text.replacen(from, to, 1).into_bytes())).map(|descriptor| descriptor.media_type().to_string())
    };
    let (_, layer) = text.split_once("\"layers\":[").unwrap();
    let (layer, _) = layer.split_once(']').unwrap();
    assert_eq!(check(layer, ""), Err(ReferrerError::Layers(0)));
    assert_eq!(check(layer, &format!("{layer},{layer}")), Err(ReferrerError::Layers(2)));
    let named = format!("\"layers\":[{{\"mediaType\":\"{MEDIA_TYPE}\"");
    let renamed = |name: &str| named.replace(MEDIA_TYPE, name);
    assert!(matches!(check(&named, &renamed("application/json")), Err(ReferrerError::NoBundle(_))));
    let other = "application/vnd.dev.sigstore.bundle.v0.2+json";
    assert_eq!(check(&named, &renamed(other)).as_deref(), Ok(other));
    assert!(check(&format!("\"artifactType\":\"{MEDIA_TYPE}\"}}"), "\"artifactType\":\"application/x\"}").is_ok());
    assert_eq!(check("\"size\":6", "\"size\":134217729"), Err(ReferrerError::TooLarge(134_217_729)));
    assert_eq!(manifest(Vec::new(), &subject(), "t", i64::MAX), Err(ReferrerError::Time(i64::MAX)));
}
