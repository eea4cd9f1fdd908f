//! Hardening as `distil check` tells it: the examples have no error, and what breaks a rule is told with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use distil_tests::program::folder;
use distil_tests::{Deb, Program};

use crate::distroless::{EXAMPLES, layout_of};
use crate::example::reference;
use crate::project::{Project, file_url, repository};

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

#[test]
fn a_package_from_a_file_is_told_beside_those_of_repositories() {
    let project = Project::new(&repository());
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    let _own = Deb::new("own").file("/usr/share/own", "text").write(&project.folder);
    let recipe = project.folder.join("distil.toml");
    let text = fs::read_to_string(&recipe).unwrap().replacen("[debian]\n", "[debian]\ndebs = [\"*.deb\"]\n", 1);
    fs::write(&recipe, text).unwrap();
    let _built = project.built(&[]);
    let image = reference(&project.layout(), "test");
    let told = |allow: &str| {
        let policy =
            format!("version = 1\n[hardening]\nprofile = 'none'\nrules = {{ DSTL-PKG-001 = 'error' }}\n{allow}");
        fs::write(project.folder.join("policy.toml"), policy).unwrap();
        let words = ["check", &image, "--policy", "policy.toml", "--json"];
        let document = project.distil(&words).json();
        let found = document["violations"].as_array().unwrap().iter().filter(|found| found["rule"] == "DSTL-PKG-001");
        found.map(|found| found["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(""), ["own"]);
    assert_eq!(told("allow = { local-packages = ['o*'] }\n"), [""; 0]);
    // Once an authority has signed a statement, it is the one that counts.
    let signing = |words: &[&str]| {
        let program = Program::distil().args(words).current_dir(&project.folder);
        program.env("COSIGN_PASSWORD", "").run().success()
    };
    let _keys = signing(&["key", "generate", "--output-key-prefix", "release"]);
    let attest =
        ["attest", &image, "--key", "release.key", "--type", "slsaprovenance1", "--reference", "example.org/app"];
    let _attested = signing(&attest);
    assert_eq!(told("[[signatures.authority]]\nname = 'release'\nkey = 'release.pub'\n"), ["own"]);
}
