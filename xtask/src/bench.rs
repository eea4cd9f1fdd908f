//! Whole commands side by side: distil, the shell pipeline that people write, buildah, and what nobody gets around.
//!
//! All commands of a set are timed by hyperfine in rounds, one after the other and then again, so that a machine that slows
//! down slows them alike. Ratios are taken within a round, and only they are compared between machines.

mod commands;
mod machine;
mod must;
mod plot;
mod prepare;
mod registry;
mod repository;
mod resolve;
mod set;
mod sizes;
mod stopwatch;
mod tables;
mod task;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, at};
use crate::{debs, process};
use set::Set;
use stopwatch::Stopwatch;
use tables::Figures;

const PROGRAMS: [&str; 13] = [
    "hyperfine",
    "zstd",
    "gzip",
    "pigz",
    "buildah",
    "dpkg-deb",
    "tar",
    "xargs",
    "time",
    "openssl",
    "gpg",
    "timeout",
    "skopeo",
];

/// `cargo xtask bench [SET…] [--quick]`: measures, and writes `benches/RESULTS.md` with its plot. A run of a part, or with each
/// command once, is for whoever works on it: it is printed, and leaves the files alone.
pub(crate) fn task(root: &Path, arguments: &[&str]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    if let Some(missing) = PROGRAMS.iter().find(|program| !process::installed(program)) {
        return Err(Error::Missing(vec![missing]));
    }
    process::run(process::cargo(root).args(["build", "--release", "--package", "distil"]))?;
    let bench = Bench::new(root, wanted.quick)?;
    let mut ready = BTreeMap::new();
    let mut figures = BTreeMap::new();
    for set in wanted.sets.iter().copied() {
        debs::fetch_set(root, set.name())?;
        ready.insert(set, bench.prepare(set)?);
        figures.insert(set, bench.measure(set, &ready)?);
    }
    let resolve = wanted.has(Part::Resolve).then(|| bench.resolve()).transpose()?.unwrap_or_default();
    let transfers = wanted.has(Part::Registry).then(|| bench.registries()).transpose()?;
    let (report, plot) = (bench.report(&figures, &resolve, transfers.as_ref())?, plot::svg(&figures));
    drop(ready);
    fs::remove_dir_all(&bench.dir).map_err(at(&bench.dir))?;
    if !wanted.whole {
        return io::stdout().write_all(report.as_bytes()).map_err(at("standard output"));
    }
    for (name, text) in [("RESULTS.md", report), ("plot.svg", plot)] {
        let file = root.join("benches").join(name);
        fs::write(&file, text).map_err(at(&file))?;
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}

/// What is measured beside builds of the sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Resolve,
    Registry,
}

impl Part {
    const ALL: [Self; 2] = [Self::Resolve, Self::Registry];

    fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Registry => "registry",
        }
    }
}

/// What the arguments ask for.
struct Wanted {
    sets: Vec<Set>,
    parts: Vec<Part>,
    quick: bool,
    /// Everything, as often as the results need.
    whole: bool,
}

impl Wanted {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let (options, names): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
        let is_known =
            |name: &&str| ["resolve", "registry"].contains(name) || Set::ALL.iter().any(|set| set.name() == *name);
        if let Some(wrong) = names.iter().find(|name| !is_known(name)).or(options.iter().find(|o| **o != "--quick")) {
            return Err(Error::Usage(format!("bench {wrong}")));
        }
        let quick = !options.is_empty();
        let wants = |name: &str| names.is_empty() || names.contains(&name);
        let sets = Set::ALL.into_iter().filter(|set| wants(set.name())).collect();
        let parts = Part::ALL.into_iter().filter(|part| wants(part.name())).collect();
        Ok(Self { sets, parts, quick, whole: names.is_empty() && !quick })
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

/// What is measured, where it works, and with what.
struct Bench {
    root: PathBuf,
    distil: PathBuf,
    dir: PathBuf,
    cores: usize,
    /// Whether each command runs only once.
    quick: bool,
    stopwatch: Stopwatch,
}

impl Bench {
    fn new(root: &Path, quick: bool) -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let dir = root.join("target/bench");
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(at(&dir))?;
        }
        fs::create_dir_all(&dir).map_err(at(&dir))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let stopwatch = Stopwatch::new(&dir);
        Ok(Self { root: root.to_path_buf(), distil: target.join("release/distil"), dir, cores, quick, stopwatch })
    }

    /// The whole report.
    fn report(
        &self,
        figures: &BTreeMap<Set, Figures>,
        resolve: &str,
        transfers: Option<&registry::Figures>,
    ) -> Result<String> {
        let mut report = String::from(HEAD);
        report.push_str(&machine::describe(self.cores)?);
        report.push_str(&must::table(figures, transfers));
        report.push_str(PLOT);
        for figures in figures.values() {
            report.push_str(&tables::section(figures, |command| self.shown(command)));
        }
        if let Some(transfers) = transfers {
            report.push_str(&transfers.section(|command| self.shown(command)));
        }
        report.push_str(resolve);
        Ok(report)
    }

    /// A command without this machine's paths.
    fn shown(&self, command: &str) -> String {
        let distil = self.distil.display().to_string();
        command.replace(&distil, "distil").replace(&format!("{}/", self.root.display()), "")
    }
}

const HEAD: &str = "\
# Results

Written by `cargo xtask bench`: whole commands, timed by hyperfine in rounds, each command once a round. Times are medians of
the rounds, ratios the medians of the ratios within a round; only these mean something on another machine. Before each run
its state is laid out anew and the disk is given time to write what came before (`sync`); neither is timed. What distil itself
flushes to the disk is. The page cache is warm for all.

- **cold**: the packages are there as files, and nothing else of distil's cache is. They come from a signed repository made
  of the very .debs of the set; `distil lock` fetched them, so that their cache holds packages and indices alone.
- **cold, local files**: no lock and no cache; the recipe names the .debs as files, and they are compared with their own
  `md5sums` too.
- **SBOMs and provenance**: a cold build with all that is attached by default. All other builds attach nothing.
- **SBOM of an image**: `distil sbom --from image`, which looks through the layers, and `syft` on the same image as a docker
  archive, both to SPDX 2.3.
- **unchanged**: nothing changed since the last build, from the lock, into the layout that holds the image already.
- **new destination**: the same, into a layout that is not there yet.
- **one package changed**: the cache knows the build before, and the layout holds it. The package was unpacked, given
  another version and another copyright file, and packed again; it is newer than all others, so that the time of the image
  changes too.
- **decompress**: `dpkg-deb --fsys-tarfile` of each package to nothing, one process a core: the work that nobody who reads
  packages gets around.
- **shell**: what a careful team writes: `dpkg-deb -x` of each package into one folder, GNU tar with sorted names,
  `sha256sum`, a compressor with a thread a core, `sha256sum`.
- **buildah**: `from scratch`, `add` of that folder, `commit` to a layout.
- **openssl**: `openssl dgst -sha256` of the uncompressed layer that holds all packages.

Before anything is timed, images are compared: cold, unchanged and to a new destination they must be one, and one package
changed must give the image of a cold build of the same packages. `distil validate` reads each.

";

const PLOT: &str = "\
![Time and peak memory of cold builds, over the uncompressed size of the image](plot.svg)

";
