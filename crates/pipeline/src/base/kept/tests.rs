use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_imgcore::{Image, Referrers, copy_graph};
use distil_tests::Registry;

use crate::base::Base;
use crate::machine::Machine;
use crate::progress::Silent;
use crate::read::{Named, ReadError};
use crate::{recipe, testimage};

use super::*;

struct Fixture {
    dir: tempfile::TempDir,
    registry: Registry,
    machine: Machine,
}

impl Fixture {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), registry: Registry::start(), machine: Machine::new(0) }
    }

    /// Pushes an image with a file of this text under the tag of the base; gives its digest.
    fn push(&self, text: &str) -> Digest {
        let dir = tempfile::tempdir().unwrap();
        let from = testimage::write(dir.path(), &["linux/amd64", "linux/arm64"], &[&[("etc/x", text)]]);
        let places = Places::uncancelled(&self.machine, &Silent);
        let from = Named::open(&from, &places).unwrap();
        let to = places.destination(&self.stated().image).unwrap();
        let _attached = copy_graph(from.store.as_ref(), to.store(), &from.root, Referrers::Leave, &mut |_| {}).unwrap();
        to.store().tag(Some(&"v1".parse().unwrap()), &from.root).unwrap();
        from.root.digest().clone()
    }

    fn stated(&self) -> recipe::Base {
        let text = format!("[base]\nimage = 'docker://{}:v1'\n", self.registry.repository("team/base"));
        recipe::Recipe::parse(&text).unwrap().base.unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn open(&self, locked: Option<&Digest>, offline: bool) -> Result<Base, BaseError> {
        let machine = Machine { offline, ..self.machine.clone() };
        let session = Session::start(&self.cache()).unwrap();
        Base::open(&self.stated(), Path::new(""), locked, &Places::uncancelled(&machine, &Silent), &session)
    }
}

/// Reads all layers, each checked on the way.
fn read(base: &Base) -> Result<Image, BaseError> {
    Ok(base.image(&"linux/amd64".parse().unwrap(), &Silent)?.image().clone())
}

#[test]
fn a_locked_base_is_the_same_wherever_its_tag_moves() {
    let fixture = Fixture::new();
    let first = fixture.push("first");
    let base = fixture.open(None, false).unwrap();
    assert_eq!(*base.descriptor().digest(), first);
    let image = read(&base).unwrap();
    let second = fixture.push("second");
    assert_ne!(first, second);
    let locked = fixture.open(Some(&first), false).unwrap();
    assert_eq!(read(&locked).unwrap().digest(), image.digest());
    assert_eq!(*fixture.open(None, false).unwrap().descriptor().digest(), second);
}

#[test]
fn what_was_pulled_is_enough_without_a_network() {
    let fixture = Fixture::new();
    let digest = fixture.push("x");
    let image = read(&fixture.open(None, false).unwrap()).unwrap();
    let offline = fixture.open(Some(&digest), true).unwrap();
    assert_eq!(read(&offline).unwrap().digest(), image.digest());
    // The other platform was not pulled, and where the tag points to is not known.
    let arm = offline.image(&"linux/arm64".parse().unwrap(), &Silent).unwrap_err();
    assert!(matches!(arm, BaseError::Read { .. }), "{arm:?}");
    let error = fixture.open(None, true).unwrap_err();
    let BaseError::Read { source, .. } = error else { panic!("{error:?}") };
    assert!(matches!(*source, ReadError::Open(_)), "{source:?}");
}

#[test]
fn what_the_disk_has_changed_is_pulled_again() {
    let fixture = Fixture::new();
    let digest = fixture.push("x");
    let image = read(&fixture.open(None, false).unwrap()).unwrap();
    let damage = || {
        let layer = image.manifest().layers()[0].digest().hex();
        let path = fixture.cache().join("images/sha256").join(layer.get(..2).unwrap()).join(&layer);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        let mut file = tempfile::NamedTempFile::new_in(fixture.dir.path()).unwrap();
        file.write_all(&bytes).unwrap();
        file.persist(&path).unwrap();
    };
    damage();
    assert_eq!(read(&fixture.open(Some(&digest), false).unwrap()).unwrap().digest(), image.digest());
    damage();
    assert!(read(&fixture.open(Some(&digest), true).unwrap()).is_err());
}

#[test]
fn nothing_is_written_to_a_base() {
    let fixture = Fixture::new();
    let session = Session::start(&fixture.cache()).unwrap();
    let Reference::Registry(name) = fixture.stated().image else { panic!() };
    let kept = Kept::open(&name, &Places::uncancelled(&fixture.machine, &Silent), &session).unwrap();
    let blob = Descriptor::of(MediaType::CONFIG.parse().unwrap(), b"x");
    let store: Arc<dyn Store> = Arc::new(kept);
    assert!(matches!(store.put(&blob, &mut &b"x"[..]), Err(Error::ReadOnly { .. })));
    assert!(matches!(store.tag(None, &blob), Err(Error::ReadOnly { .. })));
}

#[test]
fn the_type_of_a_document_is_what_it_states_or_what_it_looks_like() {
    let known = |text: &str| media_type(text.as_bytes()).map(|found| found.as_str().to_owned());
    assert_eq!(known(r#"{"mediaType": "application/x"}"#).as_deref(), Some("application/x"));
    assert_eq!(known(r#"{"manifests": []}"#).as_deref(), Some(MediaType::INDEX));
    assert_eq!(known(r#"{"layers": []}"#).as_deref(), Some(MediaType::MANIFEST));
    assert_eq!(known(r#"{"mediaType": 1}"#), None);
    assert_eq!(known("layer"), None);
}
