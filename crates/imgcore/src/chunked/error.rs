//! What no table of contents can state.

use std::io;

use crate::path::ImagePath;

/// Why an entry cannot be in a layer with a table of contents. It comes as the cause of an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// JSON holds UTF-8 alone.
    #[error("{0} has a name, target or attribute that is not UTF-8")]
    Text(ImagePath),
    /// RFC 3339 has years of four digits.
    #[error("{0} has a time before the year 0 or after 9999")]
    Time(ImagePath),
    /// eStargz has files of its own in the layer.
    #[error("{0} is a name that eStargz needs for itself")]
    Taken(ImagePath),
}

impl From<TableError> for io::Error {
    fn from(error: TableError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
