//! `distil sign`: both cosigns verify what it puts beside an image, in registries, layouts and archives; signing again adds
//! nothing, and nobody's signature is lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry, layout};
use serde_json::Value;

use crate::example::reference;
use crate::registry_image::{at, copied, image, own, program};

/// A key that a cosign or distil made, in a folder of its own under a name: `cosign.key` and `cosign.pub`.
pub(crate) fn key(folder: &Path, name: &str, made_by: &str) -> String {
    let home = folder.join(name);
    fs::create_dir_all(&home).unwrap();
    let _made = match made_by {
        "distil" => distil(&home, &["key", "generate", "--output-key-prefix", "cosign"]).success(),
        cosign => run(&home, cosign, &["generate-key-pair"]).success(),
    };
    home.join("cosign").to_str().unwrap().to_owned()
}

/// A key of another kind, which signs one message always the same way.
fn rsa(folder: &Path) -> String {
    let _made = Program::new("openssl")
        .args(["genrsa", "-traditional", "-out", "rsa.pem", "2048"])
        .current_dir(folder)
        .run()
        .success();
    let words = ["import-key-pair", "--key", "rsa.pem", "--output-key-prefix", "rsa"];
    let _made = run(folder, "cosign3", &words).success();
    folder.join("rsa").to_str().unwrap().to_owned()
}

/// Runs a cosign that is asked for nothing.
pub(crate) fn run(folder: &Path, cosign: &str, words: &[&str]) -> Ran {
    own(Program::new(cosign).args(words), folder).env("COSIGN_PASSWORD", "").env("COSIGN_YES", "true").run()
}

/// Runs distil with the empty password of these keys.
pub(crate) fn distil(folder: &Path, words: &[&str]) -> Ran {
    program(folder, words).env("COSIGN_PASSWORD", "").run()
}

/// Whether a cosign verifies an image by a key.
pub(crate) fn verifies(folder: &Path, cosign: &str, key: &str, more: &[&str]) -> bool {
    let public = format!("{key}.pub");
    let words = [&["verify", "--insecure-ignore-tlog=true", "--key", &public], more].concat();
    run(folder, cosign, &words).status.success()
}

/// `HOST/REPO` of `HOST/REPO:TAG`.
pub(crate) fn repository(name: &str) -> &str {
    name.rsplit_once(':').unwrap().0
}

/// The manifest that lies under a name in a registry.
pub(crate) fn manifest(name: &str) -> Value {
    Program::new("crane").args(["manifest", name]).run().success().json()
}

/// The name of cosign's layers about a digest.
pub(crate) fn beside(repository: &str, digest: &str, suffix: &str) -> String {
    format!("{repository}:{}.{suffix}", digest.replace(':', "-"))
}

/// The digests of the bundles that refer to a digest.
pub(crate) fn bundles(repository: &str, digest: &str) -> BTreeSet<String> {
    let name = format!("{repository}@{digest}");
    let found =
        Program::new("oras").args(["discover", "--plain-http", "--format", "json", &name]).run().success().json();
    let list = found["referrers"].as_array().unwrap_or_else(|| panic!("{found}"));
    let digests = list.iter().map(|one| one["digest"].as_str().unwrap().to_owned());
    // Of the type, registries say what they like.
    let is_bundle = |digest: &String| {
        let found = manifest(&format!("{repository}@{digest}"));
        found["layers"][0]["mediaType"].as_str().is_some_and(|text| text.contains("sigstore.bundle"))
    };
    digests.filter(is_bundle).collect()
}

