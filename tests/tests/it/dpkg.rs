//! What is in a layer is what dpkg would install: 200 packages of the archive against `dpkg-deb`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use distil_tests::listing::{Listing, Node};
use distil_tests::program::folder;
use distil_tests::{Program, layout, listing, place};

use crate::example::reference;

const RECORDS: &str = "var/lib/dpkg/status.d";

#[test]
fn two_hundred_packages_become_what_dpkg_would_install() {
    let debs = place::debs("sample");
    assert_eq!(debs.len(), 200, "the sample is incomplete; run: cargo xtask debs sample");
    let (left, right) = debs.split_at(debs.len() / 2);
    let check = |debs: &[PathBuf]| -> Vec<String> { debs.iter().filter_map(|deb| difference(deb)).collect() };
    let wrong = thread::scope(|scope| {
        let left = scope.spawn(|| check(left));
        let mut wrong = check(right);
        wrong.extend(left.join().unwrap());
        wrong
    });
    assert!(wrong.is_empty(), "{} of {} packages:\n{}", wrong.len(), debs.len(), wrong.join("\n"));
}

/// What differs between the layer of one package and the package itself, if anything does.
fn difference(deb: &Path) -> Option<String> {
    let (_guard, folder) = folder();
    let image = folder.join("layout");
    let ran = Program::distil().arg("build").arg("--deb").arg(deb).arg("--cache-dir").arg(folder.join("cache"));
    let ran = ran.arg("-o").arg(reference(&image, "test")).run();
    if !ran.status.success() {
        return Some(format!("{}: {ran}", deb.display()));
    }
    let mut found = listing::of_layers(&layout::image(&image, "test").layers);
    let expected = Program::new("dpkg-deb").arg("--fsys-tarfile").arg(deb).run().success().stdout;
    let mut expected = listing::of_tar(expected);
    // The root is there before any layer is: layers do not describe it.
    expected.remove("");
    let mut wrong = records(deb, &mut found);
    // Directories above the records are ours where the package has none.
    found.retain(|path, node| expected.contains_key(path) || !is_above_records(path, node));
    wrong.extend(differences(&expected, &found));
    (!wrong.is_empty()).then(|| format!("{}:\n  {}", deb.display(), wrong.join("\n  ")))
}

/// Takes the package's records out of the listing, comparing them with the control archive.
fn records(deb: &Path, found: &mut Listing) -> Vec<String> {
    let control = Program::new("dpkg-deb").arg("--info").arg(deb).arg("control").run().success().stdout;
    let name = Program::new("dpkg-deb").arg("--field").arg(deb).arg("Package").run().success().text();
    let record = format!("{RECORDS}/{}", name.trim());
    let mut wrong = Vec::new();
    match found.remove(&record) {
        Some(node) if node.content == sha256(control) && node.mode == 0o644 && node.owner == (0, 0) => {}
        other => wrong.push(format!("{record} is {other:?}")),
    }
    found.remove(&format!("{record}.md5sums"));
    wrong
}

fn is_above_records(path: &str, node: &Node) -> bool {
    node.kind == "d" && (path.is_empty() || RECORDS == path || RECORDS.starts_with(&format!("{path}/")))
}

fn differences(expected: &Listing, found: &Listing) -> Vec<String> {
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let different = paths.into_iter().filter(|path| expected.get(*path) != found.get(*path));
    different
        .map(|path| format!("/{path}: dpkg {:?}, layer {:?}", expected.get(path), found.get(path)))
        .take(5)
        .collect()
}

fn sha256(bytes: Vec<u8>) -> String {
    let ran = Program::new("sha256sum").input(bytes).run().success();
    ran.text().split(' ').next().unwrap().to_owned()
}
