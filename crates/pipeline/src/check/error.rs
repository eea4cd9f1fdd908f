//! Why an image cannot be judged.

use std::io;
use std::path::PathBuf;

use distil_imgcore::{Digest, Escaped};
use distil_policy::ledger::StatementError;
use distil_vulns::ignore::IgnoreError;

use super::ledger_file::LedgerFileError;
use crate::advisories::DatabaseError;
use crate::read::ReadError;
use crate::scan::ScanError;
use crate::signing::{BlobError, TrustError};

/// Why an image cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The image cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Packages cannot be looked up.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The database of advisories cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The reference stands for another image than a moment before.
    #[error("{reference} stands for another image than when it was first read")]
    Moved {
        /// The reference.
        reference: String,
    },
    /// A policy that is no text.
    #[error("{} is not text in UTF-8", Escaped::path(.path))]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A file is no ignore file that is known.
    #[error("{} cannot be used as an ignore file", Escaped::path(.path))]
    Ignore {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<IgnoreError>,
    },
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerFileError),
    /// No ledger beside an image is signed by somebody whom the policy trusts.
    #[error("no ledger that an authority of the policy signed is beside {} ({digest})", Escaped(.reference.as_bytes()))]
    NoLedger {
        /// The image.
        reference: String,
        /// The digest that it stands for.
        digest: Digest,
    },
    /// A ledger beside an image is signed, and cannot be read.
    #[error("the ledger in the statement {digest} is not in order")]
    LedgerStatement {
        /// The digest of the statement.
        digest: String,
        /// Why not.
        source: Box<StatementError>,
    },
    /// A ledger beside an image was asked for, and the policy trusts nobody.
    #[error("the policy names no authority that could have signed a ledger beside {}", Escaped(.reference.as_bytes()))]
    NoAuthority {
        /// The image.
        reference: String,
    },
    /// The signature of a VEX document cannot be read.
    #[error("cannot read the signature of {}", Escaped::path(.path))]
    VexSignature {
        /// The document.
        path: PathBuf,
        /// Why not.
        source: Box<BlobError>,
    },
    /// The policy names VEX documents, and there are none.
    #[error("vex.documents of the policy names {}, and there is no such file", Escaped(.pattern.as_bytes()))]
    NoDocuments {
        /// What it says.
        pattern: String,
    },
    /// The policy trusts somebody who cannot be told.
    #[error("the policy's authority {} cannot be used", Escaped(.name.as_bytes()))]
    Authority {
        /// Its name.
        name: String,
        /// Why not.
        source: Box<TrustError>,
    },
    /// The policy asks for statements of a type that is none.
    #[error("the policy asks for attestations of the type {}, which is none", Escaped(.kind.as_bytes()))]
    Kind {
        /// What it says.
        kind: String,
    },
    /// A file that was named cannot be read or written.
    #[error("cannot {action} {}", Escaped::path(.path))]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of facts holds something else.
    #[error("{} holds no facts about an image", Escaped::path(.path))]
    Facts {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// Facts of another version of the form.
    #[error("{} has facts of the form {}, which is not known", Escaped::path(.path), Escaped(.found.as_bytes()))]
    Schema {
        /// The file.
        path: PathBuf,
        /// The form.
        found: String,
    },
}

impl CheckError {
    /// Whether the question is good, and nobody can answer it for want of data.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Missing { .. }) | Self::NoLedger { .. })
    }

    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read(error) => error.is_mistake(),
            Self::Scan(error) => error.is_mistake(),
            Self::Authority { source, .. } => source.is_mistake(),
            Self::Kind { .. } | Self::NotText { .. } | Self::NoAuthority { .. } | Self::NoDocuments { .. } => true,
            _ => false,
        }
    }
}
