//! Why an image cannot start from another one.

use distil_cache::CacheError;
use distil_debunpack::records::Database;
use distil_imgcore::{Digest, Escaped, ImagePath, Platform};

use crate::places::StoreError;
use crate::read::ReadError;
use crate::recipe::Place;
use crate::signing::{NotVerified, TrustError};

/// The base as its recipe names it, and where: what messages say of it is the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) reference: String,
    pub(super) place: Place,
}

impl Name {
    pub(super) fn unreadable(&self, source: ReadError) -> BaseError {
        BaseError::Read { reference: self.reference.clone(), place: self.place.clone(), source: Box::new(source) }
    }
}

/// Why an image cannot start from another one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// The base is not there, or cannot be read.
    #[error("cannot read the base {}, named by {place}", Escaped(.reference.as_bytes()))]
    Read {
        /// The base as the recipe names it.
        reference: String,
        /// Where the recipe does so.
        place: Place,
        /// Why not.
        source: Box<ReadError>,
    },
    /// There is no way to its registry.
    #[error(transparent)]
    Open(#[from] StoreError),
    /// There is no place for what is pulled.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The recipe does not say who must have signed the base in a way that can be verified.
    #[error("cannot tell who must have signed the base, as {place} has it")]
    Trust {
        /// Where the recipe says who.
        place: Place,
        /// Why not.
        source: Box<TrustError>,
    },
    /// The base is not signed by those who must have.
    #[error("the base {} is not signed as {place} asks", Escaped(.reference.as_bytes()))]
    NotVerified {
        /// The base as the recipe names it.
        reference: String,
        /// Where the recipe says who must have signed it.
        place: Place,
        /// What was found.
        source: Box<NotVerified>,
    },
    /// The signatures of the base are not kept, and its registry may not be asked.
    #[error("nobody can tell whether the base {} is signed as {place} asks", Escaped(.reference.as_bytes()))]
    Unverifiable {
        /// The base as the recipe names it.
        reference: String,
        /// Where the recipe says who must have signed it.
        place: Place,
        /// The image whose signatures are not there.
        digest: Digest,
    },
    /// Another image than the one of the lock.
    #[error("the image of the base for {platform} is {found}{}", in_lock(.locked.as_deref()))]
    Locked {
        /// The platform.
        platform: Box<Platform>,
        /// The digest in the lock.
        locked: Option<Box<Digest>>,
        /// The digest of the image.
        found: Box<Digest>,
    },
    /// A record of packages that is broken: without it nobody knows which packages are there.
    #[error("the record {path} of the base cannot be understood")]
    Record {
        /// The record.
        path: ImagePath,
    },
    /// A package that is there already, in another version or for another architecture.
    #[error("the base has {name} {found}, and {wanted} is to be added")]
    Version {
        /// The package.
        name: String,
        /// Its version and architecture in the base.
        found: String,
        /// Its version and architecture in what is to be added.
        wanted: String,
    },
    /// Packages are to be recorded in another form than the base has. Readers would see only some of them, or some twice.
    #[error("the base records its packages in {}, and the recipe asks for {}", shown(*.found), shown(*.asked))]
    Database {
        /// The form of the base.
        found: Database,
        /// What the recipe states.
        asked: Database,
    },
    /// So many layers that no more fit on top.
    #[error(
        "the base {}, named by {place}, has {found} layers, and layers.max leaves no room on top of them: it is {max}",
        Escaped(.reference.as_bytes())
    )]
    Layers {
        /// The base as the recipe names it.
        reference: String,
        /// Where the recipe does so.
        place: Place,
        /// The layers of the base.
        found: usize,
        /// The most that the image may have.
        max: usize,
    },
}

impl BaseError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.is_mistake(),
            Self::Open(source) => source.is_mistake(),
            Self::Trust { source, .. } => source.is_mistake(),
            Self::Version { .. } | Self::Database { .. } | Self::Layers { .. } => true,
            Self::Record { .. }
            | Self::Cache(_)
            | Self::Locked { .. }
            | Self::NotVerified { .. }
            | Self::Unverifiable { .. } => false,
        }
    }

    /// Whether the answer is no: those have not signed the base who must.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::NotVerified { .. })
    }

    /// Whether nobody can tell whether it is signed, for want of its signatures or of a trusted root.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self {
            Self::Unverifiable { .. } => true,
            Self::Trust { source, .. } => source.is_undecided(),
            _ => false,
        }
    }
}

fn in_lock(digest: Option<&Digest>) -> String {
    match digest {
        Some(locked) => format!(", and the lock says {locked}"),
        None => ", and the lock has none".to_owned(),
    }
}

fn shown(database: Database) -> &'static str {
    match database {
        Database::StatusDirectory => "status.d",
        Database::StatusFile => "status",
    }
}
