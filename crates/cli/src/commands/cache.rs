//! `distil cache`.

use std::path::Path;

use clap::{Args, Subcommand};
use distil_pipeline::{CachePruned, CacheStatus, KindDocument, PruneMode};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::size::Size;
use crate::status::Status;
use crate::table::{Align, Table};

/// Show what the cache holds, or make it smaller
///
/// The cache keeps packages, fragments of layers and values derived from them between runs. It grows until it is pruned;
/// no other command does that. Losing it costs time alone, and what was remembered of repositories.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  distil cache status\n  distil cache prune --max-size 10G --dry-run")]
pub(crate) struct Cache {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    Status(ShowStatus),
    Prune(Prune),
}

/// Show what the cache holds, and how much of it
#[derive(Debug, Args)]
struct ShowStatus {}

/// Remove what was not used for longest, until the cache is small enough
///
/// Packages, fragments and derived values go, the least recently used first, until what is left of them is within SIZE.
/// What a command that runs now may be using stays, and so do what is remembered of repositories and files that are not
/// the cache's own. What killed commands left behind always goes. Builds may run meanwhile.
#[derive(Debug, Args)]
struct Prune {
    /// How much to leave, in bytes or as 500M or 10G; K, M, G and T (also KiB, MiB, ...) are powers of 1024, and KB, MB, GB
    /// and TB powers of 1000; 0 removes all
    #[arg(long, value_name = "SIZE")]
    max_size: Size,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl Cache {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let dir = context.environment.cache_dir(context.global.cache_dir.as_deref())?;
        match self.command {
            CacheCommand::Status(command) => command.run(&dir, context),
            CacheCommand::Prune(command) => command.run(&dir, context),
        }
    }
}

impl ShowStatus {
    fn run(self, dir: &Path, context: &Context<'_>) -> Result<Status, Failure> {
        let Self {} = self;
        let found = super::reading(context, |_| distil_pipeline::cache_status(dir))?;
        if context.printer.format() == Format::Json {
            context.printer.document(&found)?;
        } else {
            context.printer.result(&held(&found))?;
        }
        Ok(Status::Yes)
    }
}

impl Prune {
    fn run(self, dir: &Path, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let mode = if self.dry_run { PruneMode::DryRun } else { PruneMode::Remove };
        let pruned = super::reading(context, |_| distil_pipeline::cache_prune(dir, self.max_size.0, mode))?;
        if printer.format() == Format::Json {
            printer.document(&pruned)?;
        } else {
            printer.result(&removed(&pruned))?;
        }
        if pruned.spared.files > 0 {
            printer.warning(format!(
                "{} with {} stay, since a command that runs now may be using them",
                files(pruned.spared.files),
                Size(pruned.spared.bytes)
            ));
        }
        Ok(Status::Yes)
    }
}

fn held(found: &CacheStatus) -> String {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Left]);
    for kind in &found.kinds {
        let (name, about) = shown(kind);
        table.row([name.to_owned(), files(kind.files), Size(kind.bytes).to_string(), about.to_owned()]);
    }
    let commands = match (found.living_sessions, found.dead_sessions) {
        (0, 0) => "No command is using it.".to_owned(),
        (living, 0) => format!("Sessions that are using it: {living}."),
        (living, dead) => format!("Sessions that are using it: {living}; that were killed: {dead}."),
    };
    let prunable = Size(found.prunable_bytes);
    format!("{}\n{}{prunable} can be pruned. {commands}\n", found.directory, table.lines("  "))
}

fn removed(pruned: &CachePruned) -> String {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Right, Align::Right]);
    let done = if pruned.dry_run { "would remove" } else { "removed" };
    for kind in &pruned.removed {
        table.row([done.to_owned(), shown(kind).0.to_owned(), files(kind.files), Size(kind.bytes).to_string()]);
    }
    let left = if pruned.dry_run { "would leave" } else { "left" };
    let bytes = Size(pruned.left.bytes).to_string();
    table.row([left.to_owned(), "what can be pruned".to_owned(), files(pruned.left.files), bytes]);
    table.lines("")
}

/// A kind's name, and what it is.
fn shown(kind: &KindDocument) -> (&str, &'static str) {
    match kind.kind.as_str() {
        name @ "packages" => (name, "fetched from repositories"),
        name @ "fragments" => (name, "finished parts of layers, made from packages"),
        "images" => ("base images", "pulled from registries"),
        "derived" => ("derived values", "indices and digests that were worked out"),
        name @ "remembered" => (name, "how new each repository was; never pruned"),
        name @ "temporary" => (name, "of commands that run now, and locks"),
        name @ "abandoned" => (name, "of commands that were killed; the next one removes it"),
        name => (name, "not of the cache; left alone"),
    }
}

fn files(number: u64) -> String {
    if number == 1 { "1 file".to_owned() } else { format!("{number} files") }
}

#[cfg(test)]
mod tests {
    use distil_pipeline::TallyDocument;

    use super::*;

    fn kinds(tallies: &[(&str, u64, u64)]) -> Vec<KindDocument> {
        let kind = |(kind, files, bytes): &(&str, u64, u64)| KindDocument {
            kind: (*kind).to_owned(),
            files: *files,
            bytes: *bytes,
        };
        tallies.iter().map(kind).collect()
    }

    #[test]
    fn what_the_cache_holds_is_shown_in_a_table() {
        let mut found = CacheStatus {
            schema: "distil.cache-status/v1".into(),
            directory: "/home/user/.cache/distil".into(),
            kinds: kinds(&[
                ("packages", 76, 123_456_789),
                ("fragments", 76, 98_765_432),
                ("images", 4, 31_234_567),
                ("derived", 1, 12_345),
                ("remembered", 6, 3000),
                ("temporary", 3, 0),
                ("abandoned", 2, 1 << 20),
                ("other", 0, 0),
            ]),
            prunable_bytes: 222_234_566,
            living_sessions: 2,
            dead_sessions: 1,
        };
        insta::assert_snapshot!(held(&found));
        found.dead_sessions = 0;
        assert!(held(&found).ends_with("Sessions that are using it: 2.\n"));
        found.living_sessions = 0;
        assert!(held(&found).ends_with("No command is using it.\n"));
    }

    #[test]
    fn what_was_pruned_is_shown_in_a_table() {
        let mut pruned = CachePruned {
            schema: "distil.cache-prune/v1".into(),
            directory: "/home/user/.cache/distil".into(),
            dry_run: false,
            max_size: 1 << 20,
            removed: kinds(&[("packages", 12, 45_678_901), ("abandoned", 1, 9)]),
            spared: TallyDocument { files: 0, bytes: 0 },
            left: TallyDocument { files: 64, bytes: 1_000_000 },
        };
        insta::assert_snapshot!(removed(&pruned));
        pruned.dry_run = true;
        pruned.removed.clear();
        assert_eq!(removed(&pruned), "would leave  what can be pruned  64 files  976.5 KiB\n");
    }
}
