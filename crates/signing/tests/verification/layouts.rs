//! Whole layouts of which one byte is another: what is looked at cannot be changed, what is not looked at does no harm.

use std::fs;
use std::path::Path;

use distil_imgcore::Digest;
use distil_signing::verify::{self, Identity, Pattern, Requirements, Trust};
use tempfile::TempDir;

use super::data::{by_keys, candidates, layout, trusted_root};

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";

pub(crate) fn keyless() -> Requirements {
    let exact = |text| Pattern::exact(text).unwrap();
    let identity = Identity::new(exact("release@distil.test"), exact("https://issuer.distil.test"));
    let trusted_root = Some(trusted_root("trust/trusted_root.json"));
    Requirements { trusted_root, ..Requirements::new(Trust::Identity(identity)) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { assert!(fs::copy(entry.path(), to).is_ok()) }
    }
}

fn is_accepted(layout: &Path, wanted: &Requirements) -> bool {
    let image: Digest = IMAGE.parse().unwrap();
    candidates(layout, &image).is_ok_and(|found| verify::image(&image, &found, wanted).is_verified())
}

fn no_byte_of_a_blob_can_change(name: &str, wanted: &Requirements) {
    let temp = TempDir::new().unwrap();
    copy(&layout(name), temp.path());
    assert!(is_accepted(temp.path(), wanted), "{name}");
    let blobs = temp.path().join("blobs/sha256");
    let mut tried = 0;
    for path in fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()) {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let good = fs::read(&path).unwrap();
        // What can be missing is not looked at: configurations, the layers of the image, attestations.
        fs::remove_file(&path).unwrap();
        if is_accepted(temp.path(), wanted) {
            fs::write(&path, &good).unwrap();
            continue;
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(!is_accepted(temp.path(), wanted), "{name}: byte {at} of {file}");
            tried += 1;
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(tried > 1000, "{name}: only {tried} were tried");
    assert!(is_accepted(temp.path(), wanted), "{name}");
}

#[test]
fn of_a_legacy_signature() {
    no_byte_of_a_blob_can_change("legacy-v2", &by_keys(&["a"]));
}

#[test]
fn of_a_bundle() {
    no_byte_of_a_blob_can_change("bundle-v3", &by_keys(&["b"]));
}

#[test]
fn of_a_bundle_that_cosign_saved() {
    no_byte_of_a_blob_can_change("save-v3", &by_keys(&["b"]));
}
