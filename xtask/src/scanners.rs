//! distil, grype and osv-scanner over the same image with the same advisories: whether they find the same, and how long it takes.
//!
//! The other two are built from their sources with Go, and their databases from records that are made here, since neither may
//! be asked to fetch anything while it is measured.

mod found;
mod records;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result, at};
use crate::{debs, process};
use found::{Found, by_others};
use records::Package;

/// The newest that Go 1.26 builds.
const OSV_SCANNER: &str = "github.com/google/osv-scanner/v2/cmd/osv-scanner@v2.5.0";
/// Its version stands in `xtask/scanners/go.mod`, since the program that writes its database is made of it.
const GRYPE: &str = "github.com/anchore/grype/cmd/grype";

/// `cargo xtask scanners`: builds the peers, compares what they find in the image of the large set, and times them.
pub(crate) fn task(root: &Path, arguments: &[&str]) -> Result<()> {
    let is_quick = match arguments {
        [] => false,
        ["--quick"] => true,
        _ => return Err(Error::Usage(format!("scanners {}", arguments.join(" ")))),
    };
    let bench = Bench::prepare(root)?;
    bench.compare()?;
    if is_quick { Ok(()) } else { bench.time() }
}

/// Everything that is needed.
struct Bench {
    /// Where all of it lies.
    folder: PathBuf,
    distil: PathBuf,
    packages: Vec<Package>,
}

impl Bench {
    fn prepare(root: &Path) -> Result<Self> {
        let folder = root.join("target/scanners");
        let bin = folder.join("bin");
        fs::create_dir_all(&bin).map_err(at(&bin))?;
        build(root, &bin)?;
        process::run(process::cargo(root).args(["build", "--release", "--package", "distil"]))?;
        let distil = root.join("target/release/distil");
        if !debs::folder(root, "large").is_dir() {
            debs::fetch_set(root, "large")?;
        }
        let mut bench = Self { folder, distil, packages: Vec::new() };
        if !bench.file("image.tar").is_file() {
            let mut build = Command::new(&bench.distil);
            build.args(["build", "--output", &bench.image(), "--deb"]);
            process::run(build.args(debs(&debs::folder(root, "large"))?))?;
        }
        bench.packages = Package::list(&process::read(bench.distil().args(["inspect", "--json", &bench.image()]))?)?;
        bench.write("records.jsonl", &records::records(&bench.packages))?;
        bench.write("none.jsonl", &records::about_nothing())?;
        process::run(Command::new(bin.join("scanners")).arg(bench.file("records.jsonl")).arg(&bench.folder))?;
        for (database, feed) in [("advisories.redb", "osv-scalibr/Debian/all.zip"), ("none.redb", "none.jsonl")] {
            let import = ["db", "import", "--database"];
            process::run(bench.distil().args(import).arg(bench.file(database)).arg(bench.file(feed)))?;
        }
        Ok(bench)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.file(name);
        fs::write(&file, text).map_err(at(file))
    }

    /// What all of them read.
    fn image(&self) -> String {
        format!("docker-archive:{}", self.file("image.tar").display())
    }

    fn distil(&self) -> Command {
        let mut command = Command::new(&self.distil);
        command.arg("--cache-dir").arg(self.file("cache"));
        command
    }

    /// What distil is asked with, and with a report of another.
    fn own_line(&self, database: &str) -> String {
        let (distil, folder) = (self.distil.display(), self.folder.display());
        let image = self.image();
        format!(
            "{distil} --cache-dir {folder}/cache scan {image} --json --max-data-age 5200w --database {folder}/{database}"
        )
    }

    /// Every form of every report, in the terms of distil.
    fn compare(&self) -> Result<()> {
        let own = Found::of_scan(&shell(&self.own_line("advisories.redb"))?)?;
        eprintln!("distil: {} vulnerabilities in {} source packages", own.len(), own.sources());
        let mut differing = Vec::new();
        for peer in Peer::ALL {
            for form in ["json", "sarif"] {
                let report = self.file(&format!("{}.{form}", peer.name()));
                shell(&format!("{} > {}", peer.line(self, form), report.display()))?;
                let line = format!("{} --report {}", self.own_line("none.redb"), report.display());
                let found = Found::of_scan(&shell(&line)?)?;
                let left_out = peer.left_out(&self.packages);
                let differences = own.without(&left_out).compare(&found.without(&left_out));
                let lines = by_others(&differences, peer.says_repairs(form));
                eprintln!("{} {form}: {} vulnerabilities, {} differ", peer.name(), found.len(), lines.len());
                differing.extend(lines.iter().take(20).map(|line| format!("{} {form} {line}", peer.name())));
            }
        }
        if differing.is_empty() { Ok(()) } else { Err(Error::Differ(differing.join("\n"))) }
    }

