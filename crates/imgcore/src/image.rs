//! Images: a manifest, a config and layers, whose digests are known from birth.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::attestation::Attestation;
use crate::compression::Codec;
use crate::config::Config;
use crate::content::Content;
use crate::copy::{Bytes, Parcel, Progress, Rank, deliver};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, DocumentError};
use crate::error::Error;
use crate::index::IndexDocument;
use crate::layer::Layer;
use crate::manifest::Manifest;
use crate::media_type::{MediaKind, MediaType};
use crate::platform::Platform;
use crate::store::Store;

/// An image for one platform. It does not change: `with_…` gives another one, with another digest.
#[derive(Debug, Clone)]
pub struct Image {
    manifest: Manifest,
    config: Config,
    layers: Vec<Layer>,
}

/// Images of several platforms, or of one, under one digest.
#[derive(Debug, Clone)]
pub struct Index {
    document: IndexDocument,
    images: Vec<Image>,
    attestations: Vec<Attestation>,
}

const IMAGES: Rank = (0, 1);
const INDEX: Rank = (0, 2);
const ABOUT: Rank = (1, 1);

impl Image {
    /// Puts an image together whose parts fit each other.
    ///
    /// # Errors
    /// [`DocumentError`] where the manifest goes over a bound.
    pub(crate) fn new(
        config: Config,
        layers: Vec<Layer>,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, DocumentError> {
        let config_descriptor = Descriptor::of(MediaType::known(MediaType::CONFIG), config.bytes());
        let descriptors: Vec<Descriptor> = layers
            .iter()
            .map(|l| {
                let media_type = MediaType::of_layer(l.codec());
                Descriptor::new(media_type, l.digest().clone(), l.size()).with_annotations(l.annotations().clone())
            })
            .collect();
        Ok(Self { manifest: Manifest::new(&config_descriptor, &descriptors, annotations)?, config, layers })
    }

    /// Reads the image that `root` names: its manifest and config; layers are read when they are used.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Document`] where the documents are not those of an image whose layers can be read.
    pub fn read(store: &Arc<dyn Store>, root: &Descriptor) -> Result<Self, Error> {
        let wrong = |e| store.bad_document(root, e);
        let Document::Manifest(manifest) = store.document(root)? else {
            return Err(wrong(DocumentError::NotADocument(root.media_type().clone())));
        };
        check_config_type(&manifest).map_err(wrong)?;
        let config = manifest.config().clone();
        let config = Config::parse(store.read(&config)?).map_err(|e| store.bad_document(&config, e))?;
        check_counts(&manifest, &config).map_err(wrong)?;
        let mut layers = Vec::new();
        for (descriptor, diff_id) in manifest.layers().iter().zip(config.diff_ids()) {
            let codec = layer_codec(descriptor).map_err(wrong)?;
            let content = Stored { store: Arc::clone(store), blob: descriptor.bare() };
            let (digest, size) = (descriptor.digest().clone(), descriptor.size());
            let layer = Layer::stated(digest, size, diff_id.clone(), codec, Arc::new(content));
            layers.push(layer.with_annotations(descriptor.annotations().clone()));
        }
        Ok(Self { manifest: *manifest, config, layers })
    }

    /// The digest of the manifest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.manifest.digest()
    }

    /// Names the image as an index does, with its platform.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        self.manifest.descriptor().clone().with_platform(Some(self.platform().clone()))
    }

    /// The platform that it is for.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        self.config.platform()
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The same image with other annotations of its manifest.
    ///
    /// # Errors
    /// [`DocumentError`] where the manifest goes over a bound.
    pub fn with_annotations(self, annotations: &BTreeMap<String, String>) -> Result<Self, DocumentError> {
        let manifest = Manifest::new(self.manifest.config(), self.manifest.layers(), annotations)?;
        Ok(Self { manifest, ..self })
    }

    /// Writes all blobs that the store has not yet, the manifest last. [`Store::tag`] is left to the caller.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Blob`] where a layer cannot be read.
    pub fn write_to(
        &self,
        store: &dyn Store,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Descriptor, Error> {
        deliver(store, &self.parcels(), progress)?;
        Ok(self.descriptor())
    }

    fn parcels(&self) -> Vec<Parcel<'_>> {
        let layers = self.manifest.layers().iter().zip(&self.layers);
        let mut parcels: Vec<_> =
            layers.map(|(blob, layer)| Parcel::of(blob, Bytes::Opened(&**layer.content()))).collect();
        parcels.push(Parcel::of(self.manifest.config(), Bytes::InMemory(self.config.bytes())));
        parcels.push(Parcel::of(self.manifest.descriptor(), Bytes::InMemory(self.manifest.bytes())).ranked(IMAGES));
        parcels
    }
}

