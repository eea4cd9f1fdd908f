//! How often a registry is asked that answers and answers, and never as it should.

use distil_tests::loopback::{Answer, Sent};
use distil_tests::lying_registry::{LyingRegistry, error};

use super::*;

/// Requests of these methods to paths with this in them.
fn asked(registry: &LyingRegistry, methods: &[&str], part: &str) -> usize {
    let counts = |asked: &&distil_tests::loopback::Asked| {
        methods.contains(&asked.method.as_str()) && asked.target.contains(part)
    };
    registry.asked().iter().filter(counts).count()
}

/// Two kinds of failure that are repeated in two places: no answer, and one that is not whole.
fn fail_in_turn(registry: &LyingRegistry, part: &str) {
    let turn = std::sync::atomic::AtomicU32::new(0);
    registry.lie("GET", part, move |_, answer| match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 2 {
        0 => Answer::status(503),
        _ => Answer { sent: Sent::First(4), ..answer },
    });
}

#[test]
fn a_document_is_asked_for_as_often_as_anything() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    fail_in_turn(&registry, "/manifests/v1");
    assert!(repository.resolve(&name("v1")).is_err());
    assert_eq!(asked(&registry, &["GET"], "/manifests/v1"), 5);
}

#[test]
fn a_blob_is_asked_for_as_often_as_anything() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let blob = put(&repository, MediaType::LAYER, b"0123456789");
    let path = format!("/blobs/{}", blob.digest());
    fail_in_turn(&registry, &path);
    assert!(read(&repository, &blob).is_err());
    assert_eq!(asked(&registry, &["GET"], &path), 5);
}

#[test]
fn an_upload_is_tried_as_often_as_anything() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    registry.lie("HEAD", "/blobs/", |_, _| Answer::status(503));
    registry.lie("PUT", "/blobs/uploads/", |_, _| Answer::status(503));
    assert!(repository.put(&layer(b"layer"), &mut &b"layer"[..]).is_err());
    // Five failures, and once more what an attempt that has begun does besides.
    let failures = asked(&registry, &["HEAD", "PUT"], "/blobs/");
    assert_eq!(failures, 6, "{:?}", registry.asked());
}

/// A file system's registry says so of a right digest, while another writer's entry is an empty file.
#[test]
fn a_document_with_a_wrong_digest_may_have_a_right_one_soon() {
    for (code, lies, requests, written) in
        [("DIGEST_INVALID", 2, 3, true), ("DIGEST_INVALID", 9, 5, false), ("MANIFEST_INVALID", 1, 1, false)]
    {
        let registry = LyingRegistry::empty();
        let repository = open(&registry.repository("app"));
        let turn = std::sync::atomic::AtomicU32::new(0);
        registry.lie("PUT", "/manifests/", move |_, answer| {
            match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                earlier if earlier < lies => error(400, code),
                _ => answer,
            }
        });
        let blobs = [put(&repository, MediaType::CONFIG, b"{}"), put(&repository, MediaType::LAYER, b"layer")];
        let document = Manifest::new(&blobs[0], &blobs[1..], &BTreeMap::new()).unwrap();
        let descriptor = Descriptor::of(MediaType::MANIFEST.parse().unwrap(), document.bytes());
        let sent = repository.put(&descriptor, &mut document.bytes());
        assert_eq!(sent.is_ok(), written, "{sent:?}");
        assert_eq!(asked(&registry, &["PUT"], "/manifests/"), requests, "{code}");
    }
}

/// What is under a tag by then may be another's: the document is made anew from it.
#[test]
fn what_follows_from_a_tag_is_made_anew_where_others_write() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let tag: RefName = "v1".parse().unwrap();
    let turn = std::sync::atomic::AtomicU32::new(0);
    registry.lie("PUT", "/manifests/v1", move |_, answer| {
        match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => error(400, "DIGEST_INVALID"),
            _ => answer,
        }
    });
    assert!(!repository.tag_over(&tag, &image, None).unwrap());
    assert_eq!(asked(&registry, &["PUT"], "/manifests/v1"), 1);
    // The refusal was a lie: it is there, and is what the next one follows.
    assert!(repository.tag_over(&tag, &image, Some(image.digest())).unwrap());
    assert_eq!(asked(&registry, &["PUT"], "/manifests/v1"), 2);
}