    /// The command lines that are timed.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let peers = Peer::ALL.map(|peer| (peer.name(), peer.line(self, "json")));
        std::iter::once(("distil", self.own_line("advisories.redb"))).chain(peers).collect()
    }

    /// Time by hyperfine, memory by GNU time.
    fn time(&self) -> Result<()> {
        let mut hyperfine = Command::new("hyperfine");
        hyperfine.args(["--warmup", "1", "--runs", "5", "--output", "null"]);
        for (name, line) in self.lines() {
            hyperfine.args(["--command-name", name, &line]);
        }
        process::run(&mut hyperfine)?;
        for (name, line) in self.lines() {
            let file = self.file("memory.txt");
            let mut time = Command::new("time");
            process::read(time.args(["-f", "%M", "-o"]).arg(&file).args(["sh", "-c", &line]))?;
            let kib = fs::read_to_string(&file).map_err(at(&file))?;
            eprintln!("{name}: {} KiB at most", kib.trim());
        }
        Ok(())
    }
}

/// A scanner of others.
#[derive(Clone, Copy)]
enum Peer {
    Grype,
    OsvScanner,
}

impl Peer {
    const ALL: [Self; 2] = [Self::Grype, Self::OsvScanner];

    fn name(self) -> &'static str {
        match self {
            Self::Grype => "grype",
            Self::OsvScanner => "osv-scanner",
        }
    }

    /// What it is asked with; neither may fetch anything.
    fn line(self, bench: &Bench, form: &str) -> String {
        let folder = bench.folder.display();
        match self {
            Self::Grype => format!(
                "env GRYPE_DB_AUTO_UPDATE=false GRYPE_DB_VALIDATE_AGE=false GRYPE_CHECK_FOR_APP_UPDATE=false \
                 GRYPE_DB_CACHE_DIR={folder} {folder}/bin/grype -q {} -o {form}",
                bench.image()
            ),
            // It ends with 1 where it finds something, and tells the user of every directory that two layers have.
            Self::OsvScanner => format!(
                "sh -c '{folder}/bin/osv-scanner scan image --archive {folder}/image.tar --offline \
                 --offline-vulnerabilities --local-db-path {folder} --all-vulns --verbosity error --format {form} \
                 || [ $? = 1 ]'"
            ),
        }
    }

    /// Source packages about which it is known to err: osv-scanner compares the versions of binary packages with those of
    /// source packages, which are others where something was rebuilt.
    fn left_out(self, packages: &[Package]) -> BTreeSet<&str> {
        let is_rebuilt = |package: &&Package| matches!(self, Self::OsvScanner) && package.is_rebuilt();
        packages.iter().filter(is_rebuilt).map(Package::source).collect()
    }

    /// Whether it says which version repairs something. The SARIF of osv-scanner does not say for which release.
    fn says_repairs(self, form: &str) -> bool {
        !matches!((self, form), (Self::OsvScanner, "sarif"))
    }
}

/// Runs a line of a shell, and gives what it printed.
fn shell(line: &str) -> Result<String> {
    process::read(Command::new("sh").args(["-c", line]))
}

/// Builds what is not distil's. Go knows itself what has changed.
fn build(root: &Path, bin: &Path) -> Result<()> {
    if !process::installed("go") {
        return Err(Error::NoGo);
    }
    let go = || {
        let mut command = Command::new("go");
        command.current_dir(root.join("xtask/scanners")).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
        command.env("GOBIN", bin);
        command
    };
    process::run(go().args(["build", "-buildvcs=false", "-mod=readonly", "-o"]).arg(bin).args([".", GRYPE]))?;
    process::run(go().args(["install", OSV_SCANNER]))
}

/// The packages of a folder, sorted.
fn debs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let files: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut files = files.map_err(at(folder))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "deb"));
    files.sort();
    Ok(files)
}
