use distil_imgcore::{Attachment, Layout, Reference, Selector};
use distil_signing::key::PrivateKey;
use distil_signing::verify::{self, Report, Requirements, Trust, VerifiedSignature, gather};
use tempfile::TempDir;

use super::*;
use crate::testimage;

struct Fixture {
    _dir: TempDir,
    layout: Layout,
    image: Descriptor,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let Reference::Layout(at) = testimage::write(dir.path(), &["linux/amd64"], &[&[("etc/x", "x")]]) else {
            panic!()
        };
        let layout = Layout::create(at.path(), Duration::from_secs(60)).unwrap();
        let image = layout.resolve(at.selector()).unwrap().bare();
        Self { _dir: dir, layout, image }
    }

    fn beside<'a>(&'a self, key: &'a PrivateKey, formats: Formats) -> Beside<'a> {
        Beside::new(&self.layout, key, formats, 1_800_000_000).undisturbed(true)
    }

    fn sign(&self, key: &PrivateKey, formats: Formats) -> Vec<bool> {
        let added = self.beside(key, formats).sign(&self.image, "registry.example.org/app", &BTreeMap::new()).unwrap();
        added.forms.iter().map(|form| form.manifest.is_some()).collect()
    }

    fn say(&self, key: &PrivateKey, kind: &str, predicate: &str, replaces: bool) -> Vec<bool> {
        let beside = self.beside(key, Formats::Both).replacing(replaces);
        let added = beside.attest(&self.image, "registry.example.org/app", &kind.parse().unwrap(), predicate).unwrap();
        added.forms.iter().map(|form| form.manifest.is_some()).collect()
    }

    fn verified(&self, key: &PrivateKey) -> Report<VerifiedSignature> {
        let found = gather(&self.layout, &self.image).unwrap();
        let wanted = Requirements::new(Trust::Keys(vec![key.public_key().clone()]));
        verify::image(self.image.digest(), &found, &wanted)
    }

    /// How many layers lie under cosign's names for signatures and statements.
    fn layers(&self) -> Vec<usize> {
        let names = Attachment::names_for(self.image.digest()).take(2);
        let count = |name| match self.layout.resolve(&Selector::Name(name)) {
            Ok(found) => (&self.layout as &dyn Store).document(&found).unwrap().children().len() - 1,
            Err(_) => 0,
        };
        names.map(count).collect()
    }
}

#[test]
fn each_form_is_found_and_verified_and_written_once() {
    let key = PrivateKey::generate().unwrap();
    for (formats, expected) in [(Formats::Legacy, 1), (Formats::Bundle, 1), (Formats::Both, 2)] {
        let fixture = Fixture::new();
        assert_eq!(fixture.sign(&key, formats), vec![true; expected]);
        assert_eq!(fixture.verified(&key).verified().len(), expected);
        let index = std::fs::read(fixture.layout.path().join("index.json")).unwrap();
        assert_eq!(fixture.sign(&key, formats), vec![false; expected]);
        assert_eq!(std::fs::read(fixture.layout.path().join("index.json")).unwrap(), index);
    }
}

#[test]
fn signatures_of_others_stay() {
    let [one, two] = [PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap()];
    let fixture = Fixture::new();
    for key in [&one, &two] {
        assert_eq!(fixture.sign(key, Formats::Both), [true, true]);
    }
    for key in [&one, &two] {
        assert_eq!(fixture.verified(key).verified().len(), 2);
        assert_eq!(fixture.sign(key, Formats::Both), [false, false]);
    }
    assert_eq!(fixture.layers(), [2, 0]);
}

#[test]
fn a_statement_replaces_those_of_its_type_alone() {
    let key = PrivateKey::generate().unwrap();
    let fixture = Fixture::new();
    let (one, two) = ("https://example.org/one", "https://example.org/two");
    assert_eq!(fixture.say(&key, one, r#"{"a":1}"#, false), [true, true]);
    assert_eq!(fixture.say(&key, one, r#"{"a":1}"#, false), [false, false]);
    assert_eq!(fixture.say(&key, one, r#"{"a":2}"#, false), [true, true]);
    assert_eq!(fixture.say(&key, two, r#"{"a":2}"#, false), [true, true]);
    assert_eq!(fixture.layers(), [0, 3]);
    assert_eq!(fixture.say(&key, one, r#"{"a":2}"#, true), [true, false]);
    assert_eq!(fixture.layers(), [0, 2]);
    assert_eq!(fixture.say(&key, one, r#"{"a":2}"#, true), [false, false]);
    // A statement signs no image, whatever is beside it.
    assert!(fixture.verified(&key).verified().is_empty());
}

#[test]
fn the_type_of_signatures_is_none_of_statements() {
    let (key, fixture) = (PrivateKey::generate().unwrap(), Fixture::new());
    let refused = fixture.beside(&key, Formats::Both).attest(&fixture.image, "x", &PredicateType::SIGN, "{}");
    assert!(matches!(refused, Err(SignError::IsSignature { .. })));
    assert_eq!(fixture.layers(), [0, 0]);
}

/// A store of which somebody else takes back what was written the first few times.
#[derive(Debug)]
struct Contested<'a> {
    inner: &'a Layout,
    left: std::sync::atomic::AtomicU32,
}

impl Store for Contested<'_> {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.has(blob)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn std::io::Read + Send>, Error> {
        Store::open(self.inner, blob)
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn std::io::Read) -> Result<(), Error> {
        self.inner.put(blob, content)
    }

    fn tag(&self, name: Option<&distil_imgcore::RefName>, root: &Descriptor) -> Result<(), Error> {
        use std::sync::atomic::Ordering;
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            // As if it had been overwritten at once.
            Ok(_) => Ok(()),
            Err(_) => self.inner.tag(name, root),
        }
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.inner.resolve(wanted)
    }

    fn tags(&self) -> Result<Vec<distil_imgcore::RefName>, Error> {
        self.inner.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.inner.referrers(subject)
    }
}

#[test]
fn what_was_taken_away_is_written_again_but_not_for_ever() {
    let (key, fixture) = (PrivateKey::generate().unwrap(), Fixture::new());
    let sign = |left: u32| {
        let store = Contested { inner: &fixture.layout, left: left.into() };
        let beside = Beside::new(&store, &key, Formats::Both, 1_800_000_000);
        beside.sign(&fixture.image, "registry.example.org/app", &BTreeMap::new())
    };
    assert!(matches!(sign(u32::MAX), Err(SignError::Contended { .. })));
    assert!(fixture.verified(&key).verified().is_empty());
    sign(3).unwrap();
    assert_eq!(fixture.verified(&key).verified().len(), 2);
}
