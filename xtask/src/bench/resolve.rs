//! Choosing packages, beside apt-get.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use super::Bench;
use super::stopwatch::{Line, Timed};
use crate::apt::Apt;
use crate::error::{Result, at};
use crate::process;

/// A request with a few packages behind it, and one with hundreds.
const REQUESTS: [&str; 2] = ["python3", "libreoffice"];
const ROUNDS: u32 = 7;

const HEAD: &str = "\
## Choosing packages

From all indices of this machine's sources, on an empty system, with everything downloaded and both caches warm: `distil why
PACKAGE`, which verifies the signed files, loads the indices, resolves, and names the chain to one package; and `apt-get -s
install --no-install-recommends`.

| request | distil s | apt-get s | distil against apt-get | peak MiB |
|---|---|---|---|---|
";

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Chooser {
    Distil,
    AptGet,
}

impl Bench {
    /// The table of requests.
    pub(super) fn resolve(&self) -> Result<String> {
        let apt = Apt::host(&self.root)?;
        apt.refresh()?;
        let mut out = String::from(HEAD);
        let mut commands = Vec::new();
        for request in REQUESTS {
            let recipe = self.dir.join(format!("{request}.toml"));
            let text = format!("[debian]\nsources = \"host\"\npackages = [\"{request}\"]\n");
            fs::write(&recipe, text).map_err(at(&recipe))?;
            let (distil, recipe, dir) = (self.distil.display(), recipe.display(), self.dir.display());
            let why = format!("{distil} why --quiet --cache-dir {dir}/resolve {recipe} libc6");
            process::run(Command::new("sh").args(["-c", &format!("{why} >/dev/null")]))?;
            let rounds = if self.quick { 1 } else { ROUNDS };
            let ours = Line::Words(format!("{why} --offline"));
            let theirs = Line::Words(apt.simulation(request));
            let both = [(Chooser::Distil, ours), (Chooser::AptGet, theirs)].map(|(key, line)| Timed {
                key,
                before: "true".to_owned(),
                line,
                rounds,
            });
            let times = self.stopwatch.time(&both)?;
            let memory = both.first().map(|ours| self.stopwatch.probe(ours)).transpose()?;
            let _ = writeln!(
                out,
                "| {request} | {:.3} | {:.3} | {:.2} x | {} |",
                times.seconds(Chooser::Distil).unwrap_or_default(),
                times.seconds(Chooser::AptGet).unwrap_or_default(),
                times.ratio(Chooser::Distil, Chooser::AptGet).unwrap_or_default(),
                memory.map_or(0, |probe| probe.kib / 1024)
            );
            commands.extend(both);
        }
        out.push_str("\n```text\n");
        for command in &commands {
            let _ = writeln!(out, "{}", self.shown(command.line.text()));
        }
        out.push_str("```\n");
        Ok(out)
    }
}
