//! What is in an image that a rule of hardening may be about: its layers are read once, and nothing is unpacked.

mod watch;

use std::num::NonZeroUsize;

use distil_debunpack::Md5Sum;
use distil_imgcore::{Config, EntryKind, Image, ImagePath};
use distil_policy::Observation;
use distil_policy::facts::ConfigFacts;
use distil_policy::observe::{Observer, Place};
use serde_json::Value;

use crate::contents::{Contents, Located};
use crate::layer_view;
use crate::packages::Packages;
use crate::progress::Progress;
use crate::read::ReadError;

pub(crate) use watch::{Watch, Watched, Watching};

/// What was seen of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What its configuration says.
    pub config: ConfigFacts,
    /// What is in its files, sorted.
    pub observations: Vec<Observation>,
    /// Records of packages that cannot be read, as absolute paths.
    pub unreadable: Vec<String>,
}

/// Looks through all layers of an image.
///
/// # Errors
/// [`ReadError`] for a layer that cannot be read, is not the one that the manifest names, or has no single meaning.
pub fn observe(image: &Image, jobs: NonZeroUsize, progress: &dyn Progress) -> Result<Observed, ReadError> {
    let contents = layer_view::read(image, None, jobs, progress)?.contents;
    Ok(observed(image, &contents, &Packages::read(&contents)))
}

/// What was seen of an image whose layers were looked at.
pub(crate) fn observed(image: &Image, contents: &Contents, packages: &Packages) -> Observed {
    let config = config_facts(image.config());
    let mut observer = Observer::new(&config);
    for (path, at) in &contents.entries {
        let place = Place { layer: at.layer, package: packages.listed(path) };
        let watched = watched(contents, path, at);
        observer.visible(&at.entry, place, watched.map(|watched| &watched.looked));
    }
    for (path, sums) in &packages.sums {
        altered(contents, packages, (path, sums), &mut observer);
    }
    for (layer, files) in contents.watched.iter().enumerate() {
        for (path, watched) in files.iter().filter(|(_, watched)| !watched.looked.is_empty()) {
            if contents.entries.get(path).is_none_or(|at| at.layer != layer) {
                observer.hidden(path, layer, &watched.looked);
            }
        }
    }
    let observations = observer.finish();
    let unreadable = packages.unreadable.iter().map(ToString::to_string).collect();
    Observed { config, observations, unreadable }
}

/// Tells of a file of a package that is another one now. Files that are gone are not told: images are made smaller so.
fn altered(
    contents: &Contents,
    packages: &Packages,
    (path, sums): (&ImagePath, &[Md5Sum]),
    observer: &mut Observer<'_>,
) {
    let Some(at) = observer.leads_to(path) else { return };
    let Some(located) = contents.entries.get(&at).or_else(|| contents.entries.get(path)) else { return };
    let watched = watched(contents, &at, located);
    if watched.is_none_or(|watched| !sums.contains(&watched.md5)) {
        let place = Place { layer: located.layer, package: packages.listed(path) };
        observer.altered(path, place, Some(&at).filter(|at| *at != path || watched.is_none()));
    }
}

/// What was seen in a file, also where the path is another name for it.
fn watched<'a>(contents: &'a Contents, path: &ImagePath, at: &Located) -> Option<&'a Watched> {
    let files = contents.watched.get(at.layer)?;
    match &at.entry.kind {
        EntryKind::File { .. } => files.get(path),
        EntryKind::Hardlink { target } => files.get(target),
        _ => None,
    }
}

/// What a configuration says. A variable without a value has an empty one.
#[must_use]
pub fn config_facts(config: &Config) -> ConfigFacts {
    let view = config.view();
    let history = view.history().iter().flatten();
    let history = history.map(|step| step.created_by().clone().unwrap_or_default()).collect();
    let Some(run) = view.config() else { return ConfigFacts { history, ..ConfigFacts::default() } };
    let variable = |line: &String| match line.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (line.clone(), String::new()),
    };
    ConfigFacts {
        user: run.user().clone(),
        env: run.env().iter().flatten().map(variable).collect(),
        entrypoint: run.entrypoint().clone(),
        cmd: run.cmd().clone(),
        workdir: run.working_dir().clone(),
        exposed_ports: run.exposed_ports().iter().flatten().cloned().collect(),
        volumes: run.volumes().iter().flatten().cloned().collect(),
        labels: run.labels().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        has_healthcheck: has_healthcheck(config.bytes()),
        history,
    }
}

/// Whether there is Docker's health check, which the specification does not know.
fn has_healthcheck(config: &[u8]) -> bool {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let test = config.pointer("/config/Healthcheck/Test").and_then(Value::as_array);
    test.is_some_and(|words| words.first().is_some_and(|word| word != "NONE"))
}

#[cfg(test)]
mod tests;
