//! Why advisories cannot be imported or looked up.

use std::io;
use std::path::{Path, PathBuf};

use distil_imgcore::Escaped;
use distil_vulns::feed::{FeedError, FeedKind};

/// Why advisories cannot be imported or looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is no database.
    #[error("there is no advisory database at {}", Escaped::path(.path))]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no advisory database", Escaped::path(.path))]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was made by another version of the program.
    #[error("{} is an advisory database of format {found}, and this program reads format {expected}", Escaped::path(.path))]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that is read.
        expected: u32,
    },
    /// It is an advisory database with something in it that none has.
    #[error("{} is damaged", Escaped::path(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The engine cannot use the file.
    #[error("cannot use {}", Escaped::path(.path))]
    Engine {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: Box<redb::Error>,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database, or its lock, cannot be written.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing was given to import.
    #[error("{} holds no advisory feed", Escaped::path(.path))]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
    /// A file is no feed that is known.
    #[error("{} is no advisory feed", Escaped::path(.path))]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// All feeds of a kind say nothing about Debian, and would empty the database of what it has of that kind.
    #[error("nothing in the {kind} feeds is about Debian")]
    Empty {
        /// The kind.
        kind: FeedKind,
    },
    /// A list of packages with less support is for a release that nobody can tell.
    #[error("the name of {} does not say which release it is for", Escaped::path(.path))]
    NoRelease {
        /// The file.
        path: PathBuf,
    },
    /// A feed has a mistake.
    #[error("cannot take advisories from {}", Escaped::path(.path))]
    Feed {
        /// The file.
        path: PathBuf,
        /// The mistake.
        source: FeedError,
    },
    /// The work was given up since somebody asked for it.
    #[error("cancelled")]
    Cancelled,
}

impl DatabaseError {
    /// What the engine says of a file, which is an advisory database whenever it is asked.
    pub(super) fn of(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        match error {
            redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => Self::Damaged { path },
            redb::Error::Io(source) => Self::Read { path, source },
            redb::Error::Corrupted(_)
            | redb::Error::RepairAborted
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableDoesNotExist(_) => Self::Damaged { path },
            error => Self::Engine { path, source: Box::new(error) },
        }
    }

    /// Whether something was named that is not there or is something else.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Nothing { .. } | Self::Empty { .. } | Self::NoRelease { .. } => true,
            Self::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether there is no data to decide by: an import is what is missing.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Foreign { .. } | Self::Format { .. } | Self::Damaged { .. })
    }
}
