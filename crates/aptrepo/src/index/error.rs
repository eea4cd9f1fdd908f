//! Why bytes are no index.

use std::io;

use distil_debunpack::deb822::Deb822Error;
use distil_debunpack::{ArchitectureError, PackageNameError, VersionError};
use distil_imgcore::Escaped;

/// Why bytes are not a `Packages` file that can be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The bytes cannot be read.
    #[error("the package index cannot be read")]
    Read(#[source] io::Error),
    /// The whole is too large.
    #[error("the package index is over the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// No paragraphs of fields.
    #[error("the package index is malformed")]
    Syntax(#[from] Deb822Error),
    /// Too many stanzas.
    #[error("the package index has more than {limit} stanzas")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A stanza is wrong.
    #[error("package \"{}\" on line {line} of the package index", Escaped(.package))]
    Stanza {
        /// What its Package field holds, at most the first 128 bytes.
        package: Vec<u8>,
        /// Its first line, from 1.
        line: usize,
        /// What is wrong with it.
        source: StanzaError,
    },
}

/// What is wrong with a stanza.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StanzaError {
    /// A field that every stanza has.
    #[error("field {field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// Only sums that can be forged.
    #[error("there is no SHA256, only weaker sums")]
    WeakSums,
    /// No name of a package.
    #[error(transparent)]
    Name(#[from] PackageNameError),
    /// No version.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// No architecture.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A path that could leave the repository, or end a line of a request.
    #[error("field Filename is no plain path below the repository: \"{}\"", Escaped(.path))]
    Path {
        /// Its value, at most the first 128 bytes.
        path: Vec<u8>,
    },
    /// A field whose value is not what it must be.
    #[error("field {field} holds \"{}\"", Escaped(.value))]
    Value {
        /// The field.
        field: &'static str,
        /// Its value, at most the first 128 bytes.
        value: Vec<u8>,
    },
    /// The same package twice, and not the same file.
    #[error("version {version} for {architecture} stands there twice, with different sums")]
    TwoFiles {
        /// The version.
        version: String,
        /// The architecture.
        architecture: String,
    },
}

/// Why bytes are not the stored form of an index. They are made anew from the `Packages` file then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredIndexError {
    /// Something else, or another version of the form.
    #[error("not an index of this version")]
    Format,
    /// Fewer or more bytes than the head says.
    #[error("the stored index has another length than it says")]
    Length,
    /// The checksum is another.
    #[error("the stored index is damaged")]
    Checksum,
    /// A value that no parsed index has.
    #[error("the stored index holds what no package index does")]
    Value,
}
