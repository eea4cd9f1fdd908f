//! What has to be in the set whatever else is, and how each chosen package follows from it.

use std::collections::{HashMap, HashSet, VecDeque};

use distil_debunpack::{Control, PackageName, Relation};

use super::pool::{Id, Name, Place, Pool};
use super::{Because, Chosen, Origin, Reason, Resolution, Unresolvable, explain};
use crate::Request;

/// The base, the local packages and the requests.
#[derive(Debug)]
pub(super) struct Roots {
    /// The packages of the base.
    pub(super) base: Vec<Id>,
    /// The local packages.
    pub(super) local: Vec<Id>,
    /// The candidates of each request.
    pub(super) requested: Vec<Vec<Id>>,
    /// The names of local packages and requests.
    pub(super) names: Vec<Name>,
}

impl Roots {
    /// # Errors
    /// [`Unresolvable`] with every request that nothing can fulfil, whatever else is chosen.
    pub(super) fn find(pool: &Pool<'_>) -> Result<Self, Unresolvable> {
        let mut reasons = Vec::new();
        let mut found = Self { base: Vec::new(), local: Vec::new(), requested: Vec::new(), names: Vec::new() };
        for control in pool.universe.base {
            found.base.extend(pool.all(control.package().as_str()));
        }
        found.base.sort_unstable();
        found.base.dedup();
        for control in pool.universe.local {
            match local(pool, control) {
                Ok(id) => {
                    found.local.push(id);
                    found.names.push(pool.entry(id).name);
                }
                Err(reason) => reasons.push(*reason),
            }
        }
        for request in &pool.wanted.requests {
            match requested(pool, request) {
                Ok((name, ids)) => {
                    found.names.push(name);
                    found.requested.push(ids);
                }
                Err(reason) => reasons.push(*reason),
            }
        }
        if reasons.is_empty() { Ok(found) } else { Err(Unresolvable { reasons }) }
    }

    /// For each root the candidates of which one must be in the set.
    pub(super) fn options(&self) -> Vec<Vec<Id>> {
        let single = self.base.iter().chain(&self.local).map(|id| vec![*id]);
        single.chain(self.requested.iter().cloned()).collect()
    }

    /// The packages of a set that the roots lead to, each with what leads to it.
    pub(super) fn resolution(&self, pool: &Pool<'_>, set: &[Id]) -> Resolution {
        let set: HashSet<Id> = set.iter().copied().collect();
        let mut reached: HashMap<Id, Because> = HashMap::new();
        let mut queue = VecDeque::new();
        let mut reach = |id: Id, because: Because, queue: &mut VecDeque<Id>| {
            if let std::collections::hash_map::Entry::Vacant(entry) = reached.entry(id) {
                entry.insert(because);
                queue.push_back(id);
            }
        };
        for (number, ids) in self.requested.iter().enumerate() {
            let chosen = ids.iter().find(|id| set.contains(id));
            if let Some(id) = chosen {
                reach(*id, Because::Requested(number), &mut queue);
            }
        }
        self.local.iter().for_each(|id| reach(*id, Because::Local, &mut queue));
        self.base.iter().for_each(|id| reach(*id, Because::Base, &mut queue));
        while let Some(id) = queue.pop_front() {
            let entry = pool.entry(id);
            let Ok(of) = entry.package.parse::<PackageName>() else { continue };
            for need in &pool.needs(id).groups {
                let Some(option) = need.options.iter().find(|option| set.contains(option)) else { continue };
                let (field, relation) = (need.field, need.group.to_string());
                reach(*option, Because::Dependency { of: of.clone(), field, relation }, &mut queue);
            }
        }
        let mut packages: Vec<Chosen> =
            reached.iter().filter_map(|(id, because)| chosen(pool, *id, because.clone())).collect();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let stands = |name: &&PackageName| {
            reached.keys().any(|id| {
                let entry = pool.entry(*id);
                matches!(entry.place, Place::Excluded) && entry.package == name.as_str()
            })
        };
        let unused_excludes = pool.wanted.exclude.iter().filter(|name| !stands(name)).cloned().collect();
        Resolution { packages, unused_excludes }
    }
}

