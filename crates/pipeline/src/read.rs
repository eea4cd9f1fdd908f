//! Reading an image: which one is meant, and why it cannot be read.

use std::io;
use std::sync::Arc;

use distil_imgcore::document::MAX_INDEX_DEPTH;
use distil_imgcore::entry::BadWhiteout;
use distil_imgcore::tar::TarError;
use distil_imgcore::{
    Attestation, Descriptor, Digest, Document, Error, Image, ImagePath, MediaKind, Platform, Reference, RegistryName,
    Selector, Store,
};

use crate::places::{Places, StoreError, selector};

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The place cannot be opened.
    #[error(transparent)]
    Open(#[from] StoreError),
    /// The place was opened, and the image in it cannot be read.
    #[error(transparent)]
    Store(#[from] Error),
    /// What the reference names is no image: an artifact, or an index without images.
    #[error("{digest} is not an image")]
    NotAnImage {
        /// What it names.
        digest: Digest,
    },
    /// The image is not there for the platform that was asked for.
    #[error("the image is not there for {wanted}")]
    NoPlatform {
        /// The platform that was asked for.
        wanted: Platform,
        /// Those that are there.
        known: Vec<Platform>,
    },
    /// A layer cannot be read or decompressed.
    #[error("cannot read the layer {digest}")]
    Layer {
        /// The layer's digest.
        digest: Digest,
        /// What went wrong.
        source: io::Error,
    },
    /// A layer's archive is broken, or has no single meaning.
    #[error("the layer {digest} is broken")]
    Archive {
        /// The layer's digest.
        digest: Digest,
        /// What is wrong with it.
        source: Box<TarError>,
    },
    /// No document about the image was attached to it that can be used.
    #[error("nothing that describes the image refers to it")]
    NotDescribed,
    /// A document that is attached to the image cannot be read.
    #[error("the attached document {digest} cannot be read")]
    Document {
        /// Its digest.
        digest: Digest,
        /// What went wrong.
        source: io::Error,
    },
    /// A document cannot be written.
    #[error("cannot write the document")]
    Write(#[source] io::Error),
    /// A whiteout that deletes nothing one could name.
    #[error("a layer has a whiteout without meaning")]
    Whiteout(#[source] BadWhiteout),
    /// A record of packages that is larger than any real one.
    #[error("{path} has {size} bytes, where {allowed} are the most that is read")]
    RecordTooLarge {
        /// Its path.
        path: ImagePath,
        /// Its size.
        size: u64,
        /// The size that would have been read.
        allowed: u64,
    },
}

impl ReadError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Open(error) => error.is_mistake(),
            Self::NoPlatform { .. } | Self::NotDescribed => true,
            _ => false,
        }
    }
}

/// Which platform's image is meant, of an image for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// That for this platform, and no other.
    Exactly(&'a Platform),
    /// That for this platform, as of the machine that asks, or else the first.
    Preferably(&'a Platform),
    /// The first.
    First,
}

/// What a reference names: an image with all its platforms, or an artifact, which has none.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) store: Arc<dyn Store>,
    /// The index, or the manifest where there is none.
    pub(crate) root: Descriptor,
    /// The manifests with their platforms, in the order of the index.
    pub(crate) platforms: Vec<(Platform, Descriptor)>,
    /// What the index names as statements about these, as `BuildKit` does.
    pub(crate) statements: Vec<Descriptor>,
}

impl Named {
    pub(crate) fn open(reference: &Reference, places: &Places<'_>) -> Result<Self, ReadError> {
        let (store, root) = places.find(reference)?;
        Self::of(store, root)
    }

    /// The image of a name in a registry, read through a store that keeps some of what is there.
    pub(crate) fn within(store: Arc<dyn Store>, name: &RegistryName, places: &Places<'_>) -> Result<Self, ReadError> {
        Self::among(store, &Reference::Registry(name.clone()), &selector(name), places)
    }

    /// The image that is meant, in a place that was opened for the reference.
    pub(crate) fn among(
        store: Arc<dyn Store>,
        reference: &Reference,
        wanted: &Selector,
        places: &Places<'_>,
    ) -> Result<Self, ReadError> {
        let root = places.resolve(reference, store.as_ref(), wanted)?;
        Self::of(store, root)
    }

    fn of(store: Arc<dyn Store>, root: Descriptor) -> Result<Self, ReadError> {
        let mut named = Self { store, root, platforms: Vec::new(), statements: Vec::new() };
        named.collect(&named.root.clone(), 0)?;
        Ok(named)
    }

    /// The image of one platform alone.
    pub(crate) fn only(&self, choice: Choice<'_>) -> Result<Self, ReadError> {
        let (platform, manifest) = self.chosen(choice)?;
        let root = manifest.bare();
        let is_about = |entry: &&Descriptor| Attestation::image_of(entry).as_ref() == Some(root.digest());
        let statements = self.statements.iter().filter(is_about).cloned().collect();
        let platforms = vec![(platform.clone(), root.clone())];
        Ok(Self { store: Arc::clone(&self.store), root, platforms, statements })
    }

    /// The image of one platform.
    pub(crate) fn image(&self, choice: Choice<'_>) -> Result<(Platform, Image), ReadError> {
        let (platform, manifest) = self.chosen(choice)?;
        Ok((platform.clone(), Image::read(&self.store, manifest)?))
    }

    fn chosen(&self, choice: Choice<'_>) -> Result<&(Platform, Descriptor), ReadError> {
        let of = |wanted: &Platform| self.platforms.iter().find(|(platform, _)| platform == wanted);
        let not_an_image = || ReadError::NotAnImage { digest: self.root.digest().clone() };
        let first = self.platforms.first().ok_or_else(not_an_image)?;
        match choice {
            Choice::Exactly(wanted) => of(wanted).ok_or_else(|| {
                let known = self.platforms.iter().map(|(platform, _)| platform.clone()).collect();
                ReadError::NoPlatform { wanted: wanted.clone(), known }
            }),
            Choice::Preferably(wanted) => Ok(of(wanted).unwrap_or(first)),
            Choice::First => Ok(first),
        }
    }

    /// Finds the manifests of images under an index. What an index says of a platform is believed, so that an image of which
    /// only some platforms are there can be read.
    fn collect(&mut self, at: &Descriptor, depth: usize) -> Result<(), ReadError> {
        match at.kind() {
            // Indexes inside indexes are rare, and deeper ones are nobody's image.
            MediaKind::Index if depth < MAX_INDEX_DEPTH => {
                if let Document::Index(index) = self.store.document(at)? {
                    for child in index.manifests() {
                        self.collect(child, depth + 1)?;
                    }
                }
            }
            MediaKind::Manifest => match at.platform() {
                // What BuildKit stores beside images is for no platform.
                Some(platform) if platform.is_unknown() => {
                    self.statements.extend(Attestation::image_of(at).map(|_| at.clone()));
                }
                Some(platform) => self.platforms.push((platform.clone(), at.clone())),
                None => {
                    let artifact = matches!(self.store.document(at)?, Document::Manifest(m) if m.is_artifact());
                    if !artifact {
                        self.platforms.push((self.store.config_of(at)?.platform().clone(), at.clone()));
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }
}
