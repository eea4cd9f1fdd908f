//! Pushing and pulling the image of the large set, beside skopeo and crane, with a registry on loopback.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use distil_tests::breaking::{Breaking, Way};
use distil_tests::{Registry, layout, place};

use super::Bench;
use super::prepare::debs_in;
use super::repository;
use super::set::{CHANGING, Set};
use super::sizes::as_float;
use super::stopwatch::{Line, Timed, Times};
use crate::error::{Error, Result, at};
use crate::{debs, process};

const ROUNDS: u32 = 5;

const HEAD: &str = "\
Debian's `docker-registry` on loopback, which stores in files. Before each push its storage is empty, or holds the image before
one package changed; before each pull there is no destination. The layouts hold the image alone. Bytes are those of one run
through a proxy, in all connections together, and of the blobs that the image did not have before.

| command | median s | CPU s | against the faster of skopeo and crane | peak MiB | runs |
|---|---|---|---|---|---|
";

/// Who transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    Distil,
    Skopeo,
    Crane,
}

/// What is transferred where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Push,
    Pull,
    PushChanged,
}

/// A row of the table.
pub(super) type Transfer = (Kind, By);

impl Kind {
    const ALL: [Self; 3] = [Self::Push, Self::Pull, Self::PushChanged];
}

impl By {
    const ALL: [Self; 3] = [Self::Distil, Self::Skopeo, Self::Crane];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::PushChanged => "push, one package changed",
        })
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Distil => "distil",
            Self::Skopeo => "skopeo",
            Self::Crane => "crane",
        })
    }
}

/// What was measured.
pub(super) struct Figures {
    times: Times<Transfer>,
    /// Peak memory in KiB.
    memory: BTreeMap<Transfer, u64>,
    commands: Vec<Timed<Transfer>>,
    /// Blobs of the image, and their bytes.
    blobs: (usize, u64),
    /// Bytes that distil sent when one package had changed.
    sent: u64,
    /// Bytes of the blobs that were new then.
    new: u64,
}

impl Figures {
    /// How much longer distil takes than the faster of the two others.
    pub(super) fn against_the_faster(&self, kind: Kind) -> Option<f64> {
        self.against((kind, By::Distil))
    }

    /// The most memory that distil took, in KiB.
    pub(super) fn peak(&self) -> Option<u64> {
        self.memory.iter().filter(|((_, by), _)| *by == By::Distil).map(|(_, kib)| *kib).max()
    }

    /// Bytes sent for each byte that is new.
    pub(super) fn sent_for_new(&self) -> f64 {
        as_float(self.sent) / as_float(self.new)
    }

    fn against(&self, (kind, by): Transfer) -> Option<f64> {
        let ratio = |other| self.times.ratio((kind, by), (kind, other));
        Some(ratio(By::Skopeo)?.max(ratio(By::Crane)?))
    }

    /// The section of the report.
    pub(super) fn section(&self, shown: impl Fn(&str) -> String) -> String {
        let (blobs, bytes) = self.blobs;
        let mut out = format!("## Registries: the large set, {blobs} blobs, {} MB\n\n{HEAD}", bytes / 1_000_000);
        for Timed { key: (kind, by), rounds, .. } in &self.commands {
            let key = (*kind, *by);
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
            let ratio = self.against(key).filter(|_| *by == By::Distil);
            let memory = self.memory.get(&key).map_or(0.0, |kib| as_float(*kib) / 1024.0);
            let _ = writeln!(
                out,
                "| {by}, {kind} | {} | {} | {} | {memory:.0} | {rounds} |",
                number(self.times.seconds(key)),
                number(self.times.cpu(key)),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} x")),
            );
        }
        let (sent, new) = (self.sent / 1000, self.new / 1000);
        let _ = writeln!(out, "\nWith one package changed, {new} kB of blobs are new, and distil sends {sent} kB.\n");
        out.push_str("```text\n");
        for command in &self.commands {
            let _ = writeln!(out, "{}", shown(command.line.text()));
        }
        out.push_str("```\n\n");
        out
    }
}

/// The layouts, and what the registry has.
struct Prepared {
    folder: PathBuf,
    /// Whose storage is laid out anew before each push.
    pushed: Registry,
    /// Holds the image, to be pulled.
    pulled: Registry,
}

impl Bench {
    /// Measures everything about registries.
    pub(super) fn registries(&self) -> Result<Figures> {
        debs::fetch_set(&self.root, Set::Large.name())?;
        let prepared = self.prepare_registries()?;
        let commands = self.transfers(&prepared);
        let mut memory = BTreeMap::new();
        for command in &commands {
            let _before = memory.insert(command.key, self.stopwatch.probe(command)?.kib);
            self.compare(&prepared, command.key)?;
        }
        let times = self.stopwatch.time(&commands)?;
        let (before, after) = (blobs(&prepared.folder.join("before")), blobs(&prepared.folder.join("after")));
        let new = after.iter().filter(|(name, _)| !before.contains_key(*name)).map(|(_, bytes)| bytes).sum();
        let sent = self.sent(&prepared)?;
        Ok(Figures { times, memory, commands, blobs: (before.len(), before.values().sum()), sent, new })
    }

