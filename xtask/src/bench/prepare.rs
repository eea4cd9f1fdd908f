//! What is there before anything is timed: locks, caches in the states that matter, and the images of the build before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use distil_tests::apt::{DAY, TIME};

use super::Bench;
use super::repository::{self, Repository};
use super::set::{CHANGING, Set};
use super::sizes::unpack;
use super::task::{Packing, Strategy};
use crate::error::{Error, Result, at};
use crate::{debs, process};

/// The recipe that names files.
pub(super) const LOCAL_RECIPE: &str = "local.toml";

/// A set whose locks and caches are made. All of it lies in one folder:
///
/// | name | holds |
/// |---|---|
/// | `packages` | a cache that has the packages of all locks, the changed one too, and nothing made of them |
/// | `warm` | the same after both strategies were built in zstd, nothing changed |
/// | `package.image`, `single.image` | what these builds wrote |
/// | `STRATEGY-zstd`, `STRATEGY-gzip`, `STRATEGY-changed` | recipe and lock |
/// | `local.toml` | a recipe without a lock |
/// | `cache`, `out` | what a build that is timed finds and leaves |
/// | `layer.tar` | the uncompressed layer of all packages, one of them changed |
pub(super) struct Ready {
    pub(super) set: Set,
    pub(super) folder: PathBuf,
    /// Where the .debs lie.
    pub(super) debs: PathBuf,
    pub(super) packages: usize,
    /// Bytes of all .debs together.
    pub(super) bytes: u64,
    /// Bytes of `layer.tar`.
    pub(super) plain: u64,
    /// Bytes of the package that changes.
    pub(super) changing: u64,
    /// The images that builds with one package changed must give.
    pub(super) changed: Vec<(Strategy, String)>,
}

impl Bench {
    /// Makes a set ready.
    pub(super) fn prepare(&self, set: Set) -> Result<Ready> {
        let (folder, source) = (self.dir.join(set.name()), debs::folder(&self.root, set.name()));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let old = debs_in(&source)?;
        let is_changing = |deb: &&PathBuf| repository::name(deb) == CHANGING;
        let changing = old.iter().find(is_changing).ok_or_else(|| Error::Digest(source.join(CHANGING)))?;
        let made = repository::changed(changing, &folder)?;
        let new: Vec<PathBuf> = old.iter().filter(|deb| !is_changing(deb)).chain([&made]).cloned().collect();

        let repository = Repository::new(&folder.join("repository"))?;
        repository.publish(&old, TIME)?;
        for (strategy, packing) in recipes() {
            let recipe = folder.join(recipe(strategy, packing));
            write_recipe(&recipe, &repository.source(), &old, strategy, (packing, SILENT))?;
            self.distil(&["lock"], &folder, "packages", &recipe)?;
        }
        let described = folder.join(DESCRIBED);
        write_recipe(&described, &repository.source(), &old, Strategy::Package, (Packing::Zstd, ""))?;
        self.distil(&["lock"], &folder, "packages", &described)?;
        repository.publish(&new, TIME + DAY)?;
        for strategy in Strategy::ALL {
            let (before, after) = (folder.join(recipe(strategy, Packing::Zstd)), folder.join(recipe_changed(strategy)));
            process::run(Command::new("cp").arg("-r").arg(before).arg(&after))?;
            self.distil(&["lock", "--update", CHANGING], &folder, "packages", &after)?;
        }
        let local = format!("[debian]\ndebs = [\"{}/*.deb\"]\n", source.display());
        let compression = Packing::Zstd.stated();
        write(&folder.join(LOCAL_RECIPE), &format!("{local}[layers]\ncompression = \"{compression}\"\n{SILENT}"))?;

        copy(&folder, "packages", "warm")?;
        for strategy in Strategy::ALL {
            self.build(&folder, "warm", &recipe(strategy, Packing::Zstd), &image(strategy))?;
        }
        // Syft reads no layout whose name stands for an index.
        let (image, archive) = (folder.join(image(Strategy::Package)), folder.join(ARCHIVE));
        process::run(Command::new("rm").arg("-f").arg(&archive))?;
        let (image, archive) =
            (format!("oci:{}", image.display()), format!("docker-archive:{}:x:1", archive.display()));
        let platform = format!("linux/{}", process::read(Command::new("dpkg").arg("--print-architecture"))?.trim());
        let mut copy_image = Command::new(&self.distil);
        copy_image.args(["copy", "--quiet", "--platform", &platform, &image, &archive]);
        process::read(&mut copy_image)?;
        let mut changed = Vec::new();
        for strategy in Strategy::ALL {
            copy(&folder, "packages", "cache")?;
            changed.push((strategy, self.build(&folder, "cache", &recipe_changed(strategy), "out")?));
        }
        // The last of them was the single layer.
        let plain = unpack(&folder, Packing::Zstd)?;
        let bytes = old.iter().map(|deb| size(deb)).sum::<Result<u64>>()?;
        Ok(Ready { set, packages: old.len(), bytes, plain, changing: size(&made)?, changed, debs: source, folder })
    }

