//! What a recipe and its variants resolve to, before it is written down.

use std::collections::BTreeMap;
use std::path::Path;

use distil_aptrepo::lock::{Lock, Locked, LockedBase, LockedPackage, LockedPlatform, PackageOrigin};
use distil_aptrepo::{Candidate as Offer, WantedDeb, Why};
use distil_debunpack::{Control, PackageName, Version};
use distil_imgcore::{Digest, Platform, Reference};
use url::Url;

use super::error::LockError;
use super::local::LocalPackages;
use super::{LockWarning, asked, evidence};
use crate::base::{Base, layers_on};
use crate::build::plan::{self, Candidate, NoRoom};
use crate::package::Package;
use crate::progress::Phase;
use crate::provision::{
    Choice, Debs, Market, Picked, Provider, Target, Versions, architecture_of, choose, explain, fetch,
};
use crate::recipe::{Recipe, Sources};
use crate::sources::{self, SourcesError};

/// The versions of an older lock that shall stay, for the recipe itself (no name) and for each of its variants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    versions: BTreeMap<Option<String>, Versions>,
    /// The base image.
    base: Option<Digest>,
}

impl Kept {
    /// All versions of a lock but those of some packages, each of which the lock must have.
    pub(crate) fn of(lock: &Lock, moving: &[PackageName], path: &Path) -> Result<Self, LockError> {
        let has = |name: &PackageName| {
            let all = std::iter::once(&lock.main).chain(lock.variants.values());
            all.flat_map(|locked| locked.platforms.values()).any(|platform| platform.package(name).is_some())
        };
        if let Some(name) = moving.iter().find(|name| !has(name)) {
            return Err(LockError::NotLocked { path: path.to_owned(), name: name.clone() });
        }
        let versions = |locked: &Locked| -> Versions {
            let stay = |platform: &LockedPlatform| {
                let stay = platform.packages().iter().filter(|package| !moving.contains(&package.name));
                stay.map(|package| (package.name.clone(), package.version.clone())).collect()
            };
            locked.platforms.iter().map(|(platform, locked)| (platform.clone(), stay(locked))).collect()
        };
        let variants = lock.variants.iter().map(|(name, locked)| (Some(name.clone()), versions(locked)));
        let versions = std::iter::once((None, versions(&lock.main))).chain(variants).collect();
        Ok(Self { versions, base: None })
    }

    /// The same with the base image of the lock.
    pub(crate) fn with_base(self, lock: &Lock) -> Self {
        Self { base: lock.base.as_ref().and_then(|base| base.digest.clone()), ..self }
    }

    fn of_variant(&self, name: Option<&str>) -> Versions {
        self.versions.get(&name.map(str::to_owned)).cloned().unwrap_or_default()
    }
}

/// What a recipe and its variants resolve to.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    recipe: &'a Recipe,
    dir: &'a Path,
    platforms: Vec<Platform>,
    pub(super) market: Market,
    local: LocalPackages,
    base: BaseFacts,
    /// What was chosen for the recipe itself (no name) and for each variant, platform by platform.
    chosen: BTreeMap<Option<String>, Vec<Choice>>,
}

/// What a lock needs to know of the base.
#[derive(Debug, Default)]
struct BaseFacts {
    packages: BTreeMap<Platform, Vec<Control>>,
    digests: Option<LockedBase>,
    created: Option<i64>,
    /// How many layers it has for each platform.
    layers: BTreeMap<Platform, usize>,
}

impl<'a> Draft<'a> {
    /// Acquires the repositories of a recipe, unless it does without, and chooses its packages.
    pub(crate) fn new(
        recipe: &'a Recipe,
        dir: &'a Path,
        platforms: Vec<Platform>,
        kept: &Kept,
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        let recipes = with_variants(recipe);
        let local = LocalPackages::open(recipes.values(), dir, &platforms, provider)?;
        let base = BaseFacts::read(recipe, dir, &platforms, kept.base.as_ref(), provider)?;
        local.check_base(&base.packages)?;
        let mut draft =
            Self { recipe, dir, platforms, market: Market::default(), local, base, chosen: BTreeMap::new() };
        provider.places.progress.phase(Phase::Resolve);
        // Packages that lie here may need nothing else, and then no repository is asked for anything.
        let alone = recipes.values().all(asks_no_repository);
        let chosen = if alone { Some(draft.choose(&recipes, kept)) } else { None };
        draft.chosen = if let Some(Ok(chosen)) = chosen {
            chosen
        } else {
            let architectures = draft.platforms.iter().map(architecture_of).collect::<Result<Vec<_>, _>>()?;
            let sources = match (sources::of_recipe(recipe, dir, &architectures, provider.places.machine), chosen) {
                // Nobody asked for sources: what the local packages lack is the better answer.
                (Err(SourcesError::NoHostSources { .. }), Some(Err(lack))) => return Err(lack),
                (sources, _) => sources?,
            };
            draft.market = Market::open(&sources, &architectures, provider)?;
            provider.places.progress.phase(Phase::Resolve);
            draft.choose(&recipes, kept)?
        };
        Ok(draft)
    }

