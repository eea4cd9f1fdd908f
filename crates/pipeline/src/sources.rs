//! Where packages come from: what a recipe or this machine's apt says, with the keys that go with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_aptrepo::host_sources::{self, HostSource, HostSourceError, SignedBy as HostSignedBy};
use distil_aptrepo::{KeyPin, Keyring, KeyringError, Source};
use distil_debunpack::Architecture;
use distil_imgcore::Escaped;
use url::Url;

use crate::machine::{Machine, MachineError, files_in, read};
use crate::recipe::{Recipe, SignedBy, SourceTable, SourceUri, Sources};

/// Why it is not clear where packages come from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// A file that cannot be read.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A file of apt's that is not in order, or that asks for less than this program may do.
    #[error(transparent)]
    Host(#[from] HostSourceError),
    /// A keyring that cannot be used.
    #[error("the keys of {source_name} cannot be used")]
    Keyring {
        /// How messages name the source.
        source_name: String,
        /// Why not.
        source: Box<KeyringError>,
    },
    /// A file of keys that is not in order.
    #[error("the keys of {source_name} in {} cannot be used", Escaped::path(.file))]
    KeyFile {
        /// How messages name the source.
        source_name: String,
        /// The file.
        file: PathBuf,
        /// Why not.
        source: Box<KeyringError>,
    },
    /// A keyring that a source names and that cannot be read.
    #[error("the keys of {source_name} cannot be read")]
    KeyringFile {
        /// How messages name the source.
        source_name: String,
        /// Why not.
        source: MachineError,
    },
    /// A suite of `host-suites` that none of this machine's sources has.
    #[error("none of this machine's apt sources has the suite {}", Escaped(.suite.as_bytes()))]
    NoHostSuite {
        /// The suite.
        suite: String,
        /// The suites that they have.
        known: Vec<String>,
    },
    /// No source at all.
    #[error("no apt source in {}", Escaped::path(.directory))]
    NoHostSources {
        /// Where they were looked for.
        directory: PathBuf,
    },
    /// An address of this machine's sources that cannot be used.
    #[error("{place} names {}, which is no address of a repository", Escaped(.uri.as_bytes()))]
    Uri {
        /// Where it stands.
        place: String,
        /// The address.
        uri: String,
    },
}

impl SourcesError {
    /// Whether the recipe asks for what is not there, or with keys that are not in order, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        let keys = matches!(self, Self::Keyring { .. } | Self::KeyFile { .. });
        keys || matches!(self, Self::NoHostSuite { .. } | Self::NoHostSources { .. } | Self::Host(_) | Self::Uri { .. })
    }
}

/// The sources of a recipe whose files lie in `dir`, in the order of preference, one for each suite. Those of the machine
/// are limited to `architectures`.
pub(crate) fn of_recipe(
    recipe: &Recipe,
    dir: &Path,
    architectures: &[Architecture],
    machine: &Machine,
) -> Result<Vec<Source>, SourcesError> {
    match &recipe.debian.sources {
        Sources::Host { suites, .. } => of_host(suites.as_deref(), architectures, machine),
        Sources::Tables(tables) => {
            let mut sources = Vec::new();
            for table in tables {
                of_table(table, dir, machine, &mut sources)?;
            }
            Ok(sources)
        }
    }
}

fn of_table(table: &SourceTable, dir: &Path, machine: &Machine, sources: &mut Vec<Source>) -> Result<(), SourcesError> {
    let name = table.place.to_string();
    let keys = match &table.signed_by {
        SignedBy::File(path) => keyring(&name, &dir.join(path))?,
        SignedBy::Fingerprints(fingerprints) => pinned(&name, &all_keys(machine)?, fingerprints)?,
    };
    let keys = Arc::new(keys);
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let url = |uri: &SourceUri| {
        let wrong = || SourcesError::Uri { place: name.clone(), uri: uri.to_string() };
        uri.url(&absolute).ok_or_else(wrong)
    };
    let mirrors = table.uris.iter().map(url).collect::<Result<Vec<_>, _>>()?;
    for suite in &table.suites {
        sources.push(Source {
            name: name.clone(),
            mirrors: mirrors.clone(),
            suite: suite.clone(),
            components: table.components.clone(),
            architectures: table.architectures.clone(),
            keys: Arc::clone(&keys),
            snapshot: table.snapshot,
        });
    }
    Ok(())
}