#[test]
fn both_cosigns_verify_every_form_in_registries() {
    let (_guard, folder) = folder();
    for (made_by, registry) in [("distil", Registry::start()), ("cosign3", Registry::start_with_referrers())] {
        let key = key(&folder, made_by, made_by);
        for (form, by_2) in [("legacy", true), ("bundle", false), ("both", true)] {
            let name = registry.repository(&format!("{form}/app:v1"));
            let digest = copied(&image().reference(), &name);
            let sign = ["sign", "--json", &name, "--key", &format!("{key}.key"), "--format", form, "-a", "release=<1>"];
            let found = distil(&folder, &sign).success().json();
            assert_eq!(
                (&found["digest"], &found["name"]),
                (&digest.clone().into(), &repository(&name).into()),
                "{found}"
            );
            for pinned in [name.clone(), format!("{}@{digest}", repository(&name))] {
                assert_eq!(
                    verifies(&folder, "cosign2", &key, &["-a", "release=<1>", &pinned]),
                    by_2,
                    "{form} {made_by}"
                );
                assert!(verifies(&folder, "cosign3", &key, &["-a", "release=<1>", &pinned]), "{form} {made_by}");
                assert!(!verifies(&folder, "cosign3", &key, &["-a", "release=2", &pinned]), "{form} {made_by}");
            }
        }
    }
}

#[test]
fn the_bytes_are_those_of_cosign() {
    let (_guard, folder) = folder();
    let key = rsa(&folder);
    let registry = Registry::start();
    let names = ["by/cosign2:v1", "by/cosign3:v1", "by/distil:v1"].map(|name| registry.repository(name));
    let digest = names.each_ref().map(|name| copied(&image().reference(), name))[0].clone();
    let pinned = names.each_ref().map(|name| format!("{}@{digest}", repository(name)));
    let private = format!("{key}.key");
    let identity = registry.repository("team/app");
    let common = ["sign", "--tlog-upload=false", "--key", &private, "--sign-container-identity", &identity];
    let _signed = run(&folder, "cosign2", &[&common[..], &[&pinned[0]]].concat()).success();
    let legacy = ["--new-bundle-format=false", "--use-signing-config=false", &pinned[1]];
    let _signed = run(&folder, "cosign3", &[&common[..], &legacy].concat()).success();
    let _signed = distil(&folder, &["sign", &names[2], "--key", &private, "--reference", &identity]).success();
    let digest_of = |name: &String| {
        let tag = beside(repository(name), &digest, "sig");
        Program::new("crane").args(["digest", &tag]).run().success().text()
    };
    assert_eq!(digest_of(&names[0]), digest_of(&names[2]));
    assert_eq!(digest_of(&names[1]), digest_of(&names[2]));
    // Of a bundle, the manifest has the time.
    let bundle = ["sign", "--use-signing-config=false", "--tlog-upload=false", "--key", &private, &pinned[1]];
    let _signed = run(&folder, "cosign3", &bundle).success();
    let of = |name: &String| {
        let repository = repository(name);
        // Cosign 3 states another type where a registry cannot list referrers.
        let fallback = manifest(&format!("{repository}:{}", digest.replace(':', "-")));
        let entries = fallback["manifests"].as_array().unwrap().clone();
        let documents =
            entries.iter().map(|entry| manifest(&format!("{repository}@{}", entry["digest"].as_str().unwrap())));
        let bundle = documents.filter(|found| found["layers"][0]["mediaType"].as_str().unwrap().contains("bundle"));
        let mut all: Vec<Value> = bundle.collect();
        assert_eq!(all.len(), 1);
        let mut one = all.remove(0);
        assert!(one["annotations"]["org.opencontainers.image.created"].take().is_string());
        one
    };
    assert_eq!(of(&names[1]), of(&names[2]));
}

