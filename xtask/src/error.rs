//! What can go wrong in a task.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// The result of a task.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a task stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Arguments that no task has.
    #[error("no such task or option: {0:?}; `cargo xtask help` lists them")]
    Usage(String),
    /// A file or directory could not be read or made.
    #[error("{}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{command} ended with {status}")]
    Failed {
        /// The whole command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A program printed what this task does not understand.
    #[error("{program} printed an unexpected line: {line:?}")]
    Output {
        /// Its name.
        program: &'static str,
        /// The line.
        line: String,
    },
    /// A program printed what is no JSON.
    #[error("{program} printed no JSON")]
    Json {
        /// Its name.
        program: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// Scanners do not find the same.
    #[error("the scanners differ, for example:\n{0}")]
    Differ(String),
    /// A downloaded file is not what the index promised.
    #[error("{}: SHA-256 differs from the package index", .0.display())]
    Digest(PathBuf),
    /// A build gave another image than one that it must equal.
    #[error("{task}: the image is {found}, not {expected}")]
    Image {
        /// Which build.
        task: String,
        /// The digest that it must have.
        expected: String,
        /// The digest that it has.
        found: String,
    },
    /// Programs are missing, and only root may install them.
    #[error("missing programs; install them with: apt-get install --no-install-recommends {}", .0.join(" "))]
    Missing(Vec<&'static str>),
    /// No Go, which the readers of layers are written in.
    #[error("missing program: Go 1.25 or newer; install it from go.dev/dl and put its bin on PATH")]
    NoGo,
    /// No apt source of the main Debian archive.
    #[error("this machine's apt sources have no Debian archive to take newer programs from")]
    NoArchive,
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    |source| Error::Io { path, source }
}
