//! Why packages could not be chosen, locked or fetched.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::{Difference, LockError as LockFileError, PlanError};
use distil_aptrepo::{AcquireError, FetchError, PlatformsError, Timestamp};
use distil_cache::CacheError;
use distil_debunpack::{DebError, PackageName};
use distil_imgcore::{Digest, Escaped, Platform};

use crate::base::BaseError;
use crate::inputs::InputError;
use crate::machine::MachineError;
use crate::package::PackageError;
use crate::recipe::UnknownVariant;
use crate::sources::SourcesError;

/// Why packages could not be chosen, locked or fetched. No lock was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// A variant that the recipe does not have.
    #[error(transparent)]
    Variant(#[from] UnknownVariant),
    /// A file of the recipe that is not as the recipe names it.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It is not clear where packages come from.
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// The machine's proxies, certificates or credentials cannot be used.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A repository that cannot be had or is not to be trusted.
    #[error(transparent)]
    Acquire(Box<AcquireError>),
    /// What is asked for cannot be.
    #[error(transparent)]
    Unresolvable(Box<PlatformsError>),
    /// A package that cannot be had or is not what was asked for.
    #[error(transparent)]
    Fetch(Box<FetchError>),
    /// Packages that the cache does not have, and nothing may be fetched.
    #[error("not in the cache, and nothing may be fetched: {}", .packages.join(", "))]
    Uncached {
        /// Their names and versions, sorted.
        packages: Vec<String>,
    },
    /// A repository that is older than when the lock was made: somebody hides what came in between.
    #[error("{} is dated {date}, older than the one of {locked} that {} was made from", Escaped(.suite.as_bytes()), Escaped::path(.path))]
    RolledBack {
        /// The suite.
        suite: String,
        /// Its date now.
        date: Timestamp,
        /// Its date in the lock.
        locked: Timestamp,
        /// The lock.
        path: PathBuf,
    },
    /// An image of some of the platforms, which a lock cannot state as its result.
    #[error("only an image of all platforms of the recipe can be recorded")]
    PartialRecord,
    /// A platform that Debian has no architecture for.
    #[error("Debian has no architecture for {0}")]
    Platform(Platform),
    /// A file that is not there or cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A local package that is broken, or that two readers would understand differently.
    #[error("cannot use the package {}", Escaped::path(.path))]
    Deb {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<DebError>,
    },
    /// Two local packages of one name for one platform.
    #[error("{} and {} are both the package {name}", Escaped::path(.first), Escaped::path(.second))]
    PackageTwice {
        /// The name of the package.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A local package for none of the platforms.
    #[error("{} is for {architecture}, which is none of the platforms", Escaped::path(.path))]
    Architecture {
        /// The file.
        path: PathBuf,
        /// Its architecture, in Debian's words.
        architecture: String,
        /// The platforms.
        platforms: Vec<Platform>,
    },
    /// A lock that is not in order.
    #[error("{} is not in order", Escaped::path(.path))]
    File {
        /// The lock.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<LockFileError>,
    },
    /// No lock where one must be.
    #[error("there is no lock {}", Escaped::path(.path))]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A lock that was made for another recipe than this one has become.
    #[error("{} does not fit the recipe", Escaped::path(.path))]
    Stale {
        /// The lock.
        path: PathBuf,
        /// What the recipe has that the lock was not made for, and the other way round.
        reasons: Vec<StaleReason>,
    },
    /// A name to update that the lock does not have.
    #[error("{} has no package {name}", Escaped::path(.path))]
    NotLocked {
        /// The lock.
        path: PathBuf,
        /// The name.
        name: PackageName,
    },
    /// A lock that lacks packages of a platform, though it was made for that.
    #[error("the lock lacks packages for {platform}")]
    NoPackages {
        /// The platform.
        platform: Platform,
    },
    /// A suite that the lock takes packages from, and that no source of this machine has.
    #[error("the lock takes packages from {}, which is none of the sources", Escaped(.suite.as_bytes()))]
    NoSource {
        /// The suite.
        suite: String,
    },
    /// Packages that cannot be layers as planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// More layers than the recipe allows stand on their own.
    #[error("{max} layers leave no room for packages")]
    NoRoom {
        /// The most layers allowed.
        max: usize,
    },
    /// The base image cannot be read.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The lock, or a vendored file, could not be written.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The cache's directory failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Why a lock does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaleReason {
    /// The recipe asks for something else.
    Recipe(Difference),
    /// A local package is another one than when the lock was made.
    Local {
        /// Its path.
        path: String,
        /// The digest in the lock; none for a package that is new.
        locked: Option<Digest>,
    },
    /// A local package is gone.
    LocalGone {
        /// Its path.
        path: String,
    },
    /// The base image is another one than when the lock was made.
    Base {
        /// The platform.
        platform: Platform,
        /// The digest in the lock.
        locked: Option<Digest>,
        /// The digest of the image that is there now; none where a registry would have to be asked for it.
        found: Option<Digest>,
    },
    /// The base is another one than when the lock was made, though its images for these platforms are the same.
    BaseIndex,
    /// The lock has no packages for a platform.
    Platform(Platform),
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipe(difference) => write!(f, "{difference}"),
            Self::Local { path, locked: Some(_) } => {
                write!(f, "debs: {} has other bytes than were locked", Escaped(path.as_bytes()))
            }
            Self::Local { path, locked: None } => write!(f, "debs: {} was added", Escaped(path.as_bytes())),
            Self::LocalGone { path } => write!(f, "debs: {} is gone", Escaped(path.as_bytes())),
            Self::Base { platform, .. } => write!(f, "base: its image for {platform} is another one"),
            Self::BaseIndex => f.write_str("base: it is another one, with the same images for these platforms"),
            Self::Platform(platform) => write!(f, "platforms: {platform} was added"),
        }
    }
}

