//! What the suites of a recipe have: asked for and verified as for a lock, and condensed to names and versions.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use distil_aptrepo::{Index, Repository, SignedBytes, Stanza};
use distil_cache::Session;
use distil_debunpack::Version;
use distil_imgcore::{Digest, Escaped, Platform};
use distil_vulns::release::base_of;
use jiff::Timestamp;
use redb::ReadableTable as _;
use serde::Serialize;

use super::store::{Offer, Suite};
use super::{Database, DatabaseError};
use crate::lock::{LockError, platforms};
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::provision::{Market, Provider, architecture_of};
use crate::recipe::Recipe;
use crate::sources;

/// Whose suites to ask, and how.
#[derive(Debug)]
pub struct SuitesRequest<'a> {
    /// The recipe: its sources and its platforms count.
    pub recipe: &'a Recipe,
    /// Where the files lie that it names.
    pub dir: &'a Path,
    /// The platform of this machine, for a recipe that names none.
    pub host: Platform,
    /// How many threads work.
    pub jobs: NonZeroUsize,
    /// The directory for what is kept between runs.
    pub cache_dir: PathBuf,
    /// The machine and the network.
    pub machine: Machine,
    /// Set to true from elsewhere, ends the work soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// What suites have.
#[derive(Debug, Clone, Default)]
pub struct Suites {
    pub(super) asked: Vec<Suite>,
    pub(super) architectures: Vec<String>,
    pub(super) offered: Offered,
}

/// What suites have, by release and name, as it is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Offered {
    pub(super) packages: Table,
    pub(super) sources: Table,
    /// A value that has no stored form; there is none such today.
    pub(super) unfit: Option<postcard::Error>,
}

pub(super) type Table = BTreeMap<(String, String), Vec<u8>>;

/// What is found, by release and name, until it is stored.
type Found<T> = BTreeMap<(String, String), Vec<T>>;

/// The label of Debian's archives of security updates, whatever their suite is called.
const SECURITY: &str = "Debian-Security";

/// Asks the suites of a recipe what they have. Signatures, dates and sums are checked as for a lock.
///
/// # Errors
/// [`LockError`], as for a lock: a suite that cannot be had is an error, since a silent gap would hide security updates.
pub fn fetch_suites(request: &SuitesRequest<'_>, progress: &dyn Progress) -> Result<Suites, LockError> {
    let places = Places::new(&request.machine, progress, request.cancelled);
    let provider = Provider::new(&places, &Session::start(&request.cache_dir)?, request.jobs)?;
    let platforms = platforms(request.recipe, &request.host);
    let architectures = platforms.iter().map(architecture_of).collect::<Result<Vec<_>, _>>()?;
    let sources = sources::of_recipe(request.recipe, request.dir, &architectures, &request.machine)?;
    let market = Market::open(&sources, &architectures, &provider)?;
    let repositories = market.repositories.into_iter().map(|repository| {
        let suite = suite(&repository, request.machine.now);
        (suite, repository.indices.into_iter().map(|index| index.index).collect())
    });
    let architectures = architectures.iter().map(ToString::to_string).collect();
    Ok(Suites::of(repositories, architectures))
}

impl Suites {
    /// Condenses the indices of each suite.
    fn of(indices: impl Iterator<Item = (Suite, Vec<Arc<Index>>)>, architectures: Vec<String>) -> Self {
        let mut asked: Vec<Suite> = Vec::new();
        let (mut packages, mut newest) = (Found::new(), Found::new());
        for (place, (suite, indices)) in (0..).zip(indices) {
            for index in &indices {
                condense(index, &suite.release, place, &mut packages, &mut newest);
            }
            asked.push(suite);
        }
        let mut offered = Offered::default();
        offered.packages = offered.stored(packages);
        offered.sources = offered.stored(newest);
        Self { asked, architectures, offered }
    }

