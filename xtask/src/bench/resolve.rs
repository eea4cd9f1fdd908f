//! Choosing packages, beside apt-get.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Bench;
use crate::apt::Apt;
use crate::error::{Result, at};
use crate::process;

/// A request with a few packages behind it, and one with hundreds.
const REQUESTS: [&str; 2] = ["python3", "libreoffice"];
const RUNS: u32 = 7;

const HEAD: &str = "\
## Choosing packages

From all indices of this machine's sources, on an empty system, with everything downloaded and both caches warm: `distil why
PACKAGE`, which verifies the signed files, loads the indices, resolves, and names the chain to one package; and `apt-get -s
install --no-install-recommends`.

| request | distil s | apt-get s | distil against apt-get | peak MiB |
|---|---|---|---|---|
";

impl Bench {
    /// The table of requests.
    pub(super) fn resolve(&self, root: &Path) -> Result<String> {
        let apt = Apt::host(root)?;
        apt.refresh()?;
        let mut out = String::from(HEAD);
        let mut commands = Vec::new();
        for request in REQUESTS {
            let recipe = self.dir.join(format!("{request}.toml"));
            let text = format!("[debian]\nsources = \"host\"\npackages = [\"{request}\"]\n");
            fs::write(&recipe, text).map_err(at(&recipe))?;
            let (distil, recipe, dir) = (self.distil.display(), recipe.display(), self.dir.display());
            let why = format!("{distil} why --quiet --cache-dir {dir}/resolve {recipe} libc6");
            process::run(Command::new("sh").args(["-c", &format!("{why} >{dir}/why.txt")]))?;
            let ours = format!("{why} --offline");
            let theirs = format!("{} >{dir}/apt.txt", apt.simulation(request));
            let (distil, memory) = (self.median(&ours, RUNS)?, self.memory(&ours)?);
            let apt_get = self.median(&theirs, RUNS)?;
            let _ = writeln!(
                out,
                "| {request} | {distil:.3} | {apt_get:.3} | {:.2} x | {} |",
                distil / apt_get,
                memory / 1024
            );
            commands.extend([ours, theirs]);
        }
        out.push_str("\n```text\n");
        for command in &commands {
            let _ = writeln!(out, "{}", self.shown(root, command));
        }
        out.push_str("```\n\n");
        Ok(out)
    }
}
