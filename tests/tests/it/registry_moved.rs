//! Tags that somebody else moves while distil writes: nobody is told that all went well.

use std::sync::atomic::{AtomicUsize, Ordering};

use distil_tests::LyingRegistry;
use distil_tests::loopback::Answer;
use distil_tests::lying_registry::error;
use distil_tests::program::{Ran, folder};
use serde_json::json;

use crate::registry_image::{at, image, recipe};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry whose tag `v1` does not exist for so many questions, and is another image's from then on; and the digest of
/// that one.
fn taken_after(questions: usize) -> (LyingRegistry, String) {
    let registry = LyingRegistry::empty();
    let other = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    let digest = registry.put(INDEX, other.as_bytes());
    let asked = AtomicUsize::new(0);
    registry.lie("GET", "/manifests/v1", move |_, _| {
        if asked.fetch_add(1, Ordering::SeqCst) < questions {
            return error(404, "MANIFEST_UNKNOWN");
        }
        Answer::body(INDEX, other.clone())
    });
    (registry, digest)
}

fn refused(ran: &Ran, status: u8, digests: &[&str]) {
    assert_eq!(ran.code(), i32::from(status), "{ran}");
    for digest in digests {
        assert!(ran.errors().contains(digest), "no {digest}: {ran}");
    }
}

fn puts(registry: &LyingRegistry, part: &str) -> usize {
    registry.asked().iter().filter(|asked| asked.method != "GET" && asked.target.contains(part)).count()
}

#[test]
fn nothing_is_sent_where_the_tag_is_taken() {
    let (_guard, folder) = folder();
    recipe(&folder, "");
    for words in [&["build", "-o"][..], &["copy", &image().reference()]] {
        let (registry, other) = taken_after(0);
        let name = registry.repository("app:v1");
        let ran = at(&folder, &[words, &[&name, "--immutable"]].concat());
        refused(&ran, 2, &[&other]);
        assert_eq!(registry.asked().iter().filter(|asked| asked.method != "GET").count(), 0, "{ran}");
    }
}

#[test]
fn a_tag_that_was_taken_meanwhile_is_left_alone() {
    let (_guard, folder) = folder();
    // Asked before anything is sent, and again before the tag is written.
    let (registry, other) = taken_after(1);
    let ran = at(&folder, &["copy", &image().reference(), &registry.repository("app:v1"), "--immutable"]);
    refused(&ran, 2, &[&other, &image().digest]);
    assert!(puts(&registry, "/blobs/") > 0 && puts(&registry, "/manifests/v1") == 0, "{ran}");
}

#[test]
fn a_tag_that_is_another_one_right_afterwards_is_told() {
    let (_guard, folder) = folder();
    for (questions, more) in [(2, &["--immutable"][..]), (1, &[])] {
        let (registry, other) = taken_after(questions);
        let name = registry.repository("app:v1");
        let ran = at(&folder, &[&["copy", &image().reference(), &name], more].concat());
        refused(&ran, 4, &[&other]);
        assert_eq!(puts(&registry, "/manifests/v1"), 1, "{ran}");
    }
}
