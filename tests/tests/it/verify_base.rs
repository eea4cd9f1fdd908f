//! Images that start from an image somebody must have signed: nothing is built, locked or given out before that is verified.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program, Registry, layout};

use crate::registry_copy::{SIGNERS, cosign, pinned};
use crate::registry_image::{at, copied, digest, image};

/// A recipe on a base, with a package of its own.
fn recipe(folder: &Path, base: &str, trust: &str) {
    assert!(Deb::new("app").file("/usr/bin/app", "#!/bin/sh\n").write(folder).is_file());
    let text = format!(
        "platforms = [\"linux/amd64\"]\n[base]\nimage = \"{base}\"\n{trust}[debian]\ndebs = [\"*.deb\"]\n[attestations]\n\
         sbom = []\n"
    );
    fs::write(folder.join("distil.toml"), text).unwrap();
}

fn build(folder: &Path, options: &[&str]) -> Ran {
    at(folder, &[&["build", "--json", "-o", "oci:out:v1"], options].concat())
}

/// Nothing is there that was not there before.
fn refused(folder: &Path, ran: Ran, status: i32, said: &str) {
    let ran = ran.exits(status);
    assert!(ran.errors().contains(said) && ran.stdout.is_empty(), "{said}: {ran}");
    assert!(!layout::is_finished(&folder.join("out")), "{ran}");
}

/// A second key, which signed nothing.
fn other_key(folder: &Path) {
    let other = folder.join("other");
    fs::create_dir(&other).unwrap();
    let _made = cosign(&other, "cosign3", &["generate-key-pair"]).success();
    fs::copy(other.join("cosign.pub"), folder.join("other.pub")).unwrap();
}

const KEY: &str = "key = \"cosign.pub\"\n";
const OTHER: &str = "key = \"other.pub\"\n";

#[test]
fn a_base_that_is_signed_is_built_on_and_without_network_too() {
    for signer in [&SIGNERS[0], &SIGNERS[2]] {
        let registry = Registry::start();
        let (_guard, folder) = folder();
        let name = registry.repository("base:v1");
        let _pushed = copied(&image().reference(), &name);
        signer.sign(&folder, &pinned(&name));
        other_key(&folder);
        let base = format!("docker://{name}");
        recipe(&folder, &base, KEY);
        let _locked = at(&folder, &["lock"]).success();
        let first = digest(&build(&folder, &["--locked"]).success().json());
        // Nothing but the signers are in what is said about the image, and nothing of them in the image.
        let above = layout::image(&folder.join("out"), "v1");
        let about = layout::attached(&folder.join("out"), &above.digest);
        let provenance: serde_json::Value = serde_json::from_slice(&about[0].content).unwrap();
        let all = provenance["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
        let of_base = &all.iter().find(|one| one["annotations"]["kind"] == "base").unwrap()["annotations"];
        assert_eq!((of_base["signers"].as_array().unwrap().len(), of_base["threshold"].as_u64()), (1, Some(1)));
        recipe(&folder, &base, "");
        fs::remove_dir_all(folder.join("out")).unwrap();
        assert_eq!(digest(&build(&folder, &["--locked"]).success().json()), first);
        // Without network: the signatures are kept, and are verified again. For another key they are not enough.
        drop(registry);
        recipe(&folder, &base, KEY);
        assert_eq!(digest(&build(&folder, &["--locked", "--offline"]).success().json()), first);
        fs::remove_dir_all(folder.join("out")).unwrap();
        assert_eq!(digest(&build(&folder, &["--locked", "--offline"]).success().json()), first);
        fs::remove_dir_all(folder.join("out")).unwrap();
        recipe(&folder, &base, OTHER);
        refused(&folder, build(&folder, &["--locked", "--offline"]), 3, "nobody can tell");
    }
}

#[test]
fn a_base_that_others_signed_or_nobody_is_not_built_on() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let (name, bare) = (registry.repository("base:v1"), registry.repository("bare:v1"));
    for name in [&name, &bare] {
        let _pushed = copied(&image().reference(), name);
    }
    SIGNERS[2].sign(&folder, &pinned(&name));
    other_key(&folder);
    for (base, trust, said) in [
        (&name, OTHER, ": signer: "),
        (&bare, KEY, "nobody has signed it there"),
        (&name, "key = [\"cosign.pub\", \"other.pub\"]\nthreshold = 2\n", "1 of the 2 different signers"),
        (&name, "certificate-identity = \"a@b\"\ncertificate-oidc-issuer = \"https://x\"\n", ": signer: "),
    ] {
        recipe(&folder, &format!("docker://{base}"), trust);
        let ran = build(&folder, &[]);
        assert!(ran.errors().contains("in line 4, column "), "{ran}");
        refused(&folder, ran, 1, said);
        refused(&folder, at(&folder, &["lock"]), 1, said);
        refused(&folder, at(&folder, &["why", "app"]), 1, said);
        assert!(!folder.join("distil.lock").exists());
    }
    // What is wrong with the question is said before anything else.
    for (trust, status, said) in [
        ("key = \"nosuch.pub\"\n", 4, "nosuch.pub"),
        ("key = \"distil.toml\"\n", 2, "distil.toml"),
        ("key = \"cosign.pub\"\nthreshold = 2\n", 2, "only 1"),
        ("key = \"cosign.pub\"\ntrusted-root = \"nosuch.json\"\n", 3, "nosuch.json"),
        ("threshold = 2\n", 2, "needs exactly one of key"),
    ] {
        recipe(&folder, &format!("docker://{name}"), trust);
        refused(&folder, build(&folder, &[]), status, said);
    }
}

