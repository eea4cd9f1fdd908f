//! A store in memory.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crate::descriptor::Descriptor;
use crate::digest::{Digest, VerifyingReader};
use crate::error::Error;
use crate::listing::Listing;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};

/// Blobs in memory, for tests and for what is small: statements and signatures on their way to a registry.
#[derive(Debug, Default)]
pub struct Memory {
    blobs: Mutex<BTreeMap<Digest, Arc<[u8]>>>,
    listing: Mutex<Listing>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn blob(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn listing(&self) -> Listing {
        self.listing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.blob(blob.digest()).is_some_and(|bytes| bytes.len() as u64 == blob.size()))
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let missing = || Error::NoBlob { digest: blob.digest().clone(), place: self.place() };
        let bytes = self.blob(blob.digest()).ok_or_else(missing)?;
        Ok(Box::new(VerifyingReader::new(Cursor::new(bytes), blob.digest().clone(), blob.size())))
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        let mut bytes = Vec::new();
        VerifyingReader::new(content, blob.digest().clone(), blob.size())
            .read_to_end(&mut bytes)
            .map_err(|source| (self as &dyn Store).bad_blob(blob, source))?;
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(blob.digest().clone(), bytes.into());
        Ok(())
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        *listing = listing.tag(self, name, root)?;
        Ok(())
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.listing().resolve(self, wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.listing().tags())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.listing().referrers(self, subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::ContentMismatch;
    use crate::index::IndexDocument;
    use crate::manifest::Manifest;
    use crate::media_type::MediaType;

    fn name(text: &str) -> RefName {
        text.parse().unwrap()
    }

    fn put(store: &dyn Store, media_type: &'static str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::known(media_type), bytes);
        store.put(&descriptor, &mut &*bytes).unwrap();
        descriptor
    }

    fn image(store: &dyn Store, seed: &str) -> Descriptor {
        let config = put(store, MediaType::CONFIG, seed.as_bytes());
        let manifest = Manifest::new(&config, &[], &BTreeMap::new()).unwrap();
        put(store, MediaType::MANIFEST, manifest.bytes())
    }

    fn referrer(store: &dyn Store, subject: &Descriptor) -> Descriptor {
        let empty = put(store, MediaType::EMPTY, b"{}").to_json();
        let document = serde_json::json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
            "config": empty, "layers": [empty], "subject": subject.to_json(), "annotations": {"a": "b"}
        });
        put(store, MediaType::MANIFEST, &crate::json::to_canonical(&document))
    }

    #[test]
    fn a_name_names_one_image() {
        let store = Memory::new();
        let (first, second) = (image(&store, "1"), image(&store, "2"));
        store.tag(Some(&name("a")), &first).unwrap();
        store.tag(Some(&name("b")), &first).unwrap();
        store.tag(Some(&name("a")), &second).unwrap();
        assert_eq!(store.resolve(&Selector::Name(name("a"))).unwrap().digest(), second.digest());
        assert_eq!(store.tags().unwrap(), [name("a"), name("b")]);
        assert!(store.resolve(&Selector::Name(name("c"))).unwrap_err().is_not_found());
        assert!(matches!(store.resolve(&Selector::Only), Err(Error::Ambiguous { found: 2, .. })));
    }

    #[test]
    fn an_unnamed_image_replaces_the_one_before() {
        let store = Memory::new();
        let (first, second) = (image(&store, "1"), image(&store, "2"));
        store.tag(None, &first).unwrap();
        store.tag(None, &referrer(&store, &first)).unwrap();
        store.tag(None, &second).unwrap();
        assert_eq!(store.resolve(&Selector::Only).unwrap().digest(), second.digest());
        assert!(store.resolve(&Selector::Digest(first.digest().clone())).unwrap_err().is_not_found());
        assert_eq!(store.referrers(first.digest()).unwrap().len(), 1);
    }

    #[test]
    fn referrers_carry_type_and_annotations() {
        let store = Memory::new();
        let subject = image(&store, "1");
        let referrer = referrer(&store, &subject);
        assert!(store.referrers(subject.digest()).unwrap().is_empty());
        for _ in 0..2 {
            store.tag(None, &referrer).unwrap();
        }
        let found = store.referrers(subject.digest()).unwrap();
        let expected = referrer.with_artifact_type(Some("application/x".parse().unwrap())).with_annotation("a", "b");
        assert_eq!(found, [expected]);
    }

    #[test]
    fn images_inside_an_index_are_found_by_digest() {
        let store = Memory::new();
        let inner = image(&store, "1");
        let index = IndexDocument::new(std::slice::from_ref(&inner), &BTreeMap::new()).unwrap();
        let index = put(&store, MediaType::INDEX, index.bytes());
        store.tag(None, &index).unwrap();
        assert_eq!(store.resolve(&Selector::Digest(inner.digest().clone())).unwrap(), inner);
        assert_eq!(store.resolve(&Selector::Only).unwrap(), index);
    }

    #[test]
    fn wrong_content_is_not_kept() {
        let store = Memory::new();
        let stated = Descriptor::of(MediaType::known(MediaType::LAYER), b"abc");
        let error = store.put(&stated, &mut &b"abd"[..]).unwrap_err();
        assert!(matches!(error.mismatch(), Some(ContentMismatch::Digest { .. })));
        let error = store.put(&stated, &mut &b"abcd"[..]).unwrap_err();
        assert!(matches!(error.mismatch(), Some(ContentMismatch::Size { .. })));
        assert!(!store.has(&stated).unwrap());
        assert!(store.open(&stated).err().unwrap().is_not_found());
    }
}
