//! From a reference, which is text, to the place that it names.

use std::sync::Arc;
use std::time::Duration;

use distil_imgcore::{
    Archive, ArchiveWriter, Descriptor, Digest, DockerArchive, DockerArchiveWriter, Error, Layout, RefName, Reference,
    Selector, Store,
};

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The place is there, or should be, and cannot be used.
    #[error(transparent)]
    Store(#[from] Error),
    /// It is not clear which of the images of a place is meant, or none has the name.
    #[error("{source}")]
    Unclear {
        /// The names of those that are there.
        known: Vec<RefName>,
        /// What was asked for.
        source: Error,
    },
    /// The destination asks for an image of another digest.
    #[error("{reference} names another image than {found}")]
    OtherDigest {
        /// The destination.
        reference: String,
        /// The digest of the image.
        found: Digest,
    },
    /// Images are not read from, or not written to, this kind of place yet.
    #[error("{reference} cannot be {done} yet")]
    NotYet {
        /// The place.
        reference: String,
        /// `read` or `written`.
        done: &'static str,
    },
}

impl StoreError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::Unclear { .. } | Self::OtherDigest { .. } | Self::NotYet { .. })
    }
}

/// How long to wait for another process that writes to the same layout.
const WAIT: Duration = Duration::from_secs(60);

/// Opens the place that a reference names, to read from it.
pub(crate) fn source(reference: &Reference) -> Result<(Arc<dyn Store>, Selector), StoreError> {
    let store: (Arc<dyn Store>, _) = match reference {
        Reference::Layout(at) => (Arc::new(Layout::open(at.path())?), at.selector()),
        Reference::Archive(at) => (Arc::new(Archive::open(at.path())?), at.selector()),
        Reference::DockerArchive(at) => (Arc::new(DockerArchive::open(at.path())?), at.selector()),
        Reference::Registry(_) => return Err(StoreError::NotYet { reference: reference.to_string(), done: "read" }),
    };
    Ok((store.0, store.1.clone()))
}

/// Finds the image that is meant in a place, which is asked for its other names where that fails.
pub(crate) fn resolve(store: &dyn Store, wanted: &Selector) -> Result<Descriptor, StoreError> {
    store.resolve(wanted).map_err(|source| match source {
        Error::NoImage { .. } | Error::Ambiguous { .. } => match store.tags() {
            Ok(known) if !known.is_empty() => StoreError::Unclear { known, source },
            _ => source.into(),
        },
        other => other.into(),
    })
}

/// Refuses a destination that names a digest for any other image.
pub(crate) fn check_digest(destination: &Reference, image: &Digest) -> Result<(), StoreError> {
    match destination {
        Reference::Layout(at) | Reference::Archive(at) => match at.selector() {
            Selector::Digest(wanted) if wanted != image => {
                Err(StoreError::OtherDigest { reference: destination.to_string(), found: image.clone() })
            }
            _ => Ok(()),
        },
        Reference::DockerArchive(_) | Reference::Registry(_) => Ok(()),
    }
}

/// A place that an image is being written to. Dropped without [`Destination::finish`], it is as it was before.
#[derive(Debug)]
pub(crate) struct Destination {
    kind: Kind,
    name: Option<RefName>,
}

#[derive(Debug)]
enum Kind {
    Layout(Layout),
    Archive(ArchiveWriter),
    DockerArchive(Box<DockerArchiveWriter>),
}

impl Destination {
    /// Opens the place that a reference names, to write to it.
    pub(crate) fn open(reference: &Reference) -> Result<Self, StoreError> {
        let (kind, at) = match reference {
            Reference::Layout(at) => (Kind::Layout(Layout::create(at.path(), WAIT)?), at),
            Reference::Archive(at) => (Kind::Archive(ArchiveWriter::create(at.path())?), at),
            Reference::DockerArchive(at) => {
                (Kind::DockerArchive(Box::new(DockerArchiveWriter::create(at.path())?)), at)
            }
            Reference::Registry(_) => {
                return Err(StoreError::NotYet { reference: reference.to_string(), done: "written" });
            }
        };
        Ok(Self { kind, name: at.name().cloned() })
    }

    /// Takes the blobs.
    pub(crate) fn store(&self) -> &dyn Store {
        match &self.kind {
            Kind::Layout(store) => store,
            Kind::Archive(store) => store,
            Kind::DockerArchive(store) => store.as_ref(),
        }
    }

    /// Names the image and makes findable what is said `about` it, after all their blobs were put, and completes the place. What comes back is what readers find there:
    /// `root`, or the manifest that they make for a docker archive, which holds none.
    pub(crate) fn finish(self, root: &Descriptor, about: &[Descriptor]) -> Result<Descriptor, Error> {
        self.store().publish(self.name.as_ref(), root, about)?;
        match self.kind {
            Kind::Layout(_) => Ok(root.clone()),
            Kind::Archive(writer) => writer.finish().map(|()| root.clone()),
            Kind::DockerArchive(writer) => writer.finish(),
        }
    }
}
