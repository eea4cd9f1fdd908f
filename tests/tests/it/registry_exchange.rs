//! What distil pushes others pull, and what others push distil pulls: every digest is the same.

use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry, layout};

use crate::example::reference;
use crate::registry_image::{at, copied, digest, everything, image, own, recipe};

/// Runs another program with a home of its own.
fn other(folder: &Path, name: &str, words: &[&str]) -> Ran {
    own(Program::new(name).args(words), folder).run()
}

fn podman(folder: &Path, words: &[&str]) -> Ran {
    let program =
        Program::new("podman").arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("runs"));
    own(program.args(words), folder).run()
}

/// Both registries, and for each a name in it.
fn registries() -> [(Registry, String); 2] {
    [Registry::start(), Registry::start_with_referrers()].map(|registry| {
        let name = registry.repository("team/app:v1");
        (registry, name)
    })
}

#[test]
fn a_build_pushes_to_registries_and_layouts_at_once() {
    let (_guard, folder) = folder();
    recipe(&folder, "");
    let [(_one, first), (_two, second)] = registries();
    let destinations = [format!("docker://{first}"), second, "oci:layout:v1".to_owned()];
    let words: Vec<&str> = destinations.iter().flat_map(|to| ["-o", to]).collect();
    let built = at(&folder, &[&["build", "--json"], &words[..]].concat()).success().json();
    let images = built["images"].as_array().unwrap();
    assert_eq!(images.len(), 3);
    let (root, attached) = everything(&folder.join("layout"), "v1");
    assert!(!attached.is_empty());
    for (number, from) in destinations[..2].iter().enumerate() {
        assert_eq!(images[number]["digest"], root.as_str());
        let back = format!("back{number}");
        assert_eq!(copied(from, &reference(&folder.join(&back), "v1")), root);
        assert_eq!(everything(&folder.join(&back), "v1"), (root.clone(), attached.clone()), "{from}");
    }
    // Nothing changed: nothing is sent again, and the answer is the same.
    let again = at(&folder, &[&["build", "--json"], &words[..]].concat()).success().json();
    assert_eq!(digest(&again), root);
}

#[test]
fn others_pull_what_is_pushed() {
    for (_registry, name) in registries() {
        let (_guard, folder) = folder();
        let pushed = copied(&image().reference(), &name);
        assert_eq!(pushed, image().digest);
        let crane = other(&folder, "crane", &["digest", &name]).success().text();
        assert_eq!(crane.trim(), pushed);
        let _pulled = other(&folder, "crane", &["pull", "--format", "oci", &name, "crane"]).success();
        let _valid = at(&folder, &["validate", "oci:crane"]).success();

        let from = format!("docker://{name}");
        let skopeo = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", &from];
        let _pulled = other(&folder, "skopeo", &[&skopeo[..], &["oci:skopeo:v1"]].concat()).success();
        assert_eq!(layout::image(&folder.join("skopeo"), "v1").root, pushed);

        let oras = ["copy", "--recursive", "--from-plain-http", "--to-oci-layout", &name, "oras:v1"];
        let _pulled = other(&folder, "oras", &oras).success();
        let mine = everything(&image().layout, "test");
        assert_eq!(everything(&folder.join("oras"), "v1"), mine);

        let pull = ["pull", "--quiet", "--tls-verify=false", "--arch", "amd64", &from];
        let id = podman(&folder, &pull).success().text();
        let config = &layout::image(&image().layout, "test").manifest["config"]["digest"];
        assert_eq!(format!("sha256:{}", id.trim()), config.as_str().unwrap());
    }
}

