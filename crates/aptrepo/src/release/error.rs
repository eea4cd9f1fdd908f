//! Why a Release file is not believed.

use distil_debunpack::deb822::Deb822Error;
use distil_imgcore::Escaped;

use crate::clearsign::ClearsignError;
use crate::keyring::VerifyError;
use crate::time::{Timestamp, TimestampError};

/// Why a Release file is not believed, or not now. Whoever fetched it adds where it is from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Not a signed message and nothing else.
    #[error("not a signed file that is in order")]
    Clearsign(#[from] ClearsignError),
    /// No signature of it is valid.
    #[error("the signature is refused")]
    Signature(#[from] VerifyError),
    /// Its fields are not in order.
    #[error("the signed text is not a paragraph of fields")]
    Fields(#[from] Deb822Error),
    /// More than one paragraph, or none.
    #[error("{found} paragraphs, where a Release file has one")]
    Paragraphs {
        /// How many there are: none, or at least two.
        found: usize,
    },
    /// A field that must be there is not.
    #[error("there is no field {field}")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field whose value is not text.
    #[error("field {field} is not UTF-8 text")]
    NotText {
        /// The field.
        field: String,
    },
    /// A date that is none: it must not be taken for one without a limit.
    #[error("field {field} is not a date")]
    Date {
        /// The field.
        field: &'static str,
        /// What is wrong.
        source: TimestampError,
    },
    /// Newer than now: whoever signed it, or this machine, has a clock that is wrong.
    #[error("dated {date}, but the time is {at}: the clock or the repository is wrong")]
    FromFuture {
        /// Its date.
        date: Timestamp,
        /// What the time is.
        at: Timestamp,
    },
    /// Newer than the snapshot it is said to be from.
    #[error("dated {date}, after the snapshot of {snapshot} it should be part of")]
    AfterSnapshot {
        /// Its date.
        date: Timestamp,
        /// When the snapshot was taken.
        snapshot: Timestamp,
    },
    /// Its time is over: the mirror is stale, or someone keeps newer packages from us.
    #[error("valid until {valid_until}, but the time is {at}")]
    Stale {
        /// Until when it was valid.
        valid_until: Timestamp,
        /// As of when it is judged.
        at: Timestamp,
    },
    /// The clock is years away from the dates of the repository, so that no date means anything.
    #[error("the clock looks wrong: it says {at}, and the repository was signed at {signed}")]
    Clock {
        /// What the clock says.
        at: Timestamp,
        /// When the file was signed, as it says.
        signed: Timestamp,
    },
    /// Another suite than was asked for, though a signed one.
    #[error("it is of suite {} (codename {}), not of {}", Escaped(.suite.as_bytes()), Escaped(.codename.as_bytes()), Escaped(.asked.as_bytes()))]
    Suite {
        /// What was asked for.
        asked: String,
        /// Its suite, or `-`.
        suite: String,
        /// Its codename, or `-`.
        codename: String,
    },
    /// Sums of files that can be forged, or none.
    #[error("neither SHA256 nor SHA512 sums of its files, and others are too weak")]
    WeakSums,
    /// A line of a list of sums that is not a sum, a size and a path.
    #[error("field {field}: \"{}\" is not a sum, a size and a path", Escaped(.line))]
    SumLine {
        /// The field.
        field: &'static str,
        /// The first 200 bytes of the line.
        line: Vec<u8>,
    },
    /// A path that could lead out of the repository.
    #[error("field {field}: path \"{}\" is not allowed", Escaped(.path))]
    Path {
        /// The field.
        field: &'static str,
        /// The first 200 bytes of the path.
        path: Vec<u8>,
    },
    /// Two sums or two sizes for one file.
    #[error("two different sums or sizes for \"{}\"", Escaped(.path.as_bytes()))]
    Conflict {
        /// The file.
        path: String,
    },
    /// More files than any repository has.
    #[error("more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
}

impl ReleaseError {
    /// Whether the file is sound and only the time speaks against it: it expired, or the clock is wrong. Then nothing can
    /// be decided, and a later try or another mirror may help.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::Clock { .. })
    }
}
