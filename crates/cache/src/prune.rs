//! Keeping the cache within bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::CacheError;
use crate::folder::Folder;
use crate::gate::Gate;
use crate::kind::Kind;
use crate::session::{self, SESSIONS, Sessions, lock_file};
use crate::usage::Tally;
use crate::walk::{Found, Walk};

/// What pruning has done, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    removed: BTreeMap<Kind, Tally>,
    /// What should have gone, and stayed because a living session may be using it.
    pub spared: Tally,
    /// What is left of all that can be pruned.
    pub left: Tally,
}

impl Pruned {
    /// What was removed of a kind.
    #[must_use]
    pub fn removed(&self, kind: Kind) -> Tally {
        self.removed.get(&kind).copied().unwrap_or_default()
    }
}

/// Removes packages, fragments and derived values, the least recently used first, until what is left of them has at most
/// `max_size` bytes; with 0, all of them. What killed processes left behind goes as well, of whatever size.
///
/// What was used since the oldest living session started stays, for that session may hold its path. What is remembered,
/// the files of living sessions and whatever is not the cache's own stay always. Others may use the cache meanwhile, or
/// prune it too; they wait for some dozens of files at most. A prune that is killed has removed less, and harmed nothing.
///
/// Nothing else removes what is sound: a cache grows until somebody calls this.
///
/// ```
/// use distil_cache::{Kind, Values, prune};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// Values::open(dir.path())?.put("length-1", "a key of any length", b"19")?;
/// let pruned = prune(dir.path(), 0)?;
/// assert_eq!(pruned.removed(Kind::Derived).files, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`CacheError`] where the cache cannot be read, locked or changed. What was removed by then stays so.
pub fn prune(root: &Path, max_size: u64) -> Result<Pruned, CacheError> {
    let walk = Walk::below(root)?;
    let mut ledger = Ledger::new(&walk, max_size);
    // What is no cache is not made one.
    if walk.files.iter().all(|file| file.kind == Kind::Other) && walk.sessions.dead.is_empty() {
        return Ok(ledger.pruned);
    }
    let sessions = root.join(SESSIONS);
    crate::new_file::make_dir(&sessions)?;
    let gate = Gate::open(&sessions)?;
    gate.alone(|| session::remove_abandoned(&sessions))?;
    for file in walk.files.iter().filter(|file| file.is_key_lock) {
        remove_left_lock(&root.join(&file.path));
    }
    for batch in least_recent_first(&walk).chunks(BATCH) {
        if ledger.is_within() {
            break;
        }
        gate.alone(|| prune_batch(root, batch, &mut ledger))??;
        // Whoever waited for it goes first.
        thread::sleep(PAUSE);
    }
    Ok(ledger.pruned)
}

/// What [`prune`] would do now. Nothing is changed.
///
/// # Errors
/// [`CacheError`] where the cache cannot be read.
pub fn would_prune(root: &Path, max_size: u64) -> Result<Pruned, CacheError> {
    let walk = Walk::below(root)?;
    let mut ledger = Ledger::new(&walk, max_size);
    for file in least_recent_first(&walk) {
        if ledger.is_within() {
            break;
        }
        ledger.enter(file, if walk.sessions.may_use(file.used) { Fate::Spared } else { Fate::Removed });
    }
    Ok(ledger.pruned)
}

/// Files that are removed while others wait.
const BATCH: usize = 32;
const PAUSE: Duration = Duration::from_millis(1);

fn least_recent_first(walk: &Walk) -> Vec<&Found> {
    let mut files: Vec<&Found> = walk.files.iter().filter(|file| file.kind.is_prunable()).collect();
    files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    files
}

/// Removes the least of these files that are enough. Nobody starts a session or looks anything up meanwhile, so that
/// whoever may be using one has either marked it, or will not find it.
fn prune_batch(root: &Path, batch: &[&Found], ledger: &mut Ledger) -> Result<(), CacheError> {
    let sessions = Sessions::find(&root.join(SESSIONS))?;
    let mut folders = BTreeSet::new();
    for file in batch {
        if ledger.is_within() {
            break;
        }
        let fate = remove(root, file, &sessions).map_err(CacheError::at("remove", &root.join(&file.path)))?;
        ledger.enter(file, fate);
        folders.extend(file.path.parent());
    }
    for folder in folders {
        if let (Some(above), Some(name)) = (folder.parent(), folder.file_name())
            && let Ok(Some(above)) = Folder::open(root, above)
        {
            above.remove_empty(name);
        }
    }
    Ok(())
}

fn remove(root: &Path, file: &Found, sessions: &Sessions) -> io::Result<Fate> {
    let (Some(folder), Some(name)) = (file.path.parent(), file.path.file_name()) else { return Ok(Fate::Gone) };
    let Some(folder) = Folder::open(root, folder)? else { return Ok(Fate::Gone) };
    let Some(metadata) = folder.look(name)?.filter(fs::Metadata::is_file) else { return Ok(Fate::Gone) };
    let used = crate::used::Moment::of(&metadata);
    // Used since it was found, it is not the least recently used any more.
    if used != file.used || sessions.may_use(used) {
        return Ok(Fate::Spared);
    }
    folder.remove(name)?;
    Ok(Fate::Removed)
}

/// Removes a lock on a key whose holder was killed. Where somebody takes it at this moment, two make the same file, which
/// costs time alone.
fn remove_left_lock(path: &Path) {
    if let Ok(file) = lock_file(path)
        && file.try_lock().is_ok()
    {
        let _: io::Result<()> = fs::remove_file(path);
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Removed,
    Spared,
    /// Somebody else has removed it.
    Gone,
}

/// Keeps count.
#[derive(Debug)]
struct Ledger {
    pruned: Pruned,
    max_size: u64,
}

impl Ledger {
    fn new(walk: &Walk, max_size: u64) -> Self {
        let mut pruned = Pruned::default();
        for file in &walk.files {
            match file.kind {
                Kind::Abandoned => pruned.removed.entry(file.kind).or_default().add(file.size),
                kind if kind.is_prunable() => pruned.left.add(file.size),
                _ => {}
            }
        }
        Self { pruned, max_size }
    }

    /// Whether enough was removed, or would have been but for what is in use.
    fn is_within(&self) -> bool {
        let Tally { files, bytes } = self.pruned.left;
        let spared = self.pruned.spared;
        // An empty cache has no empty files either.
        files == spared.files || self.max_size > 0 && bytes.saturating_sub(spared.bytes) <= self.max_size
    }

    fn enter(&mut self, file: &Found, fate: Fate) {
        let left = &mut self.pruned.left;
        match fate {
            Fate::Spared => return self.pruned.spared.add(file.size),
            Fate::Removed => self.pruned.removed.entry(file.kind).or_default().add(file.size),
            Fate::Gone => {}
        }
        *left = Tally { files: left.files.saturating_sub(1), bytes: left.bytes.saturating_sub(file.size) };
    }
}

#[cfg(test)]
mod tests;
