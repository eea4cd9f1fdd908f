//! Where packages come from.

use std::sync::Arc;

use distil_debunpack::Architecture;
use url::Url;

use crate::keyring::Keyring;
use crate::mirror;
use crate::time::Snapshot;

/// One suite of a repository: what a line of `sources.list` says, with the keys that it is signed by.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it was written down, for messages.
    pub name: String,
    /// Where the repository can be had, in the order in which they are tried.
    pub mirrors: Vec<Url>,
    /// The suite or codename; with a slash at its end, the folder of a flat repository, which has no components.
    pub suite: String,
    /// The components that are wanted.
    pub components: Vec<String>,
    /// The architectures that are taken from it; `None` for all that are asked for.
    pub architectures: Option<Vec<Architecture>>,
    /// The keys, one of which must have signed it.
    pub keys: Arc<Keyring>,
    /// The time at which it is looked at.
    pub snapshot: Option<Snapshot>,
}

impl Source {
    /// Whether the packages lie in one folder, with no components.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.suite.ends_with('/')
    }

    /// Whether packages for an architecture are taken from it.
    #[must_use]
    pub fn serves(&self, architecture: &Architecture) -> bool {
        self.architectures.as_ref().is_none_or(|served| served.contains(architecture))
    }

    /// The path of a file of the suite, below an address of the repository: `dists/bookworm/InRelease`.
    #[must_use]
    pub fn path_of(&self, file: &str) -> String {
        let folder = if self.is_flat() { self.suite.clone() } else { format!("dists/{}", self.suite) };
        let parts = folder.split('/').chain(file.split('/')).filter(|part| !matches!(*part, "" | "."));
        parts.collect::<Vec<_>>().join("/")
    }

    /// The addresses below which its packages may lie, in the order in which they are to be tried. With a snapshot,
    /// these are the addresses of that time, and behind each the address itself: what has been there once may still be.
    #[must_use]
    pub fn addresses(&self) -> Vec<Url> {
        self.mirrors.iter().flat_map(|mirror| mirror::bases(mirror, self.snapshot)).collect()
    }
}
