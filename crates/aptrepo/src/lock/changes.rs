//! What a new lock has that an old one had not.

use std::collections::BTreeMap;

use distil_debunpack::{Architecture, PackageName, Version};
use distil_imgcore::Digest;

use super::Lock;

/// A package that another lock has in another version.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its name.
    pub package: PackageName,
    /// Its architecture.
    pub architecture: Architecture,
    /// The version before; none for a package that is new.
    pub from: Option<Version>,
    /// The version now; none for a package that is gone. The same as before where only the bytes are others, which
    /// should make everybody ask why.
    pub to: Option<Version>,
}

/// A package, and its versions on all platforms and in all variants, by their text and digest.
type Versions<'a> = BTreeMap<(&'a PackageName, &'a Architecture), BTreeMap<(&'a str, &'a Digest), &'a Version>>;

impl Lock {
    /// What changes from an old lock to this one, in the order of packages and architectures. Each package is told once,
    /// on however many platforms and in however many variants it is.
    #[must_use]
    pub fn changes(&self, old: Option<&Self>) -> Vec<Change> {
        let (before, now) = (old.map(versions).unwrap_or_default(), versions(self));
        let mut keys: Vec<_> = before.keys().chain(now.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let none = BTreeMap::new();
        let mut changes = Vec::new();
        for key in keys {
            let (before, now) = (before.get(key).unwrap_or(&none), now.get(key).unwrap_or(&none));
            let gone = before.iter().filter(|(id, _)| !now.contains_key(*id)).map(|(_, version)| *version);
            let new = now.iter().filter(|(id, _)| !before.contains_key(*id)).map(|(_, version)| *version);
            let (mut gone, mut new) = (gone.fuse(), new.fuse());
            loop {
                let (from, to) = (gone.next().cloned(), new.next().cloned());
                if from.is_none() && to.is_none() {
                    break;
                }
                let (package, architecture) = (key.0.clone(), key.1.clone());
                changes.push(Change { package, architecture, from, to });
            }
        }
        changes
    }
}

fn versions(lock: &Lock) -> Versions<'_> {
    let mut versions = Versions::new();
    for package in lock.all().flat_map(|locked| locked.platforms.values()).flat_map(|platform| &platform.packages) {
        let key = (&package.name, &package.architecture);
        versions.entry(key).or_default().insert((package.version.as_str(), &package.sha256), &package.version);
    }
    versions
}

/// Versions count by their text.
impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        let text = |version: &Option<Version>| version.as_ref().map(|version| version.as_str().to_owned());
        (&self.package, &self.architecture) == (&other.package, &other.architecture)
            && (text(&self.from), text(&self.to)) == (text(&other.from), text(&other.to))
    }
}

impl Eq for Change {}
