//! The cache as users see it: what it holds, what pruning removes, and that neither changes an image.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use distil_tests::program::folder;
use distil_tests::{Program, layout};
use serde_json::Value;

use crate::project::{Project, repository};

/// Files and bytes of a kind in a list of the report.
fn of_kind(list: &Value, kind: &str) -> (u64, u64) {
    let found = list.as_array().unwrap().iter().find(|found| found["kind"] == kind);
    found.map_or((0, 0), |found| (found["files"].as_u64().unwrap(), found["bytes"].as_u64().unwrap()))
}

fn status(project: &Project) -> Value {
    let document = project.distil(&["cache", "status", "--json"]).success().json();
    assert_eq!(document["schema"], "distil.cache-status/v1");
    document
}

/// Every file of the cache that holds anything.
fn contents(project: &Project) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    layout::files(&project.cache()).into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
}

#[test]
fn a_pruned_cache_gives_the_same_image() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    let digest = project.built(&[]);
    let own = project.cache().join("notes.txt");
    fs::write(&own, "not distil's").unwrap();

    let before = status(&project);
    let (packages, fragments) = (of_kind(&before["kinds"], "packages"), of_kind(&before["kinds"], "fragments"));
    let (derived, remembered) = (of_kind(&before["kinds"], "derived"), of_kind(&before["kinds"], "remembered"));
    assert_eq!(packages.0, 2, "app and lib");
    assert_eq!(before["prunable-bytes"], packages.1 + fragments.1 + derived.1);
    assert!(remembered.0 > 0);
    assert_eq!(of_kind(&before["kinds"], "other"), (1, 12));
    assert_eq!((&before["living-sessions"], &before["dead-sessions"]), (&Value::from(0), &Value::from(0)));

    let held = contents(&project);
    let prune = ["cache", "prune", "--json", "--max-size", "0"];
    let would = project.distil(&[&prune[..], &["--dry-run"]].concat()).success().json();
    assert_eq!(of_kind(&would["removed"], "packages"), packages);
    assert!(contents(&project) == held, "a dry run changes nothing");
    let mut pruned = project.distil(&prune).success().json();
    assert_eq!(pruned["dry-run"], false);
    pruned["dry-run"] = true.into();
    assert_eq!(pruned, would);

    let after = status(&project);
    assert_eq!(after["prunable-bytes"], 0);
    assert_eq!(of_kind(&after["kinds"], "remembered"), remembered);
    assert_eq!(fs::read_to_string(&own).unwrap(), "not distil's");
    fs::remove_file(&own).unwrap();
    fs::remove_dir_all(project.layout()).unwrap();
    assert_eq!(project.built(&["--locked"]), digest);
    assert_eq!(
        status(&project)["prunable-bytes"],
        fragments.1 + packages.1 + of_kind(&status(&project)["kinds"], "derived").1
    );
    project.check_cache();
}

#[test]
fn sizes_and_answers_are_for_people_too() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    project.built(&[]);
    let text = project.distil(&["cache", "status"]).success().text();
    assert!(
        text.contains("packages") && text.contains("2 files") && text.contains("No command is using it."),
        "{text}"
    );
    let text = project.distil(&["cache", "prune", "--max-size", "1.5GiB"]).success().text();
    assert!(text.starts_with("left  what can be pruned"), "{text}");
    let text = project.distil(&["cache", "prune", "--max-size", "0"]).success().text();
    assert!(text.contains("removed  packages"), "{text}");
    let ran = project.distil(&["cache", "prune", "--max-size", "much"]).exits(2);
    assert!(ran.errors().contains("500M"), "{ran}");
}

#[test]
fn a_cache_that_is_not_there_is_not_made() {
    let (_guard, folder) = folder();
    let cache = folder.join("cache");
    for words in [&["cache", "status"][..], &["cache", "prune", "--max-size", "0"]] {
        let ran = Program::distil().args(words).args(["--json", "--cache-dir"]).arg(&cache).run().success();
        assert_eq!(ran.json()["directory"], cache.to_str().unwrap());
    }
    assert!(!cache.exists());
}

#[test]
fn a_cache_that_cannot_be_changed_is_named() {
    let project = Project::new(&repository());
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    project.built(&[]);
    let held = contents(&project);
    let folders = protect(&project.cache(), 0o555);
    let read_only = |words: &[&str]| {
        // What root may do all the same is taken away.
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let program = if is_root {
            let powerless = Program::new("setpriv").args(["--bounding-set=-all", "--inh-caps=-all"]);
            powerless.arg(distil_tests::place::distil())
        } else {
            Program::distil()
        };
        program.args(words).arg("--cache-dir").arg(project.cache()).run()
    };
    let before = read_only(&["cache", "status", "--json"]).success().json();
    assert_eq!(of_kind(&before["kinds"], "packages").0, 2);
    let ran = read_only(&["cache", "prune", "--max-size", "0"]).exits(4);
    protect(&project.cache(), 0o755);
    assert!(folders > 5);
    let said = ran.errors();
    assert!(said.contains("Permission denied") && said.contains(project.cache().to_str().unwrap()), "{ran}");
    assert!(contents(&project) == held);
}

/// Sets the mode of every folder, and gives their number.
fn protect(folder: &Path, mode: u32) -> usize {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    let inner = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    1 + inner.map(|path| protect(&path, mode)).sum::<usize>()
}
