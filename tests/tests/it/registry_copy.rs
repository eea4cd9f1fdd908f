//! `distil copy`: what cosign signed and attested travels and is verified at the other end; several destinations, one platform,
//! names that stay, and nothing sent twice.

use std::fs;
use std::path::Path;

use distil_tests::breaking::{Breaking, Way};
use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry, layout};
use serde_json::{Value, json};

use crate::example::reference;
use crate::registry_image::{at, copied, digest, everything, image, own};

const OFFLINE: [&str; 2] = ["--use-signing-config=false", "--tlog-upload=false"];

/// How a version of cosign writes signatures.
pub(crate) struct Signer {
    program: &'static str,
    options: &'static [&'static str],
}

pub(crate) const SIGNERS: [Signer; 3] = [
    Signer { program: "cosign2", options: &["--tlog-upload=false"] },
    Signer { program: "cosign3", options: &["--new-bundle-format=false", OFFLINE[0], OFFLINE[1]] },
    Signer { program: "cosign3", options: &OFFLINE },
];

pub(crate) fn cosign(folder: &Path, program: &str, words: &[&str]) -> Ran {
    own(Program::new(program).args(words), folder).env("COSIGN_PASSWORD", "").env("COSIGN_YES", "true").run()
}

impl Signer {
    /// Makes a key, signs, and attests.
    pub(crate) fn sign(&self, folder: &Path, name: &str) {
        let _made = cosign(folder, self.program, &["generate-key-pair"]).success();
        let common = [self.options, &["--key", "cosign.key"]].concat();
        let _signed = cosign(folder, self.program, &[&["sign"], &common[..], &[name]].concat()).success();
        fs::write(folder.join("predicate.json"), json!({ "answer": 42 }).to_string()).unwrap();
        let about = ["--type", "https://example.org/answer", "--predicate", "predicate.json", name];
        let _attested = cosign(folder, self.program, &[&["attest"], &common[..], &about].concat()).success();
    }

    /// Verifies both with the same program.
    fn verify(&self, folder: &Path, name: &str) {
        let common = ["--insecure-ignore-tlog=true", "--key", "cosign.pub"];
        let _verified = cosign(folder, self.program, &[&["verify"], &common[..], &[name]].concat()).success();
        let about = ["--type", "https://example.org/answer", name];
        let _verified =
            cosign(folder, self.program, &[&["verify-attestation"], &common[..], &about].concat()).success();
    }
}

/// `HOST/REPO@DIGEST` of what a tag has.
pub(crate) fn pinned(name: &str) -> String {
    let (repository, _) = name.rsplit_once(':').unwrap();
    format!("{repository}@{}", image().digest)
}

#[test]
fn what_cosign_signed_is_verified_at_the_destination() {
    for signer in SIGNERS {
        let registries = [Registry::start(), Registry::start_with_referrers()];
        for (source, destination) in [(0, 0), (0, 1), (1, 0)] {
            let (_guard, folder) = folder();
            let from = registries[source].repository(&format!("from{destination}/app:v1"));
            let to = registries[destination].repository(&format!("to{source}/app:v1"));
            let _pushed = copied(&image().reference(), &from);
            signer.sign(&folder, &pinned(&from));
            signer.verify(&folder, &pinned(&from));
            assert_eq!(copied(&from, &to), image().digest);
            signer.verify(&folder, &pinned(&to));
            // By way of a layout, which has neither tags nor the API for them.
            let by = reference(&folder.join("layout"), "v1");
            let _pulled = copied(&from, &by);
            let again = registries[destination].repository(&format!("again{source}/app:v1"));
            assert_eq!(copied(&by, &again), image().digest);
            signer.verify(&folder, &pinned(&again));
        }
    }
}

/// The types of what oras finds to refer to an image, sorted.
fn discovered(name: &str) -> Vec<String> {
    let found =
        Program::new("oras").args(["discover", "--plain-http", "--format", "json", name]).run().success().json();
    let referrers = found["referrers"].as_array().unwrap_or_else(|| panic!("{found}"));
    let mut digests: Vec<String> =
        referrers.iter().map(|referrer| referrer["digest"].as_str().unwrap().to_owned()).collect();
    digests.sort();
    digests
}

