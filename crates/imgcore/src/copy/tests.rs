//! Copies between stores in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::attachment::Attachment;
use crate::digest::Digest;
use crate::index::IndexDocument;
use crate::manifest::Manifest;
use crate::media_type::MediaType;
use crate::ref_name::RefName;
use crate::{Memory, Selector};

fn put(store: &dyn Store, media_type: &'static str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(MediaType::known(media_type), bytes);
    store.put(&descriptor, &mut &*bytes).unwrap();
    descriptor
}

fn manifest(store: &dyn Store, config: &Descriptor) -> Descriptor {
    let layer = put(store, MediaType::LAYER, b"layer");
    put(store, MediaType::MANIFEST, Manifest::new(config, &[layer], &BTreeMap::new()).unwrap().bytes())
}

fn index(store: &dyn Store, children: &[Descriptor]) -> Descriptor {
    put(store, MediaType::INDEX, IndexDocument::new(children, &BTreeMap::new()).unwrap().bytes())
}

fn referrer(store: &dyn Store, subject: &Descriptor) -> Descriptor {
    let empty = put(store, MediaType::EMPTY, b"{}").to_json();
    let document = json!({
        "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
        "config": empty, "layers": [empty], "subject": subject.to_json(),
    });
    let referrer = put(store, MediaType::MANIFEST, &crate::json::to_canonical(&document));
    store.tag(None, &referrer).unwrap();
    referrer
}

fn copy(source: &Memory, root: &Descriptor, referrers: Referrers) -> Result<(Memory, usize), Error> {
    let destination = Memory::new();
    let mut copied = 0;
    let attached = copy_graph(source, &destination, root, referrers, &mut |p| {
        copied += usize::from(matches!(p, Progress::Finished(_)));
    })?;
    attached.name_in(&destination)?;
    attached.referrers().iter().try_for_each(|referrer| destination.tag(None, referrer))?;
    Ok((destination, copied))
}

#[test]
fn everything_is_copied_once() {
    let source = Memory::new();
    let config = put(&source, MediaType::CONFIG, b"config");
    let image = manifest(&source, &config);
    let root = index(&source, &[image.clone(), image.clone()]);
    let (destination, copied) = copy(&source, &root, Referrers::Copy).unwrap();
    assert_eq!(copied, 4);
    for blob in [&config, &image, &root] {
        assert!(destination.has(blob).unwrap());
    }
    assert!(destination.resolve(&Selector::Only).unwrap_err().is_not_found());
}

#[test]
fn referrers_travel_with_the_referrers_about_them() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let statement = referrer(&source, &image);
    let signature = referrer(&source, &statement);
    let (destination, _) = copy(&source, &image, Referrers::Copy).unwrap();
    assert_eq!(destination.referrers(image.digest()).unwrap()[0].digest(), statement.digest());
    assert_eq!(destination.referrers(statement.digest()).unwrap()[0].digest(), signature.digest());
    let (destination, _) = copy(&source, &image, Referrers::Leave).unwrap();
    assert!(!destination.has(&statement).unwrap());
}

#[test]
fn what_is_there_is_not_copied_again() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let destination = Memory::new();
    put(&destination, MediaType::LAYER, b"layer");
    let mut present = Vec::new();
    let attached = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |p| {
        if let Progress::Present(blob) = p {
            present.push(blob.media_type().clone());
        }
    });
    assert!(attached.unwrap().referrers().is_empty());
    assert_eq!(present, [MediaType::known(MediaType::LAYER)]);
}

#[test]
fn a_missing_blob_stops_the_copy_before_its_manifest() {
    let source = Memory::new();
    let missing = Descriptor::of(MediaType::known(MediaType::CONFIG), b"missing");
    let image = manifest(&source, &missing);
    let destination = Memory::new();
    let error = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::NoBlob { digest, .. } if digest == *missing.digest()));
    assert!(!destination.has(&image).unwrap());
}

#[test]
fn depth_is_bounded() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let nest = |n: usize| (0..n).fold(image.clone(), |inner, _| index(&source, &[inner]));
    assert!(copy(&source, &nest(4), Referrers::Leave).is_ok());
    assert!(matches!(copy(&source, &nest(5), Referrers::Leave), Err(Error::TooMany { limit: 4, .. })));
}

/// A registry: it takes several blobs at once, has some in a repository next to it, and refuses documents that name what it
/// does not have.
#[derive(Debug, Default)]
struct Registry {
    inner: Memory,
    next_to: BTreeSet<Digest>,
    /// What was put, in that order.
    put: Mutex<Vec<Digest>>,
    /// The referrers of everything, where anybody can write the list of them.
    listed: Option<Vec<Descriptor>>,
    /// What somebody else names whenever anything is named.
    theirs: Option<Descriptor>,
}