    /// What an older database has.
    pub(super) fn kept(old: &Database) -> Result<Self, DatabaseError> {
        let failed = |error: redb::StorageError| DatabaseError::of(&old.path, error.into());
        let (asked, architectures) = (old.meta.suites.clone(), old.meta.architectures.clone());
        let mut kept = Self { asked, architectures, offered: Offered::default() };
        let Offered { packages, sources, .. } = &mut kept.offered;
        for (table, values) in [(&old.packages, packages), (&old.sources, sources)] {
            for entry in table.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                let (release, name) = key.value();
                values.insert((release.to_owned(), name.to_owned()), value.value().to_vec());
            }
        }
        Ok(kept)
    }
}

impl Offered {
    fn stored<T: Serialize>(&mut self, found: Found<T>) -> Table {
        let mut stored = |value: Vec<T>| {
            postcard::to_stdvec(&value).unwrap_or_else(|error| {
                self.unfit = Some(error);
                Vec::new()
            })
        };
        found.into_iter().map(|(key, value)| (key, stored(value))).collect()
    }
}

/// What is known of a suite itself, at a time in seconds since 1970.
fn suite(repository: &Repository, now: i64) -> Suite {
    let (source, release) = (&repository.source, &repository.release);
    let codename = release.codename().or(release.suite()).unwrap_or(&source.suite);
    let is_security = release.label() == Some(SECURITY)
        || ["-security", "-lts"].iter().any(|end| codename.ends_with(end))
        || source.suite.ends_with("/updates");
    let signed = match &repository.signed {
        SignedBytes::Inline(bytes) => bytes,
        SignedBytes::Detached { release, .. } => release,
    };
    let time = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN);
    let seen = source.snapshot.map_or(now, |snapshot| snapshot.time().seconds().min(now));
    Suite {
        name: Escaped(codename.as_bytes()).to_string(),
        release: base_of(codename).to_owned(),
        is_security,
        sha256: Digest::of(signed).hex(),
        date: time(release.date().seconds()),
        fetched: time(seen),
        valid_until: release.valid_until().map(|end| time(end.seconds())),
        records: repository.indices.iter().map(|index| index.index.len() as u64).sum(),
    }
}

/// Takes the names and versions of an index.
fn condense(
    index: &Index,
    release: &str,
    suite: u32,
    packages: &mut Found<Offer>,
    newest: &mut Found<(String, String)>,
) {
    for stanza in index.stanzas() {
        let offers = packages.entry((release.to_owned(), stanza.name().to_owned())).or_default();
        match offers.iter_mut().find(|o| o.suite == suite && o.architecture == stanza.architecture()) {
            Some(known) if is_newer(stanza.version(), &known.version) => *known = offer(stanza, suite),
            Some(_) => {}
            None => offers.push(offer(stanza, suite)),
        }
        let versions = newest.entry((release.to_owned(), stanza.source_name().to_owned())).or_default();
        match versions.iter_mut().find(|(architecture, _)| architecture == stanza.architecture()) {
            Some((_, known)) if is_newer(stanza.source_version(), known) => {
                stanza.source_version().clone_into(known);
            }
            Some(_) => {}
            None => versions.push((stanza.architecture().to_owned(), stanza.source_version().to_owned())),
        }
    }
}

fn offer(stanza: Stanza<'_>, suite: u32) -> Offer {
    let source = (stanza.source_name(), stanza.source_version());
    let is_same = source == (stanza.name(), stanza.version());
    Offer {
        suite,
        architecture: stanza.architecture().to_owned(),
        version: stanza.version().to_owned(),
        source: (!is_same).then(|| (source.0.to_owned(), source.1.to_owned())),
    }
}

/// Whether a version is newer than another one. What is no version is newer than none.
fn is_newer(version: &str, than: &str) -> bool {
    let parsed = |text| Version::from_str(text).ok();
    version != than && parsed(version) > parsed(than)
}

/// The newest version of a package in the suites of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) version: String,
    /// That of the source package.
    pub(crate) source_version: String,
    /// The suite that has it.
    pub(crate) suite: String,
    /// The newest version in suites that security updates come from.
    pub(crate) in_security: Option<String>,
}

/// The architecture of packages for all.
const ALL: &str = "all";

impl Database {
    /// Whether any suite was asked at all.
    pub(crate) fn has_suites(&self) -> bool {
        !self.meta.suites.is_empty()
    }

