//! The lock: what it fixes, when it is out of date, and what moves it.

use std::fs;

use distil_tests::Program;
use serde_json::json;

use crate::example::reference;
use crate::project::{Project, digest, file_url, package, repository};

fn project() -> Project {
    let project = Project::new(&repository());
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    project
}

/// The same repository later, with newer versions beside the old ones.
fn later() -> distil_tests::Repository {
    let newer = package("app", "1.1").field("Depends: lib (>= 1.0)");
    repository().with(newer).with(package("lib", "1.1")).dated(distil_tests::apt::TIME + 1000)
}

#[test]
fn changes_are_told_package_by_package() {
    let project = project();
    let first = project.distil(&["lock", "--json"]).success().json();
    let change = |name: &str, from: Option<&str>, to: &str| json!({"package": name, "architecture": "all", "from": from, "to": to});
    assert_eq!(first["packages"], 2, "{first}");
    assert_eq!(first["changes"], json!([change("app", None, "1.0"), change("lib", None, "1.0")]));
    let lock = project.lock();
    let again = project.distil(&["lock", "--json"]).success().json();
    assert_eq!(again["changes"], json!([]));
    assert_eq!(project.lock(), lock, "nothing moved, and the lock did");
    project.publish(&later());
    let moved = project.distil(&["lock", "--json"]).success().json();
    assert_eq!(moved["changes"], json!([change("app", Some("1.0"), "1.1"), change("lib", Some("1.0"), "1.1")]));
    project.recipe(&[&file_url(&project.repository())], &["app", "other"]);
    let shown = project.distil(&["lock"]).success();
    assert!(shown.text().lines().any(|line| line.contains("other") && line.contains("1.0")), "{shown}");
    assert_eq!(shown.text().lines().count(), 1, "{shown}");
}

#[test]
fn a_build_keeps_to_its_lock() {
    let project = project();
    let expected = project.built(&[]);
    project.publish(&later());
    assert_eq!(project.built(&[]), expected);
    assert_eq!(project.built(&["--locked"]), expected);
    assert_eq!(project.distil(&["lock", "--check"]).code(), 1);
    assert_eq!(project.built(&["--locked"]), expected, "--check changes nothing");
    assert!(project.distil(&["lock"]).status.success());
    assert_ne!(project.built(&["--locked"]), expected);
    assert_eq!(project.distil(&["lock", "--check"]).code(), 0);
}

/// Neither packages nor fragments are there any more: the layout has all that they would give.
#[test]
fn an_image_that_is_there_is_known_again() {
    let project = project();
    let first = project.build(&[]).success();
    for folder in ["content", "fragments"] {
        fs::remove_dir_all(project.cache().join(folder)).unwrap();
    }
    fs::rename(project.repository(), project.folder.join("away")).unwrap();
    let again = project.build(&[]).success();
    assert_eq!(digest(&again), digest(&first));
    let warnings = first.errors().replace("distil.lock was written: commit it with the recipe\n", "");
    assert!(warnings.contains("os-release"), "{first}");
    assert_eq!(again.errors(), warnings);
    // A layer that is gone has to be made again, and there is nothing to make it of.
    let layer = distil_tests::layout::image(&project.layout(), "test").layers.remove(0);
    fs::remove_file(layer).unwrap();
    assert_eq!(project.build(&[]).code(), 4);
    fs::rename(project.folder.join("away"), project.repository()).unwrap();
    assert_eq!(project.built(&[]), digest(&first));
    let valid = Program::distil().args(["validate", &reference(&project.layout(), "test")]).run();
    assert!(valid.status.success(), "{valid}");
}

#[test]
fn only_what_must_move_moves() {
    let project = project();
    assert!(project.distil(&["lock"]).status.success());
    project.publish(&later());
    let ran = project.distil(&["lock", "--update", "app", "--json"]).success().json();
    assert_eq!(ran["changes"], json!([{"package": "app", "architecture": "all", "from": "1.0", "to": "1.1"}]));
    // A newer app that needs a newer library takes it along.
    let needs = package("app", "1.2").field("Depends: lib (>= 1.1)");
    project.publish(&later().with(needs).dated(distil_tests::apt::TIME + 2000));
    let ran = project.distil(&["lock", "--update", "app", "--json"]).success().json();
    assert_eq!(
        ran["changes"],
        json!([
            {"package": "app", "architecture": "all", "from": "1.1", "to": "1.2"},
            {"package": "lib", "architecture": "all", "from": "1.0", "to": "1.1"},
        ])
    );
}

