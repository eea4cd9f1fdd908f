use std::collections::BTreeMap;

use distil_imgcore::{Memory, RefName, json};
use serde_json::{Value, json};

use super::*;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

fn put(store: &Memory, media_type: &str, bytes: &[u8]) -> Descriptor {
    let blob = Descriptor::of(media_type.parse().unwrap(), bytes);
    store.put(&blob, &mut &*bytes).unwrap();
    blob
}

fn manifest(store: &Memory, layers: &[Value], subject: Option<&Descriptor>) -> Descriptor {
    let config = put(store, MediaType::CONFIG, b"{}").to_json();
    let mut manifest =
        json!({"schemaVersion": 2, "mediaType": MediaType::MANIFEST, "config": config, "layers": layers});
    if let Some(subject) = subject {
        manifest["subject"] = subject.to_json();
    }
    put(store, MediaType::MANIFEST, &json::to_canonical(&manifest))
}

fn image(store: &Memory) -> Descriptor {
    let image = manifest(store, &[], None);
    store.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    image
}

fn name(image: &Descriptor, ending: &str) -> RefName {
    format!("sha256-{}.{ending}", image.digest().hex()).parse().unwrap()
}

fn layer(store: &Memory, payload: &str) -> Value {
    let signed = BTreeMap::from([(SIGNATURE.to_owned(), "AA==".to_owned())]);
    put(store, MediaType::SIMPLE_SIGNING, payload.as_bytes()).with_annotations(signed).to_json()
}

fn kinds(found: &[Candidate]) -> Vec<&'static str> {
    found.iter().map(|candidate| candidate.stored.format().as_str()).collect()
}

#[test]
fn all_places_are_looked_at() {
    let store = Memory::new();
    let image = image(&store);
    let signatures = manifest(&store, &[layer(&store, "1"), layer(&store, "2")], None);
    store.tag(Some(&name(&image, "sig")), &signatures).unwrap();
    let envelope = put(&store, MediaType::DSSE, b"envelope").to_json();
    store.tag(Some(&name(&image, "att")), &manifest(&store, &[envelope], None)).unwrap();
    let bundle = put(&store, "application/vnd.dev.sigstore.bundle.v0.3+json", b"bundle").to_json();
    store.tag(None, &manifest(&store, &[bundle], Some(&image))).unwrap();
    let sbom = put(&store, "application/spdx+json", b"{\"sbom\":1}").to_json();
    store.tag(None, &manifest(&store, &[sbom], Some(&image))).unwrap();
    let found = gather(&store, &image).unwrap();
    assert_eq!(kinds(&found), ["simple-signing", "simple-signing", "envelope", "bundle"]);
    let Stored::Simple { payload, annotations } = &found[1].stored else { panic!("{found:?}") };
    assert_eq!((payload.as_slice(), annotations[SIGNATURE].as_str()), (b"2".as_slice(), "AA=="));
    assert!(found[1].place.ends_with(".sig, layer 2"), "{}", found[1].place);
}

#[test]
fn an_image_that_is_not_there_is_an_error() {
    let store = Memory::new();
    let absent = Descriptor::of(MediaType::MANIFEST.parse().unwrap(), b"{}");
    assert!(matches!(gather(&store, &absent), Err(Error::NoBlob { .. })));
}

#[test]
fn what_is_missing_or_too_large_is_said_and_hides_nothing() {
    let store = Memory::new();
    let image = image(&store);
    let gone = Descriptor::of(MediaType::SIMPLE_SIGNING.parse().unwrap(), b"gone").to_json();
    let huge = json!({
        "mediaType": MediaType::SIMPLE_SIGNING, "digest": Digest::of(b"huge").to_string(), "size": (128 << 20) + 1
    });
    // Its size is a lie: the blob is shorter.
    let mut lie = layer(&store, "lie");
    lie["size"] = 100.into();
    let signatures = manifest(&store, &[gone, huge, lie, layer(&store, "good")], None);
    store.tag(Some(&name(&image, "sig")), &signatures).unwrap();
    let two = [layer(&store, "x"), put(&store, "application/vnd.dev.sigstore.bundle.v0.3+json", b"{}").to_json()];
    store.tag(None, &manifest(&store, &two, Some(&image))).unwrap();
    let found = gather(&store, &image).unwrap();
    assert_eq!(kinds(&found), ["unreadable", "unreadable", "unreadable", "simple-signing", "unreadable"]);
}

#[test]
fn signatures_are_bounded_and_may_be_more_than_layers_of_an_image() {
    let store = Memory::new();
    let image = image(&store);
    let one = layer(&store, "1");
    let tag = |count: usize| {
        let signatures = manifest(&store, &vec![one.clone(); count], None);
        store.tag(Some(&name(&image, "sig")), &signatures).unwrap();
        gather(&store, &image).unwrap()
    };
    assert_eq!(tag(1000).len(), 1000);
    let found = tag(1001);
    assert_eq!(kinds(&found), ["unreadable"]);
}

#[test]
fn after_the_bound_it_is_said_that_there_is_more() {
    let store = Memory::new();
    let image = image(&store);
    let signatures = manifest(&store, &vec![layer(&store, "1"); 1000], None);
    store.tag(Some(&name(&image, "sig")), &signatures).unwrap();
    let bundle = put(&store, "application/vnd.dev.sigstore.bundle.v0.3+json", b"{}").to_json();
    store.tag(None, &manifest(&store, &[bundle], Some(&image))).unwrap();
    let found = gather(&store, &image).unwrap();
    assert_eq!(found.len(), 1001);
    assert!(matches!(&found[1000].stored, Stored::Unreadable { reason } if reason.contains("more than 1000")));
}

#[test]
fn a_document_that_is_no_manifest_is_said() {
    let store = Memory::new();
    let image = image(&store);
    let odd = put(&store, MediaType::MANIFEST, b"[]");
    store.tag(Some(&name(&image, "sig")), &odd).unwrap();
    assert_eq!(kinds(&gather(&store, &image).unwrap()), ["unreadable"]);
}