#[test]
fn signing_again_adds_nothing_and_other_keys_add_theirs() {
    let (_guard, folder) = folder();
    let [one, two] = [("one", "cosign2"), ("two", "cosign3")].map(|(name, cosign)| key(&folder, name, cosign));
    for registry in [Registry::start(), Registry::start_with_referrers()] {
        let name = registry.repository("team/app:v1");
        let digest = copied(&image().reference(), &name);
        let pinned = format!("{}@{digest}", repository(&name));
        let private = format!("{one}.key");
        // What cosign signed with the same key counts as well.
        let offline = ["sign", "--use-signing-config=false", "--tlog-upload=false", "--key", &private];
        let _signed = run(&folder, "cosign3", &[&offline[..], &[&pinned]].concat()).success();
        let sign =
            |key: &str| distil(&folder, &["sign", "--json", &name, "--key", &format!("{key}.key")]).success().json();
        let first = sign(&one);
        let forms: Vec<_> = first["signed"][0]["forms"].as_array().unwrap().iter().map(|form| &form["new"]).collect();
        assert_eq!(forms, [true, false], "{first}");
        let again = sign(&one);
        assert!(again["signed"][0]["forms"].as_array().unwrap().iter().all(|form| form["new"] == false), "{again}");
        let layers = || manifest(&beside(repository(&name), &digest, "sig"))["layers"].as_array().unwrap().len();
        assert_eq!(layers(), 1);
        let _other = sign(&two);
        assert_eq!(layers(), 2);
        let _again = (sign(&two), sign(&one));
        assert_eq!(layers(), 2);
        for (cosign, key) in [("cosign2", &one), ("cosign3", &one), ("cosign2", &two), ("cosign3", &two)] {
            assert!(verifies(&folder, cosign, key, &[&pinned]), "{cosign} {key}");
        }
    }
}

#[test]
fn every_platform_is_signed_where_that_is_asked_for() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    let name = Registry::start();
    let name = (name.repository("team/app:v1"), name);
    let digest = copied(&image().reference(), &name.0);
    let child = layout::image(&image().layout, "test").digest;
    assert_ne!(child, digest);
    let of = |digest: &str| format!("{}@{digest}", repository(&name.0));
    let private = format!("{key}.key");
    let _signed = distil(&folder, &["sign", &name.0, "--key", &private]).success();
    assert!(!verifies(&folder, "cosign2", &key, &[&of(&child)]));
    let found = distil(&folder, &["sign", "--json", "-r", &name.0, "--key", &private]).success().json();
    assert_eq!(found["signed"].as_array().unwrap().len(), 3, "{found}");
    for cosign in ["cosign2", "cosign3"] {
        assert!(verifies(&folder, cosign, &key, &[&of(&digest)]) && verifies(&folder, cosign, &key, &[&of(&child)]));
    }
}

/// A copy of the image's layout.
fn layout_in(folder: &Path, name: &str, words: &[&str]) -> String {
    let to = reference(&folder.join(name), "test");
    let _copied = at(folder, &[&["copy", &image().reference(), &to], words].concat()).success();
    to
}

#[test]
fn both_cosigns_verify_layouts_and_archives() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign2");
    let private = format!("{key}.key");
    let name = ["--reference", "registry.example.org/team/app"];
    // Cosign finds bundles on an index nowhere in a layout, so that one platform is looked at as well.
    for (form, platform, by_2, by_3) in [
        ("legacy", false, true, true),
        ("both", false, true, true),
        ("both", true, true, true),
        ("bundle", true, false, true),
    ] {
        let at_platform: &[&str] = if platform { &["--platform", "linux/amd64"] } else { &[] };
        let label = format!("{form}-{platform}");
        let signed = layout_in(&folder, &label, at_platform);
        let _signed =
            distil(&folder, &[&["sign", &signed, "--key", &private, "--format", form], &name[..]].concat()).success();
        let archive = format!("oci-archive:{label}.tar:test");
        let _copied = layout_in(&folder, &format!("{label}-plain"), at_platform);
        let plain = reference(&folder.join(format!("{label}-plain")), "test");
        let _copied = at(&folder, &["copy", &plain, &archive]).success();
        let _signed =
            distil(&folder, &[&["sign", &archive, "--key", &private, "--format", form], &name[..]].concat()).success();
        let unpacked = folder.join(format!("{label}-unpacked"));
        fs::create_dir(&unpacked).unwrap();
        let tar = Program::new("tar").args(["-x", "-f", &format!("{label}.tar"), "-C"]).arg(&unpacked);
        let _unpacked = tar.current_dir(&folder).run().success();
        for dir in [folder.join(&label), unpacked] {
            let dir = dir.to_str().unwrap();
            let valid = at(&folder, &["validate", &format!("oci:{dir}:test")]).success();
            assert!(valid.status.success());
            assert_eq!(verifies(&folder, "cosign2", &key, &["--local-image", dir]), by_2, "{label} {dir}");
            assert_eq!(verifies(&folder, "cosign3", &key, &["--local-image", dir]), by_3, "{label} {dir}");
            check_readers(&folder, dir);
        }
        // Signing again leaves both as they are.
        let (before, tar) =
            (layout::files(&folder.join(&label)), fs::read(folder.join(format!("{label}.tar"))).unwrap());
        for place in [&signed, &archive] {
            let _again =
                distil(&folder, &[&["sign", place, "--key", &private, "--format", form], &name[..]].concat()).success();
        }
        assert!(before == layout::files(&folder.join(&label)), "{label} was written again");
        assert!(tar == fs::read(folder.join(format!("{label}.tar"))).unwrap(), "{label}.tar was written again");
    }
}