fn chosen(pool: &Pool<'_>, id: Id, because: Because) -> Option<Chosen> {
    let entry = pool.entry(id);
    let origin = match entry.place {
        Place::Base(number, _) => Origin::Base(number),
        Place::Local(number, _) => Origin::Local(number),
        Place::Index(offered, stanza) => Origin::Index { offered, candidate: Box::new(stanza.candidate()?) },
        Place::Excluded | Place::Without => return None,
    };
    Some(Chosen { name: entry.package.parse().ok()?, version: entry.version.clone(), origin, because })
}

fn local<'a>(pool: &Pool<'a>, control: &'a Control) -> Result<Id, Box<Reason>> {
    let package = control.package().clone();
    if pool.wanted.exclude.contains(&package) {
        return Err(Box::new(Reason::Excluded { package }));
    }
    let found = pool.all(control.package().as_str());
    let same = |id: &&Id| match pool.entry(**id).place {
        Place::Base(_, other) | Place::Local(_, other) => other == control,
        _ => false,
    };
    // What the base has already, the very same, is there twice and harms nobody.
    if let Some(id) = found.iter().find(same) {
        return Ok(*id);
    }
    if found.iter().any(|id| matches!(pool.entry(*id).place, Place::Base(..))) {
        let request = Request::of(package);
        return Err(Box::new(Reason::NotOffered { request, offered: explain::offers(pool, &found) }));
    }
    let (architecture, native) = (control.architecture().clone(), pool.universe.architecture.clone());
    Err(Box::new(Reason::Architecture { package, architecture, native }))
}

/// The name that a request is for, and what fulfils it.
fn requested<'a>(pool: &Pool<'a>, request: &'a Request) -> Result<(Name, Vec<Id>), Box<Reason>> {
    let package = request.package();
    let native = &pool.universe.architecture;
    if pool.wanted.exclude.contains(package) {
        return Err(Box::new(Reason::Excluded { package: package.clone() }));
    }
    if let Some(architecture) = request.architecture().filter(|a| *a != native && !a.is_all()) {
        let (package, architecture, native) = (package.clone(), architecture.clone(), native.clone());
        return Err(Box::new(Reason::Architecture { package, architecture, native }));
    }
    let suites = || pool.universe.indices.iter().flat_map(|offered| [Some(offered.suite), offered.codename]).flatten();
    if request.suite().is_some_and(|suite| !suites().any(|known| known == suite)) {
        let mut suites: Vec<String> = suites().map(str::to_owned).collect();
        suites.sort();
        suites.dedup();
        return Err(Box::new(Reason::UnknownSuite { request: request.clone(), suites }));
    }
    let all = pool.all(package.as_str());
    if all.is_empty() {
        return virtual_package(pool, request);
    }
    let name = pool.name(package.as_str());
    let found = pool.named(name).to_vec();
    if found.is_empty() {
        return Err(Box::new(Reason::NotOffered { request: request.clone(), offered: explain::offers(pool, &all) }));
    }
    Ok((name, found))
}

/// A name that only `Provides` have: as for apt-get, it stands for a package if that is the only one.
fn virtual_package(pool: &Pool<'_>, request: &Request) -> Result<(Name, Vec<Id>), Box<Reason>> {
    let relation = Relation {
        package: request.package().clone(),
        qualifier: None,
        constraint: None,
        architectures: Vec::new(),
        profiles: Vec::new(),
    };
    let found = if request.is_plain() { pool.matching(&relation) } else { Vec::new() };
    let mut providers: Vec<String> = found.iter().map(|id| pool.entry(*id).package.to_owned()).collect();
    providers.sort();
    providers.dedup();
    match (providers.len(), found.first()) {
        (1, Some(id)) => Ok((pool.entry(*id).name, found)),
        (0, _) | (_, None) => {
            let nearest = explain::nearest(pool, request.package().as_str());
            Err(Box::new(Reason::Unknown { request: request.clone(), nearest }))
        }
        _ => Err(Box::new(Reason::Virtual { request: request.clone(), providers })),
    }
}
