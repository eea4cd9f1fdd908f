//! Why an image was not built.

use std::io;
use std::path::{Path, PathBuf};

use distil_cache::CacheError;
use distil_debunpack::DebError;
use distil_imgcore::chunked::TableError;
use distil_imgcore::document::DocumentError;
use distil_imgcore::tar::TarError;
use distil_imgcore::tree::Conflict;
use distil_imgcore::{Escaped, PathError, Platform, Reference};

use super::record::ResultDifference;
use crate::base::BaseError;
use crate::inputs::InputError;
use crate::lock::LockError;
use crate::package::{NotFetched, PackageError};
use crate::places::StoreError;
use crate::read::ReadError;
use crate::signing::SignError;

/// Why an image was not built. Nothing was written then, or nothing that is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A document about the image cannot be written to the cache.
    #[error("cannot write a document about the image")]
    Describe(#[source] io::Error),
    /// The image cannot be read again, to be described.
    #[error(transparent)]
    Reread(#[from] ReadError),
    /// A file that is not there or cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A package that is broken, or that two readers would understand differently.
    #[error("cannot use the package {}", Escaped::path(.path))]
    Deb {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<DebError>,
    },
    /// A tar that is broken, or that two readers would understand differently.
    #[error("cannot use the archive {}", Escaped::path(.path))]
    Tar {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<TarError>,
    },
    /// A file of the recipe that is not as the recipe names it.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A package for none of the platforms that are built.
    #[error("{} is for {architecture}, and what is built is {}", Escaped::path(.path), list(.platforms))]
    Architecture {
        /// The file.
        path: PathBuf,
        /// Its architecture, in Debian's words.
        architecture: String,
        /// What is built.
        platforms: Vec<Platform>,
    },
    /// A platform that Debian has no architecture for.
    #[error("Debian has no architecture for {0}")]
    Platform(Platform),
    /// One package twice for one platform.
    #[error("{} and {} are both the package {name}", Escaped::path(.first), Escaped::path(.second))]
    PackageTwice {
        /// The name of the package.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Paths that several packages, or a package and the recipe, want for themselves.
    #[error("{} for {platform}", counted(.conflicts.len()))]
    Conflicts {
        /// The platform that is built.
        platform: Box<Platform>,
        /// Every conflict.
        conflicts: Vec<Conflict>,
    },
    /// A path that moves into `/usr` and becomes too long there.
    #[error("{} holds a path that does not fit a merged /usr", Escaped::path(.path))]
    Path {
        /// The package, or the recipe's directory.
        path: PathBuf,
        /// What is wrong with the path.
        source: PathError,
    },
    /// The base cannot be started from.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// What maintainer scripts would have made cannot be made.
    #[error("cannot finish the root file system for {platform}")]
    Rootfs {
        /// The platform that is built.
        platform: Box<Platform>,
        /// Why not.
        source: distil_rootfs::Error,
    },
    /// Rules of the recipe that are no filter.
    #[error("cannot use the filter")]
    Filter(#[from] distil_rootfs::FilterError),
    /// More layers than asked for stand on their own.
    #[error("{tars} archives of their own leave no room for packages in {max} layers")]
    Layers {
        /// Archives that are layers of their own.
        tars: usize,
        /// The most layers allowed.
        max: usize,
    },
    /// A setting or name that no image can state.
    #[error("cannot describe the image")]
    Document(#[source] Box<DocumentError>),
    /// The cache's directory failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Layers could not be compressed, or read back.
    #[error("cannot make a layer")]
    Layer(#[source] io::Error),
    /// A file that the table of contents of its layer cannot state.
    #[error("layers cannot be {form} with these files")]
    Table {
        /// What was asked for.
        form: &'static str,
        /// The file.
        source: TableError,
    },
    /// A destination failed.
    #[error(transparent)]
    Store(Box<distil_imgcore::Error>),
    /// A destination cannot be opened.
    #[error(transparent)]
    Destination(Box<StoreError>),
    /// A destination for one platform, and several that it could be, none of them this machine's.
    #[error("{reference} holds one platform, and there are {}", list(.platforms))]
    OnePlatform {
        /// The destination.
        reference: Box<Reference>,
        /// What is built.
        platforms: Vec<Platform>,
    },
    /// The image was not signed. Nothing names it then.
    #[error(transparent)]
    Sign(Box<SignError>),
    /// Packages could not be chosen, or the lock does not fit.
    #[error(transparent)]
    Lock(Box<LockError>),
    /// The image is another one than the lock records.
    #[error("what was built is not what the lock records")]
    Differs {
        /// How.
        differences: Vec<ResultDifference>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl BuildError {
    /// Whether a place on the other side of a network did not do what it was asked to.
    pub(super) fn is_remote(&self) -> bool {
        let error = match self {
            Self::Store(error) => error,
            Self::Destination(error) => match &**error {
                StoreError::Store(error) => error,
                _ => return false,
            },
            _ => return false,
        };
        matches!(error, distil_imgcore::Error::Remote { .. })
    }

    /// Whether what was asked for cannot be, rather than something failing: the caller has to ask for something else.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Input(e) => e.is_mistake(),
            Self::Architecture { .. }
            | Self::Platform(_)
            | Self::PackageTwice { .. }
            | Self::Conflicts { .. }
            | Self::Filter(_)
            | Self::Layers { .. }
            | Self::Table { .. }
            | Self::Document(_)
            | Self::OnePlatform { .. } => true,
            Self::Destination(e) => e.is_mistake(),
            Self::Sign(e) => e.is_mistake(),
            Self::Base(e) => e.is_mistake(),
            Self::Rootfs { source, .. } => source.is_mistake(),
            Self::Lock(e) => e.is_mistake(),
            _ => false,
        }
    }

    /// Whether the answer is no: the lock is missing, does not fit, or records another image; or the base is not signed as it
    /// must be.
    #[must_use]
    pub fn is_no(&self) -> bool {
        match self {
            Self::Lock(e) => e.is_no(),
            Self::Base(e) => e.is_no(),
            Self::Differs { .. } => true,
            _ => false,
        }
    }

    /// Whether nothing can be said, because what is known is missing or too old.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self {
            Self::Lock(e) => e.is_undecided(),
            Self::Base(e) => e.is_undecided(),
            _ => false,
        }
    }

    /// Whether a package is needed that was not fetched, since an earlier build made something of it.
    pub(super) fn is_not_fetched(&self) -> bool {
        matches!(self, Self::Read { source, .. } if NotFetched::is_in(source))
    }

    /// What was found out about a package is not there any more: it has to be fetched and looked into again.
    pub(super) fn not_described(path: &Path) -> impl FnOnce() -> Self {
        move || Self::Read { path: path.to_owned(), source: io::Error::other(NotFetched) }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn deb(path: &Path) -> impl FnOnce(DebError) -> Self {
        move |source| Self::Deb { path: path.to_owned(), source: Box::new(source) }.sorted()
    }

    pub(super) fn tar(path: &Path) -> impl FnOnce(TarError) -> Self {
        move |source| match source.fault {
            distil_imgcore::tar::Fault::Io(e) => Self::stream(path)(e),
            _ => Self::Tar { path: path.to_owned(), source: Box::new(source) },
        }
    }

    /// An error that came up while a file was turned into a fragment: it is the file's own, the cache's or the codec's.
    pub(super) fn stream(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let error = match error.downcast::<Cancelled>() {
                Ok(Cancelled) => return Self::Cancelled,
                Err(error) => error,
            };
            let error = match error.downcast::<CacheError>() {
                Ok(error) => return Self::Cache(error),
                Err(error) => error,
            };
            let error = match error.downcast::<DebError>() {
                Ok(error) => return Self::deb(path)(error),
                Err(error) => error,
            };
            match error.downcast::<TarError>() {
                Ok(error) => Self::tar(path)(error),
                Err(error) => Self::read(path)(error),
            }
        }
    }

    /// A request to stop that a decoder has wrapped is still one.
    fn sorted(self) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&self);
        while let Some(error) = cause {
            if error.is::<Cancelled>() || error.downcast_ref::<io::Error>().is_some_and(Cancelled::is_in) {
                return Self::Cancelled;
            }
            cause = error.source();
        }
        self
    }
}

impl BuildError {
    pub(super) fn package(path: &Path) -> impl FnOnce(PackageError) -> Self {
        move |error| match error {
            PackageError::Read(source) => Self::read(path)(source),
            PackageError::Deb(source) => Self::Deb { path: path.to_owned(), source }.sorted(),
        }
    }
}

impl From<distil_imgcore::Error> for BuildError {
    fn from(error: distil_imgcore::Error) -> Self {
        Self::Store(Box::new(error))
    }
}

/// What a build can say itself it does.
impl From<LockError> for BuildError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Input(e) => Self::Input(e),
            LockError::Base(e) => Self::Base(e),
            LockError::Cache(e) => Self::Cache(e),
            LockError::Platform(platform) => Self::Platform(platform),
            LockError::Read { path, source } => Self::Read { path, source },
            LockError::Deb { path, source } => Self::Deb { path, source },
            LockError::Architecture { path, architecture, platforms } => {
                Self::Architecture { path, architecture, platforms }
            }
            LockError::PackageTwice { name, first, second } => Self::PackageTwice { name, first, second },
            LockError::NoRoom { max } => Self::Layers { tars: 0, max },
            e if e.is_cancelled() => Self::Cancelled,
            e => Self::Lock(Box::new(e)),
        }
    }
}

impl From<StoreError> for BuildError {
    fn from(error: StoreError) -> Self {
        Self::Destination(Box::new(error))
    }
}

impl From<SignError> for BuildError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Cancelled => Self::Cancelled,
            SignError::Store(e) => Self::Store(e),
            SignError::Open(e) => Self::Destination(e),
            e => Self::Sign(Box::new(e)),
        }
    }
}

impl From<DocumentError> for BuildError {
    fn from(error: DocumentError) -> Self {
        Self::Document(Box::new(error))
    }
}

/// Ends a read when somebody asked to stop.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Cancelled;

impl Cancelled {
    fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

fn list(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn counted(n: usize) -> String {
    if n == 1 { "1 conflict between files".to_owned() } else { format!("{n} conflicts between files") }
}
