//! Which packages each platform gets.

use std::collections::{BTreeMap, BTreeSet};

use distil_aptrepo::{
    Candidate, Chosen, Offered, Origin, Request, Resolution, Universe, Wanted, Why, resolve, resolve_platforms, why,
};
use distil_debunpack::{Architecture, Control, PackageName, Version};
use distil_imgcore::Platform;

use super::market::Market;
use crate::lock::LockError;
use crate::package::Package;
use crate::recipe::Recipe;

/// What is to be resolved: a recipe, with a variant applied or none.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) recipe: &'a Recipe,
    /// The packages that lie here as files and that it names, each with the place that stands for it.
    pub(crate) local: Vec<(usize, &'a Package)>,
    /// What the base holds for each platform; nothing without one.
    pub(crate) base: &'a BTreeMap<Platform, Vec<Control>>,
}

/// The versions that were chosen before, for each platform.
pub(crate) type Versions = BTreeMap<Platform, BTreeMap<PackageName, Version>>;

/// What was chosen for one platform.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) platform: Platform,
    pub(crate) resolution: Resolution,
    /// The packages that have to be added to the base, in the order of their names.
    pub(crate) picked: Vec<Picked>,
    /// Packages that could have been newer on this platform alone, with that version.
    pub(crate) held_back: Vec<(PackageName, Version, Version)>,
}

/// A package that has to be added.
#[derive(Debug, Clone)]
pub(crate) enum Picked {
    /// Out of a repository: its place in [`Market::repositories`].
    Remote { repository: usize, candidate: Box<Candidate> },
    /// A file: its place.
    Local(usize),
}

/// The package that makes an image a Debian system for those that look at it: see os-release(5).
const BASE_FILES: &str = "base-files";

/// Chooses packages for every platform, so that all have the same source versions. What was chosen before stays where it
/// can.
pub(crate) fn choose(
    target: &Target<'_>,
    platforms: &[Platform],
    market: &Market,
    kept: &Versions,
) -> Result<Vec<Choice>, LockError> {
    let stalls =
        platforms.iter().map(|platform| Stall::new(target, platform, market)).collect::<Result<Vec<_>, _>>()?;
    let questions: Vec<(Universe<'_>, Wanted)> =
        stalls.iter().map(|stall| (stall.universe(), stall.wanted(target.recipe, kept))).collect();
    let resolutions = resolve_platforms(&questions).map_err(|source| LockError::Unresolvable(Box::new(source)))?;
    let choices = stalls.iter().zip(&questions).zip(resolutions).map(|((stall, question), resolution)| {
        // A single platform is held back by none.
        let alone = (platforms.len() > 1).then(|| resolve(&question.0, &question.1).ok()).flatten();
        stall.choice(resolution, alone.as_ref())
    });
    Ok(choices.collect())
}

/// Why a package is in what was chosen for a platform, or is not.
pub(crate) fn explain(
    target: &Target<'_>,
    choice: &Choice,
    market: &Market,
    name: &PackageName,
) -> Result<Why, LockError> {
    let stall = Stall::new(target, &choice.platform, market)?;
    let wanted = stall.wanted(target.recipe, &Versions::new());
    Ok(why(&stall.universe(), &wanted, &choice.resolution, name))
}

/// What one platform can choose from.
struct Stall<'a> {
    platform: &'a Platform,
    architecture: Architecture,
    offered: Vec<Offered<'a>>,
    /// For each of the offered indices the repository that it is from.
    repositories: Vec<usize>,
    local: Vec<Control>,
    /// For each of these the place that stands for it.
    places: Vec<usize>,
    base: &'a [Control],
}

impl<'a> Stall<'a> {
    fn new(target: &Target<'a>, platform: &'a Platform, market: &'a Market) -> Result<Self, LockError> {
        let architecture = architecture_of(platform)?;
        let suits = |package: &Package| {
            let of = package.control().architecture();
            of.is_all() || *of == architecture
        };
        let local = target.local.iter().filter(|(_, package)| suits(package));
        let (places, local) = local.map(|(place, package)| (*place, package.control().clone())).unzip();
        let (offered, repositories) = market.offered(&architecture);
        let base = target.base.get(platform).map(Vec::as_slice).unwrap_or_default();
        Ok(Self { platform, architecture, offered, repositories, local, places, base })
    }

    fn universe(&self) -> Universe<'_> {
        Universe {
            architecture: self.architecture.clone(),
            indices: &self.offered,
            local: &self.local,
            base: self.base,
        }
    }

    fn wanted(&self, recipe: &Recipe, kept: &Versions) -> Wanted {
        let debian = &recipe.debian;
        let exclude: BTreeSet<PackageName> = debian.exclude.iter().map(|e| e.package.clone()).collect();
        let mut requests: Vec<Request> = debian.packages.iter().map(|asked| asked.request.clone()).collect();
        let asked = |name: &str| requests.iter().any(|request| request.package().as_str() == name);
        let here = self.local.iter().chain(self.base).any(|control| control.package().as_str() == BASE_FILES);
        let offered = self.offered.iter().any(|offered| offered.index.named(BASE_FILES).next().is_some());
        if let Ok(base_files) = BASE_FILES.parse::<PackageName>()
            && offered
            && !here
            && !asked(BASE_FILES)
            && !exclude.contains(&base_files)
        {
            requests.push(Request::of(base_files));
        }
        let keep = kept.get(self.platform).cloned().unwrap_or_default();
        Wanted { requests, exclude, recommends: debian.recommends, keep, limits: BTreeMap::new() }
    }

    fn choice(&self, resolution: Resolution, alone: Option<&Resolution>) -> Choice {
        let pick = |origin: &Origin| match origin {
            Origin::Base(_) => None,
            Origin::Local(i) => self.places.get(*i).map(|place| Picked::Local(*place)),
            Origin::Index { offered, candidate } => {
                let repository = *self.repositories.get(*offered)?;
                Some(Picked::Remote { repository, candidate: candidate.clone() })
            }
        };
        let picked = resolution.packages.iter().filter_map(|chosen| pick(&chosen.origin)).collect();
        let newer = |chosen: &Chosen| {
            let alone = alone?.packages.iter().find(|other| other.name == chosen.name)?;
            let newer = alone.version > chosen.version;
            newer.then(|| (chosen.name.clone(), chosen.version.clone(), alone.version.clone()))
        };
        let held_back = resolution.packages.iter().filter_map(newer).collect();
        Choice { platform: self.platform.clone(), resolution, picked, held_back }
    }
}

/// Debian's name for what a platform needs.
pub(crate) fn architecture_of(platform: &Platform) -> Result<Architecture, LockError> {
    let name = platform.debian_architecture().and_then(|name| name.parse().ok());
    name.ok_or_else(|| LockError::Platform(platform.clone()))
}

impl Choice {
    /// The versions that were chosen.
    pub(crate) fn versions(&self) -> BTreeMap<PackageName, Version> {
        self.resolution.packages.iter().map(|chosen| (chosen.name.clone(), chosen.version.clone())).collect()
    }
}