#[test]
fn a_lock_that_does_not_fit_its_recipe_says_what_differs() {
    let project = project();
    assert!(project.distil(&["lock"]).status.success());
    let lock = project.lock();
    project.recipe(&[&file_url(&project.repository())], &["app", "other"]);
    for options in [&[][..], &["--locked"]] {
        project.refused(options, 1, &["other", "distil.lock"]);
    }
    assert_eq!(project.distil(&["lock", "--check"]).code(), 1);
    assert_eq!(project.lock(), lock);
    // Own files and labels choose no package.
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    let path = project.folder.join("distil.toml");
    let recipe = fs::read_to_string(&path).unwrap() + "\n[image]\nlabels = { a = \"b\" }\n";
    fs::write(&path, recipe).unwrap();
    assert!(project.build(&["--locked"]).status.success());
}

#[test]
fn locked_wants_a_lock() {
    project().refused(&["--locked"], 1, &["distil.lock"]);
}

#[test]
fn a_recorded_result_is_compared() {
    let project = project();
    fs::write(project.folder.join("x"), "x\n").unwrap();
    let path = project.folder.join("distil.toml");
    let recipe = fs::read_to_string(&path).unwrap() + "\n[files]\n\"/app/x\" = { source = \"x\" }\n";
    fs::write(&path, recipe).unwrap();
    let recorded = project.built(&["--record"]);
    let lock = project.lock();
    assert!(lock.contains(&recorded), "{lock}");
    assert_eq!(project.built(&["--locked"]), recorded);
    // The result was recorded for these files: with others there is nothing to compare.
    fs::write(project.folder.join("x"), "y\n").unwrap();
    assert_ne!(project.built(&["--locked"]), recorded);
    fs::write(project.folder.join("x"), "x\n").unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    fs::write(project.folder.join("distil.lock"), lock.replace(&recorded, &other)).unwrap();
    let ran = project.build(&["--locked"]).exits(1);
    assert!(ran.errors().contains(&recorded) && ran.errors().contains(&other), "{ran}");
}

/// What was locked is fetched by its sum alone: other bytes of the same version are no substitute.
#[test]
fn a_package_that_changed_under_its_version_is_refused() {
    let project = project();
    assert!(project.distil(&["lock"]).status.success());
    let mut changed = repository();
    for (_, deb) in &mut changed.packages {
        if deb.name == "lib" {
            *deb = deb.clone().file("/usr/share/more", "slipped in\n");
        }
    }
    project.publish(&changed.dated(distil_tests::apt::TIME + 1000));
    project.forget();
    project.refused(&[], 4, &["lib_1.0_all.deb"]);
}

#[test]
fn why_names_the_chain() {
    let project = project();
    for prepared in [false, true] {
        assert!(!prepared || project.distil(&["lock"]).status.success());
        let ran = project.distil(&["why", "lib"]).success();
        let text = ran.text();
        assert!(text.contains("app") && text.contains("lib (>= 1.0)"), "{ran}");
    }
    let ran = project.distil(&["why", "other"]);
    assert!(ran.code() != 0 && (ran.errors() + &ran.text()).contains("other"), "{ran}");
}

#[test]
fn what_cannot_be_is_explained() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["ap"], &["ap", "app"]),
        (&["app=2.*"], &["app", "2.*", "1.0"]),
        (&["broken"], &["broken", "lib", ">= 2.0", "1.0"]),
        (&["left", "right"], &["left", "right"]),
    ];
    let repository = repository()
        .with(package("broken", "1.0").field("Depends: lib (>= 2.0)"))
        .with(package("left", "1.0").field("Conflicts: right"))
        .with(package("right", "1.0"));
    for (packages, words) in cases {
        let project = Project::new(&repository);
        project.recipe(&[&file_url(&project.repository())], packages);
        project.refused(&[], 2, words);
    }
}

#[test]
fn an_excluded_package_stays_out() {
    let project = project();
    let path = project.folder.join("distil.toml");
    let recipe = fs::read_to_string(&path).unwrap();
    let exclude = "exclude = [{ package = \"lib\", reason = \"not called\" }]\n\n[[debian.sources]]";
    fs::write(&path, recipe.replace("\n[[debian.sources]]", exclude)).unwrap();
    let ran = project.build(&[]).success();
    assert!(!project.lock().contains("name = \"lib\""), "{ran}");
    assert!(digest(&ran).starts_with("sha256:"));
}