impl Store for Registry {
    fn place(&self) -> String {
        "registry".into()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.has(blob)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        self.inner.open(blob)
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.inner.put(blob, content)?;
        if blob.media_type().is_index_or_manifest() {
            for child in (&self.inner as &dyn Store).document(blob)?.children() {
                let place = self.place();
                let taken = self.next_to.contains(child.digest());
                if !taken && !self.has(child)? && child.kind() != crate::MediaKind::ForeignLayer {
                    return Err(Error::NoBlob { digest: child.digest().clone(), place });
                }
            }
        }
        self.put.lock().unwrap().push(blob.digest().clone());
        Ok(())
    }

    fn take_over(&self, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.next_to.contains(blob.digest()))
    }

    fn puts_at_once(&self) -> NonZeroUsize {
        NonZeroUsize::new(4).unwrap()
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.inner.tag(name, self.theirs.as_ref().unwrap_or(root))
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.inner.resolve(wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.inner.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.listed.clone().map_or_else(|| self.inner.referrers(subject), Ok)
    }
}

/// An image of many layers, each larger than the one before.
fn large(source: &Memory, layers: u8) -> Descriptor {
    let config = put(source, MediaType::CONFIG, b"config");
    let layers: Vec<_> = (0..layers).map(|n| put(source, MediaType::LAYER, &vec![n; 1 + usize::from(n)])).collect();
    put(source, MediaType::MANIFEST, Manifest::new(&config, &layers, &BTreeMap::new()).unwrap().bytes())
}

#[test]
fn nothing_is_put_before_what_it_names_by_any_number_of_threads() {
    let source = Memory::new();
    let images = [large(&source, 100), large(&source, 3)];
    // An index that is also inside of another one: it is found early, and has to wait.
    let inner = index(&source, &images);
    let outer = index(&source, &[inner.clone(), images[0].clone()]);
    let root = index(&source, &[inner.clone(), outer.clone()]);
    let about = referrer(&source, &root);
    let registry = Registry::default();
    let attached = copy_graph(&source, &registry, &root, Referrers::Copy, &mut |_| {}).unwrap();
    assert_eq!(attached.referrers().iter().map(Descriptor::digest).collect::<Vec<_>>(), [about.digest()]);
    let put = registry.put.into_inner().unwrap();
    assert_eq!(put.iter().collect::<BTreeSet<_>>().len(), put.len());
    let at = |blob: &Descriptor| put.iter().position(|digest| digest == blob.digest()).unwrap();
    assert!(at(&inner) < at(&outer) && at(&outer) < at(&root) && at(&root) < at(&about));
}

#[test]
fn what_can_be_taken_over_is_not_read() {
    let source = Memory::new();
    let layer = Descriptor::of(MediaType::known(MediaType::LAYER), b"is nowhere in the source");
    let config = put(&source, MediaType::CONFIG, b"config");
    let bytes = Manifest::new(&config, std::slice::from_ref(&layer), &BTreeMap::new()).unwrap();
    let image = put(&source, MediaType::MANIFEST, bytes.bytes());
    let registry = Registry { next_to: BTreeSet::from([layer.digest().clone()]), ..Registry::default() };
    let attached = copy_graph(&source, &registry, &image, Referrers::Copy, &mut |_| {}).unwrap();
    assert!(attached.referrers().is_empty());
    assert!(registry.has(&image).unwrap());
}

#[test]
fn a_blob_that_its_descriptor_carries_need_not_be_there() {
    let source = Memory::new();
    let document = json!({
        "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
        "config": Descriptor::empty().to_json(), "layers": [],
    });
    let artifact = put(&source, MediaType::MANIFEST, &crate::json::to_canonical(&document));
    let (destination, _) = copy(&source, &artifact, Referrers::Copy).unwrap();
    assert!(destination.has(&Descriptor::empty()).unwrap());
}

fn foreign(source: &Memory, media_type: &str) -> (Descriptor, Descriptor) {
    let layer = Descriptor::of(media_type.parse().unwrap(), b"not to be passed on");
    let mut stated = layer.to_json();
    stated["urls"] = json!(["http://127.0.0.1:9/layer"]);
    let config = put(source, MediaType::CONFIG, b"config").to_json();
    let document = json!({"schemaVersion": 2, "mediaType": MediaType::MANIFEST, "config": config, "layers": [stated]});
    (put(source, MediaType::MANIFEST, &crate::json::to_canonical(&document)), layer)
}

