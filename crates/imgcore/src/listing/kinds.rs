//! What entries are, said as `cosign save` says it: `cosign verify --local-image` and `cosign load` look at nothing else.
//!
//! They read one image of a layout, with its signatures and statements. That is the one that was signed last here, or that came
//! here with signatures.

use serde_json::{Value, json};

use super::{Entry, Listing};
use crate::attachment::{Attachment, AttachmentKind};
use crate::digest::Digest;
use crate::layout_saved::{ATTESTATIONS, IMAGE, IMAGE_INDEX, KIND, SIGNATURES};
use crate::media_type::{MediaKind, MediaType};
use crate::store::Store;

/// How the types of sigstore's bundles begin, which cosign finds without a name.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

impl Listing {
    /// The listing after something was `changed`, with its kinds: about that where it is listed and signed, or else about what
    /// had them `before`. Entries without a name that are something else by their kind stay as they are.
    pub(super) fn marked(mut self, store: &dyn Store, before: &Self, changed: &Digest) -> Self {
        let signed = Some(changed).filter(|digest| self.lists(digest) && self.is_signed(store, digest));
        let marked = signed.or_else(|| before.image_by_kind().filter(|digest| self.lists(digest))).cloned();
        for entry in &mut self.entries {
            let wanted = marked.as_ref().and_then(|image| entry.kind_beside(image));
            let found = entry.descriptor.annotations().get(KIND).map(String::as_str);
            let is_known = found.is_some_and(|kind| [IMAGE, IMAGE_INDEX, SIGNATURES, ATTESTATIONS].contains(&kind));
            if found != wanted && (wanted.is_some() || is_known && entry.name.is_some()) {
                entry.set_kind(wanted);
            }
        }
        self
    }

    fn lists(&self, digest: &Digest) -> bool {
        self.entries.iter().any(|entry| entry.descriptor.digest() == digest)
    }

    fn image_by_kind(&self) -> Option<&Digest> {
        let is_image = |entry: &&Entry| {
            entry.descriptor.annotations().get(KIND).is_some_and(|kind| [IMAGE, IMAGE_INDEX].contains(&&**kind))
        };
        self.entries.iter().find(is_image).map(|entry| entry.descriptor.digest())
    }

    fn is_signed(&self, store: &dyn Store, digest: &Digest) -> bool {
        let is_bundle = |found: &MediaType| found.as_str().starts_with(BUNDLE);
        let refers = |entry: &Entry| {
            let document = store.document(&entry.descriptor);
            document.is_ok_and(|found| found.subject().is_some_and(|subject| subject.digest() == digest))
        };
        self.entries.iter().any(|entry| {
            entry.attachment_of(digest).is_some()
                || entry.name.is_none() && entry.descriptor.artifact_type().is_some_and(is_bundle) && refers(entry)
        })
    }
}