#[test]
fn what_is_no_lock_is_told_with_the_way_out() {
    let project = project();
    let path = project.folder.join("distil.lock");
    assert!(project.distil(&["lock"]).status.success());
    let lock = project.lock();
    fs::write(&path, b"format-version = 3\n  \xff").unwrap();
    project.refused(&[], 4, &["distil.lock", "line 2, column 3", "version control"]);
    fs::write(&path, lock.replace("format-version = 3", "format-version = 9")).unwrap();
    project.refused(&["--locked"], 4, &["format version 9", "the version of distil that wrote it"]);
    // A pipe that nobody writes to would keep the build waiting.
    fs::remove_file(&path).unwrap();
    assert!(Program::new("mkfifo").arg(&path).run().status.success());
    project.refused(&[], 4, &["distil.lock", "not a regular file"]);
}

#[test]
fn what_needs_no_repository_reads_no_certificates_and_leaves_no_lock() {
    let project = project();
    fs::write(project.folder.join("distil.toml"), "files.\"/x\" = { source = \"distil.toml\" }\n").unwrap();
    let layout = reference(&project.layout(), "test");
    let program = Program::distil().args(["build", "-o", &layout, "--cache-dir"]).arg(project.cache());
    let ran = program.env("SSL_CERT_FILE", "/nowhere/at/all").current_dir(&project.folder).run();
    assert!(ran.status.success(), "{ran}");
    assert!(!project.folder.join("distil.lock").exists());
}

/// The layers of the recipe itself, as the lock has them, lowest first.
fn layers(project: &Project) -> Vec<Vec<String>> {
    let lock = project.lock();
    let (_, after) = lock.split_once("\nlayers = [\n").unwrap_or_else(|| panic!("no layers in {lock}"));
    let lines = after.lines().take_while(|line| *line != "]");
    let text: String = lines.collect::<Vec<_>>().join(" ");
    let names = |layer: &str| layer.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    text.split(']').map(names).filter(|names| !names.is_empty()).collect()
}

/// Builds, and gives the layers of the image by their content.
fn diff_ids(project: &Project, options: &[&str]) -> Vec<String> {
    let report = project.build(options).success().json();
    let ids = report["images"][0]["platforms"][0]["diff-ids"].as_array().unwrap().clone();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Writes a recipe for packages of the project's repository, with more in it.
fn write_recipe(project: &Project, packages: &[&str], more: &str) {
    project.recipe(&[&file_url(&project.repository())], packages);
    let path = project.folder.join("distil.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}\n{more}")).unwrap();
}

#[test]
fn a_renewed_lock_keeps_to_the_layers_of_the_old_one() {
    let project = project();
    let recipe = |packages: &[&str], more: &str| write_recipe(&project, packages, more);
    // Two layers for packages and one for own files. The name that comes first is the last to come.
    recipe(&["lib", "other"], "[layers]\nmax = 3\n");
    assert!(project.distil(&["lock"]).status.success());
    assert_eq!(layers(&project), [["lib"], ["other"]]);
    let before = diff_ids(&project, &[]);
    recipe(&["app", "lib", "other"], "[layers]\nmax = 3\n");
    assert!(project.distil(&["lock"]).status.success());
    let full = layers(&project);
    assert_eq!((full.len(), full.concat().len()), (2, 3), "{full:?}");
    let after = diff_ids(&project, &[]);
    assert_eq!(before.iter().filter(|id| after.contains(id)).count(), before.len() - 1, "{before:?} {after:?}");
    // New versions move nothing, and neither does more room.
    project.publish(&later());
    assert!(project.distil(&["lock", "--update", "lib"]).status.success());
    assert_eq!(layers(&project), full);
    recipe(&["app", "lib", "other"], "[layers]\nmax = 9\n");
    assert!(project.distil(&["lock"]).status.success());
    assert_eq!(layers(&project), full);
    // Another strategy is another plan.
    recipe(&["app", "lib", "other"], "[layers]\nstrategy = \"origin\"\n");
    assert!(project.distil(&["lock"]).status.success());
    assert_eq!(layers(&project), [["app"], ["lib"], ["other"]]);
}

#[test]
fn a_variant_shares_the_layers_of_its_recipe() {
    let project = project();
    write_recipe(&project, &["lib"], "[variants.more]\npackages = [\"app\"]\n");
    let (plain, more) = (diff_ids(&project, &[]), diff_ids(&project, &["--variant", "more"]));
    assert_eq!(plain.len() + 1, more.len(), "{plain:?} {more:?}");
    // What the variant adds lies above what it shares, so that runtimes stack that once.
    assert_eq!(plain[0], more[0], "{plain:?} {more:?}");
}