impl LockError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Input(e) => e.is_mistake(),
            Self::Sources(e) => e.is_mistake(),
            Self::Base(e) => e.is_mistake(),
            Self::Acquire(e) => e.is_mistake(),
            Self::Variant(_)
            | Self::Unresolvable(_)
            | Self::Platform(_)
            | Self::PackageTwice { .. }
            | Self::Architecture { .. }
            | Self::NotLocked { .. }
            | Self::NoSource { .. }
            | Self::PartialRecord
            | Self::NoRoom { .. } => true,
            _ => false,
        }
    }

    /// Whether the answer is no: a lock that is missing or does not fit, or a base that is not signed as it must be.
    #[must_use]
    pub fn is_no(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Stale { .. } => true,
            Self::Base(e) => e.is_no(),
            _ => false,
        }
    }

    /// Whether nothing can be said, because what is known is missing or too old.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self {
            Self::Acquire(e) => e.is_stale(),
            Self::Base(e) => e.is_undecided(),
            _ => false,
        }
    }

    /// Whether the lock is of a format that this version does not know.
    #[must_use]
    pub fn is_of_another_format(&self) -> bool {
        matches!(self, Self::File { source, .. } if matches!(**source, LockFileError::FormatVersion { .. }))
    }

    /// Whether no source has anything for the architecture of a platform.
    #[must_use]
    pub fn lacks_architecture(&self) -> bool {
        matches!(self, Self::Acquire(e) if matches!(**e, AcquireError::Architecture { .. }))
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Acquire(e) => e.is_cancelled(),
            Self::Fetch(e) => e.is_cancelled(),
            _ => false,
        }
    }

    pub(crate) fn package(path: &Path) -> impl FnOnce(PackageError) -> Self {
        move |error| match error {
            PackageError::Read(source) => Self::Read { path: path.to_owned(), source },
            PackageError::Deb(source) => Self::Deb { path: path.to_owned(), source },
        }
    }
}