    /// Whether anything was chosen that may be another choice tomorrow: a package of a repository, the image of a registry's tag.
    pub(crate) fn has_choices(&self) -> bool {
        let base = self.recipe.base.as_ref().map(|base| &base.image);
        let tagged = matches!(base, Some(Reference::Registry(name)) if name.digest().is_none());
        tagged || !self.market.repositories.is_empty()
    }

    fn choose(
        &self,
        recipes: &BTreeMap<Option<String>, Recipe>,
        kept: &Kept,
    ) -> Result<BTreeMap<Option<String>, Vec<Choice>>, LockError> {
        let mut chosen: BTreeMap<Option<String>, Vec<Choice>> = BTreeMap::new();
        // The recipe itself comes first, having no name, and its variants differ from it no more than they must.
        for (name, recipe) in recipes {
            let mut versions = kept.of_variant(name.as_deref());
            if let (Some(main), true) = (chosen.get(&None), name.is_some()) {
                for choice in main {
                    versions.entry(choice.platform.clone()).or_default().extend(choice.versions());
                }
            }
            let local = self.local.of(recipe);
            let target = Target { recipe, local, base: &self.base.packages };
            chosen.insert(name.clone(), choose(&target, &self.platforms, &self.market, &versions)?);
        }
        Ok(chosen)
    }

    /// Fetches the packages that were chosen out of repositories: those of the recipe itself, which decide on the time of
    /// all images, and those of some variants.
    pub(crate) fn fetch(&self, variants: &[&str], provider: &Provider<'_>) -> Result<Debs, LockError> {
        let asked = |name: &Option<String>| name.as_deref().is_none_or(|name| variants.contains(&name));
        let chosen = self.chosen.iter().filter(|(name, _)| asked(name)).flat_map(|(_, choices)| choices);
        let picked = chosen.flat_map(|choice| &choice.picked);
        let wanted = picked.filter_map(|picked| match picked {
            Picked::Local(_) => None,
            Picked::Remote { repository, candidate } => {
                let repository = self.market.repositories.get(*repository)?;
                Some(wanted(candidate, repository.mirrors()))
            }
        });
        fetch(wanted.collect(), provider)
    }

    /// Why a package is in the recipe or a variant on a platform, or is not. Nothing where there is no such variant or
    /// platform.
    pub(crate) fn why(
        &self,
        variant: Option<&str>,
        platform: &Platform,
        name: &PackageName,
    ) -> Result<Option<(Why, Option<Version>)>, LockError> {
        let choices = self.chosen.get(&variant.map(str::to_owned)).into_iter().flatten();
        let Some(choice) = choices.into_iter().find(|choice| choice.platform == *platform) else { return Ok(None) };
        let recipes = with_variants(self.recipe);
        let Some(recipe) = recipes.get(&variant.map(str::to_owned)) else { return Ok(None) };
        let target = Target { recipe, local: self.local.of(recipe), base: &self.base.packages };
        let why = explain(&target, choice, &self.market, name)?;
        Ok(Some((why, choice.versions().remove(name))))
    }

    /// The local packages, by the paths that a lock has for them.
    pub(crate) fn into_local(self) -> BTreeMap<String, (Package, Digest)> {
        self.local.into_paths(self.dir)
    }

    /// What somebody should know of the choice.
    pub(crate) fn warnings(&self) -> Vec<LockWarning> {
        let lacking = self.market.lacking.iter();
        let mut warnings: Vec<LockWarning> = lacking
            .map(|(suite, architecture)| LockWarning::NoArchitecture {
                suite: suite.clone(),
                architecture: architecture.clone(),
            })
            .collect();
        for choice in self.chosen.get(&None).into_iter().flatten() {
            let platform = || choice.platform.clone();
            warnings.extend(choice.held_back.iter().map(|(package, chosen, newest)| LockWarning::HeldBack {
                platform: platform(),
                package: package.clone(),
                chosen: chosen.clone(),
                newest: newest.clone(),
            }));
            let unused = choice.resolution.unused_excludes.iter();
            warnings.extend(
                unused.map(|package| LockWarning::UnusedExclude { platform: platform(), package: package.clone() }),
            );
        }
        warnings
    }

    /// The lock: what was chosen, and the evidence for it. `epoch` goes before the time of the newest package. Layers keep
    /// to those of an `old` lock.
    pub(crate) fn lock(&self, debs: &Debs, epoch: Option<i64>, old: Option<&Lock>) -> Result<Lock, LockError> {
        let old = old.filter(|old| old.asked.layers.strategy == self.recipe.layers.strategy.as_str());
        let mut variants = BTreeMap::new();
        let mut main = Locked::default();
        for (name, choices) in &self.chosen {
            // A variant shares what it can with the recipe itself, which comes first.
            let before = [Some(&main), old.and_then(|old| old.locked(name.as_deref()))];
            let platforms = choices.iter().map(|choice| {
                let before = before.into_iter().flatten().filter_map(|locked| locked.platforms.get(&choice.platform));
                let before: Vec<&[PackageName]> = before.flat_map(LockedPlatform::layers).map(Vec::as_slice).collect();
                Ok((choice.platform.clone(), self.platform(choice, &before)?))
            });
            let locked = Locked { platforms: platforms.collect::<Result<_, LockError>>()?, result: None };
            match name {
                None => main = locked,
                Some(name) => {
                    variants.insert(name.clone(), locked);
                }
            }
        }
        let newest = self.newest(debs).max(self.base.created).unwrap_or(0);
        Ok(Lock {
            asked: asked::of_recipe(self.recipe, &self.platforms),
            epoch: epoch.unwrap_or(newest),
            repositories: self.market.repositories.iter().map(evidence::evidence).collect(),
            base: self.base.digests.clone(),
            main,
            variants,
        })
    }

