//! The one way to the terminal: results to standard output, everything else to standard error.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use clap::error::ErrorKind;
use distil_pipeline::Escaped;
use serde::Serialize;

use crate::arguments::{ColorChoice, Global};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::snippet;
use crate::status::Status;

/// Writes to the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    verbosity: Verbosity,
    /// Whether standard output and standard error take colors.
    colors: (bool, bool),
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();
const HEADING: Style = Style::new().bold();

#[expect(clippy::unused_self, reason = "all writing goes through the printer, whatever it has to look at")]
impl Printer {
    pub(crate) fn new(global: &Global, environment: &Environment) -> Self {
        let color = |is_terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && environment.wants_color(),
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        Self {
            format: if global.json { Format::Json } else { Format::Text },
            verbosity,
            colors: (color(environment.stdout_is_terminal), color(environment.stderr_is_terminal)),
        }
    }

    /// The printer for a command line that could not be read.
    pub(crate) fn of(environment: &Environment) -> Self {
        Self::new(&Global::default(), environment)
    }

    /// The printer for when nothing else is known.
    pub(crate) fn plain() -> Self {
        Self { format: Format::Text, verbosity: Verbosity::Normal, colors: (false, false) }
    }

    /// How results are to be written.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether the result may be in colours.
    pub(crate) fn takes_colors(&self) -> bool {
        self.colors.0
    }

    /// Whether the user asked for more than the result.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Writes text of the result, which ends its lines itself.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        written(io::stdout().lock().write_all(text.as_bytes())).map_err(Failure::Stdout)
    }

    /// Writes the result as a JSON document.
    pub(crate) fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let result = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
        written(result.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush())).map_err(Failure::Stdout)
    }

    /// Where a result is written that comes in pieces. It is for one thread at a time.
    pub(crate) fn stream(&self) -> impl Write {
        Stdout(io::stdout())
    }

    /// A heading of the result.
    pub(crate) fn heading(&self, text: &str) -> String {
        painted(self.colors.0, HEADING, text)
    }

    /// Says what the user may like to know, unless asked to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(text);
        }
    }

    /// Says what the user should look at. It changes no exit status.
    pub(crate) fn warning(&self, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.say(&format!("{} {text}", painted(self.colors.1, WARNING, "warning:")));
        }
    }

    /// Says what went wrong.
    pub(crate) fn error(&self, text: impl Display) {
        self.say(&format!("{} {text}", painted(self.colors.1, ERROR, "error:")));
    }

    /// Says what went wrong, why, and how to get out.
    pub(crate) fn failure(&self, failure: &Failure) {
        if let Failure::Recipe(recipe) = failure {
            self.say(&snippet::render(&recipe.path, &recipe.text, &recipe.error, self.colors.1));
            return;
        }
        if let Failure::Policy(policy) = failure {
            self.say(&snippet::render(&policy.path, &policy.text, &policy.error, self.colors.1));
            return;
        }
        self.error(failure);
        let causes = std::iter::successors(failure.source(), |cause| (*cause).source());
        let mut last = failure.to_string();
        for cause in causes {
            let text = cause.to_string();
            // Errors that only pass another one on have its text.
            if text != last {
                self.say(&format!("  because {text}"));
            }
            last = text;
        }
        for detail in failure.details() {
            self.say(&format!("  {detail}"));
        }
        if let Some(advice) = failure.advice() {
            self.say(&format!("  {} {advice}", painted(self.colors.1, HELP, "help:")));
        }
    }

    /// Writes what the parser of the command line has to say: help to standard output, mistakes to standard error.
    pub(crate) fn command_line(&self, error: &clap::Error) -> Status {
        let rendered = error.render();
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            let text = if self.colors.0 { rendered.ansi().to_string() } else { rendered.to_string() };
            return match self.result(&text) {
                Ok(()) => Status::Yes,
                Err(failure) => failure.status(),
            };
        }
        let plain = rendered.to_string();
        // The message repeats arguments, which may come from anywhere, such as the names of files.
        let clean = plain.lines().map(|line| Escaped(line.as_bytes()).to_string()).collect::<Vec<_>>().join("\n");
        let text = if self.colors.1 && clean == plain.trim_end() { rendered.ansi().to_string() } else { clean };
        self.say(text.trim_end());
        Status::Mistake
    }

    fn say(&self, text: &str) {
        // Where standard error is gone there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Standard output, for results that are written in pieces.
struct Stdout(io::Stdout);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        written(self.0.flush())
    }
}

/// A reader that went away, as `head` does, has what it wanted.
fn written(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn painted(color: bool, style: Style, text: &str) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