    /// Whether suites of a release were asked for an architecture.
    pub(crate) fn was_asked(&self, release: &str, architecture: &str) -> bool {
        let asked = architecture == ALL || self.meta.architectures.iter().any(|asked| asked == architecture);
        asked && self.meta.suites.iter().any(|suite| suite.release == release)
    }

    /// The newest version of a package in the suites of a release, for an architecture or for all.
    ///
    /// # Errors
    /// [`DatabaseError`] where the file cannot be read or is damaged.
    pub(crate) fn newest(
        &self,
        release: &str,
        package: &str,
        architecture: &str,
    ) -> Result<Option<Newest>, DatabaseError> {
        let found =
            self.packages.get((release, package)).map_err(|error| DatabaseError::of(&self.path, error.into()))?;
        let Some(found) = found else { return Ok(None) };
        let offers: Vec<Offer> = postcard::from_bytes(found.value()).map_err(|_| self.damaged())?;
        let mut newest: Option<(&Offer, &Suite)> = None;
        let mut in_security: Option<&str> = None;
        for offer in offers.iter().filter(|offer| offer.architecture == architecture || offer.architecture == ALL) {
            let suite = usize::try_from(offer.suite).ok().and_then(|place| self.meta.suites.get(place));
            let suite = suite.ok_or_else(|| self.damaged())?;
            if newest.is_none_or(|(known, _)| is_newer(&offer.version, &known.version)) {
                newest = Some((offer, suite));
            }
            if suite.is_security && in_security.is_none_or(|known| is_newer(&offer.version, known)) {
                in_security = Some(&offer.version);
            }
        }
        Ok(newest.map(|(offer, suite)| Newest {
            version: offer.version.clone(),
            source_version: offer.source.as_ref().map_or(&offer.version, |(_, version)| version).clone(),
            suite: suite.name.clone(),
            in_security: in_security.map(str::to_owned),
        }))
    }

