//! Hardening as `distil check` tells it: the examples have no error, and what breaks a rule is told with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use distil_tests::program::folder;
use distil_tests::{Deb, Program};

use crate::distroless::{EXAMPLES, layout_of};
use crate::example::reference;

/// The rules of errors, but for the one that says that nobody imported advisories.
fn errors(home: &Path, image: &str) -> BTreeSet<String> {
    fs::write(home.join("policy.toml"), "version = 1\n[hardening]\nprofile = 'distroless'\n").unwrap();
    let words = ["check", image, "--policy", "policy.toml", "--json"];
    let judged = || {
        let program = Program::distil().args(words).args(["--now", "2026-11-23"]).current_dir(home).env("HOME", home);
        program.env("XDG_STATE_HOME", home).env("XDG_CACHE_HOME", home.join("cache")).run().json()
    };
    let document = judged();
    assert_eq!(judged(), document, "what was kept of the layers tells something else");
    let found = document["violations"].as_array().unwrap().iter().filter(|found| found["weight"] == "error");
    let rules = found.map(|found| found["rule"].as_str().unwrap().to_owned());
    rules.filter(|rule| rule != "DSTL-VUL-007").collect()
}

#[test]
fn the_examples_have_no_error() {
    let (_guard, home) = folder();
    for name in EXAMPLES {
        assert_eq!(errors(&home, &reference(&layout_of(name), "latest")), BTreeSet::new(), "{name}");
    }
}

#[test]
fn a_user_who_is_root_and_a_system_that_nobody_knows_are_told() {
    let (_guard, home) = folder();
    let deb = Deb::new("app").file("/usr/share/app/text", "text").write(&home);
    let image = reference(&home.join("layout"), "v1");
    let _built = Program::distil().args(["build", "-o", &image, "--deb"]).arg(deb).current_dir(&home).run().success();
    assert_eq!(errors(&home, &image), ["DSTL-CFG-001", "DSTL-EOS-004"].map(str::to_owned).into());
}
