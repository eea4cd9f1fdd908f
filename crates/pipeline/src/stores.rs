//! From a reference, which is text, to the place that it names.

use std::sync::Arc;
use std::time::Duration;

use distil_imgcore::{
    Archive, ArchiveWriter, Descriptor, DockerArchive, DockerArchiveWriter, Error, Layout, RefName, Reference,
    Selector, Store,
};

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The place is there, or should be, and cannot be used.
    #[error(transparent)]
    Store(#[from] Error),
    /// Images are not read from, or not written to, this kind of place yet.
    #[error("{reference} cannot be {done} yet")]
    NotYet {
        /// The place.
        reference: String,
        /// `read` or `written`.
        done: &'static str,
    },
}

/// How long to wait for another process that writes to the same layout.
const WAIT: Duration = Duration::from_secs(60);

/// Opens the place that a reference names, to read from it.
///
/// # Errors
/// [`StoreError`] where the place is not there, is broken, or is a registry.
pub fn source(reference: &Reference) -> Result<(Arc<dyn Store>, Selector), StoreError> {
    let store: (Arc<dyn Store>, _) = match reference {
        Reference::Layout(at) => (Arc::new(Layout::open(at.path())?), at.selector()),
        Reference::Archive(at) => (Arc::new(Archive::open(at.path())?), at.selector()),
        Reference::DockerArchive(at) => (Arc::new(DockerArchive::open(at.path())?), at.selector()),
        Reference::Registry(_) => return Err(StoreError::NotYet { reference: reference.to_string(), done: "read" }),
    };
    Ok((store.0, store.1.clone()))
}

/// A place that an image is being written to. Dropped without [`Destination::finish`], it is as it was before.
#[derive(Debug)]
pub struct Destination {
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
    ///
    /// # Errors
    /// As [`source`].
    pub fn open(reference: &Reference) -> Result<Self, StoreError> {
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
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        match &self.kind {
            Kind::Layout(store) => store,
            Kind::Archive(store) => store,
            Kind::DockerArchive(store) => store.as_ref(),
        }
    }

    /// Names the image, all of whose blobs were put, and completes the place. What comes back is what readers find there:
    /// `root`, or the manifest that they make for a docker archive, which holds none.
    ///
    /// # Errors
    /// Those of the store.
    pub fn finish(self, root: &Descriptor) -> Result<Descriptor, Error> {
        self.store().tag(self.name.as_ref(), root)?;
        match self.kind {
            Kind::Layout(_) => Ok(root.clone()),
            Kind::Archive(writer) => writer.finish().map(|()| root.clone()),
            Kind::DockerArchive(writer) => writer.finish(),
        }
    }
}