    /// The newest version of a source package in the suites of a release, as far as it is built for an architecture; where
    /// nothing of it is for that alone, as far as it is built for all.
    ///
    /// # Errors
    /// As [`Database::newest`].
    pub(crate) fn newest_source(
        &self,
        release: &str,
        source: &str,
        architecture: &str,
    ) -> Result<Option<String>, DatabaseError> {
        let found = self.sources.get((release, source)).map_err(|error| DatabaseError::of(&self.path, error.into()))?;
        let Some(found) = found else { return Ok(None) };
        let versions: Vec<(String, String)> = postcard::from_bytes(found.value()).map_err(|_| self.damaged())?;
        let of = |wanted: &str| versions.iter().find(|(architecture, _)| architecture == wanted);
        Ok(of(architecture).or_else(|| of(ALL)).map(|(_, version)| version.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::atomic::AtomicBool;

    use super::super::{ImportRequest, import};
    use super::*;
    use crate::Silent;

    /// A package with its architecture, version and source.
    type Line<'a> = (&'a str, &'a str, &'a str, &'a str);

    fn index(lines: &[Line<'_>]) -> Arc<Index> {
        let mut text = String::new();
        for (name, architecture, version, source) in lines {
            let source = if source.is_empty() { String::new() } else { format!("Source: {source}\n") };
            writeln!(
                text,
                "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n{source}Filename: pool/x.deb\n\
                 Size: 4\nSHA256: {}\n",
                "0a".repeat(32)
            )
            .unwrap();
        }
        Arc::new(Index::parse(text.as_bytes()).unwrap())
    }

    fn suite(name: &str) -> Suite {
        Suite {
            name: name.to_owned(),
            release: base_of(name).to_owned(),
            is_security: name.ends_with("-security"),
            sha256: String::new(),
            date: Timestamp::UNIX_EPOCH,
            fetched: Timestamp::UNIX_EPOCH,
            valid_until: None,
            records: 1,
        }
    }

    fn imported(place: &Path, suites: &Suites) -> Database {
        let database = place.join("advisories.redb");
        let cancelled = &AtomicBool::new(false);
        let now = Timestamp::UNIX_EPOCH;
        let request = ImportRequest { files: &[], suites: Some(suites), database: &database, now, cancelled };
        let _imported = import(&request, &Silent).unwrap();
        Database::open(&database).unwrap()
    }

    #[test]
    fn the_newest_version_of_each_suite_is_found() {
        let main = [
            ("libbrotli1", "amd64", "1.0.9-2+b2", "brotli (1.0.9-2)"),
            ("libbrotli1", "i386", "1.0.9-2+b6", "brotli (1.0.9-2)"),
            ("brotli-doc", "all", "1.0.9-4", "brotli"),
            ("zlib1g", "amd64", "1:1.2.13-1", "zlib"),
            ("zlib1g", "amd64", "1:1.2.9-1", "zlib"),
            ("tzdata", "all", "2024a", ""),
        ];
        let security = [("libbrotli1", "amd64", "1.0.9-3", "brotli")];
        let indices = [
            (suite("bookworm"), vec![index(&main)]),
            (suite("bookworm-security"), vec![index(&security)]),
            (suite("trixie"), vec![index(&[("zlib1g", "amd64", "1:1.3-1", "zlib")])]),
        ];
        let suites = Suites::of(indices.into_iter(), vec!["amd64".to_owned(), "i386".to_owned()]);
        let place = tempfile::tempdir().unwrap();
        let database = imported(place.path(), &suites);
        let newest = |package: &str, architecture: &str| database.newest("bookworm", package, architecture).unwrap();
        let found = |version: &str, source: &str, suite: &str, security: Option<&str>| {
            let text = str::to_owned;
            let in_security = security.map(text);
            Some(Newest { version: text(version), source_version: text(source), suite: text(suite), in_security })
        };
        let brotli = found("1.0.9-3", "1.0.9-3", "bookworm-security", Some("1.0.9-3"));
        assert_eq!(newest("libbrotli1", "amd64"), brotli);
        assert_eq!(newest("libbrotli1", "i386"), found("1.0.9-2+b6", "1.0.9-2", "bookworm", None));
        assert_eq!(newest("zlib1g", "amd64"), found("1:1.2.13-1", "1:1.2.13-1", "bookworm", None));
        assert_eq!(newest("tzdata", "i386"), found("2024a", "2024a", "bookworm", None));
        assert_eq!((newest("zlib1g", "i386"), newest("nothing", "amd64")), (None, None));

        // What is built for all already says nothing of what is not built for an architecture yet.
        let source = |name: &str, architecture: &str| database.newest_source("bookworm", name, architecture).unwrap();
        assert_eq!(source("brotli", "amd64").as_deref(), Some("1.0.9-3"));
        assert_eq!(source("brotli", "i386").as_deref(), Some("1.0.9-2"));
        assert_eq!(source("tzdata", "amd64").as_deref(), Some("2024a"));
        assert_eq!((source("zlib1g", "amd64"), source("zlib", "i386")), (None, None));
        let was_asked = |release: &str, architecture: &str| database.was_asked(release, architecture);
        assert!(was_asked("bookworm", "amd64") && was_asked("trixie", "i386") && was_asked("bookworm", ALL));
        assert!(!was_asked("bullseye", "amd64") && !was_asked("bookworm", "arm64"));
        drop(database);

        // What is asked again replaces all that was known.
        let indices = [(suite("bookworm"), vec![index(&[("zlib1g", "amd64", "1:1.2.12-1", "zlib")])])];
        let database = imported(place.path(), &Suites::of(indices.into_iter(), vec!["amd64".to_owned()]));
        assert_eq!(database.newest("bookworm", "tzdata", "amd64").unwrap(), None);
        assert_eq!(database.newest("bookworm", "zlib1g", "amd64").unwrap().unwrap().version, "1:1.2.12-1");
        assert!(!database.was_asked("trixie", "amd64") && !database.was_asked("bookworm", "i386"));
        let names: Vec<String> = database.sources().unwrap().into_iter().map(|source| source.name).collect();
        assert_eq!(names, ["bookworm"]);
    }
}
