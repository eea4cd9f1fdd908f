//! All figures of a set, as tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::set::Set;
use super::sizes::{Size, as_float};
use super::stopwatch::{Timed, Times};
use super::task::{Packing, Task};

/// What was measured on a set.
pub(super) struct Figures {
    pub(super) set: Set,
    pub(super) packages: usize,
    /// Bytes of the .debs.
    pub(super) bytes: u64,
    /// Bytes of the uncompressed layer of all packages.
    pub(super) plain: u64,
    /// The package that changes, and its bytes.
    pub(super) changing: (&'static str, u64),
    pub(super) times: Times<Task>,
    /// Peak memory of our builds, in KiB.
    pub(super) memory: BTreeMap<Task, u64>,
    pub(super) sizes: Vec<Size>,
    pub(super) commands: Vec<Timed<Task>>,
}

impl Figures {
    /// The most that any cold build took, in KiB.
    pub(super) fn peak_of_cold_builds(&self) -> Option<u64> {
        let cold = self.memory.iter().filter(|(task, _)| matches!(task, Task::Cold(_) | Task::ColdLocal));
        cold.map(|(_, kib)| *kib).max()
    }
}

/// The section of a set; commands are shown without paths of this machine.
pub(super) fn section(figures: &Figures, shown: impl Fn(&str) -> String) -> String {
    let Figures { set, packages, bytes, plain, changing, .. } = figures;
    let mut out = format!(
        "## {}: {packages} packages, {} MB, {} MB uncompressed\n\n\
         The package that changes is {} ({} kB).\n\n",
        set.name(),
        bytes / 1_000_000,
        plain / 1_000_000,
        changing.0,
        changing.1 / 1000
    );
    out.push_str(
        "| command | median s | CPU s | against decompress | against its shell pipeline | peak MiB | runs |\n",
    );
    out.push_str("|---|---|---|---|---|---|---|\n");
    for command in &figures.commands {
        let _ = writeln!(out, "{}", row(figures, command));
    }
    out.push_str("\n| layer of all packages | bytes | by the program, in one go | |\n|---|---|---|---|\n");
    for size in &figures.sizes {
        let program = size.packing.program();
        let _ = writeln!(
            out,
            "| {}, `{program}` | {} | {} | {:.3} x |",
            size.packing.stated(),
            size.ours,
            size.whole,
            size.ratio()
        );
    }
    out.push_str("\n```text\n");
    for command in &figures.commands {
        let _ = writeln!(
            out,
            "{}\n  before: {}\n  timed:  {}",
            command.key,
            shown(&command.before),
            shown(command.line.text())
        );
    }
    out.push_str("```\n\n");
    out
}

fn row(figures: &Figures, command: &Timed<Task>) -> String {
    let (key, times) = (command.key, &figures.times);
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    let ratio = |to: Task| times.ratio(key, to).map_or_else(String::new, |ratio| format!("{ratio:.2} x"));
    let shell = match key {
        Task::Cold(packing) | Task::Shell(packing) => ratio(Task::Shell(packing)),
        _ => ratio(Task::Shell(Packing::Zstd)),
    };
    let memory = figures.memory.get(&key).map_or_else(String::new, |kib| format!("{:.0}", as_float(*kib) / 1024.0));
    format!(
        "| {key} | {} | {} | {} | {shell} | {memory} | {} |",
        number(times.seconds(key)),
        number(times.cpu(key)),
        ratio(Task::Decompress),
        command.rounds
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::stopwatch::Line;
    use super::*;

    /// Two sets, the cold builds of which take as long as decompressing, half as much again, and 100 MiB.
    pub(in super::super) fn figures() -> BTreeMap<Set, Figures> {
        let of = |(set, plain, seconds): (Set, u64, f64)| {
            let (zstd, gzip) = (Task::Cold(Packing::Zstd), Task::Cold(Packing::Gzip));
            let times = [(Task::Decompress, seconds), (zstd, seconds), (gzip, seconds * 1.5)];
            let figures = Figures {
                set,
                packages: 45,
                bytes: plain / 4,
                plain,
                changing: ("libexample1", 290_000),
                times: Times::of(&times.map(|(task, seconds)| (task, vec![seconds; 3]))),
                memory: BTreeMap::from([(zstd, 100 << 10), (gzip, 90 << 10)]),
                sizes: vec![Size { packing: Packing::Zstd, ours: 105, whole: 100 }],
                commands: vec![Timed {
                    key: zstd,
                    before: "sync".to_owned(),
                    line: Line::Words("distil build".to_owned()),
                    rounds: 3,
                }],
            };
            (set, figures)
        };
        BTreeMap::from([(Set::Python, 64_000_000, 0.75), (Set::Jre, 270_000_000, 3.0)].map(of))
    }

    #[test]
    fn a_section_holds_every_figure() {
        let figures = figures();
        let section = section(&figures[&Set::Jre], |command| command.replace("distil", "DISTIL"));
        for part in [
            "## jre: 45 packages, 67 MB, 270 MB uncompressed",
            "libexample1 (290 kB)",
            "| distil, cold, zstd:3 | 3.000 | 6.000 | 1.00 x |  | 100 | 3 |",
            "| zstd:3, `zstd -3` | 105 | 100 | 1.050 x |",
            "  timed:  DISTIL build",
        ] {
            assert!(section.contains(part), "no {part:?} in {section}");
        }
    }
}