impl Entry {
    /// What it is to whoever looks at one image, where it is something.
    fn kind_beside(&self, image: &Digest) -> Option<&'static str> {
        if self.descriptor.digest() == image {
            return Some(if self.descriptor.kind() == MediaKind::Index { IMAGE_INDEX } else { IMAGE });
        }
        self.attachment_of(image)
    }

    /// The kind of what is kept about an image under a name.
    fn attachment_of(&self, image: &Digest) -> Option<&'static str> {
        let attachment = Attachment::named(self.name.as_ref()?).filter(|attachment| attachment.subject() == image)?;
        match attachment.kind() {
            AttachmentKind::Signatures => Some(SIGNATURES),
            AttachmentKind::Attestations => Some(ATTESTATIONS),
            AttachmentKind::Sbom => None,
        }
    }

    fn set_kind(&mut self, kind: Option<&str>) {
        let mut annotations = self.descriptor.annotations().clone();
        match kind {
            Some(kind) => annotations.insert(KIND.to_owned(), kind.to_owned()),
            None => annotations.remove(KIND),
        };
        if let Value::Object(raw) = &mut self.raw {
            if annotations.is_empty() {
                raw.remove("annotations");
            } else {
                raw.insert("annotations".to_owned(), json!(annotations));
            }
        }
        self.descriptor = self.descriptor.clone().with_annotations(annotations);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{Descriptor, Manifest, Memory, RefName, json as canonical};

    fn put(store: &Memory, media_type: &'static str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::known(media_type), bytes);
        store.put(&descriptor, &mut &*bytes).unwrap();
        descriptor
    }

    fn image(store: &Memory, seed: &str) -> Descriptor {
        let config = put(store, MediaType::CONFIG, seed.as_bytes());
        let manifest = Manifest::new(&config, &[], &BTreeMap::new()).unwrap();
        put(store, MediaType::MANIFEST, manifest.bytes())
    }

    fn name(text: &str) -> RefName {
        text.parse().unwrap()
    }

    fn beside(image: &Descriptor, suffix: &str) -> RefName {
        name(&format!("sha256-{}.{suffix}", image.digest().hex()))
    }

    /// The name and the kind of each entry.
    fn kinds(listing: &Listing) -> BTreeMap<String, Option<String>> {
        let of = |entry: &Entry| {
            let name = entry.name.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(Descriptor::from_json(&entry.raw).unwrap(), entry.descriptor);
            (name, entry.descriptor.annotations().get(KIND).cloned())
        };
        listing.entries.iter().map(of).collect()
    }

    fn check(listing: &Listing, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|(name, kind)| ((*name).to_owned(), Some((*kind).to_owned())));
        let found = kinds(listing).into_iter().filter(|(_, kind)| kind.is_some());
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected.collect());
    }

    #[test]
    fn the_image_that_was_signed_last_has_the_kinds() {
        let store = Memory::new();
        let (one, two) = (image(&store, "1"), image(&store, "2"));
        let signatures = image(&store, "signatures");
        let listing = Listing::default().tag(&store, Some(&name("one")), &one).unwrap();
        let listing = listing.tag(&store, Some(&name("two")), &two).unwrap();
        check(&listing, &[]);
        let (sig, att) = (beside(&one, "sig"), beside(&one, "att"));
        let listing = listing.tag(&store, Some(&sig), &signatures).unwrap();
        check(&listing, &[("one", IMAGE), (sig.as_str(), SIGNATURES)]);
        let listing = listing.tag(&store, Some(&att), &signatures).unwrap();
        check(&listing, &[("one", IMAGE), (sig.as_str(), SIGNATURES), (att.as_str(), ATTESTATIONS)]);
        // The same image again, and another name, leave it at that.
        let listing = listing.tag(&store, Some(&name("one")), &one).unwrap();
        let listing = listing.tag(&store, Some(&name("three")), &two).unwrap();
        check(&listing, &[("one", IMAGE), (sig.as_str(), SIGNATURES), (att.as_str(), ATTESTATIONS)]);
        let other = beside(&two, "sig");
        let listing = listing.tag(&store, Some(&other), &signatures).unwrap();
        check(&listing, &[("two", IMAGE), ("three", IMAGE), (other.as_str(), SIGNATURES)]);
        assert_eq!(Listing::parse(&listing.to_bytes()).unwrap().to_bytes(), listing.to_bytes());
    }

    #[test]
    fn a_bundle_alone_marks_its_image_and_signatures_may_come_first() {
        let store = Memory::new();
        let one = image(&store, "1");
        let empty = put(&store, MediaType::EMPTY, b"{}").to_json();
        let bundle = json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "config": empty, "layers": [empty],
            "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json", "subject": one.to_json(),
        });
        let bundle = put(&store, MediaType::MANIFEST, &canonical::to_canonical(&bundle));
        let bundle = (&store as &dyn Store).document(&bundle).unwrap().as_referrer(&bundle);
        let listing = Listing::default().tag(&store, Some(&name("one")), &one).unwrap();
        check(&listing.tag(&store, None, &bundle).unwrap(), &[("one", IMAGE)]);
        check(
            &listing.publish(&store, Some(&name("one")), &one, std::slice::from_ref(&bundle)).unwrap(),
            &[("one", IMAGE)],
        );
        let sig = beside(&one, "sig");
        let first = Listing::default().tag(&store, Some(&sig), &image(&store, "signatures")).unwrap();
        check(&first, &[]);
        check(&first.tag(&store, Some(&name("one")), &one).unwrap(), &[("one", IMAGE), (sig.as_str(), SIGNATURES)]);
    }

    #[test]
    fn an_image_that_goes_takes_its_signatures_along() {
        let store = Memory::new();
        let (one, two) = (image(&store, "1"), image(&store, "2"));
        let sig = beside(&one, "sig");
        let listing = Listing::default().publish(&store, Some(&name("one")), &one, &[]).unwrap();
        let listing = listing.tag(&store, Some(&sig), &image(&store, "signatures")).unwrap();
        let listing = listing.publish(&store, Some(&name("one")), &two, &[]).unwrap();
        assert_eq!(kinds(&listing), BTreeMap::from([("one".to_owned(), None)]));
    }

    #[test]
    fn kinds_do_not_travel_with_a_descriptor() {
        let store = Memory::new();
        let one = image(&store, "1").with_annotation(KIND, IMAGE);
        check(&Listing::default().tag(&store, Some(&name("one")), &one).unwrap(), &[]);
    }
}
