//! The image that came out of the same lock, recipe and own files before.

use std::sync::Arc;

use distil_aptrepo::lock::Lock;
use distil_imgcore::digest::Hasher;
use distil_imgcore::{Descriptor, Digest, Document, Image, Index, Memory, Packing, Platform, Store};
use serde::{Deserialize, Serialize};

use super::BuildRequest;
use super::assemble::Warning;
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
    /// `own` is the digest of all that decides on the image beside the lock.
    pub(super) fn new(
        shelf: &'a Shelf,
        lock: &Lock,
        own: &Digest,
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
        piece(packing.to_string().as_bytes());
        for platform in request.platforms.iter().chain([&request.host]) {
            piece(platform.to_string().as_bytes());
        }
        Self { shelf, key: hasher.finish().to_string() }
    }

    /// The image, whose layers cannot be read, and what there was to warn of when it was built.
    pub(super) fn find(&self) -> Option<(Index, Vec<(Platform, Warning)>)> {
        let kept: Kept = serde_json::from_slice(&self.shelf.image(&self.key)?).ok()?;
        let memory = Memory::new();
        let mut root = None;
        for (media_type, text) in &kept.documents {
            let blob = Descriptor::of(media_type.parse().ok()?, text.as_bytes());
            memory.put(&blob, &mut text.as_bytes()).ok()?;
            root = Some(blob);
        }
        let (root, store) = (root?, Arc::new(memory) as Arc<dyn Store>);
        let Document::Index(index) = store.document(&root).ok()? else { return None };
        let images: Option<Vec<Image>> =
            index.manifests().iter().map(|manifest| Image::read(&store, manifest).ok()).collect();
        let found = Index::new(images?, index.annotations()).ok().filter(|found| found.digest() == root.digest())?;
        let told = |(platform, text): (String, String)| Some((platform.parse().ok()?, Warning::Earlier { text }));
        Some((found, kept.warnings.into_iter().map(told).collect::<Option<_>>()?))
    }

    /// Keeps the documents of an image, and what there was to warn of.
    pub(super) fn keep(&self, index: &Index, warnings: &[(Platform, Warning)]) -> Result<(), BuildError> {
        let mut documents = Vec::new();
        let mut keep = |blob: &Descriptor, bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            documents.push((blob.media_type().as_str().to_owned(), text));
        };
        for image in index.images() {
            keep(image.manifest().config(), image.config().bytes());
            keep(image.manifest().descriptor(), image.manifest().bytes());
        }
        keep(index.descriptor(), index.document().bytes());
        let warnings = warnings.iter().map(|(platform, warning)| (platform.to_string(), warning.to_string())).collect();
        let Ok(kept) = serde_json::to_vec(&Kept { documents, warnings }) else { return Ok(()) };
        Ok(self.shelf.keep_image(&self.key, &kept)?)
    }
}

/// What is kept of an image.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Documents with their media types, children before what names them. They are JSON, and so text.
    documents: Vec<(String, String)>,
    /// By platform.
    warnings: Vec<(String, String)>,
}
