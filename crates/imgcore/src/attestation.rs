//! Statements about an image inside the index that names it, as `BuildKit` stores them.

use std::collections::BTreeMap;

use crate::artifact::{Artifact, Blob};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::DocumentError;
use crate::image::Image;
use crate::json::JsonError;
use crate::media_type::MediaType;
use crate::platform::Platform;

/// The annotation that says what an in-toto statement is about: its `predicateType`.
pub const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// Bytes of one statement: `BuildKit`'s own readers stop there.
pub const MAX_STATEMENT: u64 = 40 << 20;

const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// In-toto statements about one image, which an [index](crate::Index::with_attestations) carries as an entry for no platform.
/// That makes the index another one, but takes no asking for referrers.
///
/// See [attestation storage](https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md); this is
/// the form with a subject.
#[derive(Debug, Clone)]
pub struct Attestation {
    artifact: Artifact,
    image: Digest,
}

impl Attestation {
    /// Keeps statements about `image`, each with the type of its predicate, in this order. Readers take the first of a type.
    ///
    /// # Errors
    /// [`DocumentError`] for a statement over [`MAX_STATEMENT`] and for more of them than a manifest may name.
    pub fn new(image: &Image, statements: Vec<(&str, Blob)>) -> Result<Self, DocumentError> {
        let limit = usize::try_from(MAX_STATEMENT).unwrap_or(usize::MAX);
        let keep = |(predicate_type, blob): (&str, Blob)| match usize::try_from(blob.size()) {
            Ok(size) if size <= limit => Ok(blob.with_annotation(PREDICATE_TYPE, predicate_type)),
            size => Err(JsonError::TooLarge { limit, found: size.unwrap_or(usize::MAX) }),
        };
        let blobs = statements.into_iter().map(keep).collect::<Result<_, _>>()?;
        let artifact_type = MediaType::known(MediaType::ATTESTATION_MANIFEST);
        let blob_type = MediaType::known(MediaType::IN_TOTO);
        let artifact = Artifact::of(&artifact_type, &blob_type, blobs, &image.descriptor(), &BTreeMap::new())?;
        Ok(Self { artifact, image: image.digest().clone() })
    }

    /// The digest of the image's manifest.
    #[must_use]
    pub fn image(&self) -> &Digest {
        &self.image
    }

    /// The statements as an artifact, which they are as well.
    #[must_use]
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The image that an entry of an index is about, where it says so as `BuildKit` has it. Without a subject in the manifest
    /// itself nothing else ties the two together.
    #[must_use]
    pub fn image_of(entry: &Descriptor) -> Option<Digest> {
        entry.annotations().get(REFERENCE_DIGEST)?.parse().ok()
    }

