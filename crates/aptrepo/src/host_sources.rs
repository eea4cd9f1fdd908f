//! The apt sources of a machine, in both forms of [sources.list(5)], read as apt reads them.
//!
//! Only what they name is used: where the packages are, and whose keys are believed. What they say to weaken a check is
//! an error and not ignored, since the user would wonder why a source that apt takes is refused later on.
//!
//! [sources.list(5)]: https://manpages.debian.org/bookworm/apt/sources.list.5.en.html

mod deb822;
mod error;
mod one_line;
mod options;

use std::path::PathBuf;

use distil_debunpack::Architecture;

pub use deb822::parse_deb822;
pub use error::{HostSourceError, HostSourceErrorKind};
pub use one_line::parse_one_line;

use crate::fingerprint::KeyPin;
use crate::time::Snapshot;

/// Largest file of sources.
const MAX_FILE: usize = 1 << 20;

/// Sources in one file.
const MAX_SOURCES: usize = 1024;

/// One entry, or one paragraph: every suite at every one of the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSource {
    /// File and line, for messages.
    pub place: String,
    /// Addresses of the repository, as written: `$(ARCH)` in them is not replaced.
    pub uris: Vec<String>,
    /// Suites, as written; one that ends with a slash is the path of a flat repository.
    pub suites: Vec<String>,
    /// Components; none for flat repositories.
    pub components: Vec<String>,
    /// Which architectures it is asked for.
    pub architectures: ArchitectureChoice,
    /// Whose signature is believed.
    pub signed_by: SignedBy,
    /// The snapshot it is pinned to.
    pub snapshot: Option<Snapshot>,
    /// Whether it is used at all. Those that are read here are: what is switched off is left out.
    pub enabled: bool,
}

/// Which keys a source is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// Any of the keys that the machine trusts for all sources.
    Default,
    /// Any key in these files.
    Files(Vec<PathBuf>),
    /// These of the keys that the machine trusts for all sources.
    Fingerprints(Vec<KeyPin>),
    /// These of the keys in these files.
    Selected {
        /// The files.
        files: Vec<PathBuf>,
        /// The keys.
        pins: Vec<KeyPin>,
    },
    /// The keys in this armoured block.
    Embedded(Vec<u8>),
}

/// The architectures that a source is asked for: all that are wanted, or those of a list, with some added and taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchitectureChoice {
    /// The list; without one the source is asked for every architecture.
    pub only: Option<Vec<Architecture>>,
    /// What `+=` adds to the list.
    pub added: Vec<Architecture>,
    /// What `-=` takes away.
    pub removed: Vec<Architecture>,
}

impl ArchitectureChoice {
    /// Whether the source is asked for this architecture.
    #[must_use]
    pub fn includes(&self, architecture: &Architecture) -> bool {
        let listed = self.only.as_ref().is_none_or(|only| only.contains(architecture));
        (listed || self.added.contains(architecture)) && !self.removed.contains(architecture)
    }
}

#[cfg(test)]
mod tests;
