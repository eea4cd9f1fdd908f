//! A lock and the packages that it names, held against a recipe for a build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::{Lock, LockedPackage, LockedPlatform, PackageOrigin};
use distil_debunpack::{Control, PackageName};
use distil_imgcore::{Digest, Platform, Reference};
use distil_sbom::provenance::BaseSigners;

use super::draft::{Draft, Kept};
use super::error::{LockError, StaleReason};
use super::local::LocalPackages;
use super::mirrors::Mirrors;
use super::{LockWarning, asked, file, platforms};
use crate::base::Base;
use crate::build::plan::Plan;
use crate::package::Package;
use crate::parallel;
use crate::provision::{Debs, Provider, fetch};
use crate::recipe::Recipe;
use crate::shelf::{Rules, Shelf};

/// How a build uses the lock of its recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockUse {
    /// Where the lock is, or shall be.
    pub path: PathBuf,
    /// Whether there must be one, and whether the image must be the one that it records, if it does.
    pub required: bool,
    /// Whether the image is recorded in it.
    pub record: bool,
    /// Where packages lie that were vendored; nothing is fetched from anywhere else then.
    pub vendor: Option<PathBuf>,
}

/// What a recipe is built of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The recipe, no variant applied.
    pub(crate) recipe: &'a Recipe,
    pub(crate) variant: Option<&'a str>,
    pub(crate) dir: &'a Path,
    /// The platforms to build.
    pub(crate) platforms: &'a [Platform],
    pub(crate) host: &'a Platform,
    /// The time of the image, for a new lock.
    pub(crate) epoch: Option<i64>,
    pub(crate) lock: Option<&'a LockUse>,
}

/// By what a recipe is built.
#[derive(Debug)]
pub(crate) enum Standing<'a> {
    /// The lock that is there.
    Fitting(Box<Fitting<'a>>),
    /// Packages that were chosen just now.
    Fresh(Box<Held>),
}

/// A lock that fits its recipe, before any of its packages is looked for.
#[derive(Debug)]
pub(crate) struct Fitting<'a> {
    lock: Lock,
    local: BTreeMap<String, (Package, Digest)>,
    wanted: Wanted<'a>,
    base_signers: Option<BaseSigners>,
}

/// A lock, and the packages of one variant.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) lock: Lock,
    /// Each once.
    pub(crate) packages: Vec<Package>,
    pub(crate) sets: Vec<HeldSet>,
    pub(crate) warnings: Vec<LockWarning>,
    /// Whether the lock was made just now, and written.
    pub(crate) is_new: bool,
}

/// The packages of one platform.
#[derive(Debug)]
pub(crate) struct HeldSet {
    pub(crate) platform: Platform,
    /// Their places in [`Held::packages`], in the order of their names.
    pub(crate) members: Vec<usize>,
    /// Which of the members share a layer.
    pub(crate) plan: Plan,
}

impl<'a> Standing<'a> {
    /// Takes the lock that is there, if it fits, or makes one and fetches the packages.
    pub(crate) fn new(wanted: Wanted<'a>, provider: &Provider<'_>) -> Result<Self, LockError> {
        let stated = platforms(wanted.recipe, wanted.host);
        let strange = wanted.platforms.iter().find(|platform| !stated.contains(platform));
        let required = wanted.lock.is_some_and(|lock| lock.required);
        let all = stated.iter().all(|platform| wanted.platforms.contains(platform)) && strange.is_none();
        if wanted.lock.is_some_and(|lock| lock.record) && !all {
            return Err(LockError::PartialRecord);
        }
        match (wanted.lock, strange) {
            (Some(LockUse { path, .. }), Some(platform)) if required => {
                let reasons = vec![StaleReason::Platform(platform.clone())];
                Err(LockError::Stale { path: path.clone(), reasons })
            }
            (Some(LockUse { path, .. }), None) => match file::read(path)? {
                Some(lock) => {
                    Fitting::new(lock, path, &stated, wanted, provider).map(|fitting| Self::Fitting(Box::new(fitting)))
                }
                None if required => Err(LockError::Missing { path: path.clone() }),
                None => Held::afresh(stated, Some(path), wanted, provider).map(Self::fresh),
            },
            // A lock is for the platforms of its recipe, and what is built for others leaves none.
            (_, Some(_)) => Held::afresh(wanted.platforms.to_vec(), None, wanted, provider).map(Self::fresh),
            (None, None) => Held::afresh(stated, None, wanted, provider).map(Self::fresh),
        }
    }

