//! From an address to indices that a signature vouches for.
//!
//! For each mirror in turn: the signed Release file is fetched and verified, compared with the newest one that was ever
//! seen of this repository, and then every index that is wanted is fetched by the size and sums that it states. Only
//! when all of that is in order is the date remembered, and the signed file kept for working offline.

mod error;
mod indices;
mod memory;
mod release;
mod sums;

use std::sync::Arc;

use distil_cache::{Content, Values};
use distil_debunpack::Architecture;
use distil_imgcore::Digest;
use distil_net::{Client, Watch};
use url::Url;

use error::Failed;
pub use error::{AcquireError, MirrorError};

use crate::index::Index;
use crate::release::{Release, Signed};
use crate::source::Source;
use crate::time::Timestamp;

/// What is needed to get things from repositories. It may be used by several threads at once.
#[derive(Clone, Copy)]
pub struct Acquirer<'a> {
    /// The way to mirrors.
    pub client: &'a Client,
    /// Where packages are kept.
    pub content: &'a Content,
    /// Where parsed indices, signed files and dates are kept.
    pub values: &'a Values,
    /// The time, as of which signatures are judged.
    pub now: Timestamp,
    /// Whether only what is in the cache may be used.
    pub offline: bool,
    /// Who looks on.
    pub watch: &'a dyn Watch,
}

/// A repository as one signed file describes it.
#[derive(Debug)]
pub struct Repository {
    /// What it was acquired for.
    pub source: Source,
    /// What was signed.
    pub release: Release,
    /// The very bytes of it.
    pub signed: SignedBytes,
    /// The indices that were wanted, in the order of components and architectures.
    pub indices: Vec<RepositoryIndex>,
    mirrors: Vec<Url>,
}

/// A signed file as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBytes {
    /// `InRelease`.
    Inline(Vec<u8>),
    /// `Release` and `Release.gpg`.
    Detached {
        /// The file `Release`.
        release: Vec<u8>,
        /// The file `Release.gpg`.
        signature: Vec<u8>,
    },
}

/// An index of a repository.
#[derive(Debug, Clone)]
pub struct RepositoryIndex {
    /// The component; empty in a flat repository.
    pub component: String,
    /// The architecture that it was fetched for; `all` where packages for all have an index of their own, and in a flat
    /// repository, whose one index has those of every architecture.
    pub architecture: Architecture,
    /// The packages.
    pub index: Arc<Index>,
    /// The path that stands for it in the Release file: of its forms that are listed there the first by our preference,
    /// whichever was fetched, so that it depends on no mirror.
    pub path: String,
    /// The SHA-256 of that file.
    pub sha256: Digest,
    /// The size of that file.
    pub size: u64,
}

/// A file of a repository that holds an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its path in the Release file, that of the form which the mirror has.
    pub path: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Acquirer<'_> {
    /// Acquires a repository, with its indices for these architectures as far as the source serves them.
    ///
    /// # Errors
    /// [`AcquireError`] where no mirror has it as it should be, or it does not have what is asked for.
    pub fn repository(&self, source: &Source, architectures: &[Architecture]) -> Result<Repository, AcquireError> {
        let served: Vec<&Architecture> = architectures.iter().filter(|one| source.serves(one)).collect();
        if let Some(part) = source.components.iter().chain([&source.suite]).find(|part| !is_name(part)) {
            return Err(AcquireError::Name { source_name: source.name.clone(), text: part.clone() });
        }
        let mut failures = Vec::new();
        for base in source.addresses() {
            match self.try_mirror(source, &base, &served) {
                Ok(repository) => return Ok(repository),
                Err(failed) => failures.push(failed.one_mirror()?),
            }
        }
        Err(AcquireError::of_mirrors(source, failures))
    }

    /// Fetches an index of a repository as a file, to be kept in a copy of the repository. It is checked as it was when
    /// the repository was acquired.
    ///
    /// # Errors
    /// As [`Acquirer::repository`].
    pub fn index_file(&self, repository: &Repository, index: &RepositoryIndex) -> Result<IndexFile, AcquireError> {
        let source = &repository.source;
        let mut failures = Vec::new();
        for base in repository.mirrors() {
            match self.refetch(source, base, &repository.release, index) {
                Ok(file) => return Ok(file),
                Err(failed) => failures.push(failed.one_mirror()?),
            }
        }
        Err(AcquireError::of_mirrors(source, failures))
    }

    fn try_mirror(&self, source: &Source, base: &Url, architectures: &[&Architecture]) -> Result<Repository, Failed> {
        let (mut signed, mut release) = self.release(source, base)?;
        let indices = match self.indices(source, base, &release, architectures) {
            // The mirror may have changed while we looked.
            Err(Failed::Mirror(failure)) if failure.is_mismatch() && !self.offline => {
                let before = std::mem::replace(&mut signed, SignedBytes::Inline(Vec::new()));
                (signed, release) = self.release(source, base)?;
                if signed == before {
                    return Err(Failed::Mirror(failure));
                }
                self.indices(source, base, &release, architectures)?
            }
            indices => indices?,
        };
        if !self.offline {
            self.remember(source, base, &release, &signed)?;
        }
        let others = source.addresses().into_iter().filter(|other| other != base);
        let mirrors = std::iter::once(base.clone()).chain(others).collect();
        Ok(Repository { source: source.clone(), release, signed, indices, mirrors })
    }
}

impl Repository {
    /// The path of a file of the suite, below the address of the repository.
    #[must_use]
    pub fn path_of(&self, file: &str) -> String {
        self.source.path_of(file)
    }

    /// The addresses below which its packages lie, in the order in which they are to be tried: first the one that the
    /// signed file came from.
    #[must_use]
    pub fn mirrors(&self) -> &[Url] {
        &self.mirrors
    }
}

impl SignedBytes {
    /// The same, borrowed.
    #[must_use]
    pub fn as_signed(&self) -> Signed<'_> {
        match self {
            Self::Inline(bytes) => Signed::Inline(bytes),
            Self::Detached { release, signature } => Signed::Detached { release, signature },
        }
    }
}

impl std::fmt::Debug for Acquirer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acquirer").field("now", &self.now).field("offline", &self.offline).finish_non_exhaustive()
    }
}

/// Whether a suite or component can be part of a path.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && !text.split('/').any(|p| p == "..")
}

#[cfg(test)]
pub(crate) mod tests;
