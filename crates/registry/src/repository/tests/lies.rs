//! Registries that lie, and content that is not what it should be.

use distil_tests::loopback::{Answer, Sent};
use distil_tests::lying_registry::{LyingRegistry, error};

use super::*;
use crate::RegistryError;

/// The answer's fault that is in an error.
fn fault(error: &Error) -> &AnswerError {
    match error {
        Error::Remote { source, .. } => match source.downcast_ref() {
            Some(RegistryError::Answer(fault)) => fault,
            _ => panic!("{source:?}"),
        },
        _ => panic!("{error:?}"),
    }
}

#[test]
fn content_that_is_not_the_blob_never_arrives() {
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let right = content(3 << 20);
    let mut other = right.clone();
    other[0] ^= 1;
    let blob = layer(&right);
    for wrong in [&right[1..], &[&right[..], b"x"].concat(), &other, b""] {
        let error = repository.put(&blob, &mut &*wrong).unwrap_err();
        assert!(error.mismatch().is_some(), "{error:?}");
        assert!(!repository.has(&blob).unwrap());
    }
    let empty = layer(b"");
    assert!(repository.put(&empty, &mut &b"x"[..]).unwrap_err().mismatch().is_some());
    repository.put(&empty, &mut &b""[..]).unwrap();
    assert_eq!(read(&repository, &empty).unwrap(), b"");

    let document = Descriptor::of(MediaType::MANIFEST.parse().unwrap(), b"{}");
    assert!(repository.put(&document, &mut &b"[]"[..]).unwrap_err().mismatch().is_some());
}

#[test]
fn a_source_that_fails_says_why() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "full"))
        }
    }
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let error = repository.put(&layer(b"layer"), &mut (&b"la"[..]).chain(Failing)).unwrap_err();
    assert!(matches!(&error, Error::Blob { .. }) && error.is_out_of_space(), "{error:?}");
}

#[test]
fn other_bytes_than_the_digest_says_are_refused() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let blob = put(&repository, MediaType::LAYER, &content(100_000));
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    let flipped = |_: &_, mut answer: Answer| {
        answer.body[0] ^= 1;
        answer
    };
    registry.lie("GET", &format!("/blobs/{}", blob.digest()), flipped);
    assert!(read(&repository, &blob).is_err());
    registry.tell_the_truth();

    registry.lie("GET", "/manifests/sha256:", |_, answer| Answer { body: b"{}".to_vec(), ..answer });
    let error = repository.resolve(&Selector::Digest(image.digest().clone())).unwrap_err();
    assert!(error.mismatch().is_some(), "{error:?}");
    registry.lie("GET", "/manifests/v1", |_, answer| Answer { body: b"{}".to_vec(), ..answer });
    assert!(matches!(fault(&repository.resolve(&name("v1")).unwrap_err()), AnswerError::Digest { .. }));
}

#[test]
fn what_an_answer_says_of_itself_has_to_hold() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let blob = put(&repository, MediaType::LAYER, b"0123456789");
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    let resolve = || repository.resolve(&name("v1")).unwrap_err();

    registry.lie("GET", "/manifests/", |_, answer| answer.with("Content-Type", MediaType::INDEX));
    assert!(resolve().document().is_some());
    registry.tell_the_truth();
    registry.lie("GET", "/manifests/", |_, answer| answer.with("Content-Type", "text"));
    assert!(matches!(fault(&resolve()), AnswerError::MediaType(_)));
    registry.tell_the_truth();
    registry.lie("GET", "/", |_, answer| answer.with("Content-Encoding", "gzip"));
    assert!(matches!(fault(&resolve()), AnswerError::Encoding(_)));
    assert!(matches!(fault(&repository.open(&blob).err().unwrap()), AnswerError::Encoding(_)));
    registry.tell_the_truth();
    registry.lie("PUT", "/", |_, answer| answer.with("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64))));
    let put = repository.put(&layer(b"x"), &mut &b"x"[..]).unwrap_err();
    assert!(matches!(fault(&put), AnswerError::Digest { .. }));
    let tag = repository.tag(Some(&"v2".parse().unwrap()), &image).unwrap_err();
    assert!(matches!(fault(&tag), AnswerError::Digest { .. }));
    registry.tell_the_truth();
    registry.lie("POST", "/blobs/uploads/", |_, _| Answer::status(202));
    let put = repository.put(&layer(b"y"), &mut &b"y"[..]).unwrap_err();
    assert!(matches!(fault(&put), AnswerError::NoLocation));
}

#[test]
fn a_blob_of_another_size_is_refused() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let blob = put(&repository, MediaType::LAYER, b"0123456789");
    let shorter = Descriptor::new(blob.media_type().clone(), blob.digest().clone(), 5);
    assert!(!repository.has(&shorter).unwrap());
    assert!(repository.open(&shorter).err().unwrap().mismatch().is_some());
    // A body that ends early, and a registry that says there is no more.
    let of_blob = format!("/blobs/{}", blob.digest());
    registry.lie("GET", &of_blob, |asked, answer| match asked.headers.get("range") {
        Some(_) => error(416, "UNSUPPORTED"),
        None => Answer { sent: Sent::First(4), ..answer },
    });
    assert!(read(&repository, &blob).is_err());
    registry.tell_the_truth();
    registry.lie("GET", &of_blob, |asked, answer| match asked.headers.get("range") {
        Some(_) => answer.with("Content-Range", "bytes 0-9/10"),
        None => Answer { sent: Sent::First(4), ..answer },
    });
    assert!(read(&repository, &blob).is_err());
    registry.tell_the_truth();
    // A registry that knows no ranges begins anew.
    registry.lie("GET", &of_blob, |asked, answer| match asked.headers.get("range") {
        Some(_) => Answer::body("application/octet-stream", &b"0123456789"[..]),
        None => Answer { sent: Sent::First(4), ..answer },
    });
    assert_eq!(read(&repository, &blob).unwrap(), b"0123456789");
}

