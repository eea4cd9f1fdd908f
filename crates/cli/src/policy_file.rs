//! A policy as it was written, for messages that show its lines.

use std::path::{Path, PathBuf};

use distil_pipeline::check::read_policy;
use distil_pipeline::policy::{Policy, PolicyError};

use crate::failure::Failure;

/// A policy that was read.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    path: PathBuf,
    /// What it says.
    pub(crate) policy: Policy,
}

/// A policy that was read, and is not in order.
#[derive(Debug)]
pub(crate) struct MistakenPolicy {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) error: PolicyError,
}

impl PolicyFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = read_policy(path)?;
        match Policy::parse(&text) {
            Ok(policy) => Ok(Self { path: path.to_owned(), policy }),
            Err(error) => Err(Failure::Policy(Box::new(MistakenPolicy { path: path.to_owned(), text, error }))),
        }
    }

    /// The folder that relative paths in it start from.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The ledger that it names.
    pub(crate) fn ledger(&self) -> Option<PathBuf> {
        self.policy.vulnerabilities.ledger.as_ref().map(|ledger| self.folder().join(ledger))
    }
}
