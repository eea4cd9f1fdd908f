//! Packages by name, from signed repositories on loopback.

use std::fs;

use distil_tests::apt::{DAY, Signature, TIME};
use distil_tests::http::Server;
use distil_tests::{Repository, layout, listing};

use crate::project::{Project, digest, file_url, package, pool, repository};

/// Names of the packages in the image that was built.
fn packages(project: &Project) -> Vec<String> {
    let reference = crate::example::reference(&project.layout(), "test");
    let document = project.distil(&["inspect", "--json", &reference]).success().json();
    let packages = document["packages"].as_array().unwrap();
    packages.iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_package_comes_with_what_it_needs() {
    let project = Project::new(&repository());
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    let first = project.built(&[]);
    assert_eq!(packages(&project), ["app", "lib"]);
    let tree = listing::of_layers(&layout::image(&project.layout(), "test").layers);
    assert_eq!(tree["usr/share/lib"].kind, "f");
    assert_eq!(tree["var/lib/dpkg/status.d/lib"].mode, 0o644);
    assert_eq!(project.built(&["--locked"]), first);
    project.check_cache();
}

/// Every way in which a repository may be laid out.
#[test]
fn repositories_of_all_forms_are_understood() {
    let forms = |forms: &[&'static str]| Repository { forms: forms.to_vec(), ..repository() };
    let repositories = [
        Repository { signature: Signature::Detached, ..repository() },
        Repository { by_hash: false, ..repository() },
        Repository { all_apart: true, ..repository() },
        forms(&["xz"]),
        forms(&["gz"]),
        forms(&[""]),
    ];
    for form in repositories {
        let project = Project::new(&form);
        let server = project.serve();
        project.recipe(&[&server.url("")], &["app"]);
        let built = project.build(&[]);
        assert!(built.status.success(), "{form:?}: {built}");
        assert_eq!(packages(&project), ["app", "lib"], "{form:?}");
    }
}

#[test]
fn a_flat_repository_has_no_components() {
    let project = Project::new(&Repository { suite: "flat/".to_owned(), ..repository() });
    project.write_recipe(&["app"], &format!("uris = [\"{}\"]\nsuites = [\"flat/\"]", file_url(&project.repository())));
    let built = project.build(&[]).success();
    assert_eq!(packages(&project), ["app", "lib"], "{built}");
}

#[test]
fn components_that_are_not_asked_for_offer_nothing() {
    let mut split = repository();
    split
        .packages
        .iter_mut()
        .filter(|(_, deb)| deb.name == "lib")
        .for_each(|(component, _)| *component = "extra".into());
    let project = Project::new(&split);
    let mirror = file_url(&project.repository());
    project.recipe(&[&mirror], &["app"]);
    project.refused(&[], 2, &["app", "lib"]);
    let source = format!("uris = [\"{mirror}\"]\nsuites = [\"test\"]\ncomponents = [\"main\", \"extra\"]");
    project.write_recipe(&["app"], &source);
    assert!(project.build(&[]).status.success());
    let source = format!("uris = [\"{mirror}\"]\nsuites = [\"test\"]\ncomponents = [\"main\", \"missing\"]");
    project.write_recipe(&["app"], &source);
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    project.forget();
    project.refused(&[], 2, &["missing", "extra"]);
}

#[test]
fn two_mirrors_give_equal_bytes() {
    let project = Project::new(&repository());
    let images: Vec<_> = [project.serve(), project.serve()]
        .iter()
        .map(|mirror| {
            project.forget();
            let _ = fs::remove_file(project.folder.join("distil.lock"));
            project.recipe(&[&mirror.url("")], &["app"]);
            let digest = project.built(&[]);
            (digest, layout::files(&project.layout()), project.lock())
        })
        .collect();
    assert!(images[0] == images[1], "{} and {}", images[0].0, images[1].0);
}

#[test]
fn a_lock_made_through_one_mirror_builds_through_another() {
    let project = Project::new(&repository());
    let first = project.serve();
    project.recipe(&[&first.url("")], &["app"]);
    let locked = project.distil(&["lock"]).success();
    let expected = project.built(&[]);
    let (lock, image) = (project.lock(), layout::but_provenance(&project.layout()));
    for host in ["127.0.0.1", "http:", &first.port().to_string(), project.folder.to_str().unwrap()] {
        assert!(!lock.contains(host), "{host} is in the lock: {lock}{locked}");
    }
    drop(first);
    project.forget();
    // A subfolder of another server: nothing of where the first one was remains.
    let elsewhere = project.folder.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(project.repository(), elsewhere.join("debian")).unwrap();
    let second = Server::start(&elsewhere);
    project.recipe(&[&second.url("/debian/")], &["app"]);
    assert_eq!(project.built(&["--locked"]), expected);
    // What is said of the recipe is another recipe's, since the path on the mirror stands in it.
    assert!(layout::but_provenance(&project.layout()) == image, "other bytes through the other mirror");
    assert_eq!(project.lock(), lock);
    assert_eq!(second.requests_for(&format!("/debian{}", pool("app", "1.0"))).len(), 1);
}

#[test]
fn mirrors_are_tried_in_turn() {
    let project = Project::new(&repository());
    let (dead, alive) = (project.serve(), project.serve());
    let (away, there) = (dead.url(""), alive.url(""));
    drop(dead);
    project.recipe(&[&away, &there], &["app"]);
    let built = project.build(&[]).success();
    assert_eq!(packages(&project), ["app", "lib"], "{built}");
    project.recipe(&[&away], &["app"]);
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    project.forget();
    project.refused(&[], 4, &[&away]);
}

#[test]
fn what_is_cached_builds_offline() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    let expected = project.built(&[]);
    server.forget();
    fs::remove_dir_all(project.layout()).unwrap();
    assert_eq!(project.built(&["--offline"]), expected);
    assert_eq!(project.built(&["--offline", "--locked"]), expected);
    // Choosing needs the indices alone, and those are kept as well.
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    assert_eq!(project.built(&["--offline"]), expected);
    assert!(server.requests().is_empty(), "asked while offline: {:?}", server.requests());
    project.forget();
    project.refused(&["--offline"], 4, &["app", "lib"]);
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    let without_lock = project.build(&["--offline"]);
    assert!([3, 4].contains(&without_lock.code()) && without_lock.errors().contains("test"), "{without_lock}");
    assert!(server.requests().is_empty(), "asked while offline: {:?}", server.requests());
}

#[test]
fn a_vendored_lock_builds_with_no_network() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    let locked = project.distil(&["lock", "--vendor", "vendor"]).success();
    let expected = project.built(&["--locked"]);
    let vendored = layout::files(&project.folder.join("vendor"));
    let debs = vendored.keys().filter(|path| path.extension().is_some_and(|suffix| suffix == "deb")).count();
    assert_eq!(debs, 2, "{:?} {locked}", vendored.keys());
    drop(server);
    fs::remove_dir_all(project.repository()).unwrap();
    project.forget();
    assert_eq!(project.built(&["--locked", "--offline", "--vendor", "vendor"]), expected);
}