#[test]
fn lists_end() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    for tag in ["b", "a"] {
        repository.tag(Some(&tag.parse().unwrap()), &image).unwrap();
    }
    registry.lie("GET", "/tags/list", |asked, answer| {
        if asked.target.contains("last") { answer } else { answer.with("Link", "<?n=1&last=a>; rel=\"next\"") }
    });
    assert_eq!(repository.tags().unwrap(), ["a".parse().unwrap(), "b".parse().unwrap()]);
    registry.lie("GET", "/tags/list", |asked, answer| answer.with("Link", format!("<{}>; rel=next", asked.target)));
    assert!(matches!(fault(&repository.tags().unwrap_err()), AnswerError::Endless { .. }));
    registry.tell_the_truth();
    registry.lie("GET", "/tags/list", |_, answer| answer.with("Link", "<http://127.0.0.2/v2/>; rel=next"));
    let Error::Remote { source, .. } = repository.tags().unwrap_err() else { panic!("not remote") };
    assert!(matches!(source.downcast_ref(), Some(RegistryError::Elsewhere { .. })), "{source}");
    registry.tell_the_truth();
    registry.lie("GET", "/tags/list", |_, answer| Answer { body: vec![b' '; 5 << 20], ..answer });
    assert!(repository.tags().is_err());
}

#[test]
fn a_name_that_is_no_tag_hides_no_other() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    let list = |tags: serde_json::Value| {
        registry.tell_the_truth();
        registry.lie("GET", "/tags/list", move |_, _| {
            Answer::body("application/json", json!({"name": "app", "tags": tags}).to_string())
        });
        repository.tags()
    };
    let digest = image.digest().to_string();
    assert_eq!(list(json!(["-beta", "v1", digest, "../v1", "\u{1b}[31m"])).unwrap(), ["v1".parse().unwrap()]);
    assert!(matches!(fault(&list(json!([digest, "-beta"])).unwrap_err()), AnswerError::Tag(_)));
    assert!(matches!(fault(&list(json!(["v1", 1])).unwrap_err()), AnswerError::NoList("tags")));
    assert!(matches!(fault(&list(json!(vec!["-"; 1_000_001])).unwrap_err()), AnswerError::Endless { .. }));
}

#[test]
fn referrers_are_hints() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let other = put(&repository, MediaType::INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    let statement = referrer(&repository, &image, "application/a");
    let of_other = referrer(&repository, &other, "application/a");
    let gone = Descriptor::of(MediaType::MANIFEST.parse().unwrap(), b"gone");
    let entries = [&statement, &of_other, &gone, &statement].map(Descriptor::to_json);
    let mut entries = entries.to_vec();
    entries[0]["artifactType"] = json!("application/wrong");
    entries.push(json!({"mediaType": "x/y", "digest": "sha256:0", "size": -1}));
    let list = json!({"schemaVersion": 2, "mediaType": MediaType::INDEX, "manifests": entries}).to_string();
    registry.lie("GET", "/referrers/", move |_, _| Answer::body(MediaType::INDEX, list.clone()));
    let found = repository.referrers(image.digest()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest(), statement.digest());
    assert_eq!(found[0].artifact_type().unwrap().as_str(), "application/a");
    registry.tell_the_truth();

    // Whatever a registry says in place of a list, the tag is the next to be asked; but an outage is no empty list.
    for other in [Answer::body("text/html", "<html>"), error(404, "NAME_UNKNOWN"), error(400, "UNSUPPORTED")] {
        registry.tell_the_truth();
        registry.lie("GET", "/referrers/", move |_, _| other.clone());
        assert!(repository.referrers(image.digest()).unwrap().is_empty());
    }
    registry.tell_the_truth();
    let away = |_: &_, _| Answer::status(303).with("Location", "https://example.com/");
    registry.lie("GET", "/referrers/", away);
    assert!(repository.referrers(image.digest()).unwrap().is_empty());
    registry.tell_the_truth();
    registry.lie("GET", "/referrers/", |_, _| Answer::status(503));
    assert!(repository.referrers(image.digest()).is_err());
    registry.tell_the_truth();
    let many = vec![statement.to_json(); 1001];
    let list = json!({"schemaVersion": 2, "manifests": many}).to_string();
    registry.lie("GET", "/referrers/", move |_, _| Answer::body(MediaType::INDEX, list.clone()));
    assert!(matches!(repository.referrers(image.digest()), Err(Error::TooMany { .. })));
}

#[test]
fn names_that_are_no_tags_are_refused() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let error = repository.tag(Some(&"a/b".parse().unwrap()), &image).unwrap_err();
    assert!(matches!(fault(&error), AnswerError::NotATag(_)));
    assert!(repository.resolve(&name("a/b")).unwrap_err().is_not_found());
}