#[test]
fn a_layer_that_may_not_be_distributed_is_left_where_it_is() {
    let source = Memory::new();
    let (image, layer) = foreign(&source, MediaType::LAYER_FOREIGN_GZIP);
    let (destination, _) = copy(&source, &image, Referrers::Copy).unwrap();
    assert!(destination.has(&image).unwrap() && !destination.has(&layer).unwrap());
    let bytes = |store: &dyn Store| store.read(&image).unwrap();
    assert_eq!(bytes(&source), bytes(&destination));
    // One that is there travels.
    source.put(&layer, &mut &b"not to be passed on"[..]).unwrap();
    assert!(copy(&source, &image, Referrers::Copy).unwrap().0.has(&layer).unwrap());
    // No other layer may lie anywhere else.
    let (image, _) = foreign(&source, MediaType::LAYER_GZIP);
    assert!(matches!(copy(&source, &image, Referrers::Copy), Err(Error::Document { .. })));
}

#[test]
fn a_referrer_that_is_broken_is_named_and_nothing_is_copied() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let missing = Descriptor::of(MediaType::known(MediaType::EMPTY), b"missing").to_json();
    let document = json!({
        "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
        "config": missing, "layers": [], "subject": image.to_json(),
    });
    let broken = put(&source, MediaType::MANIFEST, &crate::json::to_canonical(&document));
    source.tag(None, &broken).unwrap();
    let error = copy(&source, &image, Referrers::Copy).unwrap_err();
    let Error::About { what, subject, source: cause } = error else { panic!("{error}") };
    assert_eq!((what, &subject), (broken.digest().to_string(), image.digest()));
    assert!(matches!(*cause, Error::NoBlob { .. }));
    assert!(copy(&source, &image, Referrers::Leave).is_ok());
}

#[test]
fn what_is_about_something_else_stays() {
    let inner = Memory::new();
    let image = manifest(&inner, &put(&inner, MediaType::CONFIG, b"config"));
    let other = manifest(&inner, &put(&inner, MediaType::CONFIG, b"another config"));
    let (ours, theirs) = (referrer(&inner, &image), referrer(&inner, &other));
    let listed = Some(vec![other.clone(), theirs.clone(), ours.clone(), ours.clone()]);
    let source = Registry { inner, listed, ..Registry::default() };
    let destination = Memory::new();
    let attached = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |_| {}).unwrap();
    assert_eq!(attached.referrers(), [ours]);
    assert!(!destination.has(&other).unwrap() && !destination.has(&theirs).unwrap());
}

/// A manifest of these signatures, as cosign has it, under the name for an image.
fn sign(store: &dyn Store, subject: &Descriptor, kind: usize, signatures: &[&str]) -> (RefName, Descriptor) {
    let signature = |text: &&str| {
        let payload = put(store, MediaType::SIMPLE_SIGNING, b"payload");
        payload.with_annotation("dev.cosignproject.cosign/signature", text)
    };
    let layers: Vec<Descriptor> = signatures.iter().map(signature).collect();
    let config = put(store, MediaType::CONFIG, signatures.join(",").as_bytes());
    let bytes = Manifest::new(&config, &layers, &BTreeMap::new()).unwrap();
    let root = put(store, MediaType::MANIFEST, bytes.bytes());
    let name = Attachment::names_for(subject.digest()).nth(kind).unwrap();
    store.tag(Some(&name), &root).unwrap();
    (name, root)
}

fn signatures(store: &dyn Store, name: &RefName) -> Vec<String> {
    let root = store.resolve(&Selector::Name(name.clone())).unwrap();
    let crate::Document::Manifest(manifest) = store.document(&root).unwrap() else { panic!() };
    manifest.layers().iter().map(|layer| layer.annotations().values().next().unwrap().clone()).collect()
}

#[test]
fn what_has_a_name_of_cosign_travels_with_what_is_about_it() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let (sbom, root) = sign(&source, &image, 2, &["an SBOM"]);
    let (signature, _) = sign(&source, &root, 0, &["a signature of the SBOM"]);
    let (destination, _) = copy(&source, &image, Referrers::Copy).unwrap();
    assert_eq!(signatures(&destination, &sbom), ["an SBOM"]);
    assert_eq!(signatures(&destination, &signature), ["a signature of the SBOM"]);
    let (destination, _) = copy(&source, &image, Referrers::Leave).unwrap();
    assert!(destination.tags().unwrap().is_empty());
}