/// The signature of another image, under this one's name and in this one's repository.
#[test]
fn a_signature_of_another_image_does_not_count() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("base:v1");
    let _pushed = copied(&image().reference(), &name);
    SIGNERS[0].sign(&folder, &pinned(&name));
    let own = folder.join("own");
    fs::create_dir(&own).unwrap();
    crate::registry_image::recipe(&own, "[image]\nlabels = { other = \"image\" }\n");
    let other = digest(&at(&own, &["build", "--json", "-o", &name]).success().json());
    let signatures = |digest: &str| registry.repository(&format!("base:{}.sig", digest.replacen(':', "-", 1)));
    let (from, to) = (signatures(&image().digest), signatures(&other));
    let _moved = Program::new("crane").args(["copy", &from, &to]).run().success();
    recipe(&folder, &format!("docker://{name}"), KEY);
    refused(&folder, build(&folder, &[]), 1, ": subject: ");
}

/// An image that was built on it before is not given out again for a key that it was not verified with.
#[test]
fn what_was_built_before_is_verified_again() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("base:v1");
    let _pushed = copied(&image().reference(), &name);
    other_key(&folder);
    let base = format!("docker://{name}");
    recipe(&folder, &base, "");
    let first = digest(&build(&folder, &[]).success().json());
    recipe(&folder, &base, OTHER);
    // All of it is there, and it would be the same image.
    let ran = build(&folder, &["--locked"]).exits(1);
    assert!(ran.errors().contains("nobody has signed it there"), "{ran}");
    SIGNERS[0].sign(&folder, &pinned(&name));
    recipe(&folder, &base, KEY);
    assert_eq!(digest(&build(&folder, &["--locked"]).success().json()), first);
}

#[test]
fn a_base_in_a_layout_is_verified_by_what_lies_in_the_layout() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("base:v1");
    let _pushed = copied(&image().reference(), &name);
    SIGNERS[2].sign(&folder, &pinned(&name));
    other_key(&folder);
    let _copied = at(&folder, &["copy", &name, "oci:base:v1"]).success();
    let _copied = at(&folder, &["copy", &image().reference(), "oci:bare:v1"]).success();
    drop(registry);
    recipe(&folder, "oci:bare:v1", KEY);
    refused(&folder, build(&folder, &[]), 1, "nobody has signed it there");
    recipe(&folder, "oci:base:v1", OTHER);
    refused(&folder, build(&folder, &[]), 1, ": signer: ");
    // Paths are relative to the recipe, wherever it is built from.
    recipe(&folder, "oci:base:v1", KEY);
    let elsewhere = folder.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let _built = at(&elsewhere, &["build", "../distil.toml", "--offline", "-o", "oci:out:v1"]).success();
    assert!(layout::is_finished(&elsewhere.join("out")));
}
