//! What the tests of registries push and copy: a small image for two platforms with all that is attached by default, built
//! once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program, layout};
use serde_json::Value;

use crate::example::{folder_of_this_run, reference};

/// The recipe and its packages.
const RECIPE: &str = "platforms = [\"linux/amd64\", \"linux/arm64\"]\n[debian]\ndebs = [\"*.deb\"]\n";

/// An image in a layout, under the name `test`.
pub(crate) struct Image {
    pub(crate) layout: PathBuf,
    /// Of the index.
    pub(crate) digest: String,
}

impl Image {
    /// `oci:DIR:test`
    pub(crate) fn reference(&self) -> String {
        reference(&self.layout, "test")
    }
}

/// The image, built by the first test that asks.
pub(crate) fn image() -> &'static Image {
    static BUILT: OnceLock<Image> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = folder_of_this_run().join("registry");
        fs::create_dir(&folder).unwrap();
        recipe(&folder, "");
        let layout = folder.join("layout");
        let ran = at(&folder, &["build", "--json", "-o", &reference(&layout, "test")]).success();
        Image { layout, digest: digest(&ran.json()) }
    })
}

/// Writes a recipe with packages of its own, and more text behind it.
pub(crate) fn recipe(folder: &Path, more: &str) {
    for deb in packages() {
        assert!(deb.write(folder).is_file());
    }
    fs::write(folder.join("distil.toml"), format!("{RECIPE}{more}")).unwrap();
}

/// Packages that make layers of some size, which do not compress to nothing.
fn packages() -> [Deb; 3] {
    let mut random = distil_tests::Random::seeded(7);
    ["one", "two", "three"].map(|name| {
        let text: String = (0..60_000).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap())).collect();
        Deb::new(name).file(&format!("/usr/share/{name}/text"), &text)
    })
}

/// Runs distil in a folder, with a home, a cache and credentials of its own.
pub(crate) fn at(folder: &Path, words: &[&str]) -> Ran {
    program(folder, words).run()
}

/// The same, to be run otherwise.
pub(crate) fn program(folder: &Path, words: &[&str]) -> Program {
    own(Program::distil_within(280.0).args(words), folder)
}

/// Gives a program a home and credentials of its own.
pub(crate) fn own(program: Program, folder: &Path) -> Program {
    let program = program.env("HOME", folder).env("XDG_RUNTIME_DIR", folder.join("run"));
    program.env("XDG_CACHE_HOME", folder.join("cache")).current_dir(folder)
}

/// Copies and gives the digest.
pub(crate) fn copied(from: &str, to: &str) -> String {
    let (_guard, folder) = folder();
    digest(&at(&folder, &["copy", "--json", from, to]).success().json())
}

/// The digest of the first image that a report names.
pub(crate) fn digest(report: &Value) -> String {
    report["images"][0]["digest"].as_str().unwrap_or_else(|| panic!("no digest in {report}")).to_owned()
}

/// Everything that a layout has under a name, with what is attached to it: the digest of the image, and of each artifact with
/// its file name.
pub(crate) fn everything(at: &Path, tag: &str) -> (String, Vec<(String, Vec<u8>)>) {
    let image = layout::image(at, tag);
    let valid = Program::distil().args(["validate", &reference(at, tag)]).run();
    assert!(valid.status.success(), "{valid}");
    let attached = layout::attached(at, &image.digest).into_iter().map(|found| (found.title, found.content));
    (image.root, attached.collect())
}