#[test]
fn no_signature_is_lost_where_both_have_some() {
    let check = |kind, theirs: &[&str], ours: &[&str], expected: &[&str]| {
        let (source, registry) = (Memory::new(), Registry::default());
        let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
        let (name, before) = sign(&registry, &image, kind, theirs);
        let (_, copied) = sign(&source, &image, kind, ours);
        let attached = copy_graph(&source, &registry, &image, Referrers::Copy, &mut |_| {}).unwrap();
        attached.name_in(&registry).unwrap();
        assert_eq!(signatures(&registry, &name), expected);
        // What is whole already keeps its digest, which somebody may have signed.
        let now = registry.resolve(&Selector::Name(name.clone())).unwrap();
        let kept = [(theirs, &before), (ours, &copied)].into_iter().find(|(layers, _)| *layers == expected);
        assert!(kept.is_none_or(|(_, root)| root.digest() == now.digest()));
        let count = registry.put.lock().unwrap().len();
        attached.name_in(&registry).unwrap();
        assert_eq!(
            (registry.resolve(&Selector::Name(name)).unwrap(), registry.put.lock().unwrap().len()),
            (now, count)
        );
    };
    check(0, &["a"], &["b"], &["a", "b"]);
    check(1, &["a", "b"], &["b", "c"], &["a", "b", "c"]);
    check(0, &["a", "b"], &["b"], &["a", "b"]);
    check(0, &["b"], &["a", "b"], &["a", "b"]);
    // There is one SBOM, and the last one counts.
    check(2, &["a"], &["b"], &["b"]);
}

#[test]
fn a_configuration_of_signatures_is_what_cosign_writes() {
    let (source, registry) = (Memory::new(), Registry::default());
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let (name, _) = sign(&registry, &image, 0, &["a"]);
    sign(&source, &image, 0, &["b"]);
    copy_graph(&source, &registry, &image, Referrers::Copy, &mut |_| {}).unwrap().name_in(&registry).unwrap();
    let store: &dyn Store = &registry;
    let root = store.resolve(&Selector::Name(name)).unwrap();
    let crate::Document::Manifest(manifest) = store.document(&root).unwrap() else { panic!() };
    let config: Value = serde_json::from_slice(&store.read(manifest.config()).unwrap()).unwrap();
    let (never, payload) = ("0001-01-01T00:00:00Z", Digest::of(b"payload").to_string());
    let expected = json!({
        "architecture": "", "created": never, "history": [{"created": never}, {"created": never}], "os": "",
        "rootfs": {"type": "layers", "diff_ids": [payload, payload]}, "config": {},
    });
    assert_eq!(config, expected);
}

#[test]
fn an_attachment_that_cannot_be_read_is_named() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let name = Attachment::names_for(image.digest()).next().unwrap();
    let garbage = put(&source, MediaType::MANIFEST, b"{}");
    source.tag(Some(&name), &garbage).unwrap();
    let error = copy(&source, &image, Referrers::Copy).unwrap_err();
    assert!(matches!(&error, Error::About { what, .. } if *what == name.to_string()), "{error}");
    // In the destination it is nobody's signature.
    let (source, registry) = (Memory::new(), Registry::default());
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    registry.inner.put(&garbage, &mut &b"{}"[..]).unwrap();
    registry.tag(Some(&name), &garbage).unwrap();
    sign(&source, &image, 0, &["a"]);
    copy_graph(&source, &registry, &image, Referrers::Copy, &mut |_| {}).unwrap().name_in(&registry).unwrap();
    assert_eq!(signatures(&registry, &name), ["a"]);
}

#[test]
fn a_name_that_others_write_to_all_the_time_is_told() {
    let (source, inner) = (Memory::new(), Memory::new());
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let (name, _) = sign(&source, &image, 0, &["ours"]);
    let (_, theirs) = sign(&inner, &image, 0, &["theirs"]);
    let destination = Registry { inner, theirs: Some(theirs.clone()), ..Registry::default() };
    let attached = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |_| {}).unwrap();
    let Err(Error::About { source, .. }) = attached.name_in(&destination) else { panic!() };
    let Error::Moved { name: moved, found, .. } = *source else { panic!("{source}") };
    assert_eq!((moved, found), (name, Some(theirs.digest().clone())));
}

#[test]
fn who_refers_to_whom_without_end_is_refused() {
    let source = Memory::new();
    let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
    let chain = |length| (0..length).fold(image.clone(), |subject, _| referrer(&source, &subject));
    chain(10);
    assert!(copy(&source, &image, Referrers::Copy).is_ok());
    chain(20);
    let error = copy(&source, &image, Referrers::Copy).unwrap_err();
    assert!(matches!(error, Error::TooMany { what: "levels of referrers", .. }));
}
