//! The packages that lie here as files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::{LockedPackage, PackageOrigin};
use distil_debunpack::{Architecture, Control};
use distil_imgcore::{Digest, Platform};

use super::error::LockError;
use crate::base::check_version;
use crate::inputs;
use crate::package::Package;
use crate::parallel;
use crate::provision::{Provider, architecture_of};
use crate::recipe::Recipe;

/// The local packages of a recipe and of its variants, each once.
#[derive(Debug, Default)]
pub(crate) struct LocalPackages {
    packages: Vec<(Package, Digest)>,
    /// For each recipe, by its patterns, the places of its packages.
    places: BTreeMap<Vec<String>, Vec<usize>>,
}

impl LocalPackages {
    /// Looks for the packages of some recipes and reads them. Each must be for one of the platforms.
    pub(crate) fn open<'a>(
        recipes: impl Iterator<Item = &'a Recipe>,
        dir: &Path,
        platforms: &[Platform],
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        let mut found: BTreeMap<Vec<String>, BTreeSet<PathBuf>> = BTreeMap::new();
        for recipe in recipes {
            found.insert(key(recipe), inputs::debs(recipe, dir)?);
        }
        let paths: Vec<&PathBuf> = found.values().flatten().collect::<BTreeSet<_>>().into_iter().collect();
        let packages = parallel::map(provider.jobs, &paths, |path| {
            let package = Package::open(path).map_err(LockError::package(path))?;
            let digest = package.sha256().map_err(|source| LockError::Read { path: (*path).clone(), source })?.clone();
            Ok::<_, LockError>((package, digest))
        })?;
        let architectures = platforms.iter().map(architecture_of).collect::<Result<Vec<_>, _>>()?;
        let suits = |package: &Package| {
            let of = package.control().architecture();
            of.is_all() || architectures.contains(of)
        };
        if let Some((package, _)) = packages.iter().find(|(package, _)| !suits(package)) {
            return Err(LockError::Architecture {
                path: package.path().to_owned(),
                architecture: package.control().architecture().to_string(),
                platforms: platforms.to_vec(),
            });
        }
        for paths in found.values() {
            let named = packages.iter().map(|(package, _)| package).filter(|package| paths.contains(package.path()));
            check_names(&named.collect::<Vec<_>>(), &architectures)?;
        }
        let place = |path: &PathBuf| paths.binary_search(&path).ok();
        let places = found.iter().map(|(key, paths)| (key.clone(), paths.iter().filter_map(place).collect())).collect();
        Ok(Self { packages, places })
    }

    /// Refuses other versions of packages that a base has already.
    pub(super) fn check_base(&self, base: &BTreeMap<Platform, Vec<Control>>) -> Result<(), LockError> {
        for (platform, there) in base {
            let architecture = architecture_of(platform)?;
            let controls = self.packages.iter().map(|(package, _)| package.control());
            for control in controls.filter(|c| c.architecture().is_all() || *c.architecture() == architecture) {
                check_version(there, control)?;
            }
        }
        Ok(())
    }

    /// The packages of one recipe, each with its place.
    pub(crate) fn of(&self, recipe: &Recipe) -> Vec<(usize, &Package)> {
        let places = self.places.get(&key(recipe)).into_iter().flatten();
        places.filter_map(|place| Some((*place, &self.packages.get(*place)?.0))).collect()
    }

    /// The package at a place.
    pub(crate) fn package(&self, place: usize) -> Option<&Package> {
        self.packages.get(place).map(|(package, _)| package)
    }

    /// Every package with the path that a lock has for it.
    pub(crate) fn into_paths(self, dir: &Path) -> BTreeMap<String, (Package, Digest)> {
        self.packages.into_iter().map(|(package, digest)| (relative(package.path(), dir), (package, digest))).collect()
    }

    /// What a lock holds of the package at a place.
    pub(super) fn locked(&self, place: usize, dir: &Path) -> Option<LockedPackage> {
        let (package, digest) = self.packages.get(place)?;
        let control = package.control();
        Some(LockedPackage {
            name: control.package().clone(),
            version: control.version().clone(),
            architecture: control.architecture().clone(),
            source: control.source().clone(),
            size: package.size(),
            sha256: digest.clone(),
            origin: PackageOrigin::Local { path: relative(package.path(), dir) },
        })
    }
}

/// Each architecture has one package of a name.
fn check_names(packages: &[&Package], architectures: &[Architecture]) -> Result<(), LockError> {
    for architecture in architectures {
        let mut seen: BTreeMap<&str, &Package> = BTreeMap::new();
        for package in packages {
            let of = package.control().architecture();
            if !of.is_all() && of != architecture {
                continue;
            }
            if let Some(first) = seen.insert(package.name(), package) {
                return Err(LockError::PackageTwice {
                    name: package.name().to_owned(),
                    first: first.path().to_owned(),
                    second: package.path().to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// What decides which local packages a recipe has.
fn key(recipe: &Recipe) -> Vec<String> {
    recipe.debian.debs.iter().map(|pattern| pattern.as_str().to_owned()).collect()
}

/// The path of a package as a lock has it: relative to the recipe, where it lies below that.
fn relative(path: &Path, dir: &Path) -> String {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let inner = path.strip_prefix(dir).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}
