//! How long a file may be.

use crate::error::NetError;

/// Bounds on the bytes of a download, checked before and while they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its size, where that is known. More or fewer bytes are an error.
    pub exact: Option<u64>,
    /// Bytes at most, whatever else is known.
    pub max: u64,
}

impl Limit {
    /// Exactly so many bytes.
    #[must_use]
    pub fn exactly(size: u64) -> Self {
        Self { exact: Some(size), max: size }
    }

    /// So many bytes, or fewer.
    #[must_use]
    pub fn at_most(max: u64) -> Self {
        Self { exact: None, max }
    }

    /// Whether a file of this announced size is to be read at all.
    pub(crate) fn check_announced(self, found: u64, url: &str) -> Result<(), NetError> {
        match self.exact {
            Some(expected) if found != expected => Err(NetError::Length { url: url.to_owned(), expected, found }),
            _ => self.add(0, found, url).map(|_| ()),
        }
    }

    /// The bytes that are there when more come, or the error at the first byte too many.
    pub(crate) fn add(self, received: u64, more: impl TryInto<u64>, url: &str) -> Result<u64, NetError> {
        let limit = self.exact.map_or(self.max, |exact| exact.min(self.max));
        let sum = more.try_into().ok().and_then(|more| received.checked_add(more));
        sum.filter(|sum| *sum <= limit).ok_or_else(|| NetError::TooLong { url: url.to_owned(), limit })
    }

    /// Whether all bytes are there.
    pub(crate) fn check_end(self, found: u64, url: &str) -> Result<(), NetError> {
        match self.exact {
            Some(expected) if found != expected => Err(NetError::Length { url: url.to_owned(), expected, found }),
            _ => Ok(()),
        }
    }
}
