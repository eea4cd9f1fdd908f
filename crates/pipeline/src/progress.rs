//! What a long operation tells while it runs.

use distil_imgcore::{Digest, Progress as Step, Reference};

/// Takes reports of a running operation. The front end implements it; every method may be called from any thread, and
/// returns quickly.
///
/// The reports are for people: nothing depends on them, and none says that the operation will succeed. [`Silent`] is for
/// callers that do not care.
pub trait Progress: Sync {
    /// A phase begins. Phases come one after the other, never two at once.
    fn phase(&self, phase: Phase);

    /// Work on an item begins. Several may run at once; each is told apart by its `name`, which may be foreign text.
    fn started(&self, name: &str);

    /// More bytes of the item's work are done.
    fn advanced(&self, name: &str, bytes: u64);

    /// Work on the item is over, as far as this phase goes.
    fn finished(&self, name: &str);

    /// A tag of a registry was found to name this image. From here on the digest alone counts.
    fn resolved(&self, reference: &Reference, digest: &Digest);
}

/// A part of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Indices of repositories are fetched and checked.
    Acquire {
        /// How many repositories, each suite being one.
        repositories: usize,
    },
    /// Packages are chosen.
    Resolve,
    /// Packages are fetched, or found in the cache.
    Fetch {
        /// How many packages.
        packages: usize,
        /// How many bytes their files have.
        bytes: u64,
    },
    /// Packages are read and compressed, or found in the cache.
    Convert {
        /// How many packages.
        packages: usize,
        /// How many bytes their files have.
        bytes: u64,
    },
    /// Layers are put together and written.
    Write {
        /// How many layers.
        layers: usize,
        /// How many bytes, where that is known before.
        bytes: Option<u64>,
    },
    /// Blobs are copied from one store to another.
    Copy,
    /// Layers are read.
    Read {
        /// How many layers.
        layers: usize,
        /// How many bytes they have.
        bytes: u64,
    },
    /// Blobs are read and compared with their descriptors.
    Check,
    /// Advisory feeds are read.
    Import {
        /// How many files.
        files: usize,
        /// How many bytes they have.
        bytes: u64,
    },
}

/// Tells of a blob that is on its way to a store.
pub(crate) fn tell(progress: &dyn Progress, step: Step<'_>) {
    match step {
        Step::Started(blob) => progress.started(&blob.digest().to_string()),
        Step::Finished(blob) | Step::Present(blob) => progress.finished(&blob.digest().to_string()),
        Step::Bytes(blob, bytes) => progress.advanced(&blob.digest().to_string(), bytes),
        _ => {}
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: Phase) {}
    fn started(&self, _: &str) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
    fn resolved(&self, _: &Reference, _: &Digest) {}
}
