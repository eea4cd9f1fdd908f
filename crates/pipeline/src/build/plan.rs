//! Which packages share a layer.

use std::collections::BTreeMap;

use distil_imgcore::Digest;

use crate::recipe::{Layers, Strategy};

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

/// Groups packages into layers.
///
/// With `package`, every package has a layer of its own as long as `room` allows. Beyond that the largest packages, for
/// three quarters of the room, stay alone, and the rest are spread over what is left by their source package's name.
/// The spread looks at nothing but the name, so that another package changes the layer it comes to and no other.
pub(crate) fn plan(packages: &[Candidate<'_>], layers: &Layers, room: usize) -> Plan {
    if packages.is_empty() {
        return Vec::new();
    }
    match layers.strategy {
        Strategy::Single => return vec![(0..packages.len()).collect()],
        Strategy::Package => {}
    }
    let room = room.max(1);
    if packages.len() <= room {
        return (0..packages.len()).map(|i| vec![i]).collect();
    }
    let alone = room * 3 / 4;
    let buckets = (room - alone) as u64;
    let mut by_size: Vec<usize> = (0..packages.len()).collect();
    by_size.sort_by_key(|i| packages.get(*i).map(|p| (std::cmp::Reverse(p.size), p.name)));
    let (large, small) = by_size.split_at(alone);
    let mut shared: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for i in small {
        let source = packages.get(*i).map_or("", |p| p.source);
        shared.entry(spread(source) % buckets).or_default().push(*i);
    }
    let mut plan: Vec<Vec<usize>> = large.iter().map(|i| vec![*i]).chain(shared.into_values()).collect();
    for layer in &mut plan {
        layer.sort_unstable();
    }
    // The order of layers is that of their first packages, so that it does not depend on sizes.
    plan.sort();
    plan
}

fn spread(source: &str) -> u64 {
    let digits: String = Digest::of(source.as_bytes()).hex().chars().take(15).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    // proptest has a trait of this name.
    use crate::recipe::Strategy;

    fn layers(strategy: Strategy) -> Layers {
        Layers { strategy, ..Layers::default() }
    }

    fn candidates(sizes: &[u64]) -> Vec<(String, u64)> {
        sizes.iter().enumerate().map(|(i, size)| (format!("p{i:03}"), *size)).collect()
    }

    fn planned(packages: &[(String, u64)], room: usize) -> Vec<Vec<String>> {
        let candidates: Vec<_> =
            packages.iter().map(|(name, size)| Candidate { name, source: name, size: *size }).collect();
        let name = |i: &usize| packages[*i].0.clone();
        plan(&candidates, &layers(Strategy::Package), room).iter().map(|l| l.iter().map(name).collect()).collect()
    }

    #[test]
    fn few_packages_have_a_layer_each_and_single_has_one() {
        let packages = candidates(&[1, 2, 3]);
        assert_eq!(planned(&packages, 3).len(), 3);
        let candidates = [Candidate { name: "a", source: "a", size: 1 }, Candidate { name: "b", source: "b", size: 1 }];
        assert_eq!(plan(&candidates, &layers(Strategy::Single), 39), [[0, 1]]);
        assert!(plan(&[], &layers(Strategy::Single), 39).is_empty());
    }

    proptest! {
        #[test]
        fn every_package_is_in_one_layer_and_the_room_is_kept(
            sizes in proptest::collection::vec(0..1000_u64, 1..200),
            room in 1..60_usize,
        ) {
            let plan = planned(&candidates(&sizes), room);
            prop_assert!(plan.len() <= room);
            let mut all: Vec<_> = plan.concat();
            all.sort();
            prop_assert_eq!(all.len(), sizes.len());
            all.dedup();
            prop_assert_eq!(all.len(), sizes.len());
        }

        #[test]
        fn a_small_package_more_changes_one_layer(sizes in proptest::collection::vec(10..1000_u64, 60..90)) {
            let before = candidates(&sizes);
            let mut after = before.clone();
            after.push(("added".to_owned(), 1));
            let (before, after) = (planned(&before, 39), planned(&after, 39));
            let changed = after.iter().filter(|layer| !before.contains(layer)).count();
            prop_assert_eq!(changed, 1);
        }
    }
}
