//! Artifacts: what is said about an image, beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::Content;
use crate::copy::{Bytes, Parcel, Progress, Rank, deliver};
use crate::descriptor::{Descriptor, EMPTY};
use crate::digest::Digest;
use crate::document::{Document, DocumentError};
use crate::error::Error;
use crate::image::Stored;
use crate::manifest::Manifest;
use crate::media_type::MediaType;
use crate::store::Store;

/// Something about an image or index, such as an SBOM: a [manifest] with a subject. It leaves the digest of what it is
/// about alone, and is found by asking for [referrers](Store::referrers).
///
/// [manifest]: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
#[derive(Debug, Clone)]
pub struct Artifact {
    manifest: Manifest,
    blobs: Vec<Blob>,
}

/// The bytes of an artifact, in memory or wherever a [`Content`] reads them. Values do not change: `with_…` gives a new one.
#[derive(Debug, Clone)]
pub struct Blob {
    digest: Digest,
    size: u64,
    annotations: BTreeMap<String, String>,
    content: Arc<dyn Content>,
}

impl Blob {
    /// Bytes in memory.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self::stated(Digest::of(&bytes), bytes.len() as u64, Arc::new(bytes))
    }

    /// Bytes of which digest and size are known. Stores compare them when they are put.
    #[must_use]
    pub fn stated(digest: Digest, size: u64, content: Arc<dyn Content>) -> Self {
        Self { digest, size, annotations: BTreeMap::new(), content }
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The same with one more annotation of its descriptor, such as `org.opencontainers.image.title`, which tools take for
    /// the name of a file.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn descriptor(&self, media_type: MediaType) -> Descriptor {
        Descriptor::new(media_type, self.digest.clone(), self.size).with_annotations(self.annotations.clone())
    }
}

