//! Licences of an image's packages, which only its files tell.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use distil_imgcore::Image;
use distil_policy::facts::PackageFacts;

use crate::describe::scan;
use crate::progress::Progress;
use crate::read::ReadError;

/// Adds to each package what its copyright file says. All layers are read for it.
///
/// # Errors
/// [`ReadError`]
pub(super) fn add(
    packages: &mut [PackageFacts],
    image: &Image,
    jobs: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    let (inventory, _) = scan(image, jobs, progress)?;
    let mut known: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    for package in &inventory.packages {
        let licences = package.licences.concluded.as_deref().or(package.licences.declared.as_deref());
        let version = package.version.as_deref().unwrap_or_default();
        known.extend(licences.map(|licences| ((package.kind.as_str(), package.name.as_str(), version), licences)));
    }
    for package in packages.iter_mut().filter(|package| package.licences.is_none()) {
        let key = (package.kind.as_str(), package.name.as_str(), package.version.as_str());
        package.licences = known.get(&key).map(|&licences| licences.to_owned());
    }
    Ok(())
}
