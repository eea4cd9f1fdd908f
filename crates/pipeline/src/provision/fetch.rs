//! The packages themselves: downloaded, or found in the cache, and verified in either case.

use std::collections::BTreeMap;

use distil_aptrepo::{VerifiedDeb, WantedDeb};
use distil_imgcore::Digest;

use super::Provider;
use crate::lock::LockError;
use crate::parallel;
use crate::progress::Phase;

/// Verified packages by the SHA-256 of their .deb.
pub(crate) type Debs = BTreeMap<Digest, VerifiedDeb>;

/// Fetches every package once, the largest first, so that no download ends alone.
pub(crate) fn fetch(wanted: Vec<WantedDeb>, provider: &Provider<'_>) -> Result<Debs, LockError> {
    let unique: BTreeMap<Digest, WantedDeb> = wanted.into_iter().map(|deb| (deb.sha256.clone(), deb)).collect();
    let mut largest_first: Vec<&WantedDeb> = unique.values().collect();
    largest_first.sort_by_key(|deb| std::cmp::Reverse(deb.size));
    if provider.places.machine.offline {
        check_cached(&largest_first, provider)?;
    }
    let bytes = largest_first.iter().map(|deb| deb.size).sum();
    provider.places.progress.phase(Phase::Fetch { packages: unique.len(), bytes });
    if largest_first.is_empty() {
        return Ok(Debs::new());
    }
    let acquirer = provider.acquirer()?;
    let debs = parallel::map(provider.downloads(), &largest_first, |wanted| {
        let name = wanted.name.as_str();
        provider.places.progress.started(name);
        let deb = acquirer.fetch(wanted);
        provider.places.progress.finished(name);
        Ok::<_, LockError>((wanted.sha256.clone(), deb.map_err(|source| LockError::Fetch(Box::new(source)))?))
    })?;
    Ok(debs.into_iter().collect())
}

/// Whoever builds without a network wants to know of everything that is missing, not of the first package alone.
fn check_cached(wanted: &[&WantedDeb], provider: &Provider<'_>) -> Result<(), LockError> {
    let on_disk = |deb: &WantedDeb| deb.mirrors.iter().any(|mirror| mirror.scheme() == "file");
    let missing = wanted.iter().filter(|deb| !on_disk(deb) && !provider.has(&deb.sha256));
    let mut packages: Vec<String> =
        missing.map(|deb| format!("{} {} {}", deb.name, deb.version, deb.architecture)).collect();
    packages.sort();
    if packages.is_empty() { Ok(()) } else { Err(LockError::Uncached { packages }) }
}
