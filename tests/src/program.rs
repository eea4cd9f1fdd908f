//! Real programs, each with a time limit: some of them hang on hostile input, and ours must not.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use crate::place;

/// A program to be run.
#[derive(Debug)]
pub struct Program {
    name: String,
    command: Command,
    input: Vec<u8>,
}

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    /// The program's name, for messages.
    pub name: String,
    /// How it ended. Over the time limit, that is signal 9.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Program {
    /// A program of the test's surroundings, with 5 minutes of time.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::within(name, 300.0)
    }

    /// The same with another limit, in seconds.
    #[must_use]
    pub fn within(name: &str, seconds: f64) -> Self {
        Self::at(&place::peer(name), name, seconds)
    }

    /// The example program that embeds the library, with 2 minutes of time.
    #[must_use]
    pub fn embed() -> Self {
        Self::at(&place::embed(), "distil-example-embed", 120.0)
    }

    /// The `distil` under test, with 2 minutes of time.
    #[must_use]
    pub fn distil() -> Self {
        Self::distil_within(120.0)
    }

    /// The same with another limit, in seconds.
    #[must_use]
    pub fn distil_within(seconds: f64) -> Self {
        Self::at(&place::distil(), "distil", seconds)
    }

    fn at(path: &Path, name: &str, seconds: f64) -> Self {
        // The signal goes to the whole process group, so that nothing started by the program stays behind.
        let mut command = Command::new("timeout");
        command.arg("--signal=KILL").arg(seconds.to_string()).arg(path);
        Self { name: name.to_owned(), command, input: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives this on standard input.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Runs to the end.
    #[must_use]
    pub fn run(mut self) -> Ran {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // A program may end without reading all it was given, which is not for this writer to judge.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran { name: self.name, status: output.status, stdout: output.stdout, stderr: output.stderr }
    }
}

impl Ran {
    /// Fails the test where the program did not end with success.
    #[must_use]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Fails the test where the program did not end with this exit status.
    #[must_use]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.code(), status, "{self}");
        self
    }

    /// The exit status as a shell gives it: 128 and the signal for a program that was killed.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().or(self.status.signal().map(|signal| 128 + signal)).unwrap()
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// Standard error as text.
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as one JSON document.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error} in: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(4000).collect::<String>();
        writeln!(f, "{} ended with {}", self.name, self.status)?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", shown(&self.stdout), shown(&self.stderr))
    }
}

/// Writes a script that can be run. Another process writes it: whatever this one has open for that, the child of another
/// thread may have too at that moment, and the kernel runs no file that is open for writing.
pub fn script(file: &Path, text: &str) {
    let install = Program::new("install").args(["-m", "755", "/dev/stdin"]).arg(file);
    let _written = install.input(text.as_bytes().to_vec()).run().success();
}

/// A folder that goes away with the test.
#[must_use]
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("distil-test-").tempdir().unwrap();
    let path = folder.path().to_path_buf();
    (folder, path)
}