#[test]
fn what_others_push_is_pulled() {
    let here = image();
    let (_guard, folder) = folder();
    for (registry, _) in registries() {
        let check = |name: &str, with_referrers: bool| {
            let back = folder.join(name.replace(['/', ':'], "_"));
            assert_eq!(copied(name, &reference(&back, "v1")), here.digest, "{name}");
            let (_, attached) = everything(&back, "v1");
            assert_eq!(!attached.is_empty(), with_referrers, "{name}");
        };
        let name = |by: &str| registry.repository(&format!("by/{by}:v1"));
        let from = here.reference();
        let to = format!("docker://{}", name("skopeo"));
        let skopeo =
            ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", &from, &to];
        let _pushed = other(&folder, "skopeo", &skopeo).success();
        check(&name("skopeo"), false);

        let oras = ["copy", "--recursive", "--to-plain-http", "--from-oci-layout", from.trim_start_matches("oci:")];
        let _pushed = other(&folder, "oras", &[&oras[..], &[&name("oras")]].concat()).success();
        check(&name("oras"), true);

        let _copied = other(&folder, "crane", &["copy", &name("skopeo"), &name("crane")]).success();
        check(&name("crane"), false);
    }
}

#[test]
fn what_podman_pushes_is_pulled_as_podman_has_it() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let loaded = podman(&folder, &["pull", "--quiet", "--arch", "amd64", &image().reference()]).success().text();
    let name = registry.repository("by/podman:v1");
    let to = format!("docker://{name}");
    let _pushed = podman(&folder, &["push", "--quiet", "--tls-verify=false", loaded.trim(), &to]).success();
    check_pulled(&folder, &name);
    // Docker's own types of manifest, config and layers.
    let archive = format!("docker-archive:{}:a/b:c", folder.join("image.tar").display());
    let _copied = at(&folder, &["copy", "--platform", "linux/amd64", &image().reference(), &archive]).success();
    let name = registry.repository("by/skopeo:v2s2");
    let to = format!("docker://{name}");
    let words = ["--insecure-policy", "copy", "--format", "v2s2", "--dest-tls-verify=false", &archive, &to];
    let _pushed = other(&folder, "skopeo", &words).success();
    check_pulled(&folder, &name);
}

/// Pulls what crane says is there, and reads it all.
fn check_pulled(folder: &Path, name: &str) {
    let expected = other(folder, "crane", &["digest", name]).success().text();
    let back = reference(&folder.join(expected.trim().replace(':', "-")), "v1");
    assert_eq!(copied(name, &back), expected.trim());
    let _valid = at(folder, &["validate", &back]).success();
}

#[test]
fn every_command_that_reads_takes_a_name_in_a_registry() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("team/app:v1");
    let _pushed = copied(&image().reference(), &name);
    let by_digest = format!("{}@{}", registry.repository("team/app"), image().digest);
    let platform = ["--platform", "linux/arm64"];
    for words in [
        &["inspect", "--json"][..],
        &["validate", "--json"],
        &["files", "--json", platform[0], platform[1]],
        &["sbom", "--format", "table", platform[0], platform[1]],
    ] {
        let local = at(&folder, &[words, &[&image().reference()]].concat()).success();
        for name in [&name, &by_digest, &format!("docker://{name}")] {
            let remote = at(&folder, &[words, &[name]].concat()).success();
            assert_eq!(remote.text(), local.text(), "{words:?} {name}");
        }
    }
}

#[test]
fn a_tag_is_resolved_once_and_said() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("team/app:v1");
    let _pushed = copied(&image().reference(), &name);
    let ran = at(&folder, &["copy", &name, "oci:back:v1"]).success();
    assert!(ran.errors().contains(&image().digest), "{ran}");
    // Without a tag it is `latest`, which is not there; the message says which tags are.
    let missing = at(&folder, &["inspect", &registry.repository("team/app")]);
    assert_ne!(missing.code(), 0);
    assert!(missing.errors().contains("latest") && missing.errors().contains("v1"), "{missing}");
    let missing = at(&folder, &["inspect", &registry.repository("no/such:v1")]).exits(4);
    assert!(missing.errors().contains("no/such"), "{missing}");
}
