//! The packages of a build, and which of them each platform gets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use distil_debunpack::Architecture;
use distil_imgcore::Platform;

use super::BuildRequest;
use super::error::BuildError;
use crate::package::Package;
use crate::parallel;

/// All packages of a build, each once.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) packages: Vec<Package>,
    /// The platforms in the order asked for.
    pub(super) sets: Vec<Set>,
    /// The time of the newest control file. Packages of platforms that are left out count, so that each image is the same
    /// with and without the others.
    pub(super) newest: Option<i64>,
}

/// The packages of one platform.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) platform: Platform,
    /// Their places in [`Supply::packages`], in the order of their names.
    pub(super) members: Vec<usize>,
}

impl Supply {
    /// Packages as they lie on disk, each for the platforms that its architecture suits. `stated` are the platforms of a
    /// recipe; without one they follow from the packages.
    pub(super) fn of_files(
        debs: &[PathBuf],
        stated: Option<&[Platform]>,
        request: &BuildRequest<'_>,
    ) -> Result<Self, BuildError> {
        let mut packages =
            parallel::map(request.jobs, debs, |path| Package::open(path).map_err(BuildError::package(path)))?;
        let platforms = platforms(stated, request, &packages)?;
        let newest = packages.iter().map(|package| package.head().control_time()).max();
        packages.retain(|package| platforms.iter().any(|platform| is_for(package, platform)));
        let sets = platforms.into_iter().map(|platform| Set::fitting(platform, &packages)).collect::<Result<_, _>>()?;
        Ok(Self { packages, sets, newest })
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
        Ok(Self { members: chosen.into_values().collect(), platform })
    }
}

/// The platforms to build, in the order asked for. Every package must be for one of them.
fn platforms(
    stated: Option<&[Platform]>,
    request: &BuildRequest<'_>,
    packages: &[Package],
) -> Result<Vec<Platform>, BuildError> {
    let mut platforms =
        if request.platforms.is_empty() { stated.unwrap_or_default().to_vec() } else { request.platforms.clone() };
    if platforms.is_empty() && stated.is_none() {
        let architectures: BTreeSet<&str> = packages
            .iter()
            .map(|p| p.control().architecture())
            .filter(|a| !a.is_all())
            .map(Architecture::as_str)
            .collect();
        platforms = architectures.into_iter().filter_map(|a| Platform::from_debian_architecture(a).ok()).collect();
    }
    if platforms.is_empty() {
        platforms.push(request.host.clone());
    }
    let mut seen = BTreeSet::new();
    platforms.retain(|platform| seen.insert(platform.clone()));
    if let Some(strange) = platforms.iter().find(|p| p.debian_architecture().is_none()) {
        return Err(BuildError::Platform(strange.clone()));
    }
    // A platform that was left out on the command line leaves its packages out with it.
    let all = stated.unwrap_or_default();
    for package in packages {
        if !platforms.iter().chain(all).any(|platform| is_for(package, platform)) {
            return Err(BuildError::Architecture {
                path: package.path().to_owned(),
                architecture: package.control().architecture().to_string(),
                platforms,
            });
        }
    }
    Ok(platforms)
}

fn is_for(package: &Package, platform: &Platform) -> bool {
    let architecture = package.control().architecture();
    architecture.is_all() || platform.debian_architecture() == Some(architecture.as_str())
}
