//! What is copied to every destination.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Descriptor, Digest, Error, Graph, Reference, Referrers, Store};

use super::CopyError;
use crate::build::{BuiltImage, BuiltPlatform};
use crate::destination::{self, Destination, Names};
use crate::observed::{Observed, Reader};
use crate::places::Places;
use crate::progress::tell;
use crate::read::{Named, ReadError};

/// An image with all that goes with it.
#[derive(Debug)]
pub(crate) struct Freight<'a> {
    root: Descriptor,
    platforms: Vec<BuiltPlatform>,
    graph: Graph<'a>,
}

impl<'a> Freight<'a> {
    /// Reads what there is to copy, blobs apart, from the store that `named` was found in.
    pub(crate) fn of(named: &Named, from: &'a dyn Store, referrers: Referrers) -> Result<Self, ReadError> {
        let mut platforms = Vec::new();
        for (platform, manifest) in &named.platforms {
            let diff_ids = from.config_of(manifest)?.diff_ids().to_vec();
            platforms.push(BuiltPlatform { platform: platform.clone(), digest: manifest.digest().clone(), diff_ids });
        }
        let graph = Graph::read(from, &named.root, referrers)?;
        Ok(Self { root: named.root.clone(), platforms, graph })
    }

    /// Those of these statements about the image that do not go with it: they do not say themselves what they are about.
    pub(crate) fn lacks(&self, statements: &[Descriptor]) -> Vec<Digest> {
        let attached = self.graph.attached();
        let goes = |digest: &Digest| attached.referrers().iter().any(|referrer| referrer.digest() == digest);
        statements.iter().map(Descriptor::digest).filter(|digest| !goes(digest)).cloned().collect()
    }

    /// Copies it to one place.
    pub(crate) fn send(&self, to: &Reference, names: Names, places: &Places<'_>) -> Result<BuiltImage, CopyError> {
        destination::check_digest(to, self.root.digest())?;
        let destination = places.destination(to)?;
        destination.check(self.root.digest(), names)?;
        let about = self.put(&destination, places)?;
        let found = destination.finish(&self.root, &about, names)?;
        Ok(self.written(to, &found))
    }

    /// Copies it to one place, where nobody finds it yet, and gives what has to be made findable beside it.
    pub(crate) fn put(&self, destination: &Destination, places: &Places<'_>) -> Result<Vec<Descriptor>, Error> {
        self.graph.copy_to(destination.store(), &mut |step| tell(places.progress, step))?;
        let attached = self.graph.attached();
        attached.name_in(destination.store())?;
        let mut about = attached.referrers().to_vec();
        if destination.wants_all_referrers() {
            about.extend_from_slice(attached.inside());
        }
        Ok(about)
    }

    /// The image where it is now, and what readers find there.
    pub(crate) fn written(&self, to: &Reference, found: &Descriptor) -> BuiltImage {
        BuiltImage::new(to, &self.root, found, self.platforms.clone())
    }

    /// The documents that are about the image, wherever they are found.
    pub(crate) fn documents(&self) -> Vec<Descriptor> {
        let attached = self.graph.attached();
        [attached.referrers(), attached.inside()].concat()
    }

    /// All that is copied.
    pub(crate) fn blobs(&self) -> Vec<&Descriptor> {
        self.graph.blobs()
    }
}

/// A store whose blobs end with an error as soon as somebody asks to stop.
pub(crate) fn stoppable<'a>(inner: &'a dyn Store, cancelled: &Arc<AtomicBool>) -> impl Store + use<'a> {
    let cancelled = Arc::clone(cancelled);
    let open = move |_: &Descriptor, inner| Box::new(Stopping { inner, cancelled: Arc::clone(&cancelled) }) as Reader;
    Observed { inner, open }
}

struct Stopping {
    inner: Reader,
    cancelled: Arc<AtomicBool>,
}

impl Read for Stopping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Not `Interrupted`, which readers take as a wish to be called again.
        if self.cancelled.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { self.inner.read(buf) }
    }
}
