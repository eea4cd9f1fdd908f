//! Why an image was not copied.

use distil_imgcore::{Error, Platform};

use crate::places::StoreError;
use crate::read::ReadError;

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
        source: Box<ReadError>,
    },
    /// The destination cannot be opened, or asks for another image.
    #[error(transparent)]
    Destination(#[from] StoreError),
    /// One of the two failed on the way.
    #[error(transparent)]
    Store(#[from] Error),
    /// The image is for several platforms, of which the destination can hold one.
    #[error("{reference} holds one platform, and the image has {}", .known.len())]
    SeveralPlatforms {
        /// The destination.
        reference: String,
        /// The platforms of the image.
        known: Vec<Platform>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl CopyError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Source { source, .. } => source.is_mistake(),
            Self::Destination(error) => error.is_mistake(),
            Self::SeveralPlatforms { .. } => true,
            _ => false,
        }
    }
}