/// Other readers find the image as before.
fn check_readers(folder: &Path, dir: &str) {
    let seen = Program::new("skopeo").args(["inspect", "--raw", &format!("oci:{dir}:test")]).run().success();
    assert!(seen.json()["schemaVersion"] == 2, "{seen}");
    let tags = Program::new("umoci").args(["ls", "--layout", dir]).run().success().text();
    assert!(tags.lines().any(|tag| tag == "test"), "{tags}");
    let listed = own(
        Program::new("oras").args(["discover", "--oci-layout", "--format", "json", &format!("{dir}:test")]),
        folder,
    );
    let listed = listed.run().success().json();
    assert!(listed["referrers"].is_array() || listed["manifests"].is_array(), "{listed}");
    let tags = at(folder, &["tags", &format!("oci:{dir}")]).success().text();
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["test"]);
}

#[test]
fn signatures_travel_with_a_copy_and_by_way_of_a_layout() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    let (one, two) = (Registry::start(), Registry::start_with_referrers());
    let names = [one.repository("from/app:v1"), two.repository("to/app:v1"), one.repository("last/app:v1")];
    let digest = copied(&image().reference(), &names[0]);
    let _signed = distil(&folder, &["sign", &names[0], "--key", &format!("{key}.key")]).success();
    assert_eq!(copied(&names[0], &names[1]), digest);
    let by = reference(&folder.join("by"), "v1");
    assert_eq!(copied(&names[1], &by), digest);
    assert_eq!(copied(&by, &names[2]), digest);
    for cosign in ["cosign2", "cosign3"] {
        for name in &names {
            assert!(verifies(&folder, cosign, &key, &[name]), "{cosign} {name}");
        }
        assert!(verifies(&folder, cosign, &key, &["--local-image", folder.join("by").to_str().unwrap()]), "{cosign}");
    }
}

