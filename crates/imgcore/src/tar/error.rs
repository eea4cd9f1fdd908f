//! What can be wrong with an archive.

use std::fmt;
use std::io;

use crate::entry::BadWhiteout;
use crate::escape::Escaped;
use crate::path::{ImagePath, PathError};

/// Why bytes are not an archive with one meaning, and where.
#[derive(Debug)]
pub struct TarError {
    /// Offset in the uncompressed archive of the header that is at fault, in bytes.
    pub offset: u64,
    /// The name of the entry, where it is known.
    pub name: Option<Vec<u8>>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Reading the stream failed; a truncated compressed stream is among these.
    #[error("cannot read")]
    Io(#[source] io::Error),
    /// The stream ends inside a header.
    #[error("the archive ends inside a header")]
    TruncatedHeader,
    /// The stream ends inside the content of an entry.
    #[error("the archive ends inside an entry, {missing} bytes are missing")]
    TruncatedContent {
        /// Bytes of content and padding that are not there.
        missing: u64,
    },
    /// The stream ends where a header should be: it cannot be told from a truncated archive.
    #[error("the archive has no end-of-archive blocks")]
    NoEnd,
    /// Something follows the end of the archive.
    #[error("bytes that are not zero follow the end of the archive")]
    AfterEnd,
    /// Too many zeros follow the end of the archive.
    #[error("more than {limit} bytes of padding follow the end of the archive")]
    LongEnd {
        /// Bytes allowed.
        limit: u64,
    },
    /// The header's checksum is wrong.
    #[error("wrong header checksum")]
    Checksum,
    /// The magic is none of ustar's, GNU tar's and V7's.
    #[error("unknown header format {}", Escaped(.0))]
    Magic(Vec<u8>),
    /// A number that is not one, is negative or does not fit.
    #[error("bad number in the field {field}: {}", Escaped(.value))]
    Number {
        /// The field of the header, or the keyword of the pax record.
        field: &'static str,
        /// Its bytes.
        value: Vec<u8>,
    },
    /// A type of entry that the dialect does not allow.
    #[error("entry type {} is not allowed here", Escaped(&[*.0]))]
    Type(u8),
    /// A name that cannot be a path.
    #[error("bad name")]
    Path(#[source] PathError),
    /// A hard link's target that cannot be a path.
    #[error("bad link target")]
    LinkPath(#[source] PathError),
    /// A line break in a name: it would forge lines in lists and logs.
    #[error("the name holds a line break")]
    LineBreak,
    /// A slash, or a slash and a dot, at the end of a name that is no directory's: some readers make it one.
    #[error("the name of a {0} ends like a directory's")]
    DirectoryName(&'static str),
    /// A link without a target, or with one that is too long or holds a NUL.
    #[error("bad link target {}", Escaped(.0))]
    Target(Vec<u8>),
    /// Content where the type has none.
    #[error("a {kind} with {size} bytes of content")]
    SizeOn {
        /// The type.
        kind: &'static str,
        /// The stated size.
        size: u64,
    },
    /// Size in the header and in its pax record disagree.
    #[error("the header says {header} bytes, its pax record {pax}")]
    SizeConflict {
        /// Size in the header.
        header: u64,
        /// Size in the pax record.
        pax: u64,
    },
    /// A malformed pax record.
    #[error("malformed pax record: {0}")]
    Pax(&'static str),
    /// A pax record that is not understood, and that would change what the entry means.
    #[error("unsupported pax record {}", Escaped(.0))]
    PaxKey(Vec<u8>),
    /// A pax record or long name twice for one entry.
    #[error("{0} twice for one entry")]
    Twice(&'static str),
    /// A pax record or long name that no entry follows.
    #[error("an extension header without an entry")]
    Dangling,
    /// The same path a second time.
    #[error("the path is there twice")]
    Duplicate,
    /// A path below something that is no directory.
    #[error("{0} is above it and is no directory")]
    BelowNonDirectory(ImagePath),
    /// A hard link to something that is no earlier regular file of the archive.
    #[error("hard link to {0}, which is no earlier regular file of this archive")]
    LinkTarget(ImagePath),
    /// A whiteout that removes nothing.
    #[error("bad whiteout")]
    Whiteout(#[source] BadWhiteout),
    /// A whiteout that is more than an empty file: some readers would make it as well.
    #[error("a whiteout that is no empty file")]
    WhiteoutContent,
    /// More entries than allowed.
    #[error("more than {0} entries")]
    TooManyEntries(u64),
    /// More content than allowed.
    #[error("more than {0} bytes of content")]
    TooMuchContent(u64),
    /// The reader has failed before.
    #[error("the archive was found broken before")]
    AfterError,
    /// An extension header larger than any that is of use.
    #[error("extension header of {0} bytes")]
    LongExtension(u64),
}

impl TarError {
    /// The error of the stream below, if that failed.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        match &self.fault {
            Fault::Io(e) => Some(e),
            _ => None,
        }
    }
}

impl fmt::Display for TarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "entry {}: ", Escaped(name))?;
        }
        write!(f, "{}", self.fault)?;
        if self.io().is_none() {
            write!(f, " (byte {} of the archive)", self.offset)?;
        }
        Ok(())
    }
}

impl std::error::Error for TarError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

/// Lets [`std::io::Read`] carry the error; whoever reads content finds it again with [`io::Error::downcast`].
impl From<TarError> for io::Error {
    fn from(error: TarError) -> Self {
        match error.fault {
            Fault::Io(e) => e,
            Fault::TruncatedContent { .. } => Self::new(io::ErrorKind::UnexpectedEof, error),
            _ => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