/// Neither the age of what was signed then nor its end matter for who asks for that time.
#[test]
fn a_snapshot_is_judged_at_its_time() {
    let ended = Repository { valid_until: Some(TIME + DAY), ..repository() };
    let project = Project::new(&ended);
    let mirror = file_url(&project.repository());
    let source = |snapshot: &str| {
        format!("uris = [\"{mirror}\"]\nsuites = [\"test\"]\ncomponents = [\"main\"]\nsnapshot = \"{snapshot}\"")
    };
    project.recipe(&[&mirror], &["app"]);
    project.refused(&[], 3, &["test", "2026-01-02"]);
    project.write_recipe(&["app"], &source("20260101T120000Z"));
    let expected = project.built(&[]);
    assert_eq!(project.built(&["--locked"]), expected);
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    fs::remove_dir_all(project.layout()).unwrap();
    for (other, status) in [("20251231T235959Z", 4), ("20260103T000000Z", 3)] {
        project.write_recipe(&["app"], &source(other));
        project.refused(&[], status, &["test"]);
    }
}

#[test]
fn the_sources_of_a_machine_are_used_with_their_keys() {
    let project = Project::new(&repository());
    let (server, apt) = (project.serve(), project.folder.join("apt"));
    let parts = apt.join("sources.list.d");
    fs::create_dir_all(&parts).unwrap();
    let keyring = &project.keyring;
    let list = format!("deb [signed-by={}] {} test main\n", keyring.display(), server.url(""));
    fs::write(apt.join("sources.list"), &list).unwrap();
    let away = format!(
        "Types: deb\nURIs: {}/nothing\nSuites: other\nComponents: main\nSigned-By: {}\n",
        server.url(""),
        keyring.display()
    );
    fs::write(parts.join("other.sources"), away).unwrap();
    let write = |more: &str| {
        let recipe = format!("[debian]\nsources = \"host\"\n{more}packages = [\"app\"]\n");
        fs::write(project.folder.join("distil.toml"), recipe).unwrap();
    };
    let apt_dir = ["--apt-dir", apt.to_str().unwrap()];
    // A source that cannot be reached is no smaller choice, it is an error that says how to leave it out.
    write("");
    project.refused(&apt_dir, 4, &["other", "host-suites"]);
    write("host-suites = [\"test\"]\n");
    let built = project.build(&apt_dir).success();
    assert_eq!(packages(&project), ["app", "lib"], "{built}");
    write("host-suites = [\"test\", \"absent\"]\n");
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    project.forget();
    project.refused(&apt_dir, 2, &["absent"]);
    write("host-suites = [\"test\"]\n");
    fs::write(apt.join("sources.list"), list.replace('[', "[trusted=yes ")).unwrap();
    project.refused(&apt_dir, 2, &["trusted", "sources.list"]);
}