    fn distil(&self, words: &[&str], folder: &Path, cache: &str, recipe: &Path) -> Result<String> {
        let mut command = Command::new(&self.distil);
        command.args(words).arg("--quiet").arg("--cache-dir").arg(folder.join(cache));
        process::read(command.arg(recipe.join("distil.toml")))
    }

    /// Builds and validates, and gives the image's digest.
    pub(super) fn build(&self, folder: &Path, cache: &str, recipe: &str, image: &str) -> Result<String> {
        process::run(Command::new("rm").arg("-rf").arg(folder.join(image)))?;
        let image = format!("oci:{}", folder.join(image).display());
        let printed =
            self.distil(&["build", "--locked", "--offline", "-o", &image], folder, cache, &folder.join(recipe))?;
        self.validate(&image)?;
        Ok(digest(&printed).to_owned())
    }

    /// Reads an image with every digest in it.
    pub(super) fn validate(&self, image: &str) -> Result<()> {
        process::read(Command::new(&self.distil).args(["validate", "--quiet", image])).map(drop)
    }
}

/// The recipe of an image with everything that is attached by default.
pub(super) const DESCRIBED: &str = "described";
/// The image as other programs read it.
pub(super) const ARCHIVE: &str = "image.tar";
/// What is said about an image takes time of its own, which is measured apart.
const SILENT: &str = "[attestations]\nsbom = []\nprovenance = false\n";

/// Each strategy in each compression that is built cold.
fn recipes() -> impl Iterator<Item = (Strategy, Packing)> {
    Strategy::ALL.into_iter().flat_map(|strategy| Packing::ALL.map(|packing| (strategy, packing)))
}

pub(super) fn recipe(strategy: Strategy, packing: Packing) -> String {
    let packing = packing.stated().split(':').next().unwrap_or_default();
    format!("{}-{packing}", strategy.stated())
}

pub(super) fn recipe_changed(strategy: Strategy) -> String {
    format!("{}-changed", strategy.stated())
}

pub(super) fn image(strategy: Strategy) -> String {
    format!("{}.image", strategy.stated())
}

/// The digest in a line of `distil build`.
pub(super) fn digest(printed: &str) -> &str {
    printed.split_whitespace().last().unwrap_or_default()
}

fn write_recipe(
    folder: &Path,
    source: &str,
    debs: &[PathBuf],
    strategy: Strategy,
    (packing, more): (Packing, &str),
) -> Result<()> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let names: Vec<String> = debs.iter().map(|deb| format!("\"{}\"", repository::name(deb))).collect();
    let text = format!(
        "[debian]\nsources = [{source}]\npackages = [{}]\n[layers]\nstrategy = \"{}\"\ncompression = \"{}\"\n{more}",
        names.join(", "),
        strategy.stated(),
        packing.stated()
    );
    write(&folder.join("distil.toml"), &text)
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(at(file))
}

fn size(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).map_err(at(file))?.len())
}

/// Copies a cache, by links: nothing in it is ever written twice.
pub(super) fn copy(folder: &Path, from: &str, to: &str) -> Result<()> {
    process::run(Command::new("rm").arg("-rf").arg(folder.join(to)))?;
    process::run(Command::new("cp").arg("-al").arg(folder.join(from)).arg(folder.join(to)))
}

/// The packages in a folder, sorted.
pub(super) fn debs_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let paths = entries.map(|entry| Ok(entry.map_err(at(folder))?.path()));
    let mut debs = paths.collect::<Result<Vec<_>>>()?;
    debs.retain(|path| path.extension().is_some_and(|suffix| suffix == "deb"));
    debs.sort();
    Ok(debs)
}

/// The largest blob of an image: the layer that holds all packages, where there is one.
pub(super) fn largest_blob(image: &Path) -> Result<(PathBuf, u64)> {
    let blobs = image.join("blobs/sha256");
    let mut largest = (PathBuf::new(), 0);
    for entry in fs::read_dir(&blobs).map_err(at(&blobs))? {
        let path = entry.map_err(at(&blobs))?.path();
        let bytes = size(&path)?;
        if bytes > largest.1 {
            largest = (path, bytes);
        }
    }
    Ok(largest)
}