    /// Names the statements as an index does: for no platform, so that nobody runs them.
    pub(crate) fn entry(&self) -> Descriptor {
        let entry = self.artifact.manifest().descriptor().clone().with_platform(Some(Platform::unknown()));
        let entry = entry.with_annotation(REFERENCE_TYPE, "attestation-manifest");
        entry.with_annotation(REFERENCE_DIGEST, &self.image.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::builder::ImageBuilder;
    use crate::copy::{Referrers, copy_graph};
    use crate::image::Index;
    use crate::memory::Memory;
    use crate::store::{Selector, Store};
    use crate::validate::{Limits, validate};

    const SPDX: &str = "https://spdx.dev/Document";

    fn image(platform: &str) -> Image {
        ImageBuilder::new(platform.parse().unwrap(), 0).finish().unwrap()
    }

    fn attestation(image: &Image) -> Attestation {
        let statement = format!(r#"{{"_type":"https://in-toto.io/Statement/v1","of":"{}"}}"#, image.digest());
        let statements = vec![
            (SPDX, Blob::of(statement.into_bytes())),
            ("https://slsa.dev/provenance/v1", Blob::of(b"{}".to_vec())),
        ];
        Attestation::new(image, statements).unwrap()
    }

    #[test]
    fn the_entries_follow_all_images_in_their_order() {
        let images = [image("linux/amd64"), image("linux/arm64")];
        let plain = Index::new(images.to_vec(), &BTreeMap::from([("a".into(), "b".into())])).unwrap();
        let index = plain.clone().with_attestations(vec![attestation(&images[1]), attestation(&images[0])]).unwrap();
        assert_ne!(index.digest(), plain.digest());
        assert_eq!(index.document().annotations(), plain.document().annotations());
        let entries = index.document().manifests();
        assert_eq!(entries[..2], *plain.document().manifests());
        for (entry, image) in entries[2..].iter().zip(&images) {
            let digest = image.digest().to_string();
            let expected = [("vnd.docker.reference.digest", &*digest), (REFERENCE_TYPE, "attestation-manifest")];
            assert_eq!(entry.annotations().iter().map(|(k, v)| (&**k, &**v)).collect::<Vec<_>>(), expected);
            assert!(entry.platform().unwrap().is_unknown());
            assert_eq!(Attestation::image_of(entry).as_ref(), Some(image.digest()));
        }
        let again = index.clone().with_attestations(vec![attestation(&images[0]), attestation(&images[1])]).unwrap();
        assert_eq!(again.digest(), index.digest());
        assert_eq!(index.with_attestations(Vec::new()).unwrap().digest(), plain.digest());
    }

    #[test]
    fn statements_are_layers_under_the_types_of_their_predicates() {
        let image = image("linux/amd64");
        let attestation = attestation(&image);
        let manifest = attestation.artifact().manifest();
        assert_eq!(manifest.artifact_type().as_str(), MediaType::ATTESTATION_MANIFEST);
        assert_eq!(manifest.subject().unwrap(), image.manifest().descriptor());
        assert_eq!(manifest.layers()[0].annotations()[PREDICATE_TYPE], SPDX);
        assert!(manifest.layers().iter().all(|layer| layer.media_type().as_str() == MediaType::IN_TOTO));
    }

    #[test]
    fn an_index_with_statements_is_valid_travels_and_is_still_its_images() {
        let (store, copied) = (Memory::new(), Memory::new());
        let images = [image("linux/amd64"), image("linux/arm64")];
        let index = Index::new(images.to_vec(), &BTreeMap::new()).unwrap();
        let index = index.with_attestations(images.iter().map(attestation).collect()).unwrap();
        let root = index.write_to(&store, &mut |_| {}).unwrap();
        let attached = copy_graph(&store, &copied, &root, Referrers::Copy, &mut |_| {}).unwrap();
        // They are found in the index.
        let inside: Vec<_> = attached.inside().iter().map(Descriptor::digest).collect();
        let attestations: Vec<_> = index.attestations().iter().map(|about| about.artifact().digest().clone()).collect();
        assert!(attached.referrers().is_empty() && inside.into_iter().eq(&attestations));
        for store in [&store, &copied] {
            store.tag(None, &root).unwrap();
            assert_eq!(validate(store, &Selector::Only, &Limits::default()).unwrap(), []);
            let store: &dyn Store = store;
            for image in &images {
                assert_eq!(store.image_for(&root, Some(image.platform())).unwrap(), image.descriptor());
                let artifact = attestation(image).artifact().descriptor();
                assert_eq!(store.referrers(image.digest()).unwrap(), [artifact]);
            }
        }
        // An image alone takes the statements about it along.
        let alone = Memory::new();
        let alone_root = images[0].descriptor();
        let attached = copy_graph(&store, &alone, &alone_root, Referrers::Copy, &mut |_| {}).unwrap();
        alone.publish(None, &alone_root, attached.referrers()).unwrap();
        let artifact = attestation(&images[0]).artifact().descriptor();
        assert_eq!(alone.referrers(images[0].digest()).unwrap(), [artifact]);
    }

    #[test]
    fn statements_about_other_images_and_those_too_large_are_refused() {
        let index = Index::new(vec![image("linux/amd64")], &BTreeMap::new()).unwrap();
        let other = image("linux/arm64");
        let error = index.with_attestations(vec![attestation(&other)]).unwrap_err();
        assert!(matches!(error, DocumentError::NotAnImageOfIt(digest) if digest == *other.digest()));
        let large = Blob::stated(Digest::of(b""), MAX_STATEMENT + 1, Arc::new(Vec::new()));
        let error = Attestation::new(&other, vec![(SPDX, large)]).unwrap_err();
        assert!(matches!(error, DocumentError::Json(JsonError::TooLarge { .. })));
    }
}
