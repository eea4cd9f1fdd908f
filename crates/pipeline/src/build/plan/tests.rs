use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
// proptest has a trait of this name.
use crate::recipe::Strategy;
use proptest::strategy::Strategy as _;

/// Packages by name, each with its source and size.
type Packages = BTreeMap<String, (String, u64)>;

type Names = Vec<Vec<String>>;

fn layers(strategy: Strategy) -> Layers {
    Layers { strategy, ..Layers::default() }
}

fn planned(packages: &Packages, strategy: Strategy, room: usize, before: &Names) -> Names {
    let candidates: Vec<_> =
        packages.iter().map(|(name, (source, size))| Candidate { name, source, size: *size }).collect();
    let before: Vec<Vec<&str>> = before.iter().map(|layer| layer.iter().map(String::as_str).collect()).collect();
    let plan = plan_after(&candidates, &layers(strategy), room, &before);
    plan.iter().map(|layer| layer.iter().map(|i| candidates[*i].name.to_owned()).collect()).collect()
}

fn fresh(packages: &Packages, strategy: Strategy, room: usize) -> Names {
    planned(packages, strategy, room, &Names::new())
}

/// The layers of one plan that another one has not.
fn others<'a>(of: &'a Names, than: &Names) -> Vec<&'a Vec<String>> {
    of.iter().filter(|layer| !than.contains(layer)).collect()
}

/// The layers that two plans have in common, in the order of the first.
fn common<'a>(of: &'a Names, with: &Names) -> Vec<&'a Vec<String>> {
    of.iter().filter(|layer| with.contains(layer)).collect()
}

fn package(source: &str, size: u64) -> (String, u64) {
    (source.to_owned(), size)
}

fn packages<'a>(of: impl IntoIterator<Item = (&'a str, &'a str, u64)>) -> Packages {
    of.into_iter().map(|(name, source, size)| (name.to_owned(), package(source, size))).collect()
}

fn names(of: &[&[&str]]) -> Names {
    of.iter().map(|layer| layer.iter().map(|name| (*name).to_owned()).collect()).collect()
}

/// Sizes of all magnitudes.
fn any_size() -> impl proptest::strategy::Strategy<Value = u64> {
    (0..30_u32, 0..1000_u64).prop_map(|(magnitude, more)| (1 << magnitude) + more)
}

/// Some packages, several of one source now and then.
fn any_packages(count: std::ops::Range<usize>) -> impl proptest::strategy::Strategy<Value = Packages> {
    proptest::collection::vec((0..60_u8, any_size()), count).prop_map(|all| {
        let named = |(i, (source, size)): (usize, (u8, u64))| (format!("p{i:03}"), (format!("s{source}"), size));
        all.into_iter().enumerate().map(named).collect()
    })
}

/// The source of a package that is added. Where it decides the layer, it is a new one: a large package may well make a
/// small source a large one, and so move it.
fn source_for(strategy: Strategy, number: u8) -> String {
    if strategy == Strategy::Origin { "new".to_owned() } else { format!("s{number}") }
}

fn any_strategy() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![Just(Strategy::Package), Just(Strategy::Origin), Just(Strategy::Single)]
}

#[test]
fn few_packages_have_a_layer_each_and_single_has_one() {
    let three = packages([("a", "x", 1), ("b", "x", 2), ("c", "y", 3)]);
    assert_eq!(fresh(&three, Strategy::Package, 3), names(&[&["a"], &["b"], &["c"]]));
    assert_eq!(fresh(&three, Strategy::Origin, 3), names(&[&["a", "b"], &["c"]]));
    assert_eq!(fresh(&three, Strategy::Single, 39), names(&[&["a", "b", "c"]]));
    assert_eq!(planned(&three, Strategy::Single, 39, &names(&[&["a"], &["b"]])), names(&[&["a", "b", "c"]]));
    assert_eq!(fresh(&Packages::new(), Strategy::Single, 39), Names::new());
}

