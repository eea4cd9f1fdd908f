//! Small packages and images of them, to be built often and quickly out of one cache.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::apt::sha256;
use distil_tests::program::{Ran, folder};
use distil_tests::tar::Entry;
use distil_tests::{Deb, Program};

use crate::example::reference;
use crate::project::digest;

/// A folder with packages and recipes, and the image that each recipe gives.
pub(crate) struct Shop {
    pub(crate) folder: PathBuf,
    pub(crate) images: Vec<Image>,
    _guard: tempfile::TempDir,
}

/// A recipe, and what comes of it.
pub(crate) struct Image {
    pub(crate) recipe: PathBuf,
    pub(crate) digest: String,
}

/// Some of the packages in every kind of layer. A recipe that leaves out what others have shares no fragment with them.
const RECIPES: &[&str] = &[
    "[debian]\ndebs = [\"*.deb\"]\n[layers]\ncompression = \"zstd\"\n",
    "[debian]\ndebs = [\"a*.deb\", \"c*.deb\"]\n[layers]\nstrategy = \"single\"\ncompression = \"zstd\"\n",
    "[debian]\ndebs = [\"*.deb\"]\n[layers]\nstrategy = \"origin\"\ncompression = \"gzip\"\n",
    "[debian]\ndebs = [\"b*.deb\", \"c*.deb\"]\n[layers]\nmax = 4\ncompression = \"none\"\n\
     [filter]\nexclude = [\"/usr/share/*/left-out\"]\n",
    "[debian]\ndebs = [\"*.deb\"]\n[layers]\ncompression = \"zstd-chunked\"\n",
    "[debian]\ndebs = [\"b*.deb\", \"c*.deb\"]\n[layers]\nstrategy = \"single\"\ncompression = \"estargz\"\n",
];

impl Shop {
    /// Makes packages, one of them of this many bytes, and builds each recipe once with a cache of its own.
    pub(crate) fn new(largest: usize) -> Self {
        let (guard, folder) = folder();
        for (number, name) in ["a-one", "a-two", "b-one", "b-two", "c-one", "c-two"].into_iter().enumerate() {
            let size = if name == "c-two" { largest } else { 20 << (2 * number) };
            assert!(package(name, size).write(&folder).is_file());
        }
        let mut images = Vec::new();
        for (number, text) in RECIPES.iter().enumerate() {
            let recipe = folder.join(format!("{number}.toml"));
            fs::write(&recipe, text).unwrap();
            let layout = folder.join(format!("expected-{number}"));
            let ran = build(&recipe, &folder.join(format!("own-cache-{number}")), &layout, &[]).run().success();
            check_valid(&layout);
            images.push(Image { recipe, digest: digest(&ran) });
        }
        Self { folder, images, _guard: guard }
    }

    /// A layout that was built and must not be another one for anything.
    pub(crate) fn expected(&self, number: usize) -> PathBuf {
        self.folder.join(format!("expected-{number}"))
    }

    /// A cache that holds everything.
    pub(crate) fn full_cache(&self, name: &str) -> PathBuf {
        let cache = self.folder.join(name);
        for image in &self.images {
            image.check(&build(&image.recipe, &cache, &self.folder.join("first"), &[]).run());
        }
        cache
    }
}

impl Image {
    /// The program that builds it, to be run.
    pub(crate) fn build(&self, cache: &Path, layout: &Path, options: &[&str]) -> Program {
        build(&self.recipe, cache, layout, options)
    }

    /// The same, killed after this many seconds.
    pub(crate) fn build_within(&self, seconds: f64, cache: &Path, layout: &Path) -> Program {
        arguments(Program::distil_within(seconds), &self.recipe, cache, layout)
    }

    /// Fails the test unless the build gave the image that it must give.
    pub(crate) fn check(&self, ran: &Ran) {
        assert!(ran.status.success(), "{}: {ran}", self.recipe.display());
        assert_eq!(digest(ran), self.digest, "{}", self.recipe.display());
    }
}

fn build(recipe: &Path, cache: &Path, layout: &Path, options: &[&str]) -> Program {
    arguments(Program::distil(), recipe, cache, layout).args(options)
}

fn arguments(program: Program, recipe: &Path, cache: &Path, layout: &Path) -> Program {
    let program = program.arg("build").arg(recipe).arg("--json").arg("--cache-dir").arg(cache);
    program.arg("-o").arg(reference(layout, "test"))
}

pub(crate) fn check_valid(layout: &Path) {
    let ran = Program::distil().args(["validate", &reference(layout, "test")]).run();
    assert!(ran.status.success(), "{}: {ran}", layout.display());
}

/// Fails the test where a fragment has other bytes than its name says, or something that is no file has its place.
pub(crate) fn check_sound(cache: &Path) {
    let fragments = cache.join("fragments");
    let mut looked_at = 0;
    for file in files(&fragments) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.len() == 64 {
            assert_eq!(sha256(&fs::read(&file).unwrap()), name);
            looked_at += 1;
        }
    }
    assert!(looked_at > 0, "there is no fragment below {}", fragments.display());
    let mut folders = vec![cache.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            assert!(!kind.is_symlink(), "{} is a link", entry.path().display());
            assert!(!kind.is_dir() || entry.file_name().len() < 60, "{} is a directory", entry.path().display());
            folders.extend(kind.is_dir().then(|| entry.path()));
        }
    }
}

/// The files below a folder, links and directories left out.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        // Others may remove folders meanwhile.
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files
}

/// A package with a large file, a few small ones and links, one of which is left out where documentation is filtered.
fn package(name: &str, size: usize) -> Deb {
    let line = |number: usize| format!("{name} {number} {}\n", number.wrapping_mul(0x9e37_79b9) >> 7);
    let mut large: String =
        (0..).map(line).scan(0, |sum, line| (*sum < size).then(|| (*sum += line.len(), line).1)).collect();
    large.truncate(size);
    let (source, _) = name.split_once('-').unwrap();
    let mut deb = Deb::new(name).field(&format!("Source: source-{source}"));
    for number in 0..10 {
        deb = deb.file(&format!("/usr/share/{name}/{number}"), &line(number));
    }
    deb.file(&format!("/usr/share/{name}/large"), &large)
        .file(&format!("/usr/share/{name}/left-out"), "left out\n")
        .entry(Entry::symlink(&format!("./usr/share/{name}/link"), "large"))
        .entry(Entry::symlink(&format!("./usr/share/doc/{name}"), "elsewhere"))
        .entry(Entry::hardlink(&format!("./usr/share/{name}/same"), &format!("./usr/share/{name}/0")))
        .compressed("gz")
}