impl Index {
    /// Puts images under one index, ordered by platform.
    ///
    /// # Errors
    /// [`DocumentError::PlatformTwice`] where two are for one platform, and where the index goes over a bound.
    pub fn new(mut images: Vec<Image>, annotations: &BTreeMap<String, String>) -> Result<Self, DocumentError> {
        images.sort_by(|a, b| a.platform().cmp(b.platform()));
        for (a, b) in images.iter().zip(images.iter().skip(1)) {
            if a.platform() == b.platform() {
                return Err(DocumentError::PlatformTwice(Box::new(a.platform().clone())));
            }
        }
        let descriptors: Vec<Descriptor> = images.iter().map(Image::descriptor).collect();
        Ok(Self { document: IndexDocument::new(&descriptors, annotations)?, images, attestations: Vec::new() })
    }

    /// The same images with these statements about them, in place of any others, under another digest. Their entries follow
    /// those of all images: readers that take the first entry find an image.
    ///
    /// # Errors
    /// [`DocumentError::NotAnImageOfIt`] for statements about another image, and where the index goes over a bound.
    pub fn with_attestations(self, mut attestations: Vec<Attestation>) -> Result<Self, DocumentError> {
        let position = |about: &Attestation| self.images.iter().position(|image| image.digest() == about.image());
        if let Some(other) = attestations.iter().find(|about| position(about).is_none()) {
            return Err(DocumentError::NotAnImageOfIt(other.image().clone()));
        }
        attestations.sort_by_key(position);
        let entries = attestations.iter().map(Attestation::entry);
        let descriptors: Vec<Descriptor> = self.images.iter().map(Image::descriptor).chain(entries).collect();
        Ok(Self { document: IndexDocument::new(&descriptors, self.document.annotations())?, attestations, ..self })
    }

    /// The digest of the index.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.document.digest()
    }

    /// Names the index.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        self.document.descriptor()
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &IndexDocument {
        &self.document
    }

    /// The images, ordered by platform.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The statements about its images that the index names, in the order of the images.
    #[must_use]
    pub fn attestations(&self) -> &[Attestation] {
        &self.attestations
    }

    /// Writes all blobs of all images and statements that the store has not yet, the index last. [`Store::tag`] is left to the caller.
    ///
    /// # Errors
    /// As [`Image::write_to`].
    pub fn write_to(
        &self,
        store: &dyn Store,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Descriptor, Error> {
        self.write_with(&[], store, progress)
    }

    /// The same with what is said `about` the index and its images. It is findable once it is published with the index: see
    /// [`Store::publish`].
    ///
    /// # Errors
    /// As [`Image::write_to`].
    pub fn write_with(
        &self,
        about: &[Artifact],
        store: &dyn Store,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Descriptor, Error> {
        let mut parcels: Vec<_> = self.images.iter().flat_map(Image::parcels).collect();
        parcels.extend(self.attestations.iter().flat_map(|about| about.artifact().parcels(IMAGES)));
        parcels.push(Parcel::of(self.descriptor(), Bytes::InMemory(self.document.bytes())).ranked(INDEX));
        parcels.extend(about.iter().flat_map(|artifact| artifact.parcels(ABOUT)));
        deliver(store, &parcels, progress)?;
        Ok(self.descriptor().clone())
    }
}

pub(crate) fn check_config_type(manifest: &Manifest) -> Result<(), DocumentError> {
    match manifest.config().kind() {
        MediaKind::Config => Ok(()),
        _ => Err(DocumentError::ConfigType(manifest.config().media_type().clone())),
    }
}

pub(crate) fn check_counts(manifest: &Manifest, config: &Config) -> Result<(), DocumentError> {
    let (layers, diff_ids) = (manifest.layers().len(), config.diff_ids().len());
    if layers == diff_ids { Ok(()) } else { Err(DocumentError::DiffIdCount { diff_ids, layers }) }
}

/// A layer of an unknown type is never taken for an empty one.
pub(crate) fn layer_codec(layer: &Descriptor) -> Result<Codec, DocumentError> {
    match layer.kind() {
        MediaKind::Layer(codec) => Ok(codec),
        _ => Err(DocumentError::LayerType(layer.media_type().clone())),
    }
}

/// A blob in a store, opened when it is read.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blob: Descriptor,
}

impl Content for Stored {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        self.store.open(&self.blob).map_err(io::Error::other).map(|reader| reader as _)
    }

    fn open_unchecked(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        self.store.open_unchecked(&self.blob).map_err(io::Error::other).map(|reader| reader as _)
    }
}