#[test]
fn what_is_new_lies_above_what_was_there() {
    let before = names(&[&["c"], &["a", "b"]]);
    let all = packages([("a", "a", 1), ("aa", "aa", 1), ("b", "b", 1), ("c", "c", 1)]);
    assert_eq!(planned(&all, Strategy::Package, 9, &before), names(&[&["c"], &["a", "b"], &["aa"]]));
    let without = packages([("a", "a", 1), ("aa", "aa", 1), ("b", "b", 1)]);
    assert_eq!(planned(&without, Strategy::Package, 9, &before), names(&[&["a", "b"], &["aa"]]));
}

#[test]
fn where_there_is_no_room_a_small_package_joins_small_ones_and_a_large_one_few() {
    let before = names(&[&["large"], &["small", "tiny"], &["middle"]]);
    let mut all =
        packages([("large", "l", 1 << 30), ("middle", "m", 1 << 20), ("small", "s", 1 << 10), ("tiny", "t", 1)]);
    all.insert("new".to_owned(), package("new", 1));
    let expected = names(&[&["large"], &["new", "small", "tiny"], &["middle"]]);
    assert_eq!(planned(&all, Strategy::Package, 3, &before), expected);
    all.insert("new".to_owned(), package("new", 1 << 28));
    let expected = names(&[&["large"], &["small", "tiny"], &["middle", "new"]]);
    assert_eq!(planned(&all, Strategy::Package, 3, &before), expected);
    // It changes together with its siblings anyway.
    all.insert("new".to_owned(), package("l", 1 << 10));
    all.insert("middle".to_owned(), package("m", 1 << 30));
    all.insert("small".to_owned(), package("s", 1 << 30));
    let expected = names(&[&["large", "new"], &["small", "tiny"], &["middle"]]);
    assert_eq!(planned(&all, Strategy::Package, 3, &before), expected);
}

#[test]
fn a_plan_that_costs_more_than_twice_as_much_as_a_new_one_is_replaced() {
    let before = names(&[&["a", "b", "c", "d", "large"]]);
    let all = packages([("a", "a", 1), ("b", "b", 1), ("c", "c", 1), ("d", "d", 1), ("large", "l", 100)]);
    assert_eq!(planned(&all, Strategy::Package, 9, &before).len(), 5);
    let even = packages([("a", "a", 1), ("b", "b", 1)]);
    assert_eq!(planned(&even, Strategy::Package, 9, &before), names(&[&["a", "b"]]), "twice as much is borne");
}

#[test]
fn packages_of_a_source_stay_together_whatever_was_before() {
    let all = packages([("a", "x", 1), ("b", "x", 2), ("c", "y", 3)]);
    let before = names(&[&["c"], &["b"], &["a"]]);
    assert_eq!(planned(&all, Strategy::Origin, 9, &before), names(&[&["c"], &["a", "b"]]));
}

#[test]
fn a_variant_keeps_the_layers_of_its_recipe_and_then_its_own() {
    let recipe = names(&[&["a"], &["b"]]);
    let own = names(&[&["a", "x"], &["b"], &["y", "z"]]);
    let before = [recipe, own].concat();
    let all = packages(["a", "b", "x", "y", "z"].map(|name| (name, name, 1)));
    assert_eq!(planned(&all, Strategy::Package, 9, &before), names(&[&["a", "x"], &["b"], &["y", "z"]]));
}

#[test]
fn room_is_what_archives_and_own_files_leave() {
    let package = Layers { max: 4, ..layers(Strategy::Package) };
    assert_eq!(room(&package, 1, true), Ok(2));
    assert_eq!(room(&package, 1, false), Ok(3));
    assert_eq!(room(&package, 3, true), Err(NoRoom { archives: 3, max: 4 }));
    assert_eq!(room(&Layers { strategy: Strategy::Single, ..package }, 0, true), Ok(4));
}