    fn fresh(held: Held) -> Self {
        Self::Fresh(Box::new(held))
    }
}

impl Held {
    fn afresh(
        platforms: Vec<Platform>,
        write: Option<&Path>,
        wanted: Wanted<'_>,
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        let draft = Draft::new(wanted.recipe, wanted.dir, platforms, &Kept::default(), provider)?;
        let variants: Vec<&str> = wanted.variant.into_iter().collect();
        let debs = draft.fetch(&variants, provider)?;
        let lock = draft.lock(&debs, wanted.epoch, None)?;
        // A recipe of nothing but local packages leaves nothing to choose, and every new package would make its lock stale.
        let write = write.filter(|_| draft.has_choices());
        if let Some(path) = write {
            file::write(path, &lock)?;
        }
        let warnings = draft.warnings();
        let found = Found { shelved: BTreeMap::new(), debs, local: draft.into_local() };
        let held = Self::join(lock, found, warnings, wanted)?;
        Ok(Self { is_new: write.is_some(), ..held })
    }

    /// Puts the packages that a lock names to the platforms that have them.
    fn join(lock: Lock, mut found: Found, warnings: Vec<LockWarning>, wanted: Wanted<'_>) -> Result<Self, LockError> {
        let mut packages = Vec::new();
        let mut places: BTreeMap<&Digest, usize> = BTreeMap::new();
        let mut sets = Vec::new();
        for platform in wanted.platforms {
            let locked = lock.locked(wanted.variant).and_then(|locked| locked.platforms.get(platform));
            let locked = locked.ok_or_else(|| LockError::NoPackages { platform: platform.clone() })?;
            let mut members = Vec::new();
            for package in locked.packages() {
                if !places.contains_key(&package.sha256) {
                    let taken = match &package.origin {
                        PackageOrigin::Repository { path, .. } => {
                            let deb = found.debs.remove(&package.sha256).map(|deb| Package::verified(path, deb));
                            deb.or_else(|| found.shelved.remove(&package.sha256))
                        }
                        PackageOrigin::Local { path } => found.local.remove(path).map(|(package, _)| package),
                    };
                    places.insert(&package.sha256, packages.len());
                    packages.push(taken.ok_or_else(|| LockError::NoPackages { platform: platform.clone() })?);
                }
                members.extend(places.get(&package.sha256));
            }
            sets.push(HeldSet { platform: platform.clone(), members, plan: plan(locked) });
        }
        Ok(Self { lock, packages, sets, warnings, is_new: false })
    }
}

impl<'a> Fitting<'a> {
    fn new(
        lock: Lock,
        path: &Path,
        stated: &[Platform],
        wanted: Wanted<'a>,
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        let asked = asked::of_recipe(wanted.recipe, stated);
        let differences = lock.asked.differences(&asked);
        let mut reasons: Vec<StaleReason> = differences.into_iter().map(StaleReason::Recipe).collect();
        let local = if reasons.is_empty() {
            let recipe = match wanted.variant {
                Some(name) => wanted.recipe.with_variant(name)?,
                None => wanted.recipe.clone(),
            };
            let local = LocalPackages::open(std::iter::once(&recipe), wanted.dir, stated, provider)?;
            let local = local.into_paths(wanted.dir);
            reasons.extend(changed_files(&lock, wanted, &local));
            reasons.extend(changed_base(&lock, wanted, provider)?);
            local
        } else {
            BTreeMap::new()
        };
        if !reasons.is_empty() {
            return Err(LockError::Stale { path: path.to_owned(), reasons });
        }
        let base_signers = base_signers(&lock, wanted, provider)?;
        Ok(Self { lock, local, wanted, base_signers })
    }

