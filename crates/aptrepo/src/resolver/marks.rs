//! A first choice, made the way apt-get makes it: package by package, depth first, never looking back.
//!
//! It is not complete, and what it leaves broken stays broken. The solver takes it as its order of preference, so that the
//! set is apt's wherever apt finds one, and is found at all wherever there is one.

use std::collections::{HashMap, HashSet};

use super::needs::{Clash, Need, Needs};
use super::pool::{Id, Name, Pool};

/// How deep packages may pull each other in. Real chains are shorter than 200; behind the limit only the solver looks.
const MAX_DEPTH: usize = 400;

/// What is chosen so far.
#[derive(Debug)]
pub(super) struct Marks<'p, 'a> {
    pool: &'p Pool<'a>,
    states: HashMap<Name, State>,
    chosen: HashSet<Id>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    chosen: Option<Id>,
    /// Whether only the user could change what is chosen: it was asked for, or follows from that without alternative.
    is_fixed: bool,
    /// Whether it turned out that it cannot be installed, or must not.
    is_discarded: bool,
}

/// Who wants a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    Package,
}

impl<'p, 'a> Marks<'p, 'a> {
    /// Chooses for these packages: those of the base are there already.
    pub(super) fn choose(pool: &'p Pool<'a>, base: &[Id], wanted: &[Name]) -> HashSet<Id> {
        let mut marks = Self { pool, states: HashMap::new(), chosen: HashSet::new() };
        for id in base {
            marks.install(*id);
            marks.state(pool.entry(*id).name).is_fixed = true;
        }
        // All that is asked for is there before its needs are looked at.
        for name in wanted {
            if let Some(id) = marks.candidate(*name) {
                marks.install(id);
                marks.state(*name).is_fixed = true;
            }
        }
        for name in wanted {
            if marks.state(*name).chosen.is_some_and(|id| marks.is_broken(&pool.needs(id))) {
                marks.mark(*name, By::User, 0);
            }
        }
        marks.chosen
    }

    fn mark(&mut self, name: Name, by: By, depth: usize) -> bool {
        let state = *self.state(name);
        let may_change = by == By::User || state.chosen.is_some() || !state.is_fixed;
        let Some(id) = self.candidate(name).filter(|_| depth <= MAX_DEPTH && may_change) else { return false };
        let needs = self.pool.needs(id);
        if !state.is_fixed && state.chosen.is_some() && !self.is_broken(&needs) {
            return true;
        }
        if !self.can_be_met(&needs) {
            if !state.is_fixed {
                self.discard(name);
            }
            return false;
        }
        let gives_up_early = by == By::Package && !state.is_fixed;
        // What is to be done is laid down before anything changes.
        let needed: Vec<&Need> = needs.groups.iter().filter(|need| state.is_fixed || !self.is_met(need)).collect();
        let removed = self.remove(&needs.clashes, state.is_fixed, gives_up_early);
        if !removed && gives_up_early {
            return false;
        }
        self.install(id);
        // What is being installed is not touched by what it brings in.
        self.state(name).is_fixed = true;
        let met = self.meet(&needed, state.is_fixed, gives_up_early, depth);
        self.state(name).is_fixed = state.is_fixed;
        if !met && gives_up_early {
            self.discard(name);
            return false;
        }
        removed && met
    }

    /// Takes out what must not be there. Beside what is fixed it shall not come in later either.
    fn remove(&mut self, clashes: &[Clash], is_fixed: bool, gives_up_early: bool) -> bool {
        let mut done = true;
        for hit in clashes.iter().flat_map(|clash| &clash.hits) {
            let other = self.pool.entry(*hit).name;
            let state = *self.state(other);
            if self.candidate(other) != Some(*hit) {
                continue;
            }
            if state.chosen.is_some() {
                if state.is_fixed {
                    done = false;
                    if gives_up_early {
                        return false;
                    }
                } else {
                    self.uninstall(other);
                }
            } else if is_fixed {
                let state = self.state(other);
                (state.is_discarded, state.is_fixed) = (true, true);
            }
        }
        done
    }

    fn meet(&mut self, needed: &[&Need], is_fixed: bool, gives_up_early: bool, depth: usize) -> bool {
        let mut done = true;
        for need in needed {
            let met = if self.is_met(need) {
                !(is_fixed && need.is_critical()) || self.fix_only_option(need, depth)
            } else {
                self.meet_one(need, is_fixed, depth) || !need.is_critical()
            };
            if !met {
                done = false;
                if gives_up_early {
                    break;
                }
            }
        }
        done
    }

    /// Fixes what meets a need if nothing else could.
    fn fix_only_option(&mut self, need: &Need, depth: usize) -> bool {
        let options: Vec<Id> = self.candidates(need);
        let [only] = options.as_slice() else { return true };
        let name = self.pool.entry(*only).name;
        if self.state(name).is_fixed {
            return true;
        }
        self.state(name).is_fixed = true;
        self.mark(name, By::Package, depth + 1)
    }

    fn meet_one(&mut self, need: &Need, is_fixed: bool, depth: usize) -> bool {
        let mut options = self.candidates(need);
        options.retain(|id| {
            let state = self.state(self.pool.entry(*id).name);
            !state.is_fixed || state.chosen.is_some()
        });
        let is_only = is_fixed && need.is_critical() && options.len() == 1;
        for id in options {
            let name = self.pool.entry(id).name;
            if self.candidate(name) != Some(id) {
                continue;
            }
            if is_only {
                self.install(id);
                self.state(name).is_fixed = true;
            }
            if self.mark(name, By::Package, depth + 1) {
                return true;
            }
        }
        false
    }

    /// The candidates that meet a need, in order. Among those of one alternative, what is fixed comes first.
    fn candidates(&mut self, need: &Need) -> Vec<Id> {
        let mut found = Vec::new();
        for alternative in &need.alternatives {
            let mut ids: Vec<Id> = alternative.clone();
            ids.retain(|id| !found.contains(id) && self.candidate(self.pool.entry(*id).name) == Some(*id));
            ids.sort_by_key(|id| !self.state(self.pool.entry(*id).name).is_fixed);
            found.append(&mut ids);
        }
        found
    }

    fn candidate(&mut self, name: Name) -> Option<Id> {
        if self.state(name).is_discarded { None } else { self.pool.best(name) }
    }

    fn is_met(&self, need: &Need) -> bool {
        need.options.iter().any(|id| self.chosen.contains(id))
    }

    fn is_broken(&self, needs: &Needs) -> bool {
        needs.groups.iter().any(|need| need.is_critical() && !self.is_met(need))
            || needs.clashes.iter().flat_map(|clash| &clash.hits).any(|id| self.chosen.contains(id))
    }

    fn can_be_met(&mut self, needs: &Needs) -> bool {
        needs.error.is_none()
            && needs.groups.iter().filter(|need| need.is_critical()).all(|need| {
                self.is_met(need)
                    || need
                        .alternatives
                        .iter()
                        .flatten()
                        .any(|id| self.candidate(self.pool.entry(*id).name) == Some(*id))
            })
    }

    fn install(&mut self, id: Id) {
        let name = self.pool.entry(id).name;
        self.state(name).chosen = Some(id);
        self.chosen.insert(id);
    }

    fn uninstall(&mut self, name: Name) {
        if let Some(id) = self.state(name).chosen.take() {
            self.chosen.remove(&id);
        }
    }

    fn discard(&mut self, name: Name) {
        self.uninstall(name);
        self.state(name).is_discarded = true;
    }

    fn state(&mut self, name: Name) -> &mut State {
        self.states.entry(name).or_default()
    }
}