/// Changes the recipe that is there.
fn edit(project: &Project, from: &str, to: &str) {
    let path = project.folder.join("distil.toml");
    let recipe = fs::read_to_string(&path).unwrap();
    assert!(recipe.contains(from), "no {from:?} in {recipe}");
    fs::write(path, recipe.replace(from, to)).unwrap();
}

#[test]
fn keys_are_picked_by_their_fingerprints() {
    let project = Project::new(&repository());
    let keyrings = project.folder.join("apt/keyrings");
    fs::create_dir_all(&keyrings).unwrap();
    fs::copy(&project.keyring, keyrings.join("test.gpg")).unwrap();
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    edit(&project, "keyring.gpg", project.signer.fingerprint());
    assert!(project.build(&["--apt-dir", "apt"]).status.success());
    let other = "0123456789ABCDEF0123456789ABCDEF01234567";
    edit(&project, project.signer.fingerprint(), other);
    let _ = fs::remove_file(project.folder.join("distil.lock"));
    project.forget();
    project.refused(&["--apt-dir", "apt"], 2, &[other]);
}

#[test]
fn local_packages_get_what_they_need_from_repositories() {
    let project = Project::new(&repository());
    project.recipe(&[&file_url(&project.repository())], &["other"]);
    edit(&project, "[debian]\n", "[debian]\ndebs = [\"dist/*.deb\"]\n");
    fs::create_dir(project.folder.join("dist")).unwrap();
    let own = package("own", "3.0").field("Depends: lib (>= 1.0)").write(&project.folder.join("dist"));
    let built = project.build(&[]).success();
    assert_eq!(packages(&project), ["lib", "other", "own"], "{built}");
    assert_eq!(digest(&built), project.built(&["--locked"]));
    // The lock holds what the local package was.
    let changed = package("own", "3.0").field("Depends: lib (>= 1.0)").file("/usr/share/more", "more\n");
    fs::write(own, changed.bytes()).unwrap();
    fs::remove_dir_all(project.layout()).unwrap();
    project.refused(&["--locked"], 1, &["own"]);
}

#[test]
fn what_is_recommended_comes_when_asked() {
    let recommending = package("front", "1.0").field("Recommends: other, missing");
    let project = Project::new(&repository().with(recommending));
    project.recipe(&[&file_url(&project.repository())], &["front"]);
    assert!(project.build(&[]).status.success());
    assert_eq!(packages(&project), ["front"]);
    edit(&project, "[debian]\n", "[debian]\nrecommends = true\n");
    assert!(project.distil(&["lock"]).status.success() && project.build(&["--locked"]).status.success());
    assert_eq!(packages(&project), ["front", "other"]);
}

/// Scanners recognise the system by it, so that it comes unasked where there is one.
#[test]
fn base_files_comes_unless_it_is_excluded() {
    let project = Project::new(&repository().with(package("base-files", "12.4")));
    project.recipe(&[&file_url(&project.repository())], &["other"]);
    assert!(project.build(&[]).status.success());
    assert_eq!(packages(&project), ["base-files", "other"]);
    edit(&project, "[debian]\n", "[debian]\nexclude = [{ package = \"base-files\", reason = \"a test\" }]\n");
    let locked = project.distil(&["lock"]).success();
    assert!(locked.text().contains("base-files"), "{locked}");
    assert!(project.build(&["--locked"]).status.success());
    assert_eq!(packages(&project), ["other"]);
}

