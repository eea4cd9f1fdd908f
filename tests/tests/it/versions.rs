//! Version order is dpkg's, over every version in the archive.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread;

use distil_debunpack::Version;
use distil_tests::place;

/// Every distinct version in this machine's package lists.
fn versions() -> Vec<Version> {
    let lists = place::root().join("target/apt/host/lists");
    let files = fs::read_dir(&lists).unwrap_or_else(|error| {
        panic!("{}: {error}; get the package lists with: cargo xtask debs python", lists.display());
    });
    let mut texts = BTreeSet::new();
    for file in files.map(|entry| entry.unwrap().path()).filter(|file| file.to_string_lossy().ends_with("_Packages")) {
        let index = fs::read_to_string(file).unwrap();
        texts.extend(index.lines().filter_map(|line| line.strip_prefix("Version: ")).map(str::to_owned));
    }
    assert!(texts.len() > 10_000, "only {} versions in {}", texts.len(), lists.display());
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))).collect()
}

/// What dpkg says of two versions: whether they stand in this order.
fn dpkg_agrees(a: &Version, ordering: Ordering, b: &Version) -> bool {
    let word = match ordering {
        Ordering::Less => "lt",
        Ordering::Equal => "eq",
        Ordering::Greater => "gt",
    };
    let status = Command::new("dpkg").arg("--compare-versions").args([&a.to_string(), word, &b.to_string()]).status();
    status.unwrap().success()
}

/// Compares pairs on two threads and gives those about which dpkg thinks otherwise.
fn disagreements(pairs: &[(&Version, &Version)]) -> Vec<String> {
    let check = |pairs: &[(&Version, &Version)]| -> Vec<String> {
        let wrong = pairs.iter().filter(|(a, b)| !dpkg_agrees(a, a.cmp(b), b));
        wrong.map(|(a, b)| format!("{a} is not {:?} {b}", a.cmp(b))).collect()
    };
    let (left, right) = pairs.split_at(pairs.len() / 2);
    thread::scope(|scope| {
        let left = scope.spawn(|| check(left));
        let mut wrong = check(right);
        wrong.extend(left.join().unwrap());
        wrong
    })
}

/// Neighbours in the sorted list: since dpkg's order is transitive, agreeing on them is agreeing on all.
#[test]
fn the_sorted_archive_is_sorted_for_dpkg() {
    let mut versions = versions();
    versions.sort();
    let pairs: Vec<_> = versions.windows(2).map(|pair| (&pair[0], &pair[1])).collect();
    let wrong = disagreements(&pairs);
    assert!(wrong.is_empty(), "{} of {} pairs: {wrong:?}", wrong.len(), pairs.len());
}

#[test]
fn far_apart_pairs_compare_as_dpkg_says() {
    let versions = versions();
    // Steps of two large primes walk through the list without a pattern, and the same way every time.
    let pick = |step: usize, n: usize| &versions[(n * step + 7) % versions.len()];
    let pairs: Vec<_> = (0..2000).map(|n| (pick(7919, n), pick(104_729, n))).collect();
    let wrong = disagreements(&pairs);
    assert!(wrong.is_empty(), "{} of {} pairs: {wrong:?}", wrong.len(), pairs.len());
}
