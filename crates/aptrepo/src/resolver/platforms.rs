//! One choice for several platforms: built from the same source versions.

use std::collections::BTreeMap;

use distil_debunpack::{Architecture, Control, PackageName, Source, Version};

use super::{Chosen, Origin, Resolution, Universe, Unresolvable, Wanted, resolve};

/// How often the choices are made anew. Each round lowers the bound of some source package.
const MAX_ROUNDS: usize = 64;

/// Why platforms cannot have what is wanted, or not alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformsError {
    /// One of them cannot have it, whatever the others have.
    #[error("nothing on {architecture} has all that is wanted")]
    Unresolvable {
        /// Its architecture.
        architecture: Architecture,
        /// Why.
        source: Unresolvable,
    },
    /// They have no version of a source package in common.
    #[error("source package {name} has no version that all platforms can have: {}", Versions(.versions))]
    Differ {
        /// The source package.
        name: PackageName,
        /// The newest version that each platform could have, in the order of the call. Those that do not need it are
        /// left out.
        versions: Vec<(Architecture, Version)>,
    },
}

/// Chooses for several platforms so that binary packages come from the same versions of their sources everywhere. The
/// versions of binary packages may differ where one platform was rebuilt.
///
/// Each platform is resolved on its own. Where two have different versions of a source package, the newer ones are ruled
/// out and all is resolved again. What the base brings has no say: nothing could change it.
///
/// # Errors
/// [`PlatformsError`].
pub fn resolve_platforms(platforms: &[(Universe<'_>, Wanted)]) -> Result<Vec<Resolution>, PlatformsError> {
    let mut limits: BTreeMap<PackageName, Version> = BTreeMap::new();
    let mut lowered: Option<Difference> = None;
    for round in 1.. {
        let mut found = Vec::with_capacity(platforms.len());
        for (universe, wanted) in platforms {
            match (resolve(universe, &wanted.with_limits(&limits)), lowered) {
                (Ok(resolution), before) => {
                    found.push(resolution);
                    lowered = before;
                }
                // Without the bounds it could be had, so they are to blame.
                (Err(_), Some(difference)) => return Err(difference.into()),
                (Err(source), None) => {
                    let architecture = universe.architecture.clone();
                    return Err(PlatformsError::Unresolvable { architecture, source });
                }
            }
        }
        let Some(difference) = difference(platforms, &found) else { return Ok(found) };
        let before = limits.insert(difference.name.clone(), difference.least.clone());
        if round == MAX_ROUNDS || before.is_some_and(|before| before <= difference.least) {
            return Err(difference.into());
        }
        lowered = Some(difference);
    }
    Ok(Vec::new())
}

impl Wanted {
    fn with_limits(&self, limits: &BTreeMap<PackageName, Version>) -> Self {
        let mut limited = self.clone();
        for (name, version) in limits {
            let own = limited.limits.entry(name.clone()).or_insert_with(|| version.clone());
            if *version < *own {
                *own = version.clone();
            }
        }
        limited
    }
}

struct Difference {
    name: PackageName,
    versions: Vec<(Architecture, Version)>,
    /// The oldest of the versions.
    least: Version,
}

impl From<Difference> for PlatformsError {
    fn from(Difference { name, versions, .. }: Difference) -> Self {
        Self::Differ { name, versions }
    }
}

/// The first source package whose newest version is not the same everywhere, or that has one binary package from two
/// versions.
fn difference(platforms: &[(Universe<'_>, Wanted)], found: &[Resolution]) -> Option<Difference> {
    let mut newest: BTreeMap<PackageName, Vec<(Architecture, Version)>> = BTreeMap::new();
    let mut binaries: BTreeMap<(PackageName, PackageName), Vec<(Architecture, Version)>> = BTreeMap::new();
    for ((universe, _), resolution) in platforms.iter().zip(found) {
        let architecture = &universe.architecture;
        for (chosen, source) in resolution.packages.iter().filter_map(|c| Some((c, source(universe, c)?))) {
            let here = (architecture.clone(), source.version.clone());
            binaries.entry((source.name.clone(), chosen.name.clone())).or_default().push(here.clone());
            let versions = newest.entry(source.name.clone()).or_default();
            match versions.iter_mut().find(|(known, _)| known == architecture) {
                Some((_, version)) if *version < source.version => *version = source.version.clone(),
                Some(_) => {}
                None => versions.push(here),
            }
        }
    }
    let by_binary = binaries.into_iter().map(|((name, _), versions)| (name, versions));
    newest.into_iter().chain(by_binary).find_map(|(name, versions)| {
        let least = versions.iter().map(|(_, version)| version).min()?.clone();
        versions.iter().any(|(_, version)| *version != least).then_some(Difference { name, versions, least })
    })
}

/// The source of a package that is not in the base.
fn source<'r>(universe: &'r Universe<'_>, chosen: &'r Chosen) -> Option<&'r Source> {
    match &chosen.origin {
        Origin::Index { candidate, .. } => Some(&candidate.source),
        Origin::Local(number) => universe.local.get(*number).map(Control::source),
        Origin::Base(_) => None,
    }
}

struct Versions<'a>(&'a [(Architecture, Version)]);

impl std::fmt::Display for Versions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, (architecture, version)) in self.0.iter().enumerate() {
            write!(f, "{}{version} on {architecture}", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
