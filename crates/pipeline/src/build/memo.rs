//! The image that came out of the same lock, recipe and own files before.

use std::sync::Arc;

use distil_aptrepo::lock::Lock;
use distil_imgcore::digest::Hasher;
use distil_imgcore::{Artifact, Descriptor, Digest, Document, Image, Index, Memory, Packing, Platform, Store};
use distil_sbom::provenance::BaseSigners;
use serde::{Deserialize, Serialize};

use super::BuildRequest;
use super::assemble::Warning;
use super::attach::VERSION;
use super::error::BuildError;
use crate::shelf::Shelf;

/// What decides on an image, and where its documents are kept. No layer is: an image that is found so can be written where
/// all its layers are already, and nowhere else.
#[derive(Debug)]
pub(super) struct Memo<'a> {
    shelf: &'a Shelf,
    key: String,
}

impl<'a> Memo<'a> {
    /// `own` is the digest of all that decides on the image beside the lock; `signers` of its base are in documents about it.
    pub(super) fn new(
        shelf: &'a Shelf,
        lock: &Lock,
        (own, signers): (&Digest, Option<&BaseSigners>),
        packing: Packing,
        request: &BuildRequest<'_>,
    ) -> Self {
        let mut hasher = Hasher::sha256();
        let mut piece = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        let mut lock = lock.clone();
        // What is recorded in a lock follows from the rest of it.
        lock.main.result = None;
        lock.variants.values_mut().for_each(|variant| variant.result = None);
        piece(lock.to_toml().as_bytes());
        piece(own.to_string().as_bytes());
        for signer in signers.into_iter().flat_map(|signers| &signers.names) {
            piece(signer.as_bytes());
        }
        piece(&signers.map_or(0, |signers| signers.threshold).to_le_bytes());
        // Documents about the image name it.
        piece(VERSION.as_bytes());
        piece(packing.to_string().as_bytes());
        for platform in request.platforms.iter().chain([&request.host]) {
            piece(platform.to_string().as_bytes());
        }
        Self { shelf, key: hasher.finish().to_string() }
    }

    /// The image, whose layers cannot be read, and what there was to warn of when it was built.
    pub(super) fn find(&self) -> Option<Known> {
        let kept: Kept = serde_json::from_slice(&self.shelf.image(&self.key)?).ok()?;
        let memory = Memory::new();
        let put = |documents: &[(String, String)]| {
            let mut blobs = Vec::new();
            for (media_type, text) in documents {
                let blob = Descriptor::of(media_type.parse().ok()?, text.as_bytes());
                memory.put(&blob, &mut text.as_bytes()).ok()?;
                blobs.push(blob);
            }
            Some(blobs)
        };
        let (root, about) = (put(&kept.documents)?.pop(), put(&kept.about)?);
        let (root, store) = (root?, Arc::new(memory) as Arc<dyn Store>);
        let Document::Index(index) = store.document(&root).ok()? else { return None };
        let images: Option<Vec<Image>> =
            index.manifests().iter().map(|manifest| Image::read(&store, manifest).ok()).collect();
        let found = Index::new(images?, index.annotations()).ok().filter(|found| found.digest() == root.digest())?;
        let about: Option<Vec<Artifact>> = about.iter().map(|about| Artifact::read(&store, about).ok()).collect();
        let told = |(platform, text): (String, String)| Some((platform.parse().ok()?, Warning::Earlier { text }));
        let warnings = kept.warnings.into_iter().map(told).collect::<Option<_>>()?;
        Some(Known { index: found, about: about?, warnings })
    }

    /// Keeps the documents of an image, and what there was to warn of. One with statements in its index is not kept: those
    /// are read from there.
    pub(super) fn keep(&self, known: &Known) -> Result<(), BuildError> {
        let Known { index, about, warnings } = known;
        if !index.attestations().is_empty() {
            return Ok(());
        }
        let kept = |blob: &Descriptor, bytes: &[u8]| {
            (blob.media_type().as_str().to_owned(), String::from_utf8_lossy(bytes).into_owned())
        };
        let mut documents = Vec::new();
        for image in index.images() {
            documents.push(kept(image.manifest().config(), image.config().bytes()));
            documents.push(kept(image.manifest().descriptor(), image.manifest().bytes()));
        }
        documents.push(kept(index.descriptor(), index.document().bytes()));
        let about = about.iter().map(|about| kept(about.manifest().descriptor(), about.manifest().bytes())).collect();
        let warnings = warnings.iter().map(|(platform, warning)| (platform.to_string(), warning.to_string())).collect();
        let Ok(kept) = serde_json::to_vec(&Kept { documents, about, warnings }) else { return Ok(()) };
        Ok(self.shelf.keep_image(&self.key, &kept)?)
    }
}

/// An image with all that is to be told of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) index: Index,
    /// What refers to it.
    pub(super) about: Vec<Artifact>,
    /// By platform.
    pub(super) warnings: Vec<(Platform, Warning)>,
}

/// What is kept of an image.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Documents with their media types, children before what names them. They are JSON, and so text.
    documents: Vec<(String, String)>,
    /// The manifests of what refers to the image.
    about: Vec<(String, String)>,
    /// By platform.
    warnings: Vec<(String, String)>,
}
