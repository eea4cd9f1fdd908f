//! The command lines of a set, what each finds, and their figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Bench;
use super::prepare::{ARCHIVE, DESCRIBED, LOCAL_RECIPE, Ready, digest, image, recipe, recipe_changed};
use super::set::{CHANGING, Set};
use super::stopwatch::{Line, Timed};
use super::tables::Figures;
use super::task::{Packing, Strategy, Task};
use crate::error::{Error, Result};

/// Peak memory depends on what threads happen to meet: the worst of some runs counts.
const PROBES: u32 = 3;

impl Bench {
    /// Compares the images of a set, then times everything.
    pub(super) fn measure(&self, set: Set, sets: &BTreeMap<Set, Ready>) -> Result<Figures> {
        let Some(ready) = sets.get(&set) else { return Err(Error::Usage(format!("bench {}", set.name()))) };
        let mut commands = self.commands(ready);
        if set == Set::Large
            && let Some(jre) = sets.get(&Set::Jre)
        {
            commands.push(Timed { rounds: self.rounds(set.rounds()), ..self.cold(jre, Packing::Zstd, Task::ColdJre) });
        }
        let sizes = self.sizes(ready)?;
        let memory = self.memory(ready, &commands)?;
        let times = self.stopwatch.time(&commands)?;
        Ok(Figures {
            set,
            packages: ready.packages,
            bytes: ready.bytes,
            plain: ready.plain,
            changing: (CHANGING, ready.changing),
            times,
            memory,
            sizes,
            commands,
        })
    }

    fn rounds(&self, rounds: u32) -> u32 {
        if self.quick { 1 } else { rounds }
    }

    /// Peak memory of distil's builds in KiB. What must give the same image is compared on the way.
    fn memory(&self, ready: &Ready, commands: &[Timed<Task>]) -> Result<BTreeMap<Task, u64>> {
        let mut peaks = BTreeMap::new();
        let mut images: BTreeMap<String, String> = BTreeMap::new();
        for (strategy, digest) in &ready.changed {
            images.insert(format!("{} changed", strategy.stated()), digest.clone());
        }
        for command in commands.iter().filter(|command| command.key.is_ours()) {
            let image = match command.key {
                Task::ColdLocal => "local".to_owned(),
                Task::Cold(packing) => format!("cold {}", packing.stated()),
                Task::Changed(strategy) => format!("{} changed", strategy.stated()),
                _ => format!("cold {}", Packing::Zstd.stated()),
            };
            for _ in 0..self.rounds(PROBES) {
                let probe = self.stopwatch.probe(command)?;
                let found = digest(&probe.printed).to_owned();
                let expected = images.entry(image.clone()).or_insert_with(|| found.clone());
                if *expected != found {
                    let expected = expected.clone();
                    return Err(Error::Image {
                        task: format!("{}, {}", ready.set.name(), command.key),
                        expected,
                        found,
                    });
                }
                let peak: &mut u64 = peaks.entry(command.key).or_default();
                *peak = probe.kib.max(*peak);
            }
            self.validate(&output(ready))?;
        }
        Ok(peaks)
    }

    /// All commands, those that are compared most beside one another.
    fn commands(&self, ready: &Ready) -> Vec<Timed<Task>> {
        let mut commands = vec![self.decompress(ready)];
        for packing in Packing::ALL {
            commands.push(self.cold(ready, packing, Task::Cold(packing)));
        }
        commands.push(self.timed(
            ready,
            Task::ColdDescribed,
            &lay_out(ready, &[("packages", "cache")]),
            self.locked(ready, DESCRIBED),
        ));
        let local = self.build_line(ready, "build", &ready.folder.join(LOCAL_RECIPE));
        commands.push(self.timed(ready, Task::ColdLocal, &lay_out(ready, &[]), local));
        let tar = ready.folder.join("layer.tar");
        let openssl = Line::Words(format!("openssl dgst -sha256 {}", tar.display()));
        commands.push(self.timed(ready, Task::Openssl, "sync", openssl));
        for strategy in [Strategy::Single, Strategy::Package] {
            let before = lay_out(ready, &[("warm", "cache"), (&image(strategy), "out")]);
            let line = self.locked(ready, &recipe_changed(strategy));
            commands.push(self.timed(ready, Task::Changed(strategy), &before, line));
        }
        let name = recipe(Strategy::Package, Packing::Zstd);
        let unchanged = lay_out(ready, &[("warm", "cache"), (&image(Strategy::Package), "out")]);
        commands.push(self.timed(ready, Task::Unchanged, &unchanged, self.locked(ready, &name)));
        let elsewhere = lay_out(ready, &[("warm", "cache")]);
        commands.push(self.timed(ready, Task::NewDestination, &elsewhere, self.locked(ready, &name)));
        let (distil, layout) = (self.distil.display(), ready.folder.join(image(Strategy::Package)));
        let sbom = format!("{distil} sbom --quiet --from image --format spdx-2.3 oci:{} >/dev/null", layout.display());
        commands.push(self.timed(ready, Task::Sbom, "sync", Line::Shell(sbom)));
        let (syft, archive) = (self.root.join("target/peers/bin/syft"), ready.folder.join(ARCHIVE));
        let (syft, archive) = (syft.display(), archive.display());
        let syft =
            format!("SYFT_CHECK_FOR_APP_UPDATE=false {syft} scan -q -o spdx-json docker-archive:{archive} >/dev/null");
        commands.push(self.timed(ready, Task::Syft, "sync", Line::Shell(syft)));
        commands.extend(self.others(ready));
        commands
    }

