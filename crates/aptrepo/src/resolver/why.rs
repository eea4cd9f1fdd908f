//! Why a package is in a set, or is not.

use distil_debunpack::{Group, PackageName, RelationField};

use super::pool::{Id, Place, Pool};
use super::{Because, Chosen, Link, Origin, Resolution, Universe, Wanted};

/// Why a package is in a set, or is not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It is in the set.
    Chosen {
        /// What the chain starts with: never [`Because::Dependency`].
        start: Because,
        /// The shortest way from there to the package; empty where the start is the package itself.
        links: Vec<Link>,
        /// All packages of the set that have a need which it meets.
        dependents: Vec<Link>,
    },
    /// It is excluded.
    Excluded {
        /// The packages of the set that would have brought it in.
        dependents: Vec<Link>,
    },
    /// It is not in the set.
    Absent {
        /// The packages of the set that name it, in a field that did not bring it in.
        mentions: Vec<Link>,
        /// The packages of the set that provide its name.
        providers: Vec<PackageName>,
    },
}

/// Tells why a package is in a set, or is not. Universe and wishes are those that the set was made from.
#[must_use]
pub fn why(universe: &Universe<'_>, wanted: &Wanted, resolution: &Resolution, name: &PackageName) -> Why {
    let pool = Pool::new(universe, wanted);
    let set: Vec<Id> = resolution.packages.iter().filter_map(|chosen| id_of(&pool, chosen)).collect();
    if wanted.exclude.contains(name) {
        return Why::Excluded { dependents: dependents(&pool, &set, name) };
    }
    match resolution.packages.iter().find(|chosen| chosen.name == *name) {
        Some(chosen) => {
            let (start, links) = chain(resolution, chosen);
            Why::Chosen { start, links, dependents: dependents(&pool, &set, name) }
        }
        None => Why::Absent { mentions: mentions(&pool, &set, name), providers: providers(&pool, &set, name) },
    }
}

/// Follows what brought a package in back to its start.
fn chain(resolution: &Resolution, chosen: &Chosen) -> (Because, Vec<Link>) {
    let mut links = Vec::new();
    let mut at = chosen;
    // A resolution that somebody made up could go in a circle.
    for _ in 0..resolution.packages.len() {
        let Because::Dependency { of, field, relation } = &at.because else { break };
        let Some(parent) = resolution.packages.iter().find(|other| other.name == *of) else { break };
        let (package, version) = (parent.name.to_string(), parent.version.clone());
        links.push(Link { package, version, field: *field, relation: relation.clone() });
        at = parent;
    }
    links.reverse();
    (at.because.clone(), links)
}

fn id_of(pool: &Pool<'_>, chosen: &Chosen) -> Option<Id> {
    let known = pool.known_text(chosen.name.as_str())?;
    pool.all(known).into_iter().find(|id| {
        let entry = pool.entry(*id);
        match (&chosen.origin, entry.place) {
            (Origin::Index { offered, candidate }, Place::Index(number, stanza)) => {
                *offered == number && stanza.sha256() == candidate.sha256
            }
            (Origin::Local(chosen), Place::Local(number, _)) | (Origin::Base(chosen), Place::Base(number, _)) => {
                *chosen == number
            }
            _ => false,
        }
    })
}

/// Who of the set has a need that a package of this name meets.
fn dependents(pool: &Pool<'_>, set: &[Id], name: &PackageName) -> Vec<Link> {
    let mut links = Vec::new();
    for id in set {
        let needs = pool.needs(*id);
        for need in &needs.groups {
            if need.options.iter().any(|option| pool.entry(*option).package == name.as_str()) {
                links.push(link(pool, *id, need.field, need.group.to_string()));
            }
        }
    }
    links
}

/// Who of the set names a package in any field of relations that is kept.
fn mentions(pool: &Pool<'_>, set: &[Id], name: &PackageName) -> Vec<Link> {
    use RelationField::{Breaks, Conflicts, Depends, PreDepends, Recommends, Replaces, Suggests};
    let mut links = Vec::new();
    for id in set {
        for field in [PreDepends, Depends, Recommends, Suggests, Conflicts, Breaks, Replaces] {
            let Ok(relations) = pool.entry(*id).relations(field) else { continue };
            let groups = relations.groups().iter();
            let naming = groups.filter(|group| group.alternatives().iter().any(|relation| relation.package == *name));
            links.extend(naming.map(|group| link(pool, *id, field, group.to_string())));
        }
    }
    links
}

fn providers(pool: &Pool<'_>, set: &[Id], name: &PackageName) -> Vec<PackageName> {
    let provides = |id: &&Id| {
        let relations = pool.entry(**id).relations(RelationField::Provides).unwrap_or_default();
        relations.groups().iter().flat_map(Group::alternatives).any(|relation| relation.package == *name)
    };
    set.iter().filter(provides).filter_map(|id| pool.entry(*id).package.parse().ok()).collect()
}

fn link(pool: &Pool<'_>, id: Id, field: RelationField, relation: String) -> Link {
    let entry = pool.entry(id);
    Link { package: entry.package.to_owned(), version: entry.version.clone(), field, relation }
}
