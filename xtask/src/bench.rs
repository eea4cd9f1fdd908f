//! Whole commands side by side: distil, the shell pipeline that people write, and buildah.
//!
//! Every command of a table is timed by hyperfine in one run, and only ratios are compared between machines.

mod resolve;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result, at};
use crate::{debs, process};

/// The sets, and how often each command is run on them. Medians are reported.
const SETS: [(&str, u32); 3] = [("python", 7), ("jre", 5), ("large", 2)];

/// `cargo xtask bench`: measures, and writes `benches/RESULTS.md`.
pub(crate) fn task(root: &Path) -> Result<()> {
    for program in ["hyperfine", "zstd", "pigz", "buildah", "dpkg-deb", "tar", "xargs", "time"] {
        if !process::installed(program) {
            return Err(Error::Missing(vec!["hyperfine", "zstd", "pigz", "buildah", "time"]));
        }
    }
    process::run(process::cargo(root).args(["build", "--release", "--package", "distil"]))?;
    let bench = Bench { distil: target(root).join("release/distil"), dir: root.join("target/bench") };
    fs::create_dir_all(&bench.dir).map_err(at(&bench.dir))?;
    let mut report = String::from(HEAD);
    report.push_str(&machine()?);
    report.push_str(&bench.resolve(root)?);
    for (set, runs) in SETS {
        debs::fetch_set(root, set)?;
        report.push_str(&bench.set(root, set, runs)?);
    }
    let file = root.join("benches/RESULTS.md");
    fs::write(&file, report).map_err(at(&file))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

const HEAD: &str = "\
# Results

Written by `cargo xtask bench`: whole commands, each timed several times by hyperfine in one run, with the median. Only the
ratios mean something on another machine. `shell` is what a careful team writes: `dpkg-deb -x` of each package into one
folder, GNU tar with sorted names, `sha256sum`, a compressor with two threads, `sha256sum`. `buildah` is `from scratch`,
`add` of that folder, `commit` to a layout. `decompress` is `dpkg-deb --fsys-tarfile` of each package to nothing, two at a
time: the work that nobody who reads packages gets around.

";

/// What is measured, and where it works.
struct Bench {
    distil: PathBuf,
    dir: PathBuf,
}

/// A command of a table.
struct Row {
    name: &'static str,
    command: String,
    median: f64,
    memory: Option<u64>,
}

impl Bench {
    /// One table.
    fn set(&self, root: &Path, set: &str, runs: u32) -> Result<String> {
        let folder = debs::folder(root, set);
        let (count, bytes) = size(&folder)?;
        let mut rows = Vec::new();
        for (name, command) in self.commands(&folder)? {
            // buildah copies the whole tree several times; on the large set it would only tell how slow the disk is.
            if name == "buildah" && set == "large" {
                continue;
            }
            let median = self.median(&command, runs)?;
            let memory = name.starts_with("distil").then(|| self.memory(&command)).transpose()?;
            rows.push(Row { name, command, median, memory });
        }
        let mut out = format!("## {set}: {count} packages, {} MB\n\n", bytes / 1_000_000);
        out.push_str("| command | median s | against decompress | against its shell pipeline | peak MiB |\n|---|---|---|---|---|\n");
        let of = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.median);
        for row in &rows {
            let shell = of(if row.name.ends_with("gzip") { "shell, gzip" } else { "shell, zstd" });
            let ratio =
                |other: Option<f64>| other.map_or_else(String::new, |other| format!("{:.2} x", row.median / other));
            let memory = row.memory.map_or_else(String::new, |kib| (kib / 1024).to_string());
            let _ = writeln!(
                out,
                "| {} | {:.3} | {} | {} | {memory} |",
                row.name,
                row.median,
                ratio(of("decompress")),
                ratio(shell)
            );
        }
        out.push_str("\n```text\n");
        for row in &rows {
            let _ = writeln!(out, "{}: {}", row.name, self.shown(root, &row.command));
        }
        out.push_str("```\n\n");
        Ok(out)
    }

    fn commands(&self, folder: &Path) -> Result<Vec<(&'static str, String)>> {
        let (dir, distil, debs) = (self.dir.display(), self.distil.display(), folder.display());
        let mut commands = Vec::new();
        for (name, compression) in [("distil, zstd", "zstd:3"), ("distil, gzip", "gzip:6")] {
            let recipe = self.dir.join(format!("{compression}.toml"));
            let text = format!("[debian]\ndebs = [\"{debs}/*.deb\"]\n[layers]\ncompression = \"{compression}\"\n");
            fs::write(&recipe, text).map_err(at(&recipe))?;
            let build = format!("{distil} build --quiet --cache-dir {dir}/cache -o oci:{dir}/out {}", recipe.display());
            commands.push((name, format!("rm -rf {dir}/out {dir}/cache && {build}")));
        }
        let unpack = format!(
            "rm -rf {dir}/root && mkdir {dir}/root && for d in {debs}/*.deb; do dpkg-deb -x $d {dir}/root; done"
        );
        let pack =
            format!("tar --sort=name --numeric-owner -C {dir}/root -cf {dir}/layer.tar . && sha256sum {dir}/layer.tar");
        let zstd = format!("zstd -3 -T2 -qf {dir}/layer.tar && sha256sum {dir}/layer.tar.zst");
        let pigz = format!("pigz -6 -p2 -kf {dir}/layer.tar && sha256sum {dir}/layer.tar.gz");
        commands.push(("shell, zstd", format!("{unpack} && {pack} && {zstd}")));
        commands.push(("shell, gzip", format!("{unpack} && {pack} && {pigz}")));
        let storage = format!("--root {dir}/storage --runroot {dir}/run --storage-driver vfs");
        commands.push((
            "buildah",
            format!(
                "{unpack} && rm -rf {dir}/storage {dir}/buildah && c=$(buildah {storage} from scratch) && \
                 buildah {storage} add -q $c {dir}/root / && buildah {storage} commit -q $c oci:{dir}/buildah:x"
            ),
        ));
        commands.push((
            "decompress",
            format!("ls {debs}/*.deb | xargs -P2 -I F sh -c 'dpkg-deb --fsys-tarfile F >/dev/null'"),
        ));
        Ok(commands)
    }

    fn median(&self, command: &str, runs: u32) -> Result<f64> {
        let json = self.dir.join("hyperfine.json");
        let mut hyperfine = Command::new("hyperfine");
        hyperfine.args(["--warmup", "1", "--style", "none", "--runs", &runs.to_string(), "--export-json"]).arg(&json);
        process::run(hyperfine.arg(command))?;
        let text = fs::read_to_string(&json).map_err(at(&json))?;
        let value = text.lines().find_map(|line| line.trim().strip_prefix("\"median\": ")).unwrap_or_default();
        let value = value.trim_end_matches(',');
        value.parse().map_err(|_| Error::Output { program: "hyperfine", line: value.to_owned() })
    }

    /// Peak memory in KiB.
    fn memory(&self, command: &str) -> Result<u64> {
        let file = self.dir.join("time.txt");
        process::run(Command::new("time").args(["-f", "%M", "-o"]).arg(&file).args(["sh", "-c", command]))?;
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        text.trim().parse().map_err(|_| Error::Output { program: "time", line: text.clone() })
    }

    /// A command without this machine's paths.
    fn shown(&self, root: &Path, command: &str) -> String {
        let distil = self.distil.display().to_string();
        command.replace(&distil, "distil").replace(&format!("{}/", root.display()), "")
    }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// How many packages a folder holds, and their bytes.
fn size(folder: &Path) -> Result<(usize, u64)> {
    let files = fs::read_dir(folder).map_err(at(folder))?;
    let mut found = (0, 0);
    for file in files {
        let metadata = file.and_then(|file| file.metadata()).map_err(at(folder))?;
        found = (found.0 + 1, found.1 + metadata.len());
    }
    Ok(found)
}

/// The processor, and the versions of what is measured.
fn machine() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").map_err(at("/proc/cpuinfo"))?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let mut out = format!("{cores} cores,{}\n\n", model.trim_start_matches(['\t', ' ', ':']).trim());
    out.insert_str(0, "Machine: ");
    for (program, argument) in [
        ("rustc", "-V"),
        ("dpkg-deb", "--version"),
        ("tar", "--version"),
        ("zstd", "--version"),
        ("pigz", "--version"),
        ("buildah", "--version"),
    ] {
        let printed = process::read(Command::new(program).arg(argument))?;
        let _ = writeln!(out, "- {}", printed.lines().next().unwrap_or(program).trim());
    }
    out.push('\n');
    Ok(out)
}
