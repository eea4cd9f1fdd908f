//! `copy`: an image from one place to another, by digest, with all that refers to it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Descriptor, Digest, Error, Image, RefName, Reference, Selector, Store};
use distil_imgcore::{Progress as Step, Referrers, copy_graph};

use crate::build::{BuiltImage, BuiltPlatform};
use crate::progress::{Phase, Progress};
use crate::read::{Named, ReadError};
use crate::stores::{self, StoreError};

/// Why an image was not copied. The destination may hold some of its blobs then, but nothing names them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source cannot be read.
    #[error("cannot read {reference}")]
    Source {
        /// The source.
        reference: String,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// The destination cannot be opened.
    #[error(transparent)]
    Destination(#[from] StoreError),
    /// One of the two failed on the way.
    #[error(transparent)]
    Store(#[from] Error),
    /// The destination asks for an image of another digest.
    #[error("{reference} names another image than {found}")]
    OtherDigest {
        /// The destination.
        reference: String,
        /// The digest of the source.
        found: Digest,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

/// Copies an image with all its platforms and all that refers to it: signatures, statements, SBOMs. The source's tag is
/// resolved once, everything else goes by digest, and the destination's tag comes last.
///
/// # Errors
/// [`CopyError`].
pub fn copy(
    source: &Reference,
    destination: &Reference,
    cancelled: &Arc<AtomicBool>,
    progress: &dyn Progress,
) -> Result<BuiltImage, CopyError> {
    let unreadable = |error: ReadError| CopyError::Source { reference: source.to_string(), source: error };
    let named = Named::open(source).map_err(unreadable)?;
    let mut platforms = Vec::new();
    for (platform, manifest) in &named.platforms {
        let image = Image::read(&named.store, manifest).map_err(|e| unreadable(e.into()))?;
        let (digest, diff_ids) = (image.digest().clone(), image.config().diff_ids().to_vec());
        platforms.push(BuiltPlatform { platform: platform.clone(), digest, diff_ids });
    }
    let (to, name) = open_destination(destination, named.root.digest())?;
    let from = Cancellable { inner: Arc::clone(&named.store), cancelled: Arc::clone(cancelled) };
    progress.phase(Phase::Copy);
    let mut current = String::new();
    let result = copy_graph(&from, to.as_ref(), &named.root, Referrers::Copy, &mut |step| match step {
        Step::Started(blob) => {
            current = blob.digest().to_string();
            progress.started(&current);
        }
        Step::Bytes(bytes) => progress.advanced(&current, bytes),
        Step::Finished(blob) => progress.finished(&blob.digest().to_string()),
        _ => {}
    });
    if cancelled.load(Ordering::Relaxed) {
        return Err(CopyError::Cancelled);
    }
    result?;
    to.tag(name.as_ref(), &named.root)?;
    Ok(BuiltImage { reference: destination.clone(), digest: named.root.digest().clone(), platforms })
}

/// A destination that names a digest gets no tag, and takes nothing else.
fn open_destination(reference: &Reference, digest: &Digest) -> Result<(Arc<dyn Store>, Option<RefName>), CopyError> {
    if let Reference::Layout(at) | Reference::Archive(at) = reference
        && let Selector::Digest(wanted) = at.selector()
        && wanted != digest
    {
        return Err(CopyError::OtherDigest { reference: reference.to_string(), found: digest.clone() });
    }
    Ok(stores::destination(reference)?)
}

/// A store whose blobs end with an error as soon as somebody asks to stop.
#[derive(Debug)]
struct Cancellable {
    inner: Arc<dyn Store>,
    cancelled: Arc<AtomicBool>,
}

impl Store for Cancellable {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.has(blob)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let inner = self.inner.open(blob)?;
        Ok(Box::new(Stopping { inner, cancelled: Arc::clone(&self.cancelled) }))
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.inner.put(blob, content)
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.inner.tag(name, root)
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.inner.resolve(wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.inner.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.inner.referrers(subject)
    }
}

struct Stopping {
    inner: Box<dyn Read + Send>,
    cancelled: Arc<AtomicBool>,
}

impl Read for Stopping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Not `Interrupted`, which readers take as a wish to be called again.
        if self.cancelled.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { self.inner.read(buf) }
    }
}
