//! Why a package is not to be had.

use std::fmt;

use distil_cache::{CacheError, ContentError};
use distil_debunpack::{Architecture, DebError, PackageName, Version};
use distil_imgcore::{Digest, Escaped};
use distil_net::NetError;

use crate::mirror_failures::MirrorFailures;

/// A package that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {package}")]
pub struct FetchError {
    /// Which package.
    pub package: Identity,
    /// Why not.
    pub source: Box<FetchFault>,
}

/// What a package is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub architecture: Architecture,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.version, self.architecture)
    }
}

/// Why a package could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFault {
    /// No mirror has the right bytes.
    #[error(transparent)]
    Mirrors(MirrorFailures<DebMirrorError>),
    /// No mirror is named.
    #[error("there is no mirror to fetch it from")]
    NoMirror,
    /// A path that leads out of the repository.
    #[error("\"{}\" is no path inside a repository", Escaped(.path.as_bytes()))]
    Path {
        /// The path.
        path: String,
    },
    /// A digest of another kind.
    #[error("{digest} is no SHA-256")]
    Digest {
        /// The digest.
        digest: Digest,
    },
    /// The bytes are right, but they are another package: what described it does not tell the truth.
    #[error("{} has the right bytes, but is {found}", Escaped(.path.as_bytes()))]
    OtherPackage {
        /// Where it lies in the repository.
        path: String,
        /// What it says it is.
        found: Box<Identity>,
    },
    /// The bytes are right, but they are no package that can be used.
    #[error("it is no package that can be used")]
    Deb(#[source] Box<DebError>),
    /// The cache does not have it, and nothing may be fetched.
    #[error("{} is not in the cache, and nothing may be fetched", Escaped(.path.as_bytes()))]
    Offline {
        /// Where it lies in the repository.
        path: String,
    },
    /// The cache's directory failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

/// What went wrong with one mirror. URLs are shown without credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebMirrorError {
    /// The file could not be fetched.
    #[error(transparent)]
    Net(#[from] NetError),
    /// It has other bytes.
    #[error("{url}: expected SHA-256 {expected}, found {found}")]
    Sum {
        /// The file.
        url: String,
        /// The digest that was asked for.
        expected: String,
        /// That of the bytes.
        found: String,
    },
    /// It does not get into the cache.
    #[error("{url} cannot be kept")]
    Content {
        /// The file.
        url: String,
        /// Why not.
        source: ContentError,
    },
    /// The cache's directory failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl FetchError {
    /// Whether the cache does not have it, and nothing may be fetched.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(*self.source, FetchFault::Offline { .. })
    }

    /// Whether no mirror has such a file any more.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        let missing = |failure: &DebMirrorError| matches!(failure, DebMirrorError::Net(error) if error.is_missing());
        matches!(&*self.source, FetchFault::Mirrors(failures) if failures.iter().all(missing))
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.source, FetchFault::Cancelled)
    }
}
