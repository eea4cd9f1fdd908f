//! Which packages share a layer.

mod fresh;
mod grouping;
mod renewed;

use distil_imgcore::Digest;

use crate::recipe::{Layers, Strategy};
use grouping::{Group, Positions, cost};

/// What the plan looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'a str,
    pub(crate) source: &'a str,
    /// Bytes of the .deb, which are known before it is converted, and are about what its layer costs to transfer.
    pub(crate) size: u64,
}

/// For each layer the numbers of its packages, in the order in which packages are given.
pub(crate) type Plan = Vec<Vec<usize>>;

/// How much worse than a plan laid anew one may become that keeps to an older one.
const DEGENERATE: u128 = 2;

/// How many layers packages may have beside `archives` and, for a recipe, the layer of its own files. That one is always
/// left free, so that the first own file moves no package to another layer.
pub(crate) fn room(layers: &Layers, archives: usize, is_recipe: bool) -> Result<usize, NoRoom> {
    let own = usize::from(is_recipe && layers.strategy != Strategy::Single);
    let max = usize::from(layers.max);
    max.checked_sub(archives + own).filter(|room| *room > 0).ok_or(NoRoom { archives, max })
}

/// Archives that are layers of their own leave no room for packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom {
    pub(crate) archives: usize,
    pub(crate) max: usize,
}

/// Groups packages into at most `room` layers, knowing of no older plan.
pub(crate) fn plan(packages: &[Candidate<'_>], layers: &Layers, room: usize) -> Plan {
    plan_after(packages, layers, room, &[])
}

/// Groups packages into at most `room` layers, and changes as few as it can of those that were there `before`, which are
/// given by the names of their packages.
///
/// A package that stays keeps to the layer that it was in, and layers to their order. That holds until an older plan has
/// become more than twice as costly as one laid anew, which then replaces it: what counts is the bytes that change with
/// one source package, over all of them. Where a package is in several of the layers, the first one counts, and what is
/// beside it in a later one follows it there.
pub(crate) fn plan_after(packages: &[Candidate<'_>], layers: &Layers, room: usize, before: &[Vec<&str>]) -> Plan {
    if packages.is_empty() {
        return Plan::new();
    }
    let room = room.max(1);
    let positions = Positions::new(before);
    let units = match layers.strategy {
        Strategy::Single => return vec![(0..packages.len()).collect()],
        Strategy::Package => grouping::by_package(packages, &positions),
        Strategy::Origin => grouping::by_source(packages, &positions),
    };
    let fresh = fresh::groups(units.clone(), room);
    if before.is_empty() {
        return in_order(fresh);
    }
    let renewed = renewed::groups(units, room);
    in_order(if cost(&renewed) > cost(&fresh).saturating_mul(DEGENERATE) { fresh } else { renewed })
}

/// The layers as they were before, and above them those that are new. What lies lower is what stays longer: runtimes
/// that stack layers need not stack again what is below the first one that changed.
fn in_order(mut groups: Vec<Group<'_>>) -> Plan {
    for group in &mut groups {
        group.members.sort_unstable();
    }
    groups.sort_by_key(Group::order);
    groups.into_iter().map(|group| group.members).collect()
}

/// A number that a name always has.
fn spread(name: &str) -> u64 {
    let digits: String = Digest::of(name.as_bytes()).hex().chars().take(15).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests;
