//! The packages of a build, and which of them each platform gets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use distil_aptrepo::lock::Lock;
use distil_cache::Session;
use distil_debunpack::Architecture;
use distil_imgcore::Platform;

use super::error::BuildError;
use super::plan::Plan;
use super::{BuildRequest, What};
use crate::lock::{Fitting, Held, HeldSet, LockWarning, Standing, Wanted};
use crate::package::Package;
use crate::parallel;
use crate::places::Places;
use crate::provision::Provider;
use crate::recipe::Recipe;
use crate::shelf::{Rules, Shelf};

/// All packages of a build, each once.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) packages: Vec<Package>,
    /// The platforms in the order asked for.
    pub(super) sets: Vec<Set>,
    /// The time of the image, where there is anything to take it from.
    pub(super) epoch: Option<i64>,
    /// The lock by which they were chosen.
    pub(super) lock: Option<Box<Lock>>,
    pub(super) warnings: Vec<LockWarning>,
    /// Whether that lock was made just now, and written.
    pub(super) is_new: bool,
}

/// The packages of one platform.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) platform: Platform,
    /// Their places in [`Supply::packages`], in the order of their names.
    pub(super) members: Vec<usize>,
    /// Which of the members share a layer, where a lock says so.
    pub(super) plan: Option<Plan>,
}

/// Where the packages of a build come from, before they are taken.
pub(super) enum Prospect<'a> {
    /// From the lock of the recipe.
    Lock { fitting: Box<Fitting<'a>>, provider: Box<Provider<'a>> },
    /// They are there.
    There(Supply),
}

impl<'a> Prospect<'a> {
    /// Looks what is asked for.
    pub(super) fn new(
        request: &'a BuildRequest<'_>,
        platforms: &'a [Platform],
        places: &'a Places<'a>,
        session: &Session,
    ) -> Result<Self, BuildError> {
        let (recipe, variant, dir, lock) = match &request.what {
            What::Recipe { recipe, variant, dir, lock } => (recipe, variant, dir, lock),
            What::Packages { debs, .. } => return Supply::of_files(debs, request).map(Self::There),
        };
        let provider = Provider::new(places, session, request.jobs)?;
        let wanted = Wanted {
            recipe,
            variant: variant.as_deref(),
            dir,
            platforms,
            host: &request.host,
            epoch: request.epoch,
            lock: lock.as_ref(),
        };
        Ok(match Standing::new(wanted, &provider)? {
            Standing::Fitting(fitting) => Self::Lock { fitting, provider: Box::new(provider) },
            Standing::Fresh(held) => Self::There(Supply::of_held(*held)),
        })
    }

    /// The packages. Those of a lock of which `kept` has what will be needed are not fetched.
    pub(super) fn supply(self, kept: Option<(&Shelf, Rules<'_>)>) -> Result<Supply, BuildError> {
        match self {
            Self::Lock { fitting, provider } => Ok(Supply::of_held(fitting.take(kept, &provider)?)),
            Self::There(supply) => Ok(supply),
        }
    }
}

/// The platforms that a recipe is built for, in the order asked for.
pub(super) fn platforms_of(recipe: &Recipe, request: &BuildRequest<'_>) -> Result<Vec<Platform>, BuildError> {
    distinct(if request.platforms.is_empty() { &recipe.platforms } else { &request.platforms }, &request.host)
}

impl Supply {
    /// Whether there are packages that were not fetched.
    pub(super) fn has_shelved(&self) -> bool {
        self.packages.iter().any(|package| package.converted().is_some())
    }

    /// The packages of a recipe.
    fn of_held(held: Held) -> Self {
        let Held { lock, packages, sets, warnings, is_new } = held;
        let set = |set: HeldSet| Set { platform: set.platform, members: set.members, plan: Some(set.plan) };
        let sets = sets.into_iter().map(set).collect();
        Self { packages, sets, epoch: Some(lock.epoch), lock: Some(Box::new(lock)), warnings, is_new }
    }

    /// Packages as they lie on disk, each for the platforms that its architecture suits.
    fn of_files(debs: &[PathBuf], request: &BuildRequest<'_>) -> Result<Self, BuildError> {
        // Patterns of a shell may name one file twice.
        let debs: Vec<&PathBuf> = debs.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut packages =
            parallel::map(request.jobs, &debs, |path| Package::open(path).map_err(BuildError::package(path)))?;
        let platforms = platforms(request, &packages)?;
        // Packages of platforms that are left out count, so that each image is the same with and without the others.
        let newest = packages.iter().map(|package| package.head().control_time()).max();
        packages.retain(|package| platforms.iter().any(|platform| is_for(package, platform)));
        let sets = platforms.into_iter().map(|platform| Set::fitting(platform, &packages)).collect::<Result<_, _>>()?;
        Ok(Self { packages, sets, epoch: request.epoch.or(newest), lock: None, warnings: Vec::new(), is_new: false })
    }
}

impl Set {
    fn fitting(platform: Platform, packages: &[Package]) -> Result<Self, BuildError> {
        let mut chosen: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, package) in packages.iter().enumerate().filter(|(_, package)| is_for(package, &platform)) {
            if let Some(first) = chosen.insert(package.name(), i).and_then(|first| packages.get(first)) {
                return Err(BuildError::PackageTwice {
                    name: package.name().to_owned(),
                    first: first.path().to_owned(),
                    second: package.path().to_owned(),
                });
            }
        }
        Ok(Self { members: chosen.into_values().collect(), platform, plan: None })
    }
}

/// The platforms to build packages as they are for, in the order asked for. Every package must be for one of them.
fn platforms(request: &BuildRequest<'_>, packages: &[Package]) -> Result<Vec<Platform>, BuildError> {
    let asked = if request.platforms.is_empty() {
        let architectures: BTreeSet<&str> = packages
            .iter()
            .map(|p| p.control().architecture())
            .filter(|a| !a.is_all())
            .map(Architecture::as_str)
            .collect();
        architectures.into_iter().filter_map(|a| Platform::from_debian_architecture(a).ok()).collect()
    } else {
        request.platforms.clone()
    };
    let platforms = distinct(&asked, &request.host)?;
    match packages.iter().find(|package| !platforms.iter().any(|platform| is_for(package, platform))) {
        None => Ok(platforms),
        Some(package) => Err(BuildError::Architecture {
            path: package.path().to_owned(),
            architecture: package.control().architecture().to_string(),
            platforms,
        }),
    }
}

/// Platforms that were asked for, each once; that of this machine where none were. Debian must know them.
fn distinct(asked: &[Platform], host: &Platform) -> Result<Vec<Platform>, BuildError> {
    let mut seen = BTreeSet::new();
    let asked = if asked.is_empty() { std::slice::from_ref(host) } else { asked };
    let platforms: Vec<Platform> = asked.iter().filter(|platform| seen.insert(*platform)).cloned().collect();
    match platforms.iter().find(|platform| platform.debian_architecture().is_none()) {
        Some(strange) => Err(BuildError::Platform(strange.clone())),
        None => Ok(platforms),
    }
}

fn is_for(package: &Package, platform: &Platform) -> bool {
    let architecture = package.control().architecture();
    architecture.is_all() || platform.debian_architecture() == Some(architecture.as_str())
}
