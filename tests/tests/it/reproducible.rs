//! The same recipe, packages and files give the same bytes, wherever and however they are built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::folder;
use distil_tests::{Program, layout, place};

use crate::example;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Builds by a shell line in which `$distil` is the binary and `$@` its arguments, and gives every file of the layout.
fn build(line: &str, recipe: &Path, cache: &Path) -> Files {
    let (_guard, folder) = folder();
    let layout = folder.join("layout");
    let shell = Program::new("sh").args(["-c", line, "sh", "build"]).arg(recipe).arg("--cache-dir").arg(cache);
    let ran = shell.arg("-o").arg(example::reference(&layout, "test")).env("distil", place::distil()).run();
    assert!(ran.status.success(), "{line}: {ran}");
    layout::files(&layout)
}

fn same(expected: &Files, got: &Files, what: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(got), "{what}: other blobs");
    let differing: Vec<_> =
        expected.iter().filter(|(name, bytes)| got[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{what}: {differing:?} differ");
}

#[test]
fn surroundings_do_not_show() {
    let (_guard, caches) = folder();
    let cold = |n: usize| caches.join(n.to_string());
    let recipe = example::recipe();
    let expected = build("\"$distil\" \"$@\"", &recipe, &cold(0));
    let surroundings = [
        "umask 077; \"$distil\" \"$@\"",
        "LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LANGUAGE=tr TZ=Asia/Kathmandu \"$distil\" \"$@\"",
        "faketime '2031-02-03 04:05:06' \"$distil\" \"$@\"",
        "taskset -c 0 \"$distil\" \"$@\"",
        "HOME=/nonexistent USER=somebody; export HOME USER; cd /; \"$distil\" \"$@\"",
    ];
    for (n, line) in surroundings.into_iter().enumerate() {
        same(&expected, &build(line, &recipe, &cold(n + 1)), line);
    }
    same(&expected, &build("\"$distil\" \"$@\"", &recipe, &cold(0)), "a warm cache");
}

#[test]
fn another_place_does_not_show() {
    let (_guard, elsewhere) = folder();
    let debs = elsewhere.join("target/debs/python");
    let home = elsewhere.join("a/longer/path");
    fs::create_dir_all(&debs).unwrap();
    fs::create_dir_all(&home).unwrap();
    // Copied backwards, so that the directory lists them in another order; and with the times of this moment.
    for deb in place::debs("python").iter().rev() {
        fs::copy(deb, debs.join(deb.file_name().unwrap())).unwrap();
    }
    for file in ["distil.toml", "main.py"] {
        fs::copy(example::recipe().with_file_name(file), home.join(file)).unwrap();
    }
    let line = "\"$distil\" \"$@\"";
    let expected = build(line, &example::recipe(), &elsewhere.join("cache-1"));
    same(&expected, &build(line, &home.join("distil.toml"), &elsewhere.join("cache-2")), "another place");
    // A recipe that names the packages otherwise is another one, and the image is the same.
    let text = fs::read_to_string(example::recipe()).unwrap();
    let moved = text.replace("../../../target/debs/python", debs.to_str().unwrap());
    assert_ne!(text, moved);
    fs::write(home.join("distil.toml"), moved).unwrap();
    let got = build(line, &home.join("distil.toml"), &elsewhere.join("cache-3"));
    let root = |files: &Files| {
        let index: serde_json::Value = serde_json::from_slice(&files[Path::new("index.json")]).unwrap();
        index["manifests"][0].clone()
    };
    assert_eq!(root(&got), root(&expected));
}

#[test]
fn an_edited_file_changes_one_layer() {
    let (_guard, folder) = folder();
    let cache = folder.join("cache");
    let recipe = folder.join("distil.toml");
    let text = fs::read_to_string(example::recipe()).unwrap();
    let debs = place::root().join("target/debs/python");
    fs::write(&recipe, text.replace("../../../target/debs/python", debs.to_str().unwrap())).unwrap();
    let layers = |program: &str| {
        fs::write(folder.join("main.py"), program).unwrap();
        let layout = folder.join("layout");
        let ran = Program::distil().arg("build").arg(&recipe).arg("--cache-dir").arg(&cache);
        let ran = ran.arg("-o").arg(example::reference(&layout, "test")).run();
        assert!(ran.status.success(), "{ran}");
        layout::image(&layout, "test").layers
    };
    let (one, other) = (layers("print(1)\n"), layers("print(2)\n"));
    assert_eq!(one.len(), other.len());
    let changed = one.iter().zip(&other).filter(|(one, other)| one != other).count();
    assert_eq!(changed, 1, "of {} layers", one.len());
    assert_ne!(one.last(), other.last(), "what a user edits is the last layer");
}