#[test]
fn documents_about_each_platform_travel_between_registries_with_and_without_the_api() {
    let (one, two) = (Registry::start(), Registry::start_with_referrers());
    let names = [&one, &two, &one].map(|registry| registry.repository("documents/app:v1"));
    let last = one.repository("last/app:v1");
    let manifest = layout::image(&image().layout, "test").digest;
    let expected = layout::attached(&image().layout, &manifest).len();
    assert!(expected > 2);
    let mut from = image().reference();
    for to in [&names[0], &names[1], &last] {
        assert_eq!(copied(&from, to), image().digest);
        let (repository, _) = to.rsplit_once(':').unwrap();
        assert_eq!(discovered(&format!("{repository}@{manifest}")).len(), expected, "{to}");
        from.clone_from(to);
    }
    let (_guard, folder) = folder();
    let _pulled = copied(&last, &reference(&folder.join("back"), "v1"));
    assert_eq!(everything(&folder.join("back"), "v1"), everything(&image().layout, "test"));
}

/// An index as BuildKit writes it: attestations are manifests in it, for the platform `unknown`.
#[test]
fn attestations_in_the_index_travel() {
    let (_guard, folder) = folder();
    crate::registry_image::recipe(&folder, "[attestations]\nin-index = true\n");
    let registry = Registry::start();
    let (from, to) = (registry.repository("in/index:v1"), registry.repository("in/other:v1"));
    let built = digest(&at(&folder, &["build", "--json", "-o", &from]).success().json());
    assert_eq!(copied(&from, &to), built);
    let _pulled = copied(&to, &reference(&folder.join("back"), "v1"));
    let index = layout::files(&folder.join("back"))
        .into_iter()
        .find(|(path, _)| built.ends_with(path.file_name().unwrap().to_str().unwrap()));
    let index: Value = serde_json::from_slice(&index.unwrap().1).unwrap();
    let unknown = index["manifests"].as_array().unwrap().iter().filter(|m| m["platform"]["os"] == "unknown").count();
    assert_eq!(unknown, 2, "{index}");
}

#[test]
fn several_destinations_are_each_reported() {
    let (_guard, folder) = folder();
    let registries = [Registry::start(), Registry::start_with_referrers()];
    let [one, two] = [0, 1].map(|number| registries[number].repository("team/app:v1"));
    // Nothing listens on this port, which nobody is given who asks for a free one.
    let gone = "127.0.0.1:1/team/app:v1";
    let words = ["copy", "--json", &image().reference(), &one, "--to", gone, "--to", &two, "--to", "oci:mirror:v1"];
    let ran = at(&folder, &words).exits(4);
    let images = ran.json()["images"].as_array().unwrap().clone();
    assert_eq!(images.len(), 3, "{ran}");
    assert!(images.iter().all(|found| found["digest"] == image().digest.as_str()), "{ran}");
    assert!(ran.errors().contains(gone), "{ran}");
    for name in [&one, &two, &reference(&folder.join("mirror"), "v1")] {
        assert_eq!(digest(&at(&folder, &["copy", "--json", name, "oci:check:v1"]).success().json()), image().digest);
    }
}

#[test]
fn one_platform_is_copied_under_its_own_digest() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let (from, to) = (registry.repository("two/platforms:v1"), registry.repository("one/platform:v1"));
    let _pushed = copied(&image().reference(), &from);
    let manifest = layout::image(&image().layout, "test").digest;
    let ran = at(&folder, &["copy", "--json", "--platform", "linux/amd64", &from, &to]).success();
    assert_eq!(digest(&ran.json()), manifest);
    let _pulled = copied(&to, &reference(&folder.join("back"), "v1"));
    let found = layout::attached(&folder.join("back"), &manifest);
    assert_eq!(found, layout::attached(&image().layout, &manifest));
    let ran = at(&folder, &["copy", "--platform", "linux/s390x", &from, &to]).exits(2);
    assert!(ran.errors().contains("linux/s390x"), "{ran}");
}

