//! Why a repository is not to be had.

use distil_cache::CacheError;
use distil_debunpack::Architecture;
use distil_imgcore::Escaped;
use distil_imgcore::digest::ContentMismatch;
use distil_net::NetError;

use crate::index::IndexError;
use crate::mirror_failures::MirrorFailures;
use crate::release::ReleaseError;
use crate::source::Source;
use crate::time::Timestamp;

/// Why a repository could not be acquired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// No mirror has it as it should be.
    #[error("{} cannot be had, which {} names", Escaped(.suite.as_bytes()), Escaped(.source_name.as_bytes()))]
    Mirrors {
        /// Where the source was written down.
        source_name: String,
        /// The suite.
        suite: String,
        /// What each mirror did.
        source: MirrorFailures<MirrorError>,
    },
    /// There is no mirror to ask: none is named, or all want a snapshot and there is none.
    #[error("{} has no mirror for {}", Escaped(.source_name.as_bytes()), Escaped(.suite.as_bytes()))]
    NoMirror {
        /// Where the source was written down.
        source_name: String,
        /// The suite.
        suite: String,
    },
    /// A suite or component that cannot be the name of one.
    #[error("{} names \"{}\", which is neither a suite nor a component", Escaped(.source_name.as_bytes()), Escaped(.text.as_bytes()))]
    Name {
        /// Where the source was written down.
        source_name: String,
        /// What is named.
        text: String,
    },
    /// A component that the repository does not have.
    #[error("{} has no component {}, which {} names, only {}", Escaped(.suite.as_bytes()), Escaped(.component.as_bytes()), Escaped(.source_name.as_bytes()), Escaped(.known.join(", ").as_bytes()))]
    Component {
        /// Where the source was written down.
        source_name: String,
        /// The suite.
        suite: String,
        /// The component.
        component: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// An architecture that the repository does not have.
    #[error("{} of {} has no packages for {architecture}", Escaped(.suite.as_bytes()), Escaped(.source_name.as_bytes()))]
    Architecture {
        /// Where the source was written down.
        source_name: String,
        /// The suite.
        suite: String,
        /// The architecture.
        architecture: Architecture,
        /// Those that it has.
        known: Vec<Architecture>,
    },
    /// An index that the signed file does not list.
    #[error("the Release file of {} does not list {}, which {} needs", Escaped(.suite.as_bytes()), Escaped(.path.as_bytes()), Escaped(.source_name.as_bytes()))]
    Unlisted {
        /// Where the source was written down.
        source_name: String,
        /// The suite.
        suite: String,
        /// The path of the index.
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
pub enum MirrorError {
    /// A file could not be fetched.
    #[error(transparent)]
    Net(#[from] NetError),
    /// There is a Release file, and no signature of it.
    #[error("{url} is not signed: there is neither InRelease nor Release.gpg beside it")]
    Unsigned {
        /// The Release file.
        url: String,
    },
    /// The signed file is refused.
    #[error("{url} is refused, checked with {}", Escaped(.keyring.as_bytes()))]
    Release {
        /// The signed file.
        url: String,
        /// The keys that it was checked with.
        keyring: String,
        /// Why.
        source: Box<ReleaseError>,
    },
    /// The signed file is older than one that was seen before: somebody hides what came in between.
    #[error("{url} is dated {date}, older than the one of {newest} that was seen before")]
    RolledBack {
        /// The signed file.
        url: String,
        /// Its date.
        date: Timestamp,
        /// The newest date that was seen.
        newest: Timestamp,
    },
    /// A file has other bytes than the signed file states.
    #[error("{url} is not the file that was signed")]
    Sum {
        /// The file.
        url: String,
        /// What is stated, and what was found.
        source: ContentMismatch,
    },
    /// A file that is right unpacks to something else than the signed file states.
    #[error("{url} does not unpack to the file that was signed")]
    Unpacked {
        /// The compressed file.
        url: String,
        /// What is stated, and what was found.
        source: ContentMismatch,
    },
    /// A file does not unpack.
    #[error("{url} cannot be unpacked")]
    Decode {
        /// The compressed file.
        url: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is too large to be an index.
    #[error("{url} has {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// The file.
        url: String,
        /// Its size, as signed.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// An index that is not in order, though signed.
    #[error("{url} is not in order")]
    Index {
        /// The index.
        url: String,
        /// What is wrong with it.
        source: Box<IndexError>,
    },
    /// Something that the cache does not have, with no permission to fetch it.
    #[error("{url} is not in the cache, and nothing may be fetched")]
    Offline {
        /// What is missing.
        url: String,
    },
}

impl MirrorError {
    /// Whether bytes are others than were signed, which may be since the mirror changed in between.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        match self {
            Self::Sum { .. } | Self::Unpacked { .. } => true,
            Self::Net(error) => {
                matches!(error, NetError::Length { .. } | NetError::TooLong { .. }) || error.is_missing()
            }
            _ => false,
        }
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_cancelled())
    }

    /// Whether the mirror was not reached, so that nothing is known about the repository.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_unreachable())
    }

    /// Whether the mirror has no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Net(error) if error.is_missing())
    }

    /// Whether all that is wrong is that its time is over.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Release { source, .. } if matches!(**source, ReleaseError::Stale { .. }))
    }
}

/// Why one mirror did not give the repository, and whether another one may.
pub(super) enum Failed {
    /// It may.
    Mirror(Box<MirrorError>),
    /// What was asked for is wrong, or this machine fails.
    Final(AcquireError),
}

impl Failed {
    /// What one mirror did wrong, if that does not end it all.
    pub(super) fn one_mirror(self) -> Result<MirrorError, AcquireError> {
        match self {
            Self::Mirror(failure) if failure.is_cancelled() => Err(AcquireError::Cancelled),
            Self::Mirror(failure) => Ok(*failure),
            Self::Final(error) => Err(error),
        }
    }
}

impl From<MirrorError> for Failed {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(Box::new(error))
    }
}

impl From<AcquireError> for Failed {
    fn from(error: AcquireError) -> Self {
        Self::Final(error)
    }
}

impl From<CacheError> for Failed {
    fn from(error: CacheError) -> Self {
        Self::Final(error.into())
    }
}

impl AcquireError {
    /// Every mirror of a source failed.
    pub(super) fn of_mirrors(source: &Source, failures: Vec<MirrorError>) -> Self {
        let (source_name, suite) = (source.name.clone(), source.suite.clone());
        match MirrorFailures::new(failures) {
            Some(failures) => Self::Mirrors { source_name, suite, source: failures },
            None => Self::NoMirror { source_name, suite },
        }
    }

    /// Whether the source asks for what cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::NoMirror { .. } | Self::Name { .. } | Self::Component { .. } | Self::Architecture { .. })
    }

    /// Whether nothing can be said since what the repository signed is too old.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.mirrors().any(MirrorError::is_stale)
    }

    /// Whether no mirror was reached. The user may want to leave the source out, knowingly.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Mirrors { source, .. } if source.iter().all(MirrorError::is_unreachable))
    }

    /// Whether no mirror has the repository, as far as mirrors were reached. It may be left out as knowingly.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.mirrors().any(MirrorError::is_missing)
            && self.mirrors().all(|failure| failure.is_missing() || failure.is_unreachable())
    }

    /// Whether something is missing in the cache that only the network has.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.mirrors().any(|failure| matches!(failure, MirrorError::Offline { .. }))
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    fn mirrors(&self) -> impl Iterator<Item = &MirrorError> {
        let failures = if let Self::Mirrors { source, .. } = self { Some(source) } else { None };
        failures.into_iter().flat_map(MirrorFailures::iter)
    }
}
