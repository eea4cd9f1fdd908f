//! How layers are stored.

use std::fmt;
use std::str::FromStr;

use crate::chunked::Chunking;
use crate::compression::Compression;

/// How the layers of an image are stored: compressed as a whole, or so that single files can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// In parts that tell nothing of files.
    Plain(Compression),
    /// File by file, with a table of contents.
    Chunked(Chunking),
}

impl Packing {
    /// How the fragments are compressed that such a layer is made of. Chunked layers are made of those of the default, so that
    /// an image that is stored in several ways has its packages converted once.
    #[must_use]
    pub fn fragments(self) -> Compression {
        match self {
            Self::Plain(compression) => compression,
            Self::Chunked(_) => Compression::default(),
        }
    }
}

impl Default for Packing {
    fn default() -> Self {
        Self::Plain(Compression::default())
    }
}

impl From<Compression> for Packing {
    fn from(compression: Compression) -> Self {
        Self::Plain(compression)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(compression) => compression.fmt(f),
            Self::Chunked(chunking) => chunking.fmt(f),
        }
    }
}

/// A text that names no way to store layers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not one of none, gzip, zstd, estargz and zstd-chunked, with a level behind a colon where wanted", .0)]
pub struct PackingError(pub String);

impl FromStr for Packing {
    type Err = PackingError;

    fn from_str(text: &str) -> Result<Self, PackingError> {
        let plain = text.parse().map(Self::Plain);
        plain.or_else(|_| text.parse().map(Self::Chunked)).map_err(|_| PackingError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_shown() {
        for text in ["none", "gzip:9", "zstd:1", "estargz:6", "zstd-chunked:3"] {
            assert_eq!(text.parse::<Packing>().unwrap().to_string(), text);
        }
        assert_eq!("chunked".parse::<Packing>(), Err(PackingError("chunked".to_owned())));
        assert_eq!("zstd-chunked:19".parse::<Packing>().unwrap().fragments(), Compression::ZSTD);
    }
}
