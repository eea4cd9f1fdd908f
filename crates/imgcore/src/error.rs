//! What goes wrong with stores and documents.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::descriptor::DescriptorError;
use crate::digest::{ContentMismatch, Digest};
use crate::document::DocumentError;
use crate::escape::Escaped;
use crate::platform::Platform;
use crate::ref_name::RefName;
use crate::store::Selector;
use crate::tar::TarError;

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("cannot {action} {}", shown(.path))]
    Io {
        /// What was tried: `read`, `create`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A blob broke off, or was not what its descriptor says: [`Error::mismatch`] tells which.
    #[error("cannot read blob {digest} of {place}")]
    Blob {
        /// The stated digest.
        digest: Digest,
        /// The store.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// Nothing is stored under this digest.
    #[error("{place} has no blob {digest}")]
    NoBlob {
        /// The digest.
        digest: Digest,
        /// The store.
        place: String,
    },
    /// No image has this name or digest.
    #[error("{place} has no image {wanted}")]
    NoImage {
        /// What was asked for.
        wanted: Selector,
        /// The store.
        place: String,
    },
    /// No image is for this platform.
    #[error("{place} has no image{}", .wanted.as_ref().map(|p| format!(" for {p}")).unwrap_or_default())]
    NoPlatform {
        /// The platform that was asked for, if any was.
        wanted: Option<Box<Platform>>,
        /// The store.
        place: String,
    },
    /// Several images where one had to be named.
    #[error("{place} has {found} images, and none was named")]
    Ambiguous {
        /// How many there are.
        found: usize,
        /// The store.
        place: String,
    },
    /// A document of a store is not what it must be.
    #[error("{what} of {place} is not valid")]
    Document {
        /// The file, or the digest of the blob.
        what: String,
        /// The store.
        place: String,
        /// What is wrong.
        source: Box<DocumentError>,
    },
    /// A layout or archive that was not written to its end, or is none.
    #[error("{} is incomplete or not an image layout: {file} is missing or broken", shown(.path))]
    Incomplete {
        /// The directory or file.
        path: PathBuf,
        /// The file in it.
        file: String,
        /// What is wrong with it, where it is there.
        source: Option<Box<DocumentError>>,
    },
    /// A directory that is to become a layout holds something else.
    #[error("{} is not an image layout and not empty", shown(.path))]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// A link, pipe or device where a regular file or directory must be. These are never followed or opened.
    #[error("{} is not a {expected} but something else, a link perhaps", shown(.path))]
    NotRegular {
        /// What it is called.
        path: PathBuf,
        /// What it must be.
        expected: &'static str,
    },
    /// Another process is writing.
    #[error("{} is being written by another process{}", shown(.path), .holder.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    Locked {
        /// The layout.
        path: PathBuf,
        /// The process that said so in the lock file; its number is that of its own container.
        holder: Option<u32>,
    },
    /// A place on the other side of a network did not do what it was asked to.
    #[error("cannot {action} {place}")]
    Remote {
        /// What was tried: `read`, `write to`.
        action: &'static str,
        /// The store.
        place: String,
        /// Whether it may go well from the beginning: a connection broke, and what had been sent is lost.
        may_repeat: bool,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is about an image cannot be copied with it.
    #[error("cannot copy {what}, which is about {subject}")]
    About {
        /// The digest of a referrer, or the name of what is found by that.
        what: String,
        /// What it is about.
        subject: Digest,
        /// Why not.
        source: Box<Error>,
    },
    /// A name does not name what was just written under it.
    #[error("somebody else writes to {name} of {place}, which is {} now", .found.as_ref().map_or("nothing".to_owned(), ToString::to_string))]
    Moved {
        /// The name.
        name: RefName,
        /// What it names now.
        found: Option<Digest>,
        /// The store.
        place: String,
    },
    /// The store can only be read.
    #[error("{place} can only be read")]
    ReadOnly {
        /// The store.
        place: String,
    },
    /// An archive is not a tar with one meaning.
    #[error("cannot read the archive {}", shown(.path))]
    Tar {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<TarError>,
    },
    /// A graph of blobs is larger than any image's.
    #[error("{place} has more than {limit} {what} under one image")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// The store.
        place: String,
    },
}

fn shown(path: &Path) -> Escaped<'_> {
    Escaped(path.as_os_str().as_bytes())
}

impl Error {
    /// An error of the operating system, with what was tried on which path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// A document that is not what it must be.
    pub(crate) fn invalid(what: &impl ToString, place: String, source: DocumentError) -> Self {
        Self::Document { what: what.to_string(), place, source: Box::new(source) }
    }

    /// A layout whose file is missing, or broken as `source` says.
    pub(crate) fn incomplete(path: &Path, file: &str, source: Option<DocumentError>) -> Self {
        Self::Incomplete { path: path.to_owned(), file: file.to_owned(), source: source.map(Box::new) }
    }

    /// Whether what was asked for is simply not there: no such image, blob or layout.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NoBlob { .. } | Self::NoImage { .. } | Self::NoPlatform { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether the disk or a quota is full.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        self.io_kind().is_some_and(|kind| {
            matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
        })
    }

    /// Whether it may go well a moment later.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether a blob may be put after all, with a new reader of it.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        matches!(self, Self::Remote { may_repeat: true, .. })
    }

    /// How a blob differs from its descriptor, where that is what went wrong.
    #[must_use]
    pub fn mismatch(&self) -> Option<&ContentMismatch> {
        match self {
            Self::Blob { source, .. } => source.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// What is wrong with a document, where that is what went wrong.
    #[must_use]
    pub fn document(&self) -> Option<&DocumentError> {
        match self {
            Self::Document { source, .. } => Some(source),
            Self::Incomplete { source, .. } => source.as_deref(),
            _ => None,
        }
    }

    /// Whether the machine failed and not the content: then nothing is known about the image.
    #[must_use]
    pub fn is_io(&self) -> bool {
        let content = [io::ErrorKind::InvalidData, io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof];
        if let Self::About { source, .. } = self {
            return source.is_io();
        }
        matches!(self, Self::Locked { .. } | Self::Remote { .. })
            || self.io_kind().is_some_and(|kind| !content.contains(&kind))
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } | Self::Blob { source, .. } => Some(source.kind()),
            Self::Tar { source, .. } => source.io().map(io::Error::kind),
            Self::About { source, .. } => source.io_kind(),
            _ => None,
        }
    }
}

impl From<DescriptorError> for DocumentError {
    fn from(error: DescriptorError) -> Self {
        Self::Descriptor(error)
    }
}