proptest! {
    #[test]
    fn every_package_is_in_one_layer_and_the_room_is_kept(
        all in any_packages(1..150),
        before in any_packages(0..150),
        strategies in (any_strategy(), any_strategy()),
        rooms in (1..60_usize, 1..60_usize),
    ) {
        let before = fresh(&before, strategies.0, rooms.0);
        let plan = planned(&all, strategies.1, rooms.1, &before);
        prop_assert!(plan.len() <= rooms.1);
        prop_assert!(plan.iter().all(|layer| !layer.is_empty() && layer.is_sorted()));
        let mut found = plan.concat();
        found.sort();
        prop_assert_eq!(&found, &all.keys().cloned().collect::<Vec<_>>());
        prop_assert_eq!(planned(&all, strategies.1, rooms.1, &plan), plan, "nothing changes without a reason");
    }

    #[test]
    fn one_source_is_in_one_layer(all in any_packages(1..150), room in 1..60_usize, rest in 0..150_usize) {
        let before = fresh(&all.clone().into_iter().skip(rest).collect(), Strategy::Package, room);
        for plan in [fresh(&all, Strategy::Origin, room), planned(&all, Strategy::Origin, room, &before)] {
            let mut places: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
            for (at, name) in plan.iter().enumerate().flat_map(|(at, layer)| layer.iter().map(move |name| (at, name))) {
                places.entry(&all[name].0).or_default().insert(at);
            }
            prop_assert!(places.values().all(|places| places.len() == 1));
        }
    }

    #[test]
    fn a_package_more_changes_at_most_one_layer(
        before in any_packages(39..150),
        size in any_size(),
        source in 0..80_u8,
        room in 8..40_usize,
        strategy in any_strategy(),
    ) {
        let old = fresh(&before, strategy, room);
        let mut all = before;
        all.insert("added".to_owned(), (source_for(strategy, source), size));
        let new = planned(&all, strategy, room, &old);
        prop_assert!(others(&old, &new).len() <= 1);
        prop_assert_eq!(others(&new, &old).len(), 1);
        prop_assert_eq!(common(&new, &old), common(&old, &new), "the others keep their order");
    }

    #[test]
    fn a_package_less_changes_its_own_layer(
        all in any_packages(39..150),
        gone in any::<proptest::sample::Index>(),
        room in 8..40_usize,
        strategy in any_strategy(),
    ) {
        let old = fresh(&all, strategy, room);
        let name = all.keys().nth(gone.index(all.len())).unwrap().clone();
        let rest: Packages = all.into_iter().filter(|(other, _)| *other != name).collect();
        let mut expected = old.clone();
        for layer in &mut expected {
            layer.retain(|other| *other != name);
        }
        expected.retain(|layer| !layer.is_empty());
        prop_assert_eq!(planned(&rest, strategy, room, &old), expected);
    }

    #[test]
    fn new_versions_move_nothing(
        all in any_packages(1..150),
        percent in proptest::collection::vec(80..125_u64, 150),
        room in 1..40_usize,
        strategy in any_strategy(),
    ) {
        let old = fresh(&all, strategy, room);
        let grown = |((name, (source, size)), percent)| (name, (source, size * percent / 100));
        let new: Packages = all.into_iter().zip(percent).map(grown).collect();
        prop_assert_eq!(planned(&new, strategy, room, &old), old);
    }

    #[test]
    fn less_room_splits_no_layer(all in any_packages(1..150), rooms in (1..60_usize, 1..60_usize)) {
        let (less, more) = (rooms.0.min(rooms.1), rooms.0.max(rooms.1));
        let old = fresh(&all, Strategy::Package, more);
        let new = planned(&all, Strategy::Package, less, &old);
        prop_assert!(new.len() <= less);
        if new != fresh(&all, Strategy::Package, less) {
            let whole = |layer: &Vec<String>| new.iter().any(|wide| layer.iter().all(|name| wide.contains(name)));
            prop_assert!(old.iter().all(whole));
        }
    }

    #[test]
    fn without_an_older_plan_little_changes_too(
        before in any_packages(1..150),
        (size, source) in (any_size(), 0..80_u8),
        room in 1..60_usize,
        strategy in any_strategy(),
    ) {
        let mut all = before.clone();
        all.insert("added".to_owned(), (source_for(strategy, source), size));
        let (old, new) = (fresh(&before, strategy, room), fresh(&all, strategy, room));
        // What it comes to, and what it drives together.
        prop_assert!(others(&new, &old).len() <= 2);
        prop_assert!(others(&old, &new).len() <= 2);
        prop_assert_eq!(common(&new, &old), common(&old, &new));
    }
}
