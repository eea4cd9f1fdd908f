//! Packages on their way into layers: alone, or in groups.

use std::collections::{BTreeMap, BTreeSet};

use super::Candidate;

/// Packages that share a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// The numbers of its packages.
    pub(super) members: Vec<usize>,
    /// What stands for the packages where they are ordered: their name, or that of their source.
    pub(super) name: &'a str,
    sources: BTreeSet<&'a str>,
    pub(super) size: u64,
    /// The layer of an older plan that they come from; the lowest where they come from several.
    pub(super) before: Option<usize>,
}

impl<'a> Group<'a> {
    fn one(number: usize, package: &Candidate<'a>, name: &'a str, before: Option<usize>) -> Self {
        Self { members: vec![number], name, sources: [package.source].into(), size: package.size, before }
    }

    /// The source package, the first by name where there are several.
    pub(super) fn source(&self) -> &'a str {
        self.sources.first().copied().unwrap_or_default()
    }

    /// Takes in the packages of another one.
    pub(super) fn absorb(&mut self, other: Self) {
        self.members.extend(other.members);
        self.sources.extend(other.sources);
        self.size = self.size.saturating_add(other.size);
        self.before = self.before.into_iter().chain(other.before).min();
    }

    /// The bytes that change when each of its source packages has changed once. Packages of one source change together.
    fn cost(&self) -> u128 {
        product(self.size, self.sources.len())
    }

    /// By how much the cost of all layers grows when two become one.
    pub(super) fn cost_of_joining(&self, other: &Self) -> u128 {
        let both = product(self.size.saturating_add(other.size), self.sources.union(&other.sources).count());
        both.saturating_sub(self.cost()).saturating_sub(other.cost())
    }

    /// Its place among the layers: where it was before, else above all those, as its first package is.
    pub(super) fn order(&self) -> (bool, Option<usize>, Option<usize>) {
        (self.before.is_none(), self.before, self.members.first().copied())
    }
}

/// The cost of a plan: how much changes when each source package has changed once.
pub(super) fn cost(groups: &[Group<'_>]) -> u128 {
    groups.iter().map(Group::cost).fold(0, u128::saturating_add)
}

fn product(size: u64, count: usize) -> u128 {
    u128::from(size).saturating_mul(count as u128)
}

/// In which layer of an older plan packages were.
#[derive(Debug, Default)]
pub(super) struct Positions<'a>(BTreeMap<&'a str, usize>);

impl<'a> Positions<'a> {
    /// The first layer that has a package counts, and the rest of a later layer that has it as well comes along.
    pub(super) fn new(before: &[Vec<&'a str>]) -> Self {
        let mut positions = BTreeMap::new();
        for (number, names) in before.iter().enumerate() {
            let at = names.iter().find_map(|name| positions.get(name).copied()).unwrap_or(number);
            for name in names {
                positions.entry(*name).or_insert(at);
            }
        }
        Self(positions)
    }

    fn of(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }
}

/// Each package by itself.
pub(super) fn by_package<'a>(packages: &[Candidate<'a>], positions: &Positions<'_>) -> Vec<Group<'a>> {
    let one = |(number, package): (usize, &Candidate<'a>)| {
        Group::one(number, package, package.name, positions.of(package.name))
    };
    packages.iter().enumerate().map(one).collect()
}

/// The packages of each source together. Where they were in several layers, as when one came to another source, they go to
/// the lowest.
pub(super) fn by_source<'a>(packages: &[Candidate<'a>], positions: &Positions<'_>) -> Vec<Group<'a>> {
    let mut sources: BTreeMap<&str, Group<'a>> = BTreeMap::new();
    for (number, package) in packages.iter().enumerate() {
        let one = Group::one(number, package, package.source, positions.of(package.name));
        match sources.get_mut(package.source) {
            Some(group) => group.absorb(one),
            None => {
                sources.insert(package.source, one);
            }
        }
    }
    sources.into_values().collect()
}
