//! Where the packages of a lock can be fetched from.

use std::collections::BTreeMap;
use std::path::Path;

use distil_aptrepo::WantedDeb;
use distil_aptrepo::lock::{Lock, LockedPackage, PackageOrigin};
use url::Url;

use super::error::LockError;
use super::held::Wanted;
use super::vendor;
use crate::provision::{Provider, architecture_of};
use crate::sources;

/// Where the packages of a lock can be fetched from: the digest in the lock makes every mirror as good as another.
#[derive(Debug)]
pub(super) struct Mirrors {
    /// For each repository of the lock the addresses that are tried in turn; none where nobody knows one.
    repositories: Vec<(String, Vec<Url>)>,
}

impl Mirrors {
    pub(super) fn new(lock: &Lock, wanted: Wanted<'_>, provider: &Provider<'_>) -> Result<Self, LockError> {
        let suites: Vec<&str> = lock.repositories.iter().map(|repository| repository.suite.as_str()).collect();
        let addresses = match wanted.lock.and_then(|lock| lock.vendor.as_deref()) {
            Some(dir) => vendored(dir, &suites),
            None => of_sources(&suites, wanted, provider)?,
        };
        Ok(Self { repositories: suites.into_iter().map(str::to_owned).zip(addresses).collect() })
    }

    /// What has to be fetched for a package; nothing for one that lies beside the recipe.
    pub(super) fn wanted(
        &self,
        package: &LockedPackage,
        provider: &Provider<'_>,
    ) -> Result<Option<WantedDeb>, LockError> {
        let PackageOrigin::Repository { repository, path } = &package.origin else { return Ok(None) };
        let Some((suite, mirrors)) = self.repositories.get(*repository) else { return Ok(None) };
        if mirrors.is_empty() && !provider.has(&package.sha256) && !provider.places.machine.offline {
            return Err(LockError::NoSource { suite: suite.clone() });
        }
        Ok(Some(WantedDeb {
            name: package.name.clone(),
            version: package.version.clone(),
            architecture: package.architecture.clone(),
            size: package.size,
            sha256: package.sha256.clone(),
            path: path.clone(),
            mirrors: mirrors.clone(),
        }))
    }
}

fn vendored(dir: &Path, suites: &[&str]) -> Vec<Vec<Url>> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let url = |name: String| Url::from_directory_path(dir.join(name)).ok();
    vendor::names(suites).into_iter().map(|name| url(name).into_iter().collect()).collect()
}

fn of_sources(suites: &[&str], wanted: Wanted<'_>, provider: &Provider<'_>) -> Result<Vec<Vec<Url>>, LockError> {
    if provider.places.machine.offline || suites.is_empty() {
        return Ok(vec![Vec::new(); suites.len()]);
    }
    let architectures = wanted.platforms.iter().map(architecture_of).collect::<Result<Vec<_>, _>>()?;
    let mut by_suite: BTreeMap<&str, Vec<Url>> = BTreeMap::new();
    let sources = sources::of_recipe(wanted.recipe, wanted.dir, &architectures, provider.places.machine)?;
    for source in &sources {
        by_suite.entry(&source.suite).or_default().extend(source.addresses());
    }
    Ok(suites.iter().map(|suite| by_suite.get(suite).cloned().unwrap_or_default()).collect())
}
