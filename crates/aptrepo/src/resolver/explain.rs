//! Why there is no set, found by following what has no alternative.
//!
//! From what is wanted, every need that a single candidate could meet makes that candidate needed too, and what a needed
//! candidate rules out can meet nothing more. Sooner or later a need is left with nothing, and the way there is the
//! explanation. Only if choices alone exclude each other is there no such way; then the smallest group of requests that
//! cannot be together is named.

use std::collections::{HashMap, HashSet};

use distil_debunpack::Relation;

use super::needs::Need;
use super::pool::{Id, Place, Pool};
use super::roots::Roots;
use super::{Barred, Chain, DeadEnd, Link, Offer, Reason, Unresolvable, solver};

/// How far the reasons of reasons are followed. People do not read further.
const MAX_DEPTH: usize = 5;
/// How many candidates of one need are told about.
const MAX_TOLD: usize = 8;
/// How many names are offered for one that does not exist.
const MAX_NEAREST: usize = 3;
/// How many letters may be wrong in a name that somebody may have meant.
const MAX_DISTANCE: usize = 2;

pub(super) fn explain(pool: &Pool<'_>, roots: &Roots) -> Unresolvable {
    let chain = [Choice::Candidate, Choice::Package].into_iter().find_map(|choice| {
        let mut search = Search {
            pool,
            choice,
            needed: Vec::new(),
            because: HashMap::new(),
            ruled_out: HashMap::new(),
            possible: HashMap::new(),
        };
        search.start(roots).or_else(|| search.follow())
    });
    let reason = chain.map_or_else(|| together(pool, roots), Reason::Chain);
    Unresolvable { reasons: vec![reason] }
}

/// What is offered, for people to see.
pub(super) fn offers(pool: &Pool<'_>, ids: &[Id]) -> Vec<Offer> {
    let offer = |id: &Id| {
        let entry = pool.entry(*id);
        let from = match entry.place {
            Place::Base(..) => "base",
            Place::Local(..) => "local",
            Place::Index(number, _) => pool.universe.indices.get(number).map_or("", |offered| offered.suite),
            Place::Excluded | Place::Without => return None,
        };
        let (package, version, from) = (entry.package.to_owned(), entry.version.clone(), from.to_owned());
        Some(Offer { package, version, from, barred: None })
    };
    ids.iter().filter_map(offer).take(MAX_TOLD).collect()
}

/// Names that somebody may have meant.
pub(super) fn nearest(pool: &Pool<'_>, name: &str) -> Vec<String> {
    let known = pool.universe.indices.iter().flat_map(|offered| offered.index.names()).filter(|known| *known != name);
    let far = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    let mut near: Vec<(usize, &str)> = far.filter(|(far, _)| *far <= MAX_DISTANCE).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(MAX_NEAREST).map(|(_, known)| known.to_owned()).collect()
}

/// The smallest group of what is wanted that cannot be had together, found by leaving out one after the other.
fn together(pool: &Pool<'_>, roots: &Roots) -> Reason {
    let names = roots.local.iter().map(|id| pool.entry(*id).package.to_owned());
    let wanted = names.chain(pool.wanted.requests.iter().map(ToString::to_string));
    let options = roots.local.iter().map(|id| vec![*id]).chain(roots.requested.iter().cloned());
    let mut left: Vec<(String, Vec<Id>)> = wanted.zip(options).collect();
    let base: Vec<Vec<Id>> = roots.base.iter().map(|id| vec![*id]).collect();
    let mut at = 0;
    // Each round is a search of its own: a long list is told as it is.
    while at < left.len() && left.len() <= 64 {
        let others = left.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, (_, options))| options.clone());
        let tried: Vec<Vec<Id>> = base.iter().cloned().chain(others).collect();
        if solver::solve(pool, &HashSet::new(), &tried).is_none() {
            left.remove(at);
        } else {
            at += 1;
        }
    }
    Reason::Together { wanted: left.into_iter().map(|(name, _)| name).collect() }
}

/// What counts as having no alternative.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// A need that a single candidate meets.
    Candidate,
    /// A need that a single package meets: of its versions the best one is looked at. What is found then is why the best
    /// one cannot be, which is what people ask first.
    Package,
}

struct Search<'p, 'a> {
    pool: &'p Pool<'a>,
    choice: Choice,
    /// In the order in which they were found to be needed.
    needed: Vec<Id>,
    /// Whose need, by its number, made a candidate needed. Roots have none.
    because: HashMap<Id, Option<(Id, usize)>>,
    ruled_out: HashMap<Id, RuledOut>,
    /// What was found to be possible of late, and how far was looked. Forgotten as more is known.
    possible: HashMap<Id, usize>,
}

#[derive(Clone, Copy)]
enum RuledOut {
    /// A needed candidate, by a clash of its own or of the other.
    Clash {
        by: Id,
        clash: usize,
        other: Id,
    },
    /// Another version is needed.
    OtherVersion(Id),
    /// A need of its own is left with nothing.
    Need(usize),
    Unreadable,
}