#[test]
fn several_platforms_hold_the_same_versions_of_sources() {
    let native = |version: &str, architecture: &str| package("native", version).with("Architecture", architecture);
    let both = |arm: &str| {
        let repository = Repository::new("test").with(native("1.0", "amd64")).with(native("1.0", "arm64"));
        Repository { architectures: vec!["amd64", "arm64"], ..repository.with(native(arm, "arm64")) }
    };
    let project = Project::new(&both("1.1"));
    let mirror = file_url(&project.repository());
    let write = |mirror: &str| {
        project.recipe(&[mirror], &["native"]);
        let path = project.folder.join("distil.toml");
        let recipe = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("platforms = [\"linux/amd64\", \"linux/arm64\"]\n{recipe}")).unwrap();
    };
    write(&mirror);
    let ran = project.build(&[]).success();
    assert_eq!(ran.json()["images"][0]["platforms"].as_array().unwrap().len(), 2, "{ran}");
    let lock = project.lock();
    assert!(!lock.contains("1.1"), "one platform alone has 1.1: {lock}");
    // A rebuild of the same source for one architecture is not another version of the source.
    let mut rebuilt = both("1.0+b1");
    let (_, deb) = rebuilt.packages.last_mut().unwrap();
    *deb = deb.clone().field("Source: native (1.0)");
    project.publish(&rebuilt);
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    let ran = project.build(&[]).success();
    assert!(project.lock().contains("1.0+b1"), "{ran}");
    assert_eq!(digest(&ran), project.built(&["--locked"]));
}

#[test]
fn one_recipe_builds_for_every_architecture() {
    const PLATFORMS: [(&str, &str); 7] = [
        ("linux/amd64", "amd64"),
        ("linux/arm64", "arm64"),
        ("linux/arm/v7", "armhf"),
        ("linux/386", "i386"),
        ("linux/ppc64le", "ppc64el"),
        ("linux/s390x", "s390x"),
        ("linux/riscv64", "riscv64"),
    ];
    let of = |architecture: &str| package("native", "1.0").with("Architecture", architecture);
    let mut all = PLATFORMS.iter().fold(repository(), |all, (_, architecture)| all.with(of(architecture)));
    all.architectures = PLATFORMS.iter().map(|(_, architecture)| *architecture).collect();
    let project = Project::new(&all);
    project.recipe(&[&file_url(&project.repository())], &["app", "native"]);
    let options: Vec<&str> = PLATFORMS.iter().flat_map(|(platform, _)| ["--platform", *platform]).collect();
    let platforms = PLATFORMS.map(|(platform, _)| platform);
    let path = project.folder.join("distil.toml");
    fs::write(&path, format!("platforms = {platforms:?}\n{}", fs::read_to_string(&path).unwrap())).unwrap();
    let report = project.build(&options).success().json();
    let built = report["images"][0]["platforms"].as_array().unwrap();
    let built: Vec<&str> = built.iter().map(|platform| platform["platform"].as_str().unwrap()).collect();
    assert_eq!(built.len(), PLATFORMS.len(), "{report}");
    for (platform, architecture) in PLATFORMS {
        assert!(built.contains(&platform), "{platform} is not in {built:?}");
        let file = format!("native_1.0_{architecture}.deb");
        assert!(project.lock().contains(&file), "{file} is not locked");
    }
}

#[test]
fn builds_at_once_share_what_they_fetch() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    assert!(project.distil(&["lock"]).status.success());
    project.forget();
    server.forget();
    let build = |n: usize| {
        let layout = crate::example::reference(&project.folder.join(format!("layout-{n}")), "test");
        digest(&project.distil(&["build", "--json", "--locked", "-o", &layout]).success())
    };
    let digests: Vec<String> = std::thread::scope(|scope| {
        let builds: Vec<_> = (0..4).map(|n| scope.spawn(move || build(n))).collect();
        builds.into_iter().map(|build| build.join().unwrap()).collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    assert_eq!(server.requests_for(&pool("app", "1.0")).len(), 1, "{:?}", server.requests());
    project.check_cache();
}
