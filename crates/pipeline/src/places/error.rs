//! Why a place cannot be opened, or not be written to as it was asked for.

use distil_imgcore::{Digest, Error, RefName};

use crate::machine::MachineError;

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The place is there, or should be, and cannot be used.
    #[error(transparent)]
    Store(#[from] Error),
    /// It is not clear which of the images of a place is meant, or none has the name.
    #[error("{source}")]
    Unclear {
        /// The names of those that are there.
        known: Vec<RefName>,
        /// What was asked for.
        source: Error,
    },
    /// The destination asks for an image of another digest.
    #[error("{reference} names another image than {found}")]
    OtherDigest {
        /// The destination.
        reference: String,
        /// The digest of the image.
        found: Digest,
    },
    /// The name is that of another image, and names stay.
    #[error(transparent)]
    Taken(Box<Taken>),
    /// A registry, where no network may be used.
    #[error("{reference} is in a registry, and no network may be used")]
    Offline {
        /// The place.
        reference: String,
    },
    /// What the machine says of itself is not in order, so that there is no way to a network.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

/// A name that another image has, and that stays with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} of {place} is {found} and stays so; the image to be written is {wanted}")]
pub struct Taken {
    /// The name.
    pub name: RefName,
    /// The layout or repository.
    pub place: String,
    /// The image that has the name.
    pub found: Digest,
    /// The image that was to get it.
    pub wanted: Digest,
}

impl StoreError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::Unclear { .. } | Self::OtherDigest { .. } | Self::Taken(_) | Self::Offline { .. })
    }
}