impl Search<'_, '_> {
    fn start(&mut self, roots: &Roots) -> Option<Chain> {
        let base = roots.base.iter().map(|id| vec![*id]);
        for options in base.chain(roots.local.iter().map(|id| vec![*id])).chain(roots.requested.iter().cloned()) {
            if let [only] = options.as_slice()
                && let Some(chain) = self.need(*only, None)
            {
                return Some(chain);
            }
        }
        for options in &roots.requested {
            if let Some(chain) = self.choose(options, None) {
                return Some(chain);
            }
        }
        None
    }

    fn follow(&mut self) -> Option<Chain> {
        loop {
            let before = (self.needed.len(), self.ruled_out.len());
            self.possible.clear();
            let mut at = 0;
            while let Some(id) = self.needed.get(at).copied() {
                at += 1;
                let needs = self.pool.needs(id);
                for (number, need) in needs.groups.iter().enumerate().filter(|(_, need)| need.is_critical()) {
                    if let Some(chain) = self.choose(&need.options, Some((id, number))) {
                        return Some(chain);
                    }
                }
            }
            if (self.needed.len(), self.ruled_out.len()) == before {
                return None;
            }
        }
    }

    /// Looks at what could meet a need. Gives an explanation where nothing does.
    fn choose(&mut self, options: &[Id], because: Option<(Id, usize)>) -> Option<Chain> {
        if options.iter().any(|id| self.because.contains_key(id)) {
            return None;
        }
        let possible: Vec<Id> = options.iter().copied().filter(|id| self.is_possible(*id, MAX_DEPTH)).collect();
        let name = |id: &Id| self.pool.entry(*id).name;
        match possible.as_slice() {
            [] => Some(self.chain(options, because)),
            [only] => self.need(*only, because),
            [best, others @ ..]
                if self.choice == Choice::Package && others.iter().all(|other| name(other) == name(best)) =>
            {
                self.need(*best, because)
            }
            _ => None,
        }
    }

    fn need(&mut self, id: Id, because: Option<(Id, usize)>) -> Option<Chain> {
        if self.because.contains_key(&id) {
            return None;
        }
        if !self.is_possible(id, MAX_DEPTH) {
            return Some(self.chain(&[id], because));
        }
        self.possible.clear();
        self.needed.push(id);
        self.because.insert(id, because);
        let pool = self.pool;
        for other in pool.named(pool.entry(id).name).iter().filter(|other| **other != id) {
            self.ruled_out.entry(*other).or_insert(RuledOut::OtherVersion(id));
        }
        for (clash, hit) in
            pool.needs(id).clashes.iter().enumerate().flat_map(|(n, c)| c.hits.iter().map(move |h| (n, h)))
        {
            self.ruled_out.entry(*hit).or_insert(RuledOut::Clash { by: id, clash, other: id });
        }
        None
    }

    /// Whether nothing that is needed rules a candidate out, as far as `depth` needs lead.
    fn is_possible(&mut self, id: Id, depth: usize) -> bool {
        if self.ruled_out.contains_key(&id) {
            return false;
        }
        if self.because.contains_key(&id) || self.possible.get(&id).is_some_and(|looked| *looked >= depth) {
            return true;
        }
        // A circle is no reason against anything in it.
        self.possible.insert(id, depth);
        let needs = self.pool.needs(id);
        let reason = if needs.error.is_some() {
            Some(RuledOut::Unreadable)
        } else {
            let clashes = needs.clashes.iter().enumerate().flat_map(|(n, c)| c.hits.iter().map(move |hit| (n, *hit)));
            let hit = clashes.into_iter().find(|(_, hit)| self.because.contains_key(hit));
            hit.map(|(clash, other)| RuledOut::Clash { by: id, clash, other })
        };
        let reason = reason.or_else(|| {
            let depth = depth.checked_sub(1)?;
            let critical = needs.groups.iter().enumerate().filter(|(_, need)| need.is_critical());
            let mut failing =
                critical.filter(|(_, need)| !need.options.iter().any(|option| self.is_possible(*option, depth)));
            failing.next().map(|(number, _)| RuledOut::Need(number))
        });
        if let Some(reason) = reason {
            self.ruled_out.insert(id, reason);
        }
        reason.is_none()
    }

    fn chain(&self, options: &[Id], because: Option<(Id, usize)>) -> Chain {
        let mut links = self.links(because);
        // Where all but one way is no way at all, the last one goes on the chain.
        let mut end = self.dead_end(options, because, 0);
        while let DeadEnd::All(chains) = &mut end
            && chains.len() == 1
            && let Some(only) = chains.pop()
        {
            links.extend(only.links);
            end = only.end;
        }
        Chain { links, end }
    }