    /// Builds the image before and after one package changed, and lays out what the registries have.
    fn prepare_registries(&self) -> Result<Prepared> {
        let folder = self.dir.join("registry");
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let old = debs_in(&debs::folder(&self.root, Set::Large.name()))?;
        let is_changing = |deb: &&PathBuf| repository::name(deb) == CHANGING;
        let changing = old.iter().find(is_changing).ok_or(Error::Missing(vec![CHANGING]))?;
        let made = repository::changed(changing, &folder)?;
        let new: Vec<PathBuf> = old.iter().filter(|deb| !is_changing(deb)).chain([&made]).cloned().collect();
        for (name, debs) in [("before", &old), ("after", &new)] {
            let recipe = folder.join(format!("{name}.toml"));
            let text = format!("[debian]\ndebs = {debs:?}\n[attestations]\nsbom = []\nprovenance = false\n");
            fs::write(&recipe, text).map_err(at(&recipe))?;
            let mut build = Command::new(&self.distil);
            build.args(["build", "--quiet", "--cache-dir"]).arg(folder.join("cache")).arg("-o");
            process::read(build.arg(format!("oci:{}", folder.join(name).display())).arg(&recipe))?;
        }
        let prepared = Prepared { folder, pushed: Registry::start(), pulled: Registry::start() };
        for registry in [&prepared.pulled, &prepared.pushed] {
            process::read(&mut self.copy(&prepared.layout("before"), &registry.repository(NAME)))?;
        }
        let (from, to) = (prepared.pushed.storage(), prepared.folder.join("storage"));
        process::run(Command::new("cp").arg("-a").arg(from).arg(to))?;
        Ok(prepared)
    }

    fn copy(&self, from: &str, to: &str) -> Command {
        let mut copy = Command::new(&self.distil);
        copy.args(["copy", "--quiet", from, to]);
        copy
    }

    fn transfers(&self, prepared: &Prepared) -> Vec<Timed<Transfer>> {
        let distil = self.distil.display();
        let skopeo = "skopeo --insecure-policy copy --quiet --all";
        let crane = place::peer("crane");
        let crane = crane.display();
        let folder = prepared.folder.display();
        let (pushed, pulled) = (prepared.pushed.repository(NAME), prepared.pulled.repository(NAME));
        let storage = prepared.pushed.storage().display();
        let line = |kind: Kind, by: By| match (kind, by) {
            (Kind::Pull, By::Distil) => format!("{distil} copy --quiet {pulled} oci:{folder}/out"),
            (Kind::Pull, By::Skopeo) => {
                format!("{skopeo} --src-tls-verify=false docker://{pulled} oci:{folder}/out")
            }
            (Kind::Pull, By::Crane) => format!("{crane} pull --format oci {pulled} {folder}/out"),
            (push, by) => {
                let layout = if push == Kind::Push { "before" } else { "after" };
                match by {
                    By::Distil => format!("{distil} copy --quiet oci:{folder}/{layout} {pushed}"),
                    By::Skopeo => {
                        format!("{skopeo} --dest-tls-verify=false oci:{folder}/{layout} docker://{pushed}")
                    }
                    By::Crane => format!("{crane} push --index {folder}/{layout} {pushed}"),
                }
            }
        };
        let before = |kind: Kind| match kind {
            Kind::Push => format!("rm -rf {storage} && mkdir {storage} && sync"),
            Kind::Pull => format!("rm -rf {folder}/out && sync"),
            Kind::PushChanged => format!("rm -rf {storage} && cp -a {folder}/storage {storage} && sync"),
        };
        let rounds = if self.quick { 1 } else { ROUNDS };
        let timed = |kind: Kind, by: By| Timed {
            key: (kind, by),
            before: before(kind),
            line: Line::Words(line(kind, by)),
            rounds,
        };
        Kind::ALL.into_iter().flat_map(|kind| By::ALL.map(|by| timed(kind, by))).collect()
    }

    /// What came is what was there.
    fn compare(&self, prepared: &Prepared, (kind, by): Transfer) -> Result<()> {
        let expected = if kind == Kind::PushChanged { "after" } else { "before" };
        let back = prepared.folder.join("back");
        if back.exists() {
            fs::remove_dir_all(&back).map_err(at(&back))?;
        }
        let back = match kind {
            Kind::Pull => prepared.layout("out"),
            Kind::Push | Kind::PushChanged => {
                let to = prepared.layout("back");
                process::read(&mut self.copy(&prepared.pushed.repository(NAME), &to))?;
                to
            }
        };
        self.validate(&back)?;
        let names = |reference: &str| blobs(Path::new(reference.trim_start_matches("oci:")));
        // Crane wraps what it pushes of a layout into its index, the bytes of which are not compared.
        let (there, here) = (names(&back), names(&prepared.layout(expected)));
        let missing = here.keys().find(|name| !there.contains_key(*name) && by != By::Crane);
        match missing {
            None => Ok(()),
            Some(missing) => {
                Err(Error::Image { task: format!("{by}, {kind}"), expected: missing.clone(), found: back })
            }
        }
    }

    /// Bytes that go to the registry when one package has changed.
    fn sent(&self, prepared: &Prepared) -> Result<u64> {
        let command =
            self.transfers(prepared).into_iter().find(|command| command.key == (Kind::PushChanged, By::Distil));
        let before = command.map(|command| command.before).unwrap_or_default();
        process::run(Command::new("sh").args(["-c", &before]))?;
        let wire = Breaking::before(&prepared.pushed.host());
        process::read(&mut self.copy(&prepared.layout("after"), &format!("{}/{NAME}", wire.host())))?;
        Ok(wire.passed(Way::Up))
    }
}

const NAME: &str = "bench/large:v1";

impl Prepared {
    fn layout(&self, name: &str) -> String {
        format!("oci:{}", self.folder.join(name).display())
    }
}

/// The blobs of a layout, by name, with their bytes.
fn blobs(folder: &Path) -> BTreeMap<String, u64> {
    let files = layout::files(&folder.join("blobs/sha256"));
    files.into_iter().map(|(name, bytes)| (name.display().to_string(), bytes.len() as u64)).collect()
}
