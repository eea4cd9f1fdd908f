//! What a vendored directory proves of a lock: the chain from a signature to every package, with no network.

use std::fs;
use std::path::PathBuf;

use distil_tests::layout;

use crate::project::{Project, file_url, repository};

/// A project that was vendored, and whose repository is gone.
fn vendored() -> Project {
    let project = Project::new(&repository());
    project.recipe(&[&file_url(&project.repository())], &["app"]);
    assert!(project.distil(&["lock", "--vendor", "vendor"]).status.success());
    fs::remove_dir_all(project.repository()).unwrap();
    project.forget();
    project
}

fn file(project: &Project, ending: &str) -> PathBuf {
    let vendor = project.folder.join("vendor");
    let found = layout::files(&vendor).into_keys().find(|path| path.to_string_lossy().contains(ending));
    vendor.join(found.unwrap_or_else(|| panic!("no {ending} was vendored")))
}

fn check(project: &Project) -> distil_tests::program::Ran {
    project.distil(&["lock", "--check", "--vendor", "vendor", "--offline", "--json"])
}

/// Breaks one file, and wants the check to say which and in what way.
fn check_broken(ending: &str, break_it: impl Fn(&PathBuf), words: &[&str]) {
    let project = vendored();
    break_it(&file(&project, ending));
    let ran = check(&project).exits(1);
    let findings = ran.json()["proof"]["findings"].to_string();
    for word in words {
        assert!(findings.contains(word), "{word:?} is not in: {ran}");
    }
}

#[test]
fn an_untouched_directory_proves_every_package() {
    let project = vendored();
    let proof = check(&project).success().json()["proof"].clone();
    assert_eq!((&proof["proved"], &proof["present"]), (&2.into(), &2.into()), "{proof}");
    assert_eq!(proof["findings"], serde_json::json!([]));
}

#[test]
fn each_broken_link_of_the_chain_is_found() {
    let append = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, [bytes.as_slice(), b"x"].concat()).unwrap();
    };
    let remove = |path: &PathBuf| fs::remove_file(path).unwrap();
    check_broken("InRelease", append, &["InRelease", "digest"]);
    check_broken("InRelease", remove, &["signed file is missing"]);
    check_broken("Packages", append, &["Packages"]);
    check_broken("Packages", remove, &["Packages", "is missing"]);
    check_broken("pool", append, &["digest"]);
    check_broken("pool", remove, &[".deb is missing"]);
}

#[test]
fn another_key_proves_nothing() {
    let project = vendored();
    assert_eq!(distil_tests::Signer::new().write(&project.folder), project.keyring);
    let ran = check(&project).exits(1);
    assert!(ran.json()["proof"]["findings"].to_string().contains("cannot be trusted"), "{ran}");
}

/// What the lock says of a package must be what the index says, not merely what lies there.
#[test]
fn a_package_that_no_index_has_is_not_vouched_for() {
    let project = vendored();
    let path = project.folder.join("distil.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let edited = lock.replace("name = \"lib\", version = \"1.0\"", "name = \"lib\", version = \"1.0.1\"");
    assert_ne!(edited, lock, "{lock}");
    fs::write(&path, edited).unwrap();
    let ran = check(&project).exits(1);
    assert!(ran.json()["proof"]["findings"].to_string().contains("lib 1.0.1"), "{ran}");
}
