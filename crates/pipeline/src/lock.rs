//! The lock of a recipe: made, renewed, compared.

mod asked;
mod document;
mod draft;
mod error;
mod evidence;
mod file;
mod held;
mod local;
mod mirrors;
mod proof;
mod vendor;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use distil_aptrepo::lock::{Change, Difference};
use distil_aptrepo::lock::{Lock, LockedBase, LockedPlatform, RepositoryEvidence};
use distil_cache::Session;
use distil_debunpack::{Architecture, PackageName, Version};
use distil_imgcore::{Digest, Escaped, Platform};

pub use document::LockDocument;
pub(crate) use draft::{Draft, Kept};
pub use error::{LockError, StaleReason};
pub use file::lock_path;
pub(crate) use file::{read, write};
pub use held::LockUse;
pub(crate) use held::{Fitting, Held, HeldSet, Standing, Wanted};
pub use proof::Proof;

use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::provision::{Market, Provider, architecture_of};
use crate::recipe::Recipe;
use crate::sources;

/// What to lock.
#[derive(Debug)]
pub struct LockRequest<'a> {
    /// The recipe, no variant applied.
    pub recipe: &'a Recipe,
    /// Where the files lie that it names.
    pub dir: &'a Path,
    /// Where its lock is, or shall be.
    pub path: &'a Path,
    /// What is wanted.
    pub action: LockAction,
    /// Where to put what a build without network needs. With [`LockAction::Check`], where it was put: the lock is held against
    /// that then, with no network, and nothing is chosen.
    pub vendor: Option<PathBuf>,
    /// The platform of this machine, for a recipe that names none.
    pub host: Platform,
    /// `SOURCE_DATE_EPOCH`: the time of images in seconds since 1970, in place of that of their newest package.
    pub epoch: Option<i64>,
    /// How many threads work. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The directory for what is kept between runs.
    pub cache_dir: PathBuf,
    /// The machine and the network.
    pub machine: Machine,
    /// Set to true from elsewhere, ends the work soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// What is wanted of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockAction {
    /// The newest versions of everything.
    Renew,
    /// The newest versions of these, and of what must move with them.
    Update(Vec<PackageName>),
    /// To know what would change.
    Check,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locking {
    /// How the packages differ from those of the lock that was there.
    pub changes: Vec<Change>,
    /// How the base image differs, where it does.
    pub base: Option<BaseChange>,
    /// How the recipe differs from the one that the lock was made for that was there.
    pub differences: Vec<Difference>,
    /// How many .debs the lock holds.
    pub packages: usize,
    /// What somebody should know, none of it a reason to stop.
    pub warnings: Vec<LockWarning>,
    /// What a vendored directory proves, where that was asked.
    pub proof: Option<Proof>,
}

/// Another base image than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseChange {
    /// The digest before; none where there was no base, or the lock did not say.
    pub from: Option<Digest>,
    /// The digest now; none where there is no base any more.
    pub to: Option<Digest>,
}

impl BaseChange {
    fn between(old: Option<&LockedBase>, new: Option<&LockedBase>) -> Option<Self> {
        let same = match (old, new) {
            (Some(old), Some(new)) => {
                old.platforms == new.platforms && (old.digest.is_none() || old.digest == new.digest)
            }
            (old, new) => old.is_none() && new.is_none(),
        };
        let digest = |base: Option<&LockedBase>| base.and_then(|base| base.digest.clone());
        (!same).then(|| Self { from: digest(old), to: digest(new) })
    }
}

/// Something in a recipe that is unlikely to be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockWarning {
    /// A package is excluded that nothing brings in.
    #[error("{platform}: nothing depends on {package}, which is excluded")]
    UnusedExclude {
        /// The platform.
        platform: Platform,
        /// The package.
        package: PackageName,
    },
    /// A suite has nothing for an architecture, as its signed file says.
    #[error("{} has no packages for {architecture}: they come from the other suites alone", Escaped(.suite.as_bytes()))]
    NoArchitecture {
        /// The suite.
        suite: String,
        /// The architecture.
        architecture: Architecture,
    },
    /// A platform could have a newer version of a package, and does not get it, since another platform has none.
    #[error("{platform}: {package} is {chosen}, not {newest}, so that all platforms have the same")]
    HeldBack {
        /// The platform.
        platform: Platform,
        /// The package.
        package: PackageName,
        /// The version that was chosen.
        chosen: Version,
        /// The newest version that the platform could have.
        newest: Version,
    },
    /// The variable `SOURCE_DATE_EPOCH` is set to another time than the lock has, and the lock counts.
    #[error("SOURCE_DATE_EPOCH is {asked}, and the lock was made with {locked}, which counts")]
    Epoch {
        /// The time of the variable.
        asked: i64,
        /// The time of the lock.
        locked: i64,
    },
}

impl Locking {
    /// Whether the lock that was there says what a new one would.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let proved = self.proof.as_ref().is_none_or(|proof| proof.findings.is_empty());
        self.changes.is_empty() && self.base.is_none() && self.differences.is_empty() && proved
    }
}

