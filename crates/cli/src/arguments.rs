//! The command line's grammar: what all commands share. Each command's own arguments stand with the command.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum};

use crate::commands::Command;

/// Debian packages and your own files to small, reproducible container images.
#[derive(Debug, Parser)]
#[command(name = "distil", version, max_term_width = 100, after_help = STATUSES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const STATUSES: &str = "\
Exit status:
  0  done; the answer is yes
  1  the answer is no
  2  the command line or the recipe is wrong, or asks for what cannot be
  3  cannot decide
  4  something failed: the network, the disk, an unreadable file, a broken input";

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Global {
    /// Write the result as one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but the result and errors
    #[arg(long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// How to show progress; auto is bars on a terminal, and lines elsewhere
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    pub(crate) progress: ProgressChoice,
    /// Keep what is reused between runs here; the default is distil in the user's cache directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Use no network, only what earlier runs left in the cache
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProgressChoice {
    #[default]
    Auto,
    Plain,
    None,
}