    fn timed(&self, ready: &Ready, key: Task, before: &str, line: Line) -> Timed<Task> {
        let rounds = match key {
            Task::Shell(_) | Task::Buildah | Task::Syft => ready.set.rounds_of_others(),
            _ => ready.set.rounds(),
        };
        Timed { key, before: before.to_owned(), line, rounds: self.rounds(rounds) }
    }

    fn cold(&self, ready: &Ready, packing: Packing, key: Task) -> Timed<Task> {
        let line = self.locked(ready, &recipe(Strategy::Package, packing));
        self.timed(ready, key, &lay_out(ready, &[("packages", "cache")]), line)
    }

    fn locked(&self, ready: &Ready, recipe: &str) -> Line {
        self.build_line(ready, "build --locked --offline", &ready.folder.join(recipe).join("distil.toml"))
    }

    fn build_line(&self, ready: &Ready, build: &str, recipe: &Path) -> Line {
        let (distil, cache) = (self.distil.display(), ready.folder.join("cache"));
        Line::Words(format!(
            "{distil} {build} --quiet --cache-dir {} -o {} {}",
            cache.display(),
            output(ready),
            recipe.display()
        ))
    }

    fn decompress(&self, ready: &Ready) -> Timed<Task> {
        let line = format!(
            "ls {}/*.deb | xargs -P{} -n1 dpkg-deb --fsys-tarfile >/dev/null",
            ready.debs.display(),
            self.cores
        );
        self.timed(ready, Task::Decompress, "sync", Line::Shell(line))
    }

    /// What other programs do.
    fn others(&self, ready: &Ready) -> Vec<Timed<Task>> {
        let (dir, cores) = (ready.folder.join("others"), self.cores);
        let (dir, debs) = (dir.display(), ready.debs.display());
        let before = format!("rm -rf {dir} && mkdir -p {dir}/root && sync");
        let unpack = format!("for d in {debs}/*.deb; do dpkg-deb -x $d {dir}/root; done");
        let pack =
            format!("tar --sort=name --numeric-owner -C {dir}/root -cf {dir}/layer.tar . && sha256sum {dir}/layer.tar");
        let zstd =
            format!("{unpack} && {pack} && zstd -3 -T{cores} -qf {dir}/layer.tar && sha256sum {dir}/layer.tar.zst");
        let pigz =
            format!("{unpack} && {pack} && pigz -6 -p{cores} -kf {dir}/layer.tar && sha256sum {dir}/layer.tar.gz");
        let storage = format!("--root {dir}/storage --runroot {dir}/run --storage-driver vfs");
        let buildah = format!(
            "{unpack} && c=$(buildah {storage} from scratch) && buildah {storage} add -q $c {dir}/root / && \
             buildah {storage} commit -q $c oci:{dir}/image:x"
        );
        let mut others = vec![(Task::Shell(Packing::Zstd), zstd), (Task::Shell(Packing::Gzip), pigz)];
        // It copies the whole tree several times; on the large set it would only tell how slow the disk is.
        if ready.set != Set::Large {
            others.push((Task::Buildah, buildah));
        }
        others.into_iter().map(|(key, line)| self.timed(ready, key, &before, Line::Shell(line))).collect()
    }
}

fn output(ready: &Ready) -> String {
    format!("oci:{}/out", ready.folder.display())
}

/// What a build finds: `cache` and `out` are gone, or copies of what stands there.
fn lay_out(ready: &Ready, copies: &[(&str, &str)]) -> String {
    let dir = ready.folder.display();
    let mut steps = format!("rm -rf {dir}/cache {dir}/out");
    for (from, to) in copies {
        let _ = write!(steps, " && cp -al {dir}/{from} {dir}/{to}");
    }
    steps + " && sync"
}
