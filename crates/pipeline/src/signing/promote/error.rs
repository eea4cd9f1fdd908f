//! Why an image was not promoted.

use distil_imgcore::{Digest, Error};

use super::log::LogError;
use super::traces::Trace;
use crate::copy::CopyError;
use crate::places::StoreError;
use crate::read::ReadError;
use crate::signing::{NotVerified, SignError};

/// Why an image was not promoted. The destination's tag is as it was; blobs, signatures and a record of the image may be
/// there, and are what the next attempt finds and goes on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromoteError {
    /// The source cannot be read.
    #[error("cannot read {reference}")]
    Source {
        /// The source.
        reference: String,
        /// Why not.
        #[source]
        source: Box<ReadError>,
    },
    /// The source is not signed as was asked for.
    #[error("{reference} is not promoted")]
    NotVerified {
        /// The source.
        reference: String,
        /// Why it is not verified.
        #[source]
        found: Box<NotVerified>,
    },
    /// The approval is about another image: the source's tag has moved since it was judged.
    #[error("{reference} is {found} now, and {approved} was approved")]
    NotApproved {
        /// The source.
        reference: String,
        /// The digest that was approved.
        approved: Digest,
        /// The digest that the source stands for.
        found: Digest,
    },
    /// Names that were not to leave are in what would be copied.
    #[error("{} of the blobs to be promoted name{} where the image comes from", .traces.len(), if .traces.len() == 1 { "s" } else { "" })]
    Traces {
        /// Each blob with the first name in it.
        traces: Vec<Trace>,
    },
    /// What would be signed for the destination has a name that was not to leave.
    #[error("{what} has the name {name}, which is not to be told")]
    Told {
        /// What would tell it.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Names that cannot be looked for.
    #[error("{found} bytes of names are more than can be looked for")]
    Names {
        /// Bytes of all names.
        found: usize,
    },
    /// An image is promoted to where it is.
    #[error("{reference} is the same place, where the signatures of the source are, too")]
    SamePlace {
        /// The destination.
        reference: String,
    },
    /// A place that holds no signatures.
    #[error("{reference} cannot hold signatures")]
    NoSignatures {
        /// The destination.
        reference: String,
    },
    /// The clock is set to a time that has no form.
    #[error("{0} seconds since 1970 is no time that can be written")]
    Time(i64),
    /// The image was not copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The image was not signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was signed is not found, or not good, where it was written to.
    #[error("the signature that was written to {reference} is not verified there")]
    Unverified {
        /// The destination.
        reference: String,
        /// What was found there.
        #[source]
        found: Box<NotVerified>,
    },
    /// The same of the record.
    #[error("the record that was written to {reference} is not verified there")]
    Unrecorded {
        /// The destination.
        reference: String,
    },
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl PromoteError {
    /// Whether the answer is no, rather than something failing: the image is not signed as asked for, not
    /// the one that was approved, or tells where it comes from.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::NotVerified { .. } | Self::NotApproved { .. } | Self::Traces { .. })
    }

    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Source { source, .. } => source.is_mistake(),
            Self::Copy(error) => error.is_mistake(),
            Self::Told { .. } | Self::Names { .. } | Self::SamePlace { .. } | Self::NoSignatures { .. } => true,
            _ => false,
        }
    }
}

impl From<StoreError> for PromoteError {
    fn from(error: StoreError) -> Self {
        Self::Copy(error.into())
    }
}

impl From<Error> for PromoteError {
    fn from(error: Error) -> Self {
        Self::Copy(error.into())
    }
}