/// Chooses the packages of a recipe and of its variants, fetches them, and writes down what was chosen and why it can be
/// trusted. The lock is written last, and whole or not at all.
///
/// # Errors
/// [`LockError`]; its methods tell apart what was asked for wrongly, what is out of date and what failed.
pub fn lock(request: &LockRequest<'_>, progress: &dyn Progress) -> Result<Locking, LockError> {
    let old = read(request.path)?;
    let kept = match (&request.action, &old) {
        (LockAction::Renew | LockAction::Check, _) => Kept::default(),
        (LockAction::Update(names), Some(old)) => Kept::of(old, names, request.path)?,
        (LockAction::Update(_), None) => return Err(LockError::Missing { path: request.path.to_owned() }),
    };
    if request.action == LockAction::Check {
        let missing = || LockError::Missing { path: request.path.to_owned() };
        let old = old.as_ref().ok_or_else(missing)?;
        if let Some(dir) = &request.vendor {
            return check_vendored(old, dir, request);
        }
    }
    let places = Places::new(&request.machine, progress, request.cancelled);
    let provider = Provider::new(&places, &Session::start(&request.cache_dir)?, request.jobs)?;
    let platforms = platforms(request.recipe, &request.host);
    let draft = Draft::new(request.recipe, request.dir, platforms, &kept, &provider)?;
    if let Some(old) = &old {
        refuse_older(&draft.market, old, request.path)?;
    }
    let variants: Vec<&str> = request.recipe.variants().collect();
    let debs = draft.fetch(&variants, &provider)?;
    let mut lock = draft.lock(&debs, request.epoch, old.as_ref())?;
    if let Some(old) = &old {
        keep_results(&mut lock, old);
    }
    let locking = Locking {
        changes: lock.changes(old.as_ref()),
        base: BaseChange::between(old.as_ref().and_then(|old| old.base.as_ref()), lock.base.as_ref()),
        differences: old.as_ref().map(|old| old.asked.differences(&lock.asked)).unwrap_or_default(),
        packages: count(&lock),
        warnings: draft.warnings(),
        proof: None,
    };
    if let Some(dir) = &request.vendor {
        vendor::write(dir, &draft.market, &lock, &debs, &provider)?;
    }
    if request.action != LockAction::Check {
        write(request.path, &lock)?;
    }
    Ok(locking)
}

/// Refuses a repository that is older than the one that a lock was made from, unless either is of a stated time.
fn refuse_older(market: &Market, lock: &Lock, path: &Path) -> Result<(), LockError> {
    for repository in &market.repositories {
        let now = evidence::evidence(repository);
        let same = |before: &&RepositoryEvidence| {
            (&before.suite, &before.origin, &before.label, &before.codename, before.primary_key)
                == (&now.suite, &now.origin, &now.label, &now.codename, now.primary_key)
        };
        let before = lock.repositories.iter().find(same);
        if let Some(before) = before.filter(|before| before.date > now.date)
            && before.snapshot.is_none()
            && now.snapshot.is_none()
        {
            let (date, locked, path) = (now.date, before.date, path.to_owned());
            return Err(LockError::RolledBack { suite: now.suite, date, locked, path });
        }
    }
    Ok(())
}

/// Holds a lock against its recipe and against a directory that was vendored with it.
fn check_vendored(lock: &Lock, dir: &Path, request: &LockRequest<'_>) -> Result<Locking, LockError> {
    let platforms = platforms(request.recipe, &request.host);
    let architectures = platforms.iter().map(architecture_of).collect::<Result<Vec<_>, _>>()?;
    let sources = sources::of_recipe(request.recipe, request.dir, &architectures, &request.machine)?;
    Ok(Locking {
        changes: Vec::new(),
        base: None,
        differences: lock.asked.differences(&asked::of_recipe(request.recipe, &platforms)),
        packages: count(lock),
        warnings: Vec::new(),
        proof: Some(proof::check(lock, dir, &sources)?),
    })
}

/// The platforms that a recipe is for.
pub(crate) fn platforms(recipe: &Recipe, host: &Platform) -> Vec<Platform> {
    if recipe.platforms.is_empty() { vec![host.clone()] } else { recipe.platforms.clone() }
}

/// A recorded image is that of the new lock, too, where nothing changed that decides on it.
fn keep_results(lock: &mut Lock, old: &Lock) {
    if (lock.epoch, &lock.base, &lock.asked.layers) != (old.epoch, &old.base, &old.asked.layers) {
        return;
    }
    if lock.main.platforms == old.main.platforms {
        lock.main.result.clone_from(&old.main.result);
    }
    for (name, variant) in &mut lock.variants {
        if let Some(old) = old.variants.get(name).filter(|old| old.platforms == variant.platforms) {
            variant.result.clone_from(&old.result);
        }
    }
}

/// How many different .debs a lock holds.
fn count(lock: &Lock) -> usize {
    let all = std::iter::once(&lock.main).chain(lock.variants.values());
    let packages = all.flat_map(|locked| locked.platforms.values()).flat_map(LockedPlatform::packages);
    packages.map(|package| &package.sha256).collect::<std::collections::BTreeSet<_>>().len()
}