    /// The time of the newest control file of the recipe itself. Variants keep to it, so that adding one changes nothing for
    /// the others.
    fn newest(&self, debs: &Debs) -> Option<i64> {
        let picked = self.chosen.get(&None).into_iter().flatten().flat_map(|choice| &choice.picked);
        let times = picked.filter_map(|picked| match picked {
            Picked::Local(place) => Some(self.local.package(*place)?.head().control_time()),
            Picked::Remote { candidate, .. } => Some(debs.get(&candidate.sha256)?.control_archive().control_time()),
        });
        times.max()
    }

    /// The packages of a platform and their layers, which keep to those `before`.
    fn platform(&self, choice: &Choice, before: &[&[PackageName]]) -> Result<LockedPlatform, LockError> {
        let packages: Vec<LockedPackage> = choice.picked.iter().filter_map(|picked| self.locked(picked)).collect();
        let below = self.recipe.base.as_ref().zip(self.base.layers.get(&choice.platform));
        let layers = &match below {
            Some((stated, found)) => layers_on(stated, *found, self.recipe.layers)?,
            None => self.recipe.layers,
        };
        let room = plan::room(layers, 0, true).map_err(|NoRoom { max, .. }| LockError::NoRoom { max })?;
        let candidates: Vec<Candidate<'_>> = packages
            .iter()
            .map(|package| Candidate {
                name: package.name.as_str(),
                source: package.source.name.as_str(),
                size: package.size,
            })
            .collect();
        let name = |i: &usize| packages.get(*i).map(|package| package.name.clone());
        let before: Vec<Vec<&str>> =
            before.iter().map(|layer| layer.iter().map(PackageName::as_str).collect()).collect();
        let plan = plan::plan_after(&candidates, layers, room, &before);
        let plan = plan.iter().map(|layer| layer.iter().filter_map(name).collect()).collect();
        Ok(LockedPlatform::new(packages, plan)?)
    }

    fn locked(&self, picked: &Picked) -> Option<LockedPackage> {
        match picked {
            Picked::Remote { repository, candidate } => Some(LockedPackage {
                name: candidate.name.clone(),
                version: candidate.version.clone(),
                architecture: candidate.architecture.clone(),
                source: candidate.source.clone(),
                size: candidate.size,
                sha256: candidate.sha256.clone(),
                origin: PackageOrigin::Repository { repository: *repository, path: candidate.path.clone() },
            }),
            Picked::Local(place) => self.local.locked(*place, self.dir),
        }
    }
}

impl BaseFacts {
    fn read(
        recipe: &Recipe,
        dir: &Path,
        platforms: &[Platform],
        locked: Option<&Digest>,
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        let Some(stated) = &recipe.base else { return Ok(Self::default()) };
        let base = Base::open(stated, dir, locked, provider.places, &provider.session)?;
        let mut facts = Self { created: base.created(platforms), ..Self::default() };
        for platform in platforms {
            let image = base.image(platform, provider.places.progress)?;
            facts.packages.insert(platform.clone(), image.packages().to_vec());
            facts.layers.insert(platform.clone(), image.image().layers().len());
        }
        facts.digests = Some(base.to_lock(platforms)?);
        Ok(facts)
    }
}

/// The recipe itself, without a name, and all its variants.
fn with_variants(recipe: &Recipe) -> BTreeMap<Option<String>, Recipe> {
    let variant = |name: &str| Some((Some(name.to_owned()), recipe.with_variant(name).ok()?));
    std::iter::once((None, recipe.clone())).chain(recipe.variants().filter_map(variant)).collect()
}

/// Whether a recipe neither asks for packages by name nor says where they would come from.
fn asks_no_repository(recipe: &Recipe) -> bool {
    recipe.debian.packages.is_empty() && matches!(recipe.debian.sources, Sources::Host { stated: false, .. })
}

/// A package as it is fetched, wherever it was read about.
fn wanted(candidate: &Offer, mirrors: &[Url]) -> WantedDeb {
    WantedDeb {
        name: candidate.name.clone(),
        version: candidate.version.clone(),
        architecture: candidate.architecture.clone(),
        size: candidate.size,
        sha256: candidate.sha256.clone(),
        path: candidate.path.clone(),
        mirrors: mirrors.to_vec(),
    }
}
