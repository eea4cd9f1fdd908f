//! A package of which the control data was read.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use distil_aptrepo::VerifiedDeb;
use distil_debunpack::{Control, ControlArchive, Deb, DebError, Integrity, Limits};
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::{Digest, Origin};

use crate::build::plan::Candidate;
use crate::regular_file;
use crate::shelf::{Converted, Shelved};

/// A package of which the control data was read, and that is read whole where its files are needed.
#[derive(Debug)]
pub(crate) struct Package {
    path: PathBuf,
    size: u64,
    head: ControlArchive,
    /// The SHA-256 of the file, once it is known.
    sha256: OnceLock<Digest>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// The file of the path.
    File,
    /// A package of a repository that an earlier build made this of. Its file was not looked for.
    Shelved(Arc<Converted>),
    /// A file that was compared with its SHA-256, and is again whenever it is read.
    Verified(Box<VerifiedDeb>),
}

/// A package is needed that an earlier build made something of, and that was not fetched for this one.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the package was not fetched")]
pub(crate) struct NotFetched;

impl NotFetched {
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Why a file cannot be used as a package.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Deb(Box<DebError>),
}

impl Package {
    /// Reads the control data of a .deb; the files in it are not looked at yet.
    pub(crate) fn open(path: &Path) -> Result<Self, PackageError> {
        let file = regular_file::open(path).map_err(PackageError::Read)?;
        let size = file.metadata().map_err(PackageError::Read)?.len();
        let deb = Deb::open(BufReader::new(file), Limits::default()).map_err(|e| PackageError::Deb(Box::new(e)))?;
        let (path, head, sha256) = (path.to_owned(), deb.control_archive().clone(), OnceLock::new());
        Ok(Self { path, size, head, sha256, content: Content::File })
    }

    /// A package that was fetched from `path` of a repository.
    pub(crate) fn verified(path: &str, deb: VerifiedDeb) -> Self {
        let (size, head, sha256) = (deb.size(), deb.control_archive().clone(), deb.sha256().clone().into());
        Self { path: PathBuf::from(path), size, head, sha256, content: Content::Verified(Box::new(deb)) }
    }

    /// A package at `path` of a repository that need not be fetched.
    pub(crate) fn shelved(path: &str, size: u64, sha256: Digest, shelved: Shelved) -> Self {
        let Shelved { head, converted } = shelved;
        Self { path: path.into(), size, head, sha256: sha256.into(), content: Content::Shelved(Arc::new(converted)) }
    }

    /// What was made of it in an earlier build, where that is known already.
    pub(crate) fn converted(&self) -> Option<&Arc<Converted>> {
        match &self.content {
            Content::Shelved(converted) => Some(converted),
            _ => None,
        }
    }

    /// How messages call it: the path of its file, here or in its repository.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the .deb.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What it says of itself.
    pub(crate) fn head(&self) -> &ControlArchive {
        &self.head
    }

    pub(crate) fn control(&self) -> &Control {
        self.head.control()
    }

    pub(crate) fn name(&self) -> &str {
        self.control().package().as_str()
    }

    /// What decides on its layer.
    pub(crate) fn candidate(&self) -> Candidate<'_> {
        Candidate { name: self.name(), source: self.control().source().name.as_str(), size: self.size }
    }

    /// How trees and messages about them call the package.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.name())
    }

    /// The .deb from its start; [`NotFetched`] where there was no need for it so far.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn Read>> {
        match &self.content {
            Content::File => Ok(Box::new(regular_file::open(&self.path)?)),
            Content::Verified(deb) => Ok(Box::new(deb.open()?)),
            Content::Shelved(_) => Err(io::Error::other(NotFetched)),
        }
    }

    /// Whether [`Package::reader`] compares the file with its digest.
    pub(crate) fn integrity(&self) -> Integrity {
        match self.content {
            Content::File => Integrity::Unverified,
            Content::Verified(_) | Content::Shelved(_) => Integrity::Verified,
        }
    }

    /// The SHA-256 of the .deb. A file is read for it, once.
    pub(crate) fn sha256(&self) -> io::Result<&Digest> {
        if let Some(digest) = self.sha256.get() {
            return Ok(digest);
        }
        let mut hashed = DigestWriter::new(io::sink());
        io::copy(&mut regular_file::open(&self.path)?, &mut hashed)?;
        let (_, digest, size) = hashed.finish();
        if size != self.size {
            return Err(io::Error::other("the file changes while it is read"));
        }
        Ok(self.sha256.get_or_init(|| digest))
    }
}