    /// Why none of these options can be. Of each package only the best version is told about.
    fn dead_end(&self, options: &[Id], because: Option<(Id, usize)>, depth: usize) -> DeadEnd {
        if options.is_empty() {
            return DeadEnd::Missing {
                offered: because.map_or_else(Vec::new, |(id, number)| self.offered(id, number)),
            };
        }
        // Reasons of reasons branch: two ways are enough to see that none leads out.
        let told = if depth == 0 { MAX_TOLD } else { 2 };
        let mut names = Vec::new();
        let mut chains: Vec<Chain> = Vec::new();
        for id in options {
            let name = self.pool.entry(*id).name;
            if !names.contains(&name) && chains.len() < told {
                names.push(name);
                chains.push(self.why_not(*id, depth));
            }
        }
        match chains.as_slice() {
            [only] if only.links.is_empty() => only.end.clone(),
            _ => DeadEnd::All(chains),
        }
    }

    fn why_not(&self, id: Id, depth: usize) -> Chain {
        let pool = self.pool;
        let entry = pool.entry(id);
        let here = |end| Chain { links: Vec::new(), end };
        match self.ruled_out.get(&id) {
            Some(RuledOut::Clash { by, clash, other }) => {
                let needs = pool.needs(*by);
                let Some(found) = needs.clashes.get(*clash) else { return here(DeadEnd::All(Vec::new())) };
                let source = pool.entry(*by);
                let (field, relation) = (found.field, found.relation.to_string());
                let by = Link { package: source.package.to_owned(), version: source.version.clone(), field, relation };
                let hit = if *other == id {
                    id
                } else if source.name == entry.name {
                    *other
                } else {
                    id
                };
                let hit = pool.entry(hit).package.to_owned();
                here(DeadEnd::Clash { by, hit, because: self.links(self.because.get(other).copied().flatten()) })
            }
            Some(RuledOut::OtherVersion(chosen)) => here(DeadEnd::OtherVersion {
                package: entry.package.to_owned(),
                wanted: entry.version.clone(),
                chosen: pool.entry(*chosen).version.clone(),
                because: self.links(self.because.get(chosen).copied().flatten()),
            }),
            Some(RuledOut::Need(number)) if depth < MAX_DEPTH => {
                let needs = pool.needs(id);
                let options = needs.groups.get(*number).map(|need| need.options.as_slice()).unwrap_or_default();
                let mut chain =
                    Chain { links: self.link(id, *number).into_iter().collect(), end: DeadEnd::All(Vec::new()) };
                match self.dead_end(options, Some((id, *number)), depth + 1) {
                    DeadEnd::All(mut chains) if chains.len() == 1 => {
                        if let Some(Chain { links, end }) = chains.pop() {
                            chain.links.extend(links);
                            chain.end = end;
                        }
                    }
                    end => chain.end = end,
                }
                chain
            }
            Some(RuledOut::Unreadable) => match &pool.needs(id).error {
                Some((field, error)) => here(DeadEnd::Unreadable {
                    package: entry.package.to_owned(),
                    version: entry.version.clone(),
                    field: *field,
                    error: error.clone(),
                }),
                None => here(DeadEnd::All(Vec::new())),
            },
            Some(RuledOut::Need(_)) | None => here(DeadEnd::All(Vec::new())),
        }
    }

    /// What there is under the names in a need that nothing meets.
    fn offered(&self, id: Id, number: usize) -> Vec<Offer> {
        let needs = self.pool.needs(id);
        let relations = needs.groups.get(number).map(|need: &Need| need.group.alternatives()).unwrap_or_default();
        relations.iter().flat_map(|relation| self.offered_for(relation)).take(MAX_TOLD).collect()
    }

    fn offered_for(&self, relation: &Relation) -> Vec<Offer> {
        let pool = self.pool;
        let mut plain = relation.clone();
        (plain.constraint, plain.qualifier) = (None, None);
        let Some(text) = pool.known_text(relation.package.as_str()) else {
            return offers(pool, &pool.matching(&plain));
        };
        let mut found = offers(pool, &pool.matching(&plain));
        for id in pool.all(text) {
            let entry = pool.entry(id);
            let barred = if pool.is_within_limits(&entry) { Barred::ByRequest } else { Barred::ByPlatforms };
            if !pool.named(entry.name).contains(&id)
                && relation.constraint.as_ref().is_none_or(|constraint| constraint.allows(&entry.version))
            {
                found.extend(offers(pool, &[id]).into_iter().map(|offer| Offer { barred: Some(barred), ..offer }));
            }
        }
        found
    }

    /// The links that lead to a need and the need itself, from what is wanted on.
    fn links(&self, because: Option<(Id, usize)>) -> Vec<Link> {
        let mut links = Vec::new();
        let mut next = because;
        while let Some((id, number)) = next {
            links.extend(self.link(id, number));
            next = self.because.get(&id).copied().flatten();
        }
        links.reverse();
        links
    }

    fn link(&self, id: Id, number: usize) -> Option<Link> {
        let entry = self.pool.entry(id);
        let needs = self.pool.needs(id);
        let need = needs.groups.get(number)?;
        let (package, version) = (entry.package.to_owned(), entry.version.clone());
        Some(Link { package, version, field: need.field, relation: need.group.to_string() })
    }
}
