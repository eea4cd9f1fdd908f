//! Referrers, with and without a list of the registry's own.

use distil_tests::loopback::Answer;
use distil_tests::lying_registry::{LyingRegistry, error};

use super::*;

fn digests(found: &[Descriptor]) -> Vec<Digest> {
    found.iter().map(|found| found.digest().clone()).collect()
}

/// Writes an image and two referrers by two writers, and reads them back.
fn check(place: &str) {
    let (repository, other) = (open(place), open(place));
    let image = manifest(&repository);
    assert!(repository.referrers(image.digest()).unwrap().is_empty());
    let first = referrer(&repository, &image, "application/first");
    repository.tag(None, &first).unwrap();
    let second = referrer(&other, &image, "application/second");
    other.tag(None, &second).unwrap();
    // Once more changes nothing, also where nothing was put before.
    open(place).tag(None, &first).unwrap();

    let found = open(place).referrers(image.digest()).unwrap();
    let mut expected = digests(&[first, second]);
    expected.sort();
    assert_eq!(digests(&found), expected);
    let types: Vec<_> = found.iter().map(|found| found.artifact_type().unwrap().as_str()).collect();
    assert!(types.contains(&"application/first") && types.contains(&"application/second"));
    assert!(found.iter().all(|found| found.annotations()["a"] == found.artifact_type().unwrap().as_str()));
}

#[test]
fn a_registry_without_a_list_gets_one_under_a_tag() {
    let registry = Registry::start();
    let place = registry.repository("app");
    check(&place);
    let tags = open(&place).tags().unwrap();
    assert_eq!(tags.len(), 1);
    assert!(tags[0].as_str().starts_with("sha256-"));
}

#[test]
fn a_registry_with_a_list_gets_no_tag() {
    let registry = LyingRegistry::empty();
    check(&registry.repository("app"));
    assert!(registry.tags().is_empty());
}

#[test]
fn a_list_of_the_registry_is_used() {
    let registry = Registry::start_with_referrers();
    let place = registry.repository("app");
    check(&place);
    assert!(open(&place).tags().unwrap().is_empty());
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let statements: Vec<_> = (0..8).map(|n| referrer(&repository, &image, &format!("application/n{n}"))).collect();
    std::thread::scope(|scope| {
        for statement in &statements {
            scope.spawn(|| repository.tag(None, statement).unwrap());
        }
    });
    assert_eq!(repository.referrers(image.digest()).unwrap().len(), 8);
}

#[test]
fn referrers_are_published_before_the_name() {
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let about = [referrer(&repository, &image, "application/a"), referrer(&repository, &image, "application/b")];
    repository.publish(Some(&"v1".parse().unwrap()), &image, &about).unwrap();
    assert_eq!(repository.resolve(&name("v1")).unwrap(), image);
    assert_eq!(repository.referrers(image.digest()).unwrap().len(), 2);
}

#[test]
fn what_lies_under_the_tag_and_is_no_list_stays() {
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let statement = referrer(&repository, &image, "application/a");
    let tag: RefName = image.digest().to_string().replace(':', "-").parse().unwrap();
    repository.tag(Some(&tag), &statement).unwrap();
    let Err(Error::Remote { source, .. }) = repository.tag(None, &statement) else { panic!("was overwritten") };
    let Some(crate::RegistryError::Answer(AnswerError::Fallback { tag: named, .. })) = source.downcast_ref() else {
        panic!("{source}")
    };
    assert_eq!(*named, tag.to_string());
    assert_eq!(repository.resolve(&Selector::Name(tag)).unwrap().digest(), statement.digest());
    // It lists nothing, and that is no error for who reads.
    assert!(repository.referrers(image.digest()).unwrap().is_empty());
}

/// As of a registry without a list of its own.
fn without_list() -> LyingRegistry {
    let registry = LyingRegistry::empty();
    registry.lie("GET", "/referrers/", |_, _| error(404, "NAME_UNKNOWN"));
    registry.lie("PUT", "/manifests/", |_, mut answer: Answer| {
        answer.headers.retain(|(name, _)| name != "OCI-Subject");
        answer
    });
    registry
}

#[test]
fn a_tag_that_is_another_name_of_the_image_lists_nothing() {
    // There are registries that take `sha256-HEX` for the digest.
    let registry = without_list();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let child = referrer(&repository, &image, "application/a");
    let index = IndexDocument::new(std::slice::from_ref(&child), &BTreeMap::new()).unwrap();
    let root = put(&repository, MediaType::INDEX, index.bytes());
    registry.tag(&root.digest().to_string().replace(':', "-"), &root.digest().to_string());
    assert!(repository.fallback(root.digest()).unwrap().is_none());
    assert!(repository.fallback(image.digest()).unwrap().is_none());
}

#[test]
fn an_entry_that_others_take_away_is_added_again_and_not_for_ever() {
    let registry = without_list();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let statement = referrer(&repository, &image, "application/a");
    registry.lie_times(2, "GET", "/manifests/sha256-", |_, _| error(404, "MANIFEST_UNKNOWN"));
    repository.tag(None, &statement).unwrap();
    assert_eq!(repository.referrers(image.digest()).unwrap().len(), 1);

    registry.lie("GET", "/manifests/sha256-", |_, _| error(404, "MANIFEST_UNKNOWN"));
    let Err(Error::Remote { source, .. }) = repository.tag(None, &statement) else { panic!("was believed") };
    let fault = source.downcast_ref();
    assert!(matches!(fault, Some(crate::RegistryError::Answer(AnswerError::Contended { .. }))), "{source}");
}

#[test]
fn a_list_is_replaced_only_where_it_is_the_one_that_was_read() {
    let registry = without_list();
    registry.lie("GET", "/manifests/sha256-", |_, answer| answer.with("ETag", "\"mark\""));
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    for name in ["application/a", "application/b"] {
        let statement = referrer(&repository, &image, name);
        // The registry has found once that another writer was faster.
        registry.lie_times(1, "PUT", "/manifests/sha256-", |asked, answer| {
            if asked.headers.contains_key("if-match") { Answer::status(412) } else { answer }
        });
        repository.tag(None, &statement).unwrap();
    }
    assert_eq!(repository.referrers(image.digest()).unwrap().len(), 2);
    let marks: Vec<_> = registry.asked().iter().filter_map(|asked| asked.headers.get("if-match").cloned()).collect();
    assert!(!marks.is_empty() && marks.iter().all(|mark| mark == "\"mark\""), "{marks:?}");
}
