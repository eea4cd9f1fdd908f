//! The examples are built and run, and hold what Google's distroless images hold, but for differences with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use distil_tests::program::folder;
use distil_tests::{Program, place};

use crate::example::{folder_of_this_run, reference};
use crate::peers::podman;

pub(crate) const EXAMPLES: [&str; 5] = ["base", "cc", "java", "python", "static"];

/// Whose package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Only {
    Ours,
    Theirs,
}

/// Packages that only one side has: in which examples, and why.
const DIFFERENCES: &[(&[&str], &[&str], Only, &str)] = &[
    (&EXAMPLES, &["ca-certificates"], Only::Ours, "they take the certificates out of it and leave the record behind"),
    (&["base"], &["gcc-12-base", "libgcc-s1"], Only::Ours, "libc6 depends on libgcc-s1, which it loads to end threads"),
    (&["java"], &["libc-bin"], Only::Ours, "they take the locale C.UTF-8 out of it and leave the record behind"),
    (&["java"], &["libblkid1", "libffi8", "libmount1", "libselinux1"], Only::Ours, "libglib2.0-0 is linked with them"),
    (&["java"], &["libcrypt1", "libuuid1"], Only::Theirs, "no package in the image depends on them"),
    (&["python"], &["libtirpc-common"], Only::Ours, "libtirpc3 depends on it for its settings"),
    (&["python"], &["python3-distutils"], Only::Theirs, "deprecated, and depends on all of python3"),
];

/// The folder in which the examples are, each as `target/NAME`, as `cargo xtask example` builds them: built by the first
/// test that asks.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = folder_of_this_run().join("distroless");
        for name in EXAMPLES {
            build(&place::locked(name), &["--locked"], &folder.join("target").join(name));
        }
        folder
    })
}

/// Builds a recipe from what is locked and cached.
fn build(recipe: &Path, options: &[&str], layout: &Path) {
    fs::create_dir_all(layout.parent().unwrap()).unwrap();
    let ran = Program::distil().arg("build").arg(recipe.join("distil.toml")).arg("--offline").args(options);
    let ran = ran.arg("--cache-dir").arg(place::locked_cache()).arg("-o").arg(reference(layout, "latest")).run();
    assert!(ran.status.success(), "{ran}");
}

/// The layout with an example as `latest`.
pub(crate) fn layout_of(name: &str) -> PathBuf {
    built().join("target").join(name)
}

fn image(name: &str) -> String {
    reference(&layout_of(name), "latest")
}

/// Names of the packages in the image of an example.
fn ours(name: &str) -> BTreeSet<String> {
    let document = Program::distil().args(["inspect", "--json", &image(name)]).run().success().json();
    let packages = document["packages"].as_array().unwrap();
    packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

/// Names of the packages that distroless lists for the image of this name.
fn theirs(name: &str) -> BTreeSet<String> {
    let list = place::root().join("tests/data/distroless").join(name).with_extension("txt");
    fs::read_to_string(list).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn differences_in_packages_have_a_reason() {
    for name in EXAMPLES {
        let (ours, theirs) = (ours(name), theirs(name));
        assert!(theirs.len() > 3, "{name}: {theirs:?}");
        let found: BTreeMap<&str, Only> = ours
            .difference(&theirs)
            .map(|package| (package.as_str(), Only::Ours))
            .chain(theirs.difference(&ours).map(|package| (package.as_str(), Only::Theirs)))
            .collect();
        let known: BTreeMap<&str, Only> = DIFFERENCES
            .iter()
            .filter(|(examples, ..)| examples.contains(&name))
            .flat_map(|(_, packages, only, _)| packages.iter().map(|package| (*package, *only)))
            .collect();
        assert_eq!(found, known, "{name}: what differs, and what is known to");
        println!("{name}: {} packages, {} of them in distroless, too", ours.len(), ours.intersection(&theirs).count());
    }
}

/// Compiles the program of an example, puts it on the example's image by its own recipe, and runs that.
fn check_program(name: &str, compiler: &[&str], expected: &str) {
    let (_guard, folder) = folder();
    let app = folder.join("examples").join(name).join("app");
    fs::create_dir_all(&app).unwrap();
    for file in fs::read_dir(place::root().join("examples").join(name).join("app")).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, app.join(file.file_name().unwrap())).unwrap();
    }
    let ran = Program::new(compiler[0]).args(&compiler[1..]).args(["-o", "hello"]).current_dir(&app).run();
    assert!(ran.status.success(), "{ran}");
    // The recipe names its base by where `cargo xtask example` puts it.
    std::os::unix::fs::symlink(built().join("target"), folder.join("target")).unwrap();
    // Podman makes the path a part of the image's name, and temporary ones have capitals, which names cannot.
    let layout = folder_of_this_run().join("distroless").join(name);
    build(&app, &[], &layout);
    let ran = podman(&[&reference(&layout, "latest")]).success();
    assert_eq!(ran.text(), expected, "{ran}");
}

#[test]
fn a_static_program_runs() {
    check_program(
        "static",
        &["gcc", "-static", "hello.c"],
        "hello from a static program\nroot: no\ntrusted certificates: many\n10:00 UTC in Berlin: 12:00\n\
         https is known: yes\ntext/html is known: yes\n",
    );
}

#[test]
fn a_program_with_the_c_library_runs() {
    check_program(
        "base",
        &["gcc", "hello.c"],
        "hello from a program with the C library\nuser: nonroot\nhttps: 443\nOpenSSL: yes\n",
    );
}

#[test]
fn a_program_in_cpp_runs() {
    check_program(
        "cc",
        &["g++", "-fopenmp", "hello.cc"],
        "hello from a program in C++\ncaught an exception\n1 to 100: 5050\n",
    );
}

#[test]
fn java_runs() {
    let ran = podman(&[&image("java")]).success();
    assert!(ran.errors().contains("openjdk version \"17."), "{ran}");
    let ran = podman(&[&image("java"), "-XshowSettings:properties", "-version"]).success();
    assert!(ran.errors().contains("user.name = nonroot") && ran.errors().contains("encoding = UTF-8"), "{ran}");
}

#[test]
fn the_debug_variant_has_a_shell() {
    for name in ["static", "base", "cc"] {
        let layout = folder_of_this_run().join("distroless").join(format!("{name}-debug"));
        build(&place::locked(name), &["--locked", "--variant", "debug"], &layout);
        let image = reference(&layout, "latest");
        let ran = podman(&["--entrypoint", "/bin/busybox", &image, "sh", "-c", "busybox id -un"]).success();
        assert_eq!(ran.text(), "nonroot\n", "{ran}");
    }
}