    /// Who must have signed the base, which was verified.
    pub(crate) fn base_signers(&self) -> Option<&BaseSigners> {
        self.base_signers.as_ref()
    }

    /// The lock.
    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What somebody should know about it.
    pub(crate) fn warnings(&self) -> Vec<LockWarning> {
        let epoch = self.wanted.epoch.filter(|epoch| *epoch != self.lock.epoch);
        epoch.map(|asked| LockWarning::Epoch { asked, locked: self.lock.epoch }).into_iter().collect()
    }

    /// Fetches the packages. Those are left where they are of which fragments lie on a shelf, made by the rules beside it.
    pub(crate) fn take(self, kept: Option<(&Shelf, Rules<'_>)>, provider: &Provider<'_>) -> Result<Held, LockError> {
        let warnings = self.warnings();
        let Self { lock, local, wanted, .. } = self;
        let mut remote: BTreeMap<&Digest, &LockedPackage> = BTreeMap::new();
        for package in locked(&lock, wanted).flat_map(|(_, locked)| locked.packages()) {
            if matches!(package.origin, PackageOrigin::Repository { .. }) {
                remote.insert(&package.sha256, package);
            }
        }
        let shelved = shelved(&mut remote, lock.epoch, kept, provider)?;
        let debs = if remote.is_empty() {
            Debs::new()
        } else {
            let mirrors = Mirrors::new(&lock, wanted, provider)?;
            let remote = remote.into_values().filter_map(|package| mirrors.wanted(package, provider).transpose());
            fetch(remote.collect::<Result<_, _>>()?, provider)?
        };
        Held::join(lock, Found { shelved, debs, local }, warnings, wanted)
    }
}

/// Packages from everywhere.
struct Found {
    shelved: BTreeMap<Digest, Package>,
    debs: Debs,
    local: BTreeMap<String, (Package, Digest)>,
}

/// Takes the packages out of `remote` of which an earlier build made what this one needs.
fn shelved(
    remote: &mut BTreeMap<&Digest, &LockedPackage>,
    epoch: i64,
    shelf: Option<(&Shelf, Rules<'_>)>,
    provider: &Provider<'_>,
) -> Result<BTreeMap<Digest, Package>, LockError> {
    let Some((shelf, rules)) = shelf else { return Ok(BTreeMap::new()) };
    let rules = Rules { clamp: Some(epoch), ..rules };
    let asked: Vec<&LockedPackage> = remote.values().copied().collect();
    let found = parallel::map(provider.jobs, &asked, |package| {
        let PackageOrigin::Repository { path, .. } = &package.origin else { return Ok(None) };
        let found = shelf.find(&package.sha256, rules, &BTreeSet::new());
        let shelved = found.filter(|shelved| is_same(package, shelved.head.control()));
        Ok::<_, LockError>(shelved.map(|shelved| Package::shelved(path, package.size, package.sha256.clone(), shelved)))
    })?;
    let mut packages = BTreeMap::new();
    for (package, shelved) in asked.into_iter().zip(found) {
        if let Some(shelved) = shelved {
            remote.remove(&package.sha256);
            packages.insert(package.sha256.clone(), shelved);
        }
    }
    Ok(packages)
}

/// Whether a package is the one that a lock names: a lock that was written by hand may put any name to any digest.
fn is_same(package: &LockedPackage, control: &Control) -> bool {
    // As text: `1.0` and `1.00` are equal versions of two packages.
    *control.package() == package.name
        && control.version().to_string() == package.version.to_string()
        && *control.architecture() == package.architecture
}

/// The platforms to build with their packages, in the order asked for.
fn locked<'a>(lock: &'a Lock, wanted: Wanted<'a>) -> impl Iterator<Item = (&'a Platform, &'a LockedPlatform)> {
    let locked = lock.locked(wanted.variant);
    wanted.platforms.iter().filter_map(move |platform| Some((platform, locked?.platforms.get(platform)?)))
}

/// The layer plan in numbers of packages.
fn plan(locked: &LockedPlatform) -> Plan {
    let number = |name: &PackageName| locked.packages().iter().position(|package| package.name == *name);
    locked.layers().iter().map(|layer| layer.iter().filter_map(number).collect()).collect()
}

/// Local packages that are others than when the lock was made.
fn changed_files(lock: &Lock, wanted: Wanted<'_>, local: &BTreeMap<String, (Package, Digest)>) -> Vec<StaleReason> {
    let mut known: BTreeMap<&str, &Digest> = BTreeMap::new();
    let platforms = lock.locked(wanted.variant).into_iter().flat_map(|locked| locked.platforms.values());
    for package in platforms.flat_map(LockedPlatform::packages) {
        if let PackageOrigin::Local { path } = &package.origin {
            known.insert(path, &package.sha256);
        }
    }
    let mut reasons = Vec::new();
    for (path, (_, digest)) in local {
        match known.remove(path.as_str()) {
            Some(locked) if locked == digest => {}
            locked => reasons.push(StaleReason::Local { path: path.clone(), locked: locked.cloned() }),
        }
    }
    reasons.extend(known.into_keys().map(|path| StaleReason::LocalGone { path: path.to_owned() }));
    reasons
}

/// Images to start from that are others than when the lock was made. A registry is not asked: what a lock says of it stays
/// there under its digest, wherever the tag has moved.
fn changed_base(lock: &Lock, wanted: Wanted<'_>, provider: &Provider<'_>) -> Result<Vec<StaleReason>, LockError> {
    let Some(stated) = &wanted.recipe.base else { return Ok(Vec::new()) };
    let locked = lock.base.as_ref();
    let digest = locked.and_then(|locked| locked.digest.as_ref());
    let image = |platform: &Platform| locked.and_then(|locked| locked.platforms.get(platform)).cloned();
    let mut reasons = Vec::new();
    if let (Reference::Registry(name), Some(digest)) = (&stated.image, digest) {
        let other = name.digest().is_some_and(|stated| stated != digest);
        for platform in wanted.platforms {
            let locked = image(platform);
            if other || locked.is_none() {
                reasons.push(StaleReason::Base { platform: platform.clone(), locked, found: None });
            }
        }
        return Ok(reasons);
    }
    let base = Base::open(stated, wanted.dir, None, provider.places, &provider.session)?;
    for platform in wanted.platforms {
        let found = base.digest(platform)?;
        let locked = image(platform);
        if locked.as_ref() != Some(&found) {
            reasons.push(StaleReason::Base { platform: platform.clone(), locked, found: Some(found) });
        }
    }
    // The index gets into annotations, whatever platforms it has beside those that are built.
    if reasons.is_empty() && digest.is_some_and(|locked| locked != base.descriptor().digest()) {
        reasons.push(StaleReason::BaseIndex);
    }
    Ok(reasons)
}

/// Verifies the base of a lock, where the recipe says who must have signed it: an image that was built before is not given out
/// either without that.
fn base_signers(lock: &Lock, wanted: Wanted<'_>, provider: &Provider<'_>) -> Result<Option<BaseSigners>, LockError> {
    let Some(stated) = wanted.recipe.base.as_ref().filter(|base| base.trust.is_some()) else { return Ok(None) };
    let digest = lock.base.as_ref().and_then(|locked| locked.digest.as_ref());
    let base = Base::open(stated, wanted.dir, digest, provider.places, &provider.session)?;
    Ok(base.signers().cloned())
}
