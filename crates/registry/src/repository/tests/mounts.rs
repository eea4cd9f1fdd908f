//! Blobs of other repositories.

use distil_tests::loopback::Answer;
use distil_tests::lying_registry::LyingRegistry;

use super::*;

#[test]
fn a_blob_of_a_neighbour_is_taken_over() {
    let registry = Registry::start();
    let blob = put(&open(&registry.repository("base")), MediaType::LAYER, b"layer");
    let beside = || open(&registry.repository("app")).next_to(vec!["nobody".to_owned(), "base".to_owned()]);
    let repository = beside();
    assert!(!repository.has(&blob).unwrap());
    assert!(repository.take_over(&blob).unwrap());
    assert!(repository.has(&blob).unwrap());
    assert_eq!(read(&open(&registry.repository("app")), &blob).unwrap(), b"layer");

    let other = layer(b"other");
    assert!(!repository.take_over(&other).unwrap());
    repository.put(&other, &mut &b"other"[..]).unwrap();
    assert_eq!(read(&repository, &other).unwrap(), b"other");
}

#[test]
fn the_upload_of_a_registry_that_mounts_nothing_is_used() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app")).next_to(vec!["base".to_owned()]);
    let blob = layer(b"layer");
    assert!(!repository.take_over(&blob).unwrap());
    repository.put(&blob, &mut &b"layer"[..]).unwrap();
    let asked = registry.asked();
    assert_eq!(asked.iter().filter(|asked| asked.method == "POST").count(), 1, "{asked:?}");
    assert_eq!(read(&repository, &blob).unwrap(), b"layer");
}

#[test]
fn a_mount_is_believed_only_when_the_blob_is_there() {
    let registry = LyingRegistry::empty();
    registry.lie("POST", "mount=", |_, _| Answer::status(201));
    let repository = open(&registry.repository("app")).next_to(vec!["base".to_owned()]);
    assert!(!repository.take_over(&layer(b"layer")).unwrap());
}
