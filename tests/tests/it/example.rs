//! The example of the README, built once for all tests that look at it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use distil_tests::program::folder;
use distil_tests::{Program, layout, place};
use serde_json::Value;

/// What a build of the example left.
pub(crate) struct Example {
    /// The layout, which holds it as `latest`.
    pub(crate) layout: PathBuf,
    /// The same for `docker load`.
    pub(crate) archive: PathBuf,
    /// What `build --json` printed.
    pub(crate) report: Value,
}

/// What the example's program prints.
pub(crate) const OUTPUT: &[&str] =
    &["hello from distil", "openssl 3.", "noon in Berlin is 10:00 UTC", "trusted certificates: some"];

/// The recipe of an example much like it, of local packages alone.
pub(crate) fn recipe() -> PathBuf {
    place::root().join("tests/data/python/distil.toml")
}

/// The example, built by the first test that asks.
pub(crate) fn built() -> &'static Example {
    static BUILT: OnceLock<Example> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = folder_of_this_run();
        let (layout, archive) = (folder.join("layout"), folder.join("docker.tar"));
        let ran = Program::distil().arg("build").arg(place::locked("python").join("distil.toml"));
        let ran = ran.args(["--json", "--locked", "--offline"]).arg("--cache-dir").arg(place::locked_cache());
        let ran = ran.arg("-o").arg(reference(&layout, "latest"));
        let ran = ran.arg("-o").arg(format!("docker-archive:{}:example.org/python:latest", archive.display()));
        let report = ran.run().success().json();
        Example { layout, archive, report }
    })
}

/// A folder that lasts as long as this process and is shared with no other; those of runs that are over are removed.
pub(crate) fn folder_of_this_run() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = place::root().join("target/tests");
        fs::create_dir_all(&all).unwrap();
        for run in fs::read_dir(&all).unwrap() {
            let run = run.unwrap();
            if !Path::new("/proc").join(run.file_name()).exists() {
                // Another run may be removing it at the same time.
                let _ = fs::remove_dir_all(run.path());
            }
        }
        let own = all.join(std::process::id().to_string());
        let _ = fs::remove_dir_all(&own);
        fs::create_dir(&own).unwrap();
        own
    })
}

/// `oci:DIR:TAG`
pub(crate) fn reference(layout: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", layout.display())
}

#[test]
fn is_valid() {
    let ran = Program::distil().args(["validate", "--json", &reference(&built().layout, "latest")]).run().success();
    assert_eq!(ran.json()["valid"], true, "{ran}");
}

#[test]
fn holds_every_package_with_its_version() {
    let ran = Program::distil().args(["inspect", "--json", &reference(&built().layout, "latest")]).run().success();
    let found = ran.json();
    let found: Vec<(&str, &str)> = found["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package["version"].as_str().unwrap()))
        .collect();
    let expected = packages();
    assert_eq!(found, expected.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect::<Vec<_>>());
}

/// Names and versions of the example's packages, sorted, as `dpkg-deb` gives them.
pub(crate) fn packages() -> Vec<(String, String)> {
    vendored("python").iter().map(|file| shown(file)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The packages that a locked recipe needs.
pub(crate) fn vendored(name: &str) -> Vec<PathBuf> {
    let folder = place::locked(name).join("vendor");
    let files = layout::files(&folder).into_keys().map(|file| folder.join(file));
    files.filter(|file| file.extension().is_some_and(|suffix| suffix == "deb")).collect()
}

/// Name and version of a package, as `dpkg-deb` gives them.
fn shown(file: &Path) -> (String, String) {
    let ran = Program::new("dpkg-deb").args(["--show", "--showformat=${Package} ${Version}"]).arg(file).run().success();
    let text = ran.text();
    let (name, version) = text.split_once(' ').unwrap();
    (name.to_owned(), version.to_owned())
}

#[test]
fn files_name_their_package() {
    let reference = reference(&built().layout, "latest");
    let ran = Program::distil().args(["files", &reference, "/usr/bin/python3.11", "/app/main.py"]).run().success();
    let text = ran.text();
    let line =
        |path: &str| text.lines().find(|line| line.contains(path)).unwrap_or_else(|| panic!("no {path} in {ran}"));
    assert!(line("/usr/bin/python3.11").contains("python3.11-minimal"), "{ran}");
    assert!(!line("/app/main.py").contains("python3.11"), "{ran}");
}

#[test]
fn the_config_is_what_the_recipe_says() {
    let image = layout::image(&built().layout, "latest");
    let config = &image.config["config"];
    assert_eq!(config["Entrypoint"], serde_json::json!(["/usr/bin/python3.11", "/app/main.py"]));
    assert!(config["Env"].as_array().unwrap().contains(&"LANG=C.UTF-8".into()), "{config}");
    assert_eq!(image.config["os"], "linux");
    let layers = image.layers.len();
    assert!((2..=41).contains(&layers), "{layers} layers");
    assert_eq!(image.config["rootfs"]["diff_ids"].as_array().unwrap().len(), layers);
}

#[test]
fn the_report_names_the_image() {
    let report = &built().report["images"];
    assert_eq!(report.as_array().unwrap().len(), 2, "one for each destination: {report}");
    let digest = report[0]["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    let blob = built().layout.join("blobs").join(digest.replace(':', "/"));
    assert!(blob.is_file(), "{}", blob.display());
    assert_eq!(report[0]["platforms"].as_array().unwrap().len(), 1, "{report}");
    // The same layers under other compression: what does not change is their content.
    assert_eq!(report[0]["platforms"][0]["diff-ids"], report[1]["platforms"][0]["diff-ids"]);
}

#[test]
fn copies_keep_the_digest() {
    let (_guard, folder) = folder();
    let archive = format!("oci-archive:{}:copy", folder.join("image.tar").display());
    let back = reference(&folder.join("back"), "again");
    let first = reference(&built().layout, "latest");
    for (from, to) in [(&first, &archive), (&archive, &back)] {
        let ran = Program::distil().args(["copy", "--json", from, to]).run().success();
        assert_eq!(ran.json()["images"][0]["digest"], built().report["images"][0]["digest"], "{ran}");
        let ran = Program::distil().args(["validate", to]).run();
        assert!(ran.status.success(), "{ran}");
    }
    let seen = Program::new("skopeo").args(["inspect", &archive]).run().success().json();
    assert_eq!(seen["Layers"].as_array().unwrap().len(), layout::image(&folder.join("back"), "again").layers.len());
}
