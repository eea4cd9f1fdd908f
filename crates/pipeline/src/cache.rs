//! `cache`: what is kept between runs, and how to make it less.

use std::path::Path;

use distil_cache::{CacheError, Kind, Pruned, Tally, Usage, prune, would_prune};
use distil_imgcore::Escaped;
use schemars::JsonSchema;
use serde::Serialize;

/// What the cache holds: the JSON document of `cache status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CacheStatus {
    /// `distil.cache-status/v1`.
    pub schema: String,
    /// The directory of the cache, whether it is there or not.
    pub directory: String,
    /// Every kind of file, also where there is none of it.
    pub kinds: Vec<KindDocument>,
    /// The bytes that `cache prune --max-size` is about: those of all kinds that can be pruned.
    pub prunable_bytes: u64,
    /// How many sessions of commands that run now; a command may have several.
    pub living_sessions: u64,
    /// How many sessions of commands that were killed.
    pub dead_sessions: u64,
}

/// What `cache prune` has removed, or would remove: its JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CachePruned {
    /// `distil.cache-prune/v1`.
    pub schema: String,
    /// The directory of the cache, whether it is there or not.
    pub directory: String,
    /// Whether nothing was changed, and this is only what would be removed.
    pub dry_run: bool,
    /// How many bytes of packages, fragments and derived values were asked to be left at most.
    pub max_size: u64,
    /// What was removed, by kind.
    pub removed: Vec<KindDocument>,
    /// What should have been removed, and stayed because a command that runs now may be using it.
    pub spared: TallyDocument,
    /// What is left of packages, fragments and derived values.
    pub left: TallyDocument,
}

/// Files of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct KindDocument {
    /// `packages`, `fragments`, `images` or `derived`, which can be pruned; `remembered`, which is never; `temporary`, of commands
    /// that run now; `abandoned`, of commands that were killed; `other`, what is not the cache's own.
    pub kind: String,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A number of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TallyDocument {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Whether pruning removes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneMode {
    /// It does.
    Remove,
    /// It only tells what it would remove.
    DryRun,
}

/// Looks at what the cache in a directory holds. Nothing is changed, and a cache that is not there is not made.
///
/// # Errors
/// [`CacheError`] where it cannot be read.
pub fn cache_status(dir: &Path) -> Result<CacheStatus, CacheError> {
    let usage = Usage::of(dir)?;
    let prunable = Kind::ALL.into_iter().filter(|kind| kind.is_prunable());
    Ok(CacheStatus {
        schema: "distil.cache-status/v1".to_owned(),
        directory: Escaped::path(dir).to_string(),
        kinds: Kind::ALL.map(|kind| KindDocument::new(kind, usage.tally(kind))).into(),
        prunable_bytes: prunable.map(|kind| usage.tally(kind).bytes).sum(),
        living_sessions: usage.living,
        dead_sessions: usage.dead,
    })
}

/// Removes packages, fragments and derived values, the least recently used first, until at most `max_size` bytes of them
/// are left; with 0 all of them. Builds may go on meanwhile, and keep what they use. No other verb prunes: a build leaves
/// the cache as large as it becomes.
///
/// # Errors
/// [`CacheError`] where it cannot be read or changed.
pub fn cache_prune(dir: &Path, max_size: u64, mode: PruneMode) -> Result<CachePruned, CacheError> {
    let pruned = match mode {
        PruneMode::Remove => prune(dir, max_size)?,
        PruneMode::DryRun => would_prune(dir, max_size)?,
    };
    Ok(CachePruned::new(dir, max_size, mode, &pruned))
}

impl CachePruned {
    fn new(dir: &Path, max_size: u64, mode: PruneMode, pruned: &Pruned) -> Self {
        let removed = Kind::ALL.map(|kind| KindDocument::new(kind, pruned.removed(kind)));
        Self {
            schema: "distil.cache-prune/v1".to_owned(),
            directory: Escaped::path(dir).to_string(),
            dry_run: mode == PruneMode::DryRun,
            max_size,
            removed: removed.into_iter().filter(|removed| removed.files > 0).collect(),
            spared: pruned.spared.into(),
            left: pruned.left.into(),
        }
    }
}

impl KindDocument {
    fn new(kind: Kind, Tally { files, bytes }: Tally) -> Self {
        let kind = match kind {
            Kind::Package => "packages",
            Kind::Fragment => "fragments",
            Kind::Image => "images",
            Kind::Derived => "derived",
            Kind::Remembered => "remembered",
            Kind::Temporary => "temporary",
            Kind::Abandoned => "abandoned",
            _ => "other",
        };
        Self { kind: kind.to_owned(), files, bytes }
    }
}

impl From<Tally> for TallyDocument {
    fn from(Tally { files, bytes }: Tally) -> Self {
        Self { files, bytes }
    }
}

#[cfg(test)]
mod tests {
    use distil_cache::Values;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_is_told_by_kind_and_pruned() {
        let dir = tempfile::tempdir().unwrap();
        let values = Values::open(dir.path()).unwrap();
        values.put("kind", "key", b"v").unwrap();
        values.update("kind", "key", |_| Some(b"v".to_vec())).unwrap();
        let derived = |removed: &[KindDocument]| removed.iter().find(|kind| kind.kind == "derived").cloned();
        let one = KindDocument { kind: "derived".to_owned(), files: 1, bytes: 41 };

        let status = cache_status(dir.path()).unwrap();
        assert_eq!((status.prunable_bytes, status.living_sessions, status.dead_sessions), (41, 1, 0));
        assert_eq!(derived(&status.kinds).unwrap(), one);
        let spared = cache_prune(dir.path(), 40, PruneMode::Remove).unwrap();
        assert_eq!((spared.removed, spared.left), (Vec::new(), TallyDocument { files: 1, bytes: 41 }));
        assert_eq!(spared.spared, spared.left);
        drop(values);

        let would = cache_prune(dir.path(), 40, PruneMode::DryRun).unwrap();
        assert_eq!(would.removed, [one]);
        assert_eq!(cache_status(dir.path()).unwrap().kinds, status_without_temporary(status.kinds));
        let pruned = cache_prune(dir.path(), 40, PruneMode::Remove).unwrap();
        assert_eq!(CachePruned { dry_run: false, ..would }, pruned);
        let document = serde_json::to_value(&pruned).unwrap();
        assert_eq!(document["removed"], json!([{ "kind": "derived", "files": 1, "bytes": 41 }]));
        assert_eq!(cache_status(dir.path()).unwrap().prunable_bytes, 0);
    }

    /// What is left when the only session, which has one file, its lock, has ended.
    fn status_without_temporary(mut kinds: Vec<KindDocument>) -> Vec<KindDocument> {
        kinds.iter_mut().filter(|kind| kind.kind == "temporary").for_each(|kind| kind.files -= 1);
        kinds
    }
}
