//! The complete search, by resolvo: it finds a set wherever there is one.
//!
//! Packages are its names, candidates its solvables. A group of alternatives becomes a union whose members are in order of
//! preference, virtual names already replaced by who provides them. Conflicts and Breaks become bounds on the packages
//! that they hit. A recommendation is a union whose last member stands for doing without.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider, Interner,
    KnownDependencies, NameId, Problem, Requirement, SolvableId, Solver, SolverCache, StringId, UnsolvableOrCancelled,
    VersionSetId, VersionSetUnionId,
};

use super::needs::Need;
use super::pool::{Id, Name, Pool};

/// Finds a set that meets every one of these lists of options, or nothing where there is none. What is preferred comes
/// first among the options of every need.
pub(super) fn solve(pool: &Pool<'_>, preferred: &HashSet<Id>, roots: &[Vec<Id>]) -> Option<Vec<Id>> {
    let provider = Provider { pool, preferred, tables: RefCell::default() };
    let requirements = roots.iter().map(|options| provider.requirement(options)).collect();
    let mut solver = Solver::new(provider);
    match solver.solve(Problem::new().requirements(requirements)) {
        Ok(found) => Some(found.into_iter().map(|id| Id(id.into_raw())).collect()),
        // Nothing cancels it.
        Err(UnsolvableOrCancelled::Unsolvable(_) | UnsolvableOrCancelled::Cancelled(_)) => None,
    }
}

struct Provider<'p, 'a> {
    pool: &'p Pool<'a>,
    preferred: &'p HashSet<Id>,
    tables: RefCell<Tables>,
}

#[derive(Default)]
struct Tables {
    sets: Vec<Set>,
    unions: Vec<Vec<VersionSetId>>,
    known_sets: HashMap<Set, VersionSetId>,
    known_unions: HashMap<Vec<VersionSetId>, VersionSetUnionId>,
}

/// Some candidates of one name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Set {
    name: u32,
    ids: Vec<u32>,
}

impl Provider<'_, '_> {
    fn need(&self, need: &Need) -> ConditionalRequirement {
        let (mut options, others): (Vec<Id>, Vec<Id>) = need.options.iter().partition(|id| self.preferred.contains(id));
        options.extend(others);
        if !need.is_critical() {
            options.push(self.pool.without());
        }
        self.requirement(&options)
    }

    /// Options in order, as sets of neighbours that have one name.
    fn requirement(&self, options: &[Id]) -> ConditionalRequirement {
        let mut sets: Vec<Set> = Vec::new();
        for id in options {
            let name = self.pool.entry(*id).name.0;
            match sets.last_mut() {
                Some(last) if last.name == name => last.ids.push(id.0),
                _ => sets.push(Set { name, ids: vec![id.0] }),
            }
        }
        let mut tables = self.tables.borrow_mut();
        let members: Vec<VersionSetId> = sets.into_iter().map(|set| tables.set(set)).collect();
        let requirement = match members.as_slice() {
            [] => Requirement::Single(tables.set(Set { name: self.pool.nothing().0, ids: Vec::new() })),
            [only] => Requirement::Single(*only),
            _ => Requirement::Union(tables.union(members)),
        };
        ConditionalRequirement { condition: None, requirement }
    }

    fn ids(&self, set: VersionSetId) -> Vec<u32> {
        self.tables.borrow().sets.get(set.0 as usize).map(|set| set.ids.clone()).unwrap_or_default()
    }
}

impl Tables {
    fn set(&mut self, set: Set) -> VersionSetId {
        if let Some(known) = self.known_sets.get(&set) {
            return *known;
        }
        let id = VersionSetId(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        self.sets.push(set.clone());
        self.known_sets.insert(set, id);
        id
    }

    fn union(&mut self, members: Vec<VersionSetId>) -> VersionSetUnionId {
        if let Some(known) = self.known_unions.get(&members) {
            return *known;
        }
        let id = VersionSetUnionId(u32::try_from(self.unions.len()).unwrap_or(u32::MAX));
        self.unions.push(members.clone());
        self.known_unions.insert(members, id);
        id
    }
}

impl Interner for Provider<'_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        solvable.into_raw()
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.into_raw()
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        version_set.0
    }

    fn display_string(&self, string_id: StringId) -> impl Display + '_ {
        string_id.0
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        NameId::from_raw(self.tables.borrow().sets.get(version_set.0 as usize).map_or(u32::MAX, |set| set.name))
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        NameId::from_raw(self.pool.entry(Id(solvable.into_raw())).name.0)
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.tables.borrow().unions.get(union.0 as usize).cloned().unwrap_or_default().into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        // No requirement has a condition, so nobody asks.
        Condition::Requirement(VersionSetId(0))
    }
}

impl DependencyProvider for Provider<'_, '_> {
    async fn filter_candidates(&self, candidates: &[SolvableId], set: VersionSetId, inverse: bool) -> Vec<SolvableId> {
        let ids = self.ids(set);
        candidates.iter().copied().filter(|id| ids.contains(&id.into_raw()) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let named = self.pool.named(Name(name.into_raw()));
        let candidates = named.iter().map(|id| SolvableId::from_raw(id.0)).collect();
        Some(Candidates { candidates, ..Candidates::default() })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let Some(first) = solvables.first() else { return };
        let order = self.pool.named(Name(self.solvable_name(*first).into_raw()));
        solvables.sort_by_key(|id| order.iter().position(|other| other.0 == id.into_raw()));
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let needs = self.pool.needs(Id(solvable.into_raw()));
        if needs.error.is_some() {
            return Dependencies::Unknown(StringId(0));
        }
        let requirements = needs.groups.iter().map(|need| self.need(need)).collect();
        let mut hit: Vec<Id> = needs.clashes.iter().flat_map(|clash| clash.hits.iter().copied()).collect();
        hit.sort_unstable();
        hit.dedup();
        let mut names: Vec<Name> = hit.iter().map(|id| self.pool.entry(*id).name).collect();
        names.sort_unstable();
        names.dedup();
        let spared = |name: &Name| {
            let all = self.pool.named(*name);
            let ids = all.iter().filter(|id| !hit.contains(id)).map(|id| id.0).collect();
            self.tables.borrow_mut().set(Set { name: name.0, ids })
        };
        Dependencies::Known(KnownDependencies { requirements, constrains: names.iter().map(spared).collect() })
    }
}
