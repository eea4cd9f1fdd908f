//! Images that start from an image in a registry: its tag is resolved once, and the lock holds what it was.

use std::fs;
use std::path::Path;

use distil_tests::breaking::{Breaking, Way};
use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, LyingRegistry, Registry, layout};

use crate::registry_image::{at, copied, digest, image};

/// A recipe on a base, with a package of its own.
fn recipe(folder: &Path, base: &str, more: &str) {
    assert!(Deb::new("app").file("/usr/bin/app", "#!/bin/sh\n").write(folder).is_file());
    let text = format!(
        "platforms = [\"linux/amd64\", \"linux/arm64\"]\n[base]\nimage = \"{base}\"\n{more}[debian]\ndebs = [\"*.deb\"]\n\
         [attestations]\nsbom = []\nprovenance = false\n"
    );
    fs::write(folder.join("distil.toml"), text).unwrap();
}

fn build(folder: &Path, options: &[&str]) -> Ran {
    at(folder, &[&["build", "--json", "-o", "oci:out:v1"], options].concat())
}

/// Moves a tag to another image for the same platforms, and gives its digest.
fn moved(folder: &Path, name: &str) -> String {
    let folder = folder.join("other");
    fs::create_dir(&folder).unwrap();
    crate::registry_image::recipe(&folder, "[image]\nlabels = { other = \"image\" }\n");
    digest(&at(&folder, &["build", "--json", "-o", name]).success().json())
}

fn check_above(folder: &Path) {
    let (base, above) = (layout::image(&image().layout, "test"), layout::image(&folder.join("out"), "v1"));
    let layers = |image: &layout::Image| image.manifest["layers"].as_array().unwrap().clone();
    assert_eq!(layers(&above)[..base.layers.len()], layers(&base)[..]);
    assert_eq!(above.layers.len(), base.layers.len() + 1);
    let annotations = &above.manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.base.digest"], base.digest.as_str());
    let _valid = at(folder, &["validate", "oci:out:v1"]).success();
}

#[test]
fn a_lock_holds_what_the_tag_was() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("base/app:v1");
    let _pushed = copied(&image().reference(), &name);
    recipe(&folder, &format!("docker://{name}"), "");
    let _locked = at(&folder, &["lock"]).success();
    let lock = fs::read_to_string(folder.join("distil.lock")).unwrap();
    assert!(lock.contains(&image().digest), "{lock}");
    let first = digest(&build(&folder, &["--locked"]).success().json());
    check_above(&folder);
    // The tag moves: the lock counts, and a new lock says so.
    let other = moved(&folder, &name);
    fs::remove_dir_all(folder.join("out")).unwrap();
    assert_eq!(digest(&build(&folder, &["--locked"]).success().json()), first);
    check_above(&folder);
    let checked = at(&folder, &["lock", "--check"]).exits(1);
    assert!(checked.errors().contains(&other) || checked.text().contains(&other), "{checked}");
    // Without a network and without the registry, from what was kept.
    drop(registry);
    fs::remove_dir_all(folder.join("out")).unwrap();
    assert_eq!(digest(&build(&folder, &["--locked", "--offline"]).success().json()), first);
    check_above(&folder);
    fs::remove_dir_all(folder.join("cache")).unwrap();
    fs::remove_dir_all(folder.join("out")).unwrap();
    let ran = build(&folder, &["--locked", "--offline"]);
    assert_ne!(ran.code(), 0);
    assert!(ran.errors().contains(&name) && !layout::is_finished(&folder.join("out")), "{ran}");
}

#[test]
fn where_the_base_lies_makes_no_difference() {
    let (one, two) = (Registry::start(), Registry::start_with_referrers());
    let (_guard, folder) = folder();
    let mut found = Vec::new();
    for base in [one.repository("a/b:v1"), two.repository("c:v2"), image().reference()] {
        if !base.starts_with("oci:") {
            let _pushed = copied(&image().reference(), &base);
        }
        let base = if base.starts_with("oci:") { base } else { format!("docker://{base}") };
        recipe(&folder, &base, "public-name = \"registry.example.org/team/base:v1\"\n");
        let _old = fs::remove_file(folder.join("distil.lock"));
        found.push(digest(&build(&folder, &[]).success().json()));
        let annotations = layout::image(&folder.join("out"), "v1").manifest["annotations"].clone();
        assert_eq!(annotations["org.opencontainers.image.base.name"], "registry.example.org/team/base:v1");
        fs::remove_dir_all(folder.join("out")).unwrap();
    }
    assert!(found.windows(2).all(|two| two[0] == two[1]), "{found:?}");
}

#[test]
fn layers_of_the_base_are_mounted_where_the_image_goes_to_the_same_registry() {
    let registry = Registry::start();
    let wire = Breaking::before(&registry.host());
    let (_guard, folder) = folder();
    let base = format!("{}/base/app:v1", wire.host());
    let _pushed = copied(&image().reference(), &base);
    recipe(&folder, &format!("docker://{base}"), "");
    let before = wire.passed(Way::Up);
    let pushed = at(&folder, &["build", "--json", "-o", &format!("{}/team/app:v1", wire.host())]).success();
    let sent = wire.passed(Way::Up) - before;
    let layers: u64 =
        layout::image(&image().layout, "test").layers.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(sent < layers, "{sent} bytes were sent, and the layers of the base are {layers}: {pushed}");
}

#[test]
fn a_base_that_lies_is_refused_and_not_kept() {
    let registry = LyingRegistry::serving(&image().layout);
    let (_guard, folder) = folder();
    let layer = layout::image(&image().layout, "test").manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    registry.lie("GET", &layer, |_, mut answer| {
        answer.body[7] ^= 1;
        answer
    });
    let base = registry.repository("base:test");
    recipe(&folder, &format!("docker://{base}"), "");
    let refused = build(&folder, &[]).exits(4);
    assert!(refused.errors().contains(layer.trim_start_matches("sha256:")), "{refused}");
    assert!(!layout::is_finished(&folder.join("out")));
    registry.tell_the_truth();
    let _built = build(&folder, &[]).success();
    check_above(&folder);
}
