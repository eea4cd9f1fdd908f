//! Why a feed cannot be read.

use std::io;

use distil_imgcore::Escaped;

use super::limited::{MAX_FEED, MAX_RECORDS};
use super::osv::{MAX_RECORD, MAX_ZIP};
use super::strings::TooLong;
use crate::release::ReleasesError;

/// Why a feed cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The reader failed.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// It is larger than any feed.
    #[error("is larger than {MAX_FEED} bytes when unpacked")]
    TooLarge,
    /// All records of a zip file together are larger than those of any.
    #[error("is larger than {MAX_ZIP} bytes when unpacked")]
    ZipTooLarge,
    /// A record is larger than any.
    #[error("is larger than {MAX_RECORD} bytes when unpacked, as no record is")]
    RecordTooLarge,
    /// It has a string that is longer than any.
    #[error("has {}", TooLong)]
    StringTooLong,
    /// It has more records than any feed.
    #[error("has more than {MAX_RECORDS} records")]
    TooMany,
    /// It is no JSON, or not of the feed's form. Made fit for a terminal.
    #[error("{what}")]
    Json {
        /// What is wrong, with line and column.
        what: String,
    },
    /// A record is not as records of the feed are.
    #[error("{}: {what} must be {expected}", Escaped(.record.as_bytes()))]
    Record {
        /// Which: its identifier, with package and release where it has those.
        record: String,
        /// The part of it.
        what: &'static str,
        /// What that must be.
        expected: &'static str,
    },
    /// A line is not as lines of the feed are.
    #[error("line {line} must be {expected}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What it must be.
        expected: &'static str,
    },
    /// It is no zip file, or a damaged one.
    #[error("is a damaged zip file{}: {what}", .entry.as_ref().map(|name| format!(", in {}", Escaped(name.as_bytes()))).unwrap_or_default())]
    Zip {
        /// The file in it.
        entry: Option<String>,
        /// What is wrong.
        what: String,
    },
    /// A file in a zip file has a mistake.
    #[error("{}", Escaped(.entry.as_bytes()))]
    Entry {
        /// Which.
        entry: String,
        /// The mistake.
        source: Box<FeedError>,
    },
    /// The list of releases has a mistake.
    #[error(transparent)]
    Releases(#[from] ReleasesError),
}

impl From<io::Error> for FeedError {
    fn from(error: io::Error) -> Self {
        match error.get_ref() {
            Some(inner) if inner.is::<TooLong>() => Self::StringTooLong,
            _ if error.kind() == io::ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Read(error),
        }
    }
}

impl From<serde_json::Error> for FeedError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return io::Error::from(error).into();
        }
        // The parser's words may hold a whole string of the document.
        let (line, column) = (error.line(), error.column());
        let words: String = error.to_string().chars().take(200).collect();
        let words = words.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Json { what: format!("line {line}, column {column}: {}", Escaped(words.as_bytes())) }
    }
}
