//! What the cache holds.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::CacheError;
use crate::kind::Kind;
use crate::walk::Walk;

/// A number of files and the sum of their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many files.
    pub files: u64,
    /// Their bytes. On disk they may take more.
    pub bytes: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, size: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
    }
}

/// What the cache holds, by kind. Looking changes nothing, not even a cache that is not there; others may change it
/// meanwhile.
///
/// ```
/// use distil_cache::{Kind, Usage, Values};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let values = Values::open(dir.path())?;
/// values.put("length-1", "a key of any length", b"19")?;
/// let usage = Usage::of(dir.path())?;
/// assert_eq!(usage.tally(Kind::Derived).files, 1);
/// assert_eq!((usage.living, usage.dead), (1, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    tallies: BTreeMap<Kind, Tally>,
    /// Sessions of processes that run. One process may have several.
    pub living: u64,
    /// Sessions of processes that were killed, whose files the next session removes.
    pub dead: u64,
}

impl Usage {
    /// Looks at every file in the cache at `root`.
    ///
    /// # Errors
    /// [`CacheError`] where one of its directories cannot be read.
    pub fn of(root: &Path) -> Result<Self, CacheError> {
        let walk = Walk::below(root)?;
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        for file in &walk.files {
            tallies.entry(file.kind).or_default().add(file.size);
        }
        let (living, dead) = (walk.sessions.living.len() as u64, walk.sessions.dead.len() as u64);
        Ok(Self { tallies, living, dead })
    }

    /// What there is of a kind.
    #[must_use]
    pub fn tally(&self, kind: Kind) -> Tally {
        self.tallies.get(&kind).copied().unwrap_or_default()
    }
}