fn of_host(
    wanted: Option<&[String]>,
    architectures: &[Architecture],
    machine: &Machine,
) -> Result<Vec<Source>, SourcesError> {
    let entries = host_entries(machine)?;
    if entries.is_empty() {
        return Err(SourcesError::NoHostSources { directory: machine.apt_dir.clone() });
    }
    let known: BTreeSet<&String> = entries.iter().flat_map(|entry| &entry.suites).collect();
    if let Some(suite) = wanted.unwrap_or_default().iter().find(|suite| !known.contains(suite)) {
        let known = known.into_iter().cloned().collect();
        return Err(SourcesError::NoHostSuite { suite: suite.clone(), known });
    }
    let mut sources = Vec::new();
    for entry in &entries {
        let suites: Vec<&String> =
            entry.suites.iter().filter(|suite| wanted.is_none_or(|wanted| wanted.contains(suite))).collect();
        // The keys of what is not wanted may well be missing.
        if suites.is_empty() {
            continue;
        }
        let keys = Arc::new(host_keys(entry, machine)?);
        let mirrors = entry
            .uris
            .iter()
            .map(|uri| {
                let wrong = || SourcesError::Uri { place: entry.place.clone(), uri: uri.clone() };
                Url::parse(uri).map_err(|_| wrong())
            })
            .collect::<Result<Vec<_>, _>>()?;
        let limited = entry.architectures.only.is_some() || !entry.architectures.removed.is_empty();
        let includes = |one: &&Architecture| entry.architectures.includes(one);
        let served: Option<Vec<Architecture>> =
            limited.then(|| architectures.iter().filter(includes).cloned().collect());
        for suite in suites {
            sources.push(Source {
                name: entry.place.clone(),
                mirrors: mirrors.clone(),
                suite: suite.clone(),
                components: entry.components.clone(),
                architectures: served.clone(),
                keys: Arc::clone(&keys),
                snapshot: entry.snapshot,
            });
        }
    }
    Ok(sources)
}

/// The enabled entries of `sources.list` and `sources.list.d`, as apt finds them: the former first, the others by name.
fn host_entries(machine: &Machine) -> Result<Vec<HostSource>, SourcesError> {
    let mut files = vec![machine.apt_dir.join("sources.list")];
    let parts = machine.apt_dir.join("sources.list.d");
    if parts.is_dir() {
        files.extend(files_in(&parts)?);
    }
    let mut entries = Vec::new();
    for file in files.iter().filter(|file| is_read_by_apt(file)) {
        let name = file.to_string_lossy();
        let bytes = match read(file) {
            Err(MachineError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let is_deb822 = file.extension().is_some_and(|extension| extension == "sources");
        let parse = if is_deb822 { host_sources::parse_deb822 } else { host_sources::parse_one_line };
        entries.extend(parse(&name, &bytes)?);
    }
    entries.retain(|entry| entry.enabled);
    Ok(entries)
}

/// By the rules of sources.list(5): other names are backups and leftovers.
fn is_read_by_apt(file: &Path) -> bool {
    let allowed = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let ending = file.extension().is_some_and(|extension| extension == "list" || extension == "sources");
    ending && file.file_name().and_then(|name| name.to_str()).is_some_and(allowed)
}

/// The keys that may sign what an entry names.
fn host_keys(entry: &HostSource, machine: &Machine) -> Result<Keyring, SourcesError> {
    let name = &entry.place;
    match &entry.signed_by {
        HostSignedBy::Default => merged(name, &trusted_files(machine)?),
        HostSignedBy::Files(files) => merged(name, files),
        HostSignedBy::Fingerprints(pins) => pinned(name, &trusted_files(machine)?, pins),
        HostSignedBy::Selected { files, pins } => pinned(name, files, pins),
        HostSignedBy::Embedded(block) => Keyring::parse(name, block).map_err(wrong_keys(name)),
    }
}

/// The keyrings that apt trusts for every source that names none.
fn trusted_files(machine: &Machine) -> Result<Vec<PathBuf>, SourcesError> {
    let single = machine.apt_dir.join("trusted.gpg");
    let mut files: Vec<PathBuf> = single.is_file().then_some(single).into_iter().collect();
    let parts = machine.apt_dir.join("trusted.gpg.d");
    if parts.is_dir() {
        files.extend(files_in(&parts)?.into_iter().filter(|file| is_keyring(file)));
    }
    Ok(files)
}

/// Where keys lie that a recipe may pick by their fingerprints: those of apt, and those of packages.
fn all_keys(machine: &Machine) -> Result<Vec<PathBuf>, SourcesError> {
    let mut files = trusted_files(machine)?;
    for directory in [machine.apt_dir.join("keyrings"), PathBuf::from("/usr/share/keyrings")] {
        if directory.is_dir() {
            files.extend(files_in(&directory)?.into_iter().filter(|file| is_keyring(file)));
        }
    }
    Ok(files)
}

fn is_keyring(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "gpg" || extension == "asc" || extension == "pgp")
}

fn pinned<P: Copy + Into<KeyPin>>(name: &str, files: &[PathBuf], pins: &[P]) -> Result<Keyring, SourcesError> {
    merged(name, files)?.restricted(pins).map_err(wrong_keys(name))
}

fn merged(name: &str, files: &[PathBuf]) -> Result<Keyring, SourcesError> {
    let rings = files.iter().map(|file| keyring(name, file)).collect::<Result<Vec<_>, _>>()?;
    Keyring::merged(name, rings).map_err(wrong_keys(name))
}

fn keyring(name: &str, file: &Path) -> Result<Keyring, SourcesError> {
    let unreadable = |source| SourcesError::KeyringFile { source_name: name.to_owned(), source };
    let bytes = read(file).map_err(unreadable)?;
    Keyring::parse(&file.to_string_lossy(), &bytes).map_err(|source| SourcesError::KeyFile {
        source_name: name.to_owned(),
        file: file.to_owned(),
        source: Box::new(source),
    })
}

fn wrong_keys(name: &str) -> impl FnOnce(KeyringError) -> SourcesError {
    let source_name = name.to_owned();
    move |source| SourcesError::Keyring { source_name, source: Box::new(source) }
}