#[test]
fn nobody_loses_a_signature_to_another_who_signs_at_the_same_time() {
    const SIGNERS: usize = 6;
    let (_guard, folder) = folder();
    let keys: Vec<String> = (0..SIGNERS).map(|n| key(&folder, &n.to_string(), "cosign2")).collect();
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let digest = copied(&image().reference(), &name);
    let layout = layout_in(&folder, "layout", &[]);
    for place in [&name, &layout] {
        thread::scope(|scope| {
            for key in &keys {
                let words = ["sign", place, "--key", &format!("{key}.key"), "--reference", "registry.example.org/app"];
                let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
                let folder = &folder;
                scope.spawn(move || {
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    let _signed = distil(folder, &words).success();
                });
            }
        });
    }
    for key in &keys {
        assert!(verifies(&folder, "cosign2", key, &[&name]) && verifies(&folder, "cosign3", key, &[&name]), "{key}");
        let local = folder.join("layout");
        assert!(verifies(&folder, "cosign2", key, &["--local-image", local.to_str().unwrap()]), "{key}");
    }
    assert_eq!(bundles(repository(&name), &digest).len(), SIGNERS);
    let index = fs::read_to_string(folder.join("layout/index.json")).unwrap();
    assert_eq!(
        index.matches("\"artifactType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"").count(),
        SIGNERS,
        "{index}"
    );
}

#[test]
fn what_cannot_be_signed_is_refused_with_the_way_out() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign2");
    let private = format!("{key}.key");
    let layout = layout_in(&folder, "layout", &[]);
    let before = layout::files(&folder.join("layout"));
    let check = |words: &[&str], status: i32, said: &str| {
        let ran = distil(&folder, &[&["sign", "--key", &private], words].concat()).exits(status);
        assert!(ran.errors().contains(said), "{ran}");
    };
    check(&[&layout], 2, "--reference");
    check(&[&layout, "--reference", "no name"], 2, "no name");
    check(&[&layout, "-a", "x"], 2, "KEY=VALUE");
    check(&["oci:nothing:v1", "--reference", "r.example.org/app"], 4, "nothing");
    assert!(!folder.join("nothing").exists());
    check(&[&format!("{layout}x"), "--reference", "r.example.org/app"], 2, "the names are test");
    let _copied = at(&folder, &["copy", "--platform", "linux/amd64", &layout, "docker-archive:d.tar:x:v1"]).success();
    check(&["docker-archive:d.tar:x:v1"], 2, "oci-archive");
    assert!(before == layout::files(&folder.join("layout")));
    // A bundle of a signature names no repository.
    check(&[&layout, "--format", "bundle"], 0, "");
}

#[test]
fn a_build_signs_what_it_makes() {
    let (_guard, folder) = folder();
    let key = key(&folder, "key", "cosign3");
    crate::registry_image::recipe(&folder, "");
    let registry = Registry::start();
    let name = registry.repository("team/app:v1");
    let build =
        ["build", "--json", "--sign-key", &format!("{key}.key"), "--sign-reference", "registry.example.org/team/app"];
    let outputs = ["-o", &name, "-o", "oci:layout:v1", "-o", "oci-archive:a.tar:v1"];
    let found = distil(&folder, &[&build[..], &outputs].concat()).success().json();
    let digest = found["images"][0]["digest"].as_str().unwrap().to_owned();
    let child = found["images"][0]["platforms"][0]["digest"].as_str().unwrap();
    let public = format!("{key}.pub");
    for cosign in ["cosign2", "cosign3"] {
        for pinned in [name.clone(), format!("{}@{child}", repository(&name))] {
            assert!(verifies(&folder, cosign, &key, &[&pinned]), "{cosign} {pinned}");
            for kind in ["spdxjson", "cyclonedx", "slsaprovenance1", "https://spdx.dev/Document/v3"] {
                let words =
                    ["verify-attestation", "--insecure-ignore-tlog=true", "--key", &public, "--type", kind, &pinned];
                let _verified = run(&folder, cosign, &words).success();
            }
        }
        let local = folder.join("layout");
        assert!(verifies(&folder, cosign, &key, &["--local-image", local.to_str().unwrap()]), "{cosign}");
    }
    for place in ["oci:layout:v1", "oci-archive:a.tar:v1"] {
        let _valid = at(&folder, &["validate", place]).success();
    }
    // A build that makes the same signs nothing twice, and what was signed does not change the image.
    let count = || bundles(repository(&name), &digest).len();
    let before = count();
    let again = distil(&folder, &[&build[..], &outputs].concat()).success().json();
    assert_eq!((again, count()), (found, before));
    let unsigned = at(&folder, &["build", "--json", "-o", "oci:unsigned:v1"]).success().json();
    assert_eq!(unsigned["images"][0]["digest"], digest.as_str());
    let refused = distil(&folder, &[&build[..], &["-o", "docker-archive:d.tar:x:v1"]].concat()).exits(2);
    assert!(refused.errors().contains("docker archive") && !folder.join("d.tar").exists(), "{refused}");
}
