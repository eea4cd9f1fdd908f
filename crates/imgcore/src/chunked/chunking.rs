//! Which form, and how dense.

use std::fmt;
use std::str::FromStr;

use super::Form;
use crate::compression::Compression;

/// A form with the level of its members, as `zstd-chunked:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chunking {
    form: Form,
    members: Compression,
}

impl Chunking {
    /// The form.
    #[must_use]
    pub fn form(self) -> Form {
        self.form
    }

    /// How each member is compressed.
    #[must_use]
    pub fn members(self) -> Compression {
        self.members
    }
}

impl From<Form> for Chunking {
    /// With the level that its codec has by default.
    fn from(form: Form) -> Self {
        let members = match form {
            Form::Estargz => Compression::GZIP,
            Form::ZstdChunked => Compression::ZSTD,
        };
        Self { form, members }
    }
}

impl fmt::Display for Chunking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.to_string();
        let level = members.split_once(':').map_or("", |(_, level)| level);
        write!(f, "{}:{level}", self.form.as_str())
    }
}

/// A text that names no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not one of estargz, estargz:1 to estargz:9, zstd-chunked, zstd-chunked:1 to zstd-chunked:19", .0)]
pub struct ChunkingError(pub String);

impl FromStr for Chunking {
    type Err = ChunkingError;

    fn from_str(text: &str) -> Result<Self, ChunkingError> {
        let bad = || ChunkingError(text.to_owned());
        let (name, level) = text.split_once(':').map_or((text, None), |(name, level)| (name, Some(level)));
        let form = [Form::Estargz, Form::ZstdChunked].into_iter().find(|form| form.as_str() == name).ok_or_else(bad)?;
        let Some(level) = level else { return Ok(form.into()) };
        let members = format!("{}:{level}", form.codec().as_str()).parse().map_err(|_| bad())?;
        Ok(Self { form, members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_shown() {
        for (text, shown) in [
            ("estargz", "estargz:6"),
            ("estargz:9", "estargz:9"),
            ("zstd-chunked", "zstd-chunked:3"),
            ("zstd-chunked:19", "zstd-chunked:19"),
        ] {
            assert_eq!(text.parse::<Chunking>().unwrap().to_string(), shown);
        }
        for bad in
            ["", "none", "gzip:6", "zstd", "estargz:", "estargz:10", "zstd-chunked:0", "zstd-chunked:03", "Estargz"]
        {
            assert!(bad.parse::<Chunking>().is_err(), "{bad}");
        }
    }
}