impl Artifact {
    /// Says one thing about `subject`. The blob has the artifact's own type: readers look for it under that.
    ///
    /// # Errors
    /// [`DocumentError`] where the manifest goes over a bound.
    pub fn new(
        artifact_type: &MediaType,
        blob: Blob,
        subject: &Descriptor,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, DocumentError> {
        Self::of(artifact_type, artifact_type, vec![blob], subject, annotations)
    }

    pub(crate) fn of(
        artifact_type: &MediaType,
        blob_type: &MediaType,
        blobs: Vec<Blob>,
        subject: &Descriptor,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, DocumentError> {
        let descriptors: Vec<Descriptor> = blobs.iter().map(|blob| blob.descriptor(blob_type.clone())).collect();
        Ok(Self { manifest: Manifest::of_artifact(artifact_type, &descriptors, subject, annotations)?, blobs })
    }

    /// Reads the artifact that `root` names; its blobs are read when they are used.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Document`] where it is no manifest of an artifact.
    pub fn read(store: &Arc<dyn Store>, root: &Descriptor) -> Result<Self, Error> {
        match store.document(root)? {
            Document::Manifest(manifest) if manifest.is_artifact() => {
                let blob = |layer: &Descriptor| Blob {
                    digest: layer.digest().clone(),
                    size: layer.size(),
                    annotations: layer.annotations().clone(),
                    content: Arc::new(Stored { store: Arc::clone(store), blob: layer.bare() }),
                };
                Ok(Self { blobs: manifest.layers().iter().map(blob).collect(), manifest: *manifest })
            }
            _ => Err(store.bad_document(root, DocumentError::NotADocument(root.media_type().clone()))),
        }
    }

    /// The bytes of the blobs, in the order of the manifest.
    pub fn blobs(&self) -> impl Iterator<Item = &Arc<dyn Content>> {
        self.blobs.iter().map(|blob| &blob.content)
    }

    /// The digest of the manifest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.manifest.digest()
    }

    /// Names the artifact as [`Store::referrers`] does: with its type and the annotations of its manifest.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        let artifact_type = Some(self.manifest.artifact_type().clone());
        let annotations = self.manifest.annotations().clone();
        self.manifest.descriptor().clone().with_artifact_type(artifact_type).with_annotations(annotations)
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes all blobs that the store has not yet, the manifest last. [`Store::tag`], which makes it findable, is left to
    /// the caller.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Blob`] where a blob is not what was stated of it.
    pub fn write_to(
        &self,
        store: &dyn Store,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Descriptor, Error> {
        deliver(store, &self.parcels((0, 1)), progress)?;
        Ok(self.descriptor())
    }

    /// Its blobs, and its manifest with this rank.
    pub(crate) fn parcels(&self, rank: Rank) -> Vec<Parcel<'_>> {
        let blobs = self.manifest.layers().iter().zip(&self.blobs);
        let mut parcels: Vec<_> = blobs.map(|(blob, held)| Parcel::of(blob, Bytes::Opened(&*held.content))).collect();
        parcels.push(Parcel::of(self.manifest.config(), Bytes::InMemory(EMPTY)));
        parcels.push(Parcel::of(self.manifest.descriptor(), Bytes::InMemory(self.manifest.bytes())).ranked(rank));
        parcels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::ImageBuilder;
    use crate::copy::{Referrers, copy_graph};
    use crate::memory::Memory;
    use crate::store::Selector;
    use crate::validate::{Limits, validate};

    fn sbom(subject: &Descriptor, content: &[u8]) -> Artifact {
        let blob = Blob::of(content.to_vec()).with_annotation("org.opencontainers.image.title", "sbom.spdx.json");
        let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        Artifact::new(&MediaType::known(MediaType::SPDX_JSON), blob, subject, &annotations).unwrap()
    }

    #[test]
    fn the_manifest_is_that_of_the_specification() {
        let subject = Descriptor::of(MediaType::known(MediaType::MANIFEST), b"x")
            .with_platform(Some("linux/amd64".parse().unwrap()));
        let (digest, of) = (Digest::of(b"{\"spdxVersion\":1}"), Digest::of(b"x"));
        let expected = format!(
            concat!(
                r#"{{"annotations":{{"a":"b"}},"artifactType":"application/spdx+json","config":{{"data":"e30=","#,
                r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","#,
                r#""mediaType":"application/vnd.oci.empty.v1+json","size":2}},"layers":[{{"annotations":"#,
                r#"{{"org.opencontainers.image.title":"sbom.spdx.json"}},"digest":"{digest}","#,
                r#""mediaType":"application/spdx+json","size":17}}],"#,
                r#""mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2,"#,
                r#""subject":{{"digest":"{of}","mediaType":"application/vnd.oci.image.manifest.v1+json","size":1}}}}"#
            ),
            digest = digest,
            of = of
        );
        let artifact = sbom(&subject, b"{\"spdxVersion\":1}");
        assert_eq!(String::from_utf8(artifact.manifest().bytes().to_vec()).unwrap(), expected);
        assert!(artifact.manifest().is_artifact());
    }

    #[test]
    fn an_artifact_is_found_is_valid_and_travels() {
        let store = Memory::new();
        let image = ImageBuilder::new("linux/amd64".parse().unwrap(), 0).finish().unwrap();
        let root = image.write_to(&store, &mut |_| {}).unwrap();
        store.tag(None, &root).unwrap();
        let artifact = sbom(&root, b"{}!").write_to(&store, &mut |_| {}).unwrap();
        assert_eq!(store.referrers(root.digest()).unwrap(), []);
        store.tag(None, &artifact).unwrap();
        assert_eq!(store.referrers(root.digest()).unwrap(), std::slice::from_ref(&artifact));
        assert_eq!(store.resolve(&Selector::Only).unwrap().digest(), root.digest());
        assert_eq!(validate(&store, &Selector::Only, &Limits::default()).unwrap(), []);
        let other = Memory::new();
        let attached = copy_graph(&store, &other, &root, Referrers::Copy, &mut |_| {}).unwrap();
        other.publish(None, &root, attached.referrers()).unwrap();
        assert_eq!(other.referrers(root.digest()).unwrap(), [artifact]);
        assert_eq!(validate(&other, &Selector::Only, &Limits::default()).unwrap(), []);
    }

    #[test]
    fn a_blob_that_is_not_what_was_stated_is_not_written() {
        let store = Memory::new();
        let subject = Descriptor::of(MediaType::known(MediaType::MANIFEST), b"x");
        let blob = Blob::stated(Digest::of(b"abc"), 3, Arc::new(b"abd".to_vec()));
        let artifact =
            Artifact::new(&MediaType::known(MediaType::SPDX_JSON), blob, &subject, &BTreeMap::new()).unwrap();
        let error = artifact.write_to(&store, &mut |_| {}).unwrap_err();
        assert!(error.mismatch().is_some());
        assert!(!store.has(artifact.manifest().descriptor()).unwrap());
    }
}