#[test]
fn a_name_that_stays_is_not_moved() {
    let (_guard, folder) = folder();
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let layout = reference(&folder.join("layout"), "v1");
    let one = image().reference();
    // Another image: one platform of the first.
    let _other = at(&folder, &["copy", "--platform", "linux/amd64", &one, "oci:other:v1"]).success();
    let other = layout::image(&folder.join("other"), "v1").root;
    for to in [&name, &layout] {
        let _first = at(&folder, &["copy", "--immutable", &one, to]).success();
        let _same = at(&folder, &["copy", "--immutable", &one, to]).success();
        let refused = at(&folder, &["copy", "--immutable", "oci:other:v1", to]);
        assert_ne!(refused.code(), 0);
        assert!(refused.errors().contains(&image().digest) && refused.errors().contains(&other), "{refused}");
        assert_eq!(digest(&at(&folder, &["copy", "--json", to, "oci:check:v1"]).success().json()), image().digest);
    }
    // The same of a recipe, and of the option on a build.
    crate::registry_image::recipe(&folder, "[publish]\nimmutable = true\n[image]\nlabels = { other = \"image\" }\n");
    for words in [&["build", "-o"][..], &["build", "--immutable", "-o"]] {
        let refused = at(&folder, &[words, &[&name]].concat());
        assert_ne!(refused.code(), 0);
        assert!(refused.errors().contains(&image().digest), "{refused}");
        crate::registry_image::recipe(&folder, "[image]\nlabels = { other = \"image\" }\n");
    }
    let _moved = at(&folder, &["build", "-o", &name]).success();
}

#[test]
fn tags_are_listed_in_the_order_of_versions() {
    let (_guard, folder) = folder();
    let registry = Registry::start();
    for tag in ["1.10", "1.9", "latest", "1.9-rc1", "2.0"] {
        let _pushed = copied(&image().reference(), &registry.repository(&format!("team/app:{tag}")));
        let _copied = copied(&image().reference(), &reference(&folder.join("layout"), tag));
    }
    let name = registry.repository("team/app");
    let remote = at(&folder, &["tags", &name]).success().text();
    assert_eq!(remote, at(&folder, &["tags", "oci:layout"]).success().text());
    let listed: Vec<&str> = remote.lines().collect();
    let place = |tag: &str| listed.iter().position(|line| *line == tag).unwrap_or_else(|| panic!("no {tag}: {remote}"));
    assert!(place("1.9") < place("1.10") && place("1.10") < place("2.0"), "{remote}");
    assert_eq!(listed.len(), 5, "names of referrers are none: {remote}");
    let digests = at(&folder, &["tags", "--digests", &name]).success().text();
    assert_eq!(digests.matches(&image().digest).count(), 5, "{digests}");
    let missing = at(&folder, &["tags", &registry.repository("no/such")]).exits(4);
    assert!(missing.errors().contains("no/such"), "{missing}");
}

#[test]
fn what_is_there_is_not_sent_again() {
    let registry = Registry::start();
    let wire = Breaking::before(&registry.host());
    let names = ["one/app:v1", "two/app:v1", "two/app:v1"].map(|name| format!("{}/{name}", wire.host()));
    let mut sent = Vec::new();
    let mut from = image().reference();
    for to in &names {
        let before = wire.passed(Way::Up);
        assert_eq!(copied(&from, to), image().digest);
        sent.push(wire.passed(Way::Up) - before);
        from.clone_from(to);
    }
    // All, then documents alone since the registry mounts the blobs, then nothing but questions.
    let [all, mounted, again] = sent[..] else { panic!("{sent:?}") };
    let layers: u64 = image_bytes();
    assert!(all > layers && mounted < layers / 2 && again < mounted, "{sent:?} with {layers} bytes of blobs");
}

/// Bytes of all blobs of the layout.
fn image_bytes() -> u64 {
    layout::files(&image().layout.join("blobs")).values().map(|bytes| bytes.len() as u64).sum()
}
