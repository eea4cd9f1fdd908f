//! What `distil build` refuses, with which exit status, and what it says then.

use std::fs;
use std::path::PathBuf;

use distil_tests::program::{Ran, folder};
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program, layout, listing};

use crate::example::reference;

/// A recipe that builds: one package of ours, one file.
const RECIPE: &str = "[debian]\ndebs = [\"*.deb\"]\n\n[files]\n\"/app/x\" = { source = \"x\" }\n";

struct Project {
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Project {
    fn new(recipe: &str) -> Self {
        let (guard, folder) = folder();
        fs::write(folder.join("distil.toml"), recipe).unwrap();
        fs::write(folder.join("x"), "x\n").unwrap();
        Self { folder, _guard: guard }
    }

    fn with(self, deb: &Deb) -> Self {
        assert!(deb.write(&self.folder).is_file());
        self
    }

    fn layout(&self) -> PathBuf {
        self.folder.join("layout")
    }

    fn build(&self) -> Ran {
        let program = Program::distil().arg("build").arg("-o").arg(reference(&self.layout(), "test"));
        program.arg("--cache-dir").arg(self.folder.join("cache")).current_dir(&self.folder).run()
    }

    /// Builds, and wants this exit status, each of these words in the message, and no image.
    fn refused(&self, status: i32, words: &[&str]) {
        let ran = self.build().exits(status);
        let said = ran.errors();
        for word in words {
            assert!(said.contains(word), "{word:?} is not in: {ran}");
        }
        assert!(ran.stdout.is_empty(), "an error belongs on standard error: {ran}");
        assert!(!layout::is_finished(&self.layout()), "left an image: {ran}");
    }
}

fn hello() -> Deb {
    Deb::new("hello").file("/usr/bin/hello", "#!/bin/sh\necho hello\n")
}

#[test]
fn a_small_recipe_builds() {
    let project = Project::new(RECIPE).with(&hello());
    let ran = project.build();
    assert!(ran.status.success(), "{ran}");
    let tree = listing::of_layers(&layout::image(&project.layout(), "test").layers);
    assert_eq!(tree["usr/bin/hello"].kind, "f");
    assert_eq!(tree["app/x"].owner, (0, 0));
    assert_eq!(tree["var/lib/dpkg/status.d/hello"].mode, 0o644);
}

#[test]
fn compressions_of_packages_make_no_difference() {
    let trees: Vec<_> = ["", "gz", "xz", "zst"]
        .into_iter()
        .map(|compression| {
            let project = Project::new(RECIPE).with(&hello().compressed(compression));
            let ran = project.build();
            assert!(ran.status.success(), "{compression}: {ran}");
            listing::of_layers(&layout::image(&project.layout(), "test").layers)
        })
        .collect();
    for tree in &trees {
        assert_eq!(tree, &trees[0]);
    }
}

#[test]
fn without_a_recipe_packages_and_tars_become_layers() {
    let (_guard, folder) = folder();
    let deb = hello().write(&folder);
    let tar = folder.join("own.tar");
    let own = Entry::file("srv/data", "own").owned_by(7, 8).mode(0o640);
    fs::write(&tar, distil_tests::tar::archive(&[own])).unwrap();
    let image = folder.join("layout");
    let ran = Program::distil().arg("build").arg("--deb").arg(&deb).arg("--tar").arg(&tar);
    let ran = ran.arg("-o").arg(reference(&image, "test")).current_dir(&folder).run();
    assert!(ran.status.success(), "{ran}");
    let image = layout::image(&image, "test");
    let own = listing::of_layer(image.layers.last().unwrap());
    assert_eq!((own["srv/data"].owner, own["srv/data"].mode), ((7, 8), 0o640));
    assert!(!own.contains_key("usr/bin/hello"), "a tar is a layer of its own");
    assert!(listing::of_layers(&image.layers).contains_key("usr/bin/hello"));
}

#[test]
fn a_program_that_embeds_the_library_builds_the_same() {
    let project = Project::new(RECIPE).with(&hello());
    let ran = project.build();
    assert!(ran.status.success(), "{ran}");
    // A recipe named without a directory lies in the current one, for the library too.
    let embedded = Program::embed().args(["distil.toml", "embedded"]).current_dir(&project.folder);
    let embedded = embedded.env("TMPDIR", &project.folder).run();
    assert!(embedded.status.success(), "{embedded}");
    assert!(ran.text().ends_with(&format!(" {}", embedded.text())), "{ran}{embedded}");
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let recipe = format!("{RECIPE}\n[image]\nentrypiont = [\"/usr/bin/hello\"]\n");
    Project::new(&recipe).with(&hello()).refused(2, &["entrypiont", "entrypoint", "distil.toml", "8"]);
}

#[test]
fn a_wrong_type_names_its_place() {
    let recipe = format!("{RECIPE}\n[layers]\nmax = \"many\"\n");
    Project::new(&recipe).with(&hello()).refused(2, &["distil.toml", "8"]);
}

#[test]
fn broken_toml_names_its_place() {
    Project::new("[debian\n").refused(2, &["distil.toml", "1"]);
}

#[test]
fn a_missing_recipe_is_named() {
    let project = Project::new("");
    fs::remove_file(project.folder.join("distil.toml")).unwrap();
    let ran = project.build();
    assert!([2, 4].contains(&ran.code()) && ran.errors().contains("distil.toml"), "{ran}");
}

#[test]
fn a_missing_source_is_named() {
    let project = Project::new(RECIPE).with(&hello());
    fs::remove_file(project.folder.join("x")).unwrap();
    let ran = project.build();
    assert!([2, 4].contains(&ran.code()) && ran.errors().contains("/x"), "{ran}");
}

#[test]
fn an_unreadable_source_is_named() {
    let project = Project::new(RECIPE).with(&hello());
    fs::remove_file(project.folder.join("x")).unwrap();
    // Opening it works, reading does not, for root either.
    std::os::unix::fs::symlink("/proc/self/mem", project.folder.join("x")).unwrap();
    let ran = project.build();
    assert!([2, 4].contains(&ran.code()) && ran.errors().contains("/x"), "{ran}");
    assert!(!layout::is_finished(&project.layout()));
}

#[test]
fn a_pattern_without_packages_is_an_error() {
    Project::new(RECIPE).refused(2, &["*.deb"]);
}

#[test]
fn a_truncated_package_is_named() {
    let project = Project::new(RECIPE);
    let bytes = hello().compressed("xz").bytes();
    for length in [0, 4, 60, 200, bytes.len() / 2, bytes.len() - 2] {
        fs::write(project.folder.join("cut.deb"), &bytes[..length]).unwrap();
        project.refused(4, &["cut.deb"]);
    }
}

#[test]
fn two_owners_of_one_path_are_both_named() {
    let other = Deb::new("other").file("/usr/bin/hello", "something else");
    Project::new(RECIPE).with(&hello()).with(&other).refused(2, &["/usr/bin/hello", "hello", "other"]);
}

#[test]
fn equal_content_or_replaces_settle_who_owns_a_path() {
    let same = Deb::new("same").file("/usr/bin/hello", "#!/bin/sh\necho hello\n");
    let replaces = Deb::new("replaces").file("/usr/bin/hello", "better\n").field("Replaces: hello");
    for (other, expected) in [(same, "#!/bin/sh\necho hello\n"), (replaces, "better\n")] {
        let project = Project::new(RECIPE).with(&hello()).with(&other);
        let ran = project.build();
        assert!(ran.status.success(), "{}: {ran}", other.name);
        let tree = listing::of_layers(&layout::image(&project.layout(), "test").layers);
        assert_eq!(tree["usr/bin/hello"].content, sha256(expected.as_bytes()), "{}", other.name);
    }
}

#[test]
fn two_versions_of_one_package_are_refused() {
    let project = Project::new(RECIPE).with(&hello());
    let mut newer = hello();
    newer.control = newer.control.replace("1.0", "2.0");
    fs::write(project.folder.join("newer.deb"), newer.bytes()).unwrap();
    project.refused(2, &["package hello", "hello_1.0_all.deb", "newer.deb"]);
}

#[test]
fn a_full_disk_below_the_layout_harms_nothing() {
    check_full_disk("small/layout", "cache");
}

#[test]
fn a_full_disk_below_the_cache_harms_nothing() {
    check_full_disk("layout", "small/cache");
}

/// Builds a small image, then one that does not fit on the disk `small`, then looks whether the small one is still good.
fn check_full_disk(layout: &str, cache: &str) {
    let (_guard, folder) = folder();
    fs::create_dir(folder.join("small")).unwrap();
    let small = hello().write(&folder);
    let large = Deb::new("noise").file("/usr/share/noise", &noise(2_000_000)).write(&folder);
    let line = format!(
        "set -e; mount -t tmpfs -o size=700k tmpfs small\n\
         build() {{ $distil build --deb $1 --cache-dir {cache} -o oci:{layout}:test >/dev/null; }}\n\
         build {small}; build {large} && echo built || echo failed with $?\n\
         build {small} && echo builds again\n\
         $distil validate oci:{layout}:test >/dev/null && echo still valid",
        small = small.display(),
        large = large.display(),
    );
    let shell = Program::new("unshare").args(["--mount", "--map-root-user", "sh", "-c", &line]).current_dir(&folder);
    let ran = shell.env("distil", distil_tests::place::distil()).run();
    assert_eq!(ran.text(), "failed with 4\nbuilds again\nstill valid\n", "{ran}");
    assert!(ran.errors().contains("No space left"), "says what is missing: {ran}");
}

/// The system ends a program that writes past the limit by a signal, unless the program looks at the error instead.
#[test]
fn a_limit_on_the_size_of_files_is_an_error_that_leaves_nothing() {
    let (_guard, folder) = folder();
    let large = Deb::new("noise").file("/usr/share/noise", &noise(2_000_000)).write(&folder);
    for destination in ["oci:layout:test", "oci-archive:archive.tar:test"] {
        let line = format!("ulimit -f 400; $distil build --deb {} --cache-dir cache -o {destination}", large.display());
        let shell = Program::new("sh").args(["-c", &line]).current_dir(&folder);
        let ran = shell.env("distil", distil_tests::place::distil()).run();
        assert_eq!(ran.code(), 4, "{ran}");
        assert!(ran.errors().contains("File too large"), "{ran}");
    }
    let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [std::ffi::OsString::from("cache"), large.file_name().unwrap().to_owned()]);
}

/// Text that no compression makes much smaller, the same every time.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + (state >> 58) as u8)
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let ran = Program::new("sha256sum").input(bytes.to_vec()).run().success();
    ran.text().split(' ').next().unwrap().to_owned()
}
