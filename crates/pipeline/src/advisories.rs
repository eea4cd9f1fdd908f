//! The database of advisories: one file, made anew from feeds by [`import`], and only read from then on.
//!
//! An import writes a new file beside the old one and takes its name at the end, so that readers see either, whole. Feeds of a
//! kind replace what was there of that kind; what other kinds said stays.

mod document;
mod error;
mod given;
mod held;
mod import;
mod sealed;
mod store;
mod suites;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use distil_policy::facts::SourceFacts;
use distil_vulns::release::Releases;
use distil_vulns::support::PackageSupport;
use distil_vulns::{Advisory, CveFacts};
use jiff::Timestamp;
use redb::{ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase as _, ReadableTableMetadata as _};

pub use document::{DatabaseDocument, HeldRelease};
pub use error::DatabaseError;
pub use import::{ImportRequest, Imported, import};
pub use suites::{Suites, SuitesRequest, fetch_suites};

use sealed::Sealed;
use store::{ADVISORIES, COUNTS, CVES, Meta, PACKAGES, SOURCES, Stored, Suite};

/// A database that is read.
pub struct Database {
    path: PathBuf,
    advisories: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    cves: ReadOnlyTable<&'static str, &'static [u8]>,
    counts: ReadOnlyTable<&'static str, u64>,
    packages: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    sources: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    meta: Meta,
    // Last, since the tables read through it.
    _engine: ReadOnlyDatabase,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path).field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database. Any number of readers may have it open, also while another one takes its place.
    ///
    /// # Errors
    /// [`DatabaseError::Missing`] where there is none, and another one where it is none, or of another version.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        if !path.try_exists().map_err(|source| DatabaseError::Read { path: path.to_owned(), source })? {
            return Err(DatabaseError::Missing { path: path.to_owned() });
        }
        let file = Sealed::open(path)?;
        let failed = |error: redb::Error| DatabaseError::of(path, error);
        let mut builder = redb::Builder::new();
        let engine = builder
            .set_cache_size(store::CACHE)
            .open_read_only_with_backend(file)
            .map_err(|error| failed(error.into()))?;
        let reading = engine.begin_read().map_err(|error| failed(error.into()))?;
        let meta = Meta::read(&reading, path)?;
        let open = || -> Result<_, redb::TableError> {
            let path = path.to_owned();
            Ok(Self {
                path,
                advisories: reading.open_table(ADVISORIES)?,
                cves: reading.open_table(CVES)?,
                counts: reading.open_table(COUNTS)?,
                packages: reading.open_table(PACKAGES)?,
                sources: reading.open_table(SOURCES)?,
                meta,
                _engine: engine,
            })
        };
        open().map_err(|error| failed(error.into()))
    }

    /// What feeds say of a source package in a release, by its codename: sorted by feed and identifier.
    ///
    /// # Errors
    /// [`DatabaseError`] where the file cannot be read or is damaged.
    pub fn about(&self, release: &str, source: &str) -> Result<Vec<Advisory>, DatabaseError> {
        let found =
            self.advisories.get((release, source)).map_err(|error| DatabaseError::of(&self.path, error.into()))?;
        let Some(found) = found else { return Ok(Vec::new()) };
        let stored = store::all::<Stored>(found.value()).ok_or_else(|| self.damaged())?;
        let mut advisories: Vec<Advisory> =
            stored.into_iter().map(|stored| stored.into_advisory(release, source)).collect();
        advisories.sort_by(|one, two| (one.feed, &one.id).cmp(&(two.feed, &two.id)));
        Ok(advisories)
    }

    /// What feeds say of a CVE, or another identifier, wherever it occurs.
    ///
    /// # Errors
    /// [`DatabaseError`] where the file cannot be read or is damaged.
    pub fn cve(&self, id: &str) -> Result<Option<CveFacts>, DatabaseError> {
        let found = self.cves.get(id).map_err(|error| DatabaseError::of(&self.path, error.into()))?;
        let Some(found) = found else { return Ok(None) };
        let mut parts = store::all::<store::Part>(found.value()).ok_or_else(|| self.damaged())?;
        // The order of kinds decides whose words are taken where several have some.
        parts.sort_by_key(|part| part.kind);
        let mut facts = CveFacts { id: id.to_owned(), ..CveFacts::default() };
        for part in parts {
            facts.merge(part.into_facts());
        }
        Ok(Some(facts))
    }

    /// The feeds and suites that it was made from.
    ///
    /// # Errors
    /// None today; a database that keeps them apart may have some.
    pub fn sources(&self) -> Result<Vec<SourceFacts>, DatabaseError> {
        let feeds = self.meta.feeds.iter().cloned().map(store::FeedSource::into_facts);
        let mut sources: Vec<SourceFacts> = feeds.chain(self.meta.suites.iter().map(Suite::facts)).collect();
        sources.sort();
        Ok(sources)
    }

    /// Debian's releases: the list that was imported, or else the one that comes with the program.
    #[must_use]
    pub fn releases(&self) -> Releases {
        self.meta.releases.clone().unwrap_or_else(Releases::embedded)
    }

    /// Whether any feed says something of a release. Where none does, nothing can be said of its packages.
    ///
    /// # Errors
    /// [`DatabaseError`] where the file cannot be read or is damaged.
    pub fn knows(&self, release: &str) -> Result<bool, DatabaseError> {
        let count = self.counts.get(release).map_err(|error| DatabaseError::of(&self.path, error.into()))?;
        Ok(count.is_some_and(|count| count.value() > 0))
    }

    /// What lists say of source packages of a release that have less support than the release.
    pub(crate) fn less_support(&self, release: &str) -> impl Iterator<Item = &PackageSupport> {
        let entries = self.meta.support.iter();
        let is_of = move |of: &Option<String>| of.as_deref().is_none_or(|of| of == release);
        entries.filter(move |entry| is_of(&entry.release)).map(|entry| &entry.support)
    }

    /// When it was made.
    #[must_use]
    pub fn imported(&self) -> Timestamp {
        self.meta.imported
    }

    /// How many CVEs and other identifiers something is known of.
    fn cves(&self) -> Result<u64, DatabaseError> {
        self.cves.len().map_err(|error| DatabaseError::of(&self.path, error.into()))
    }

    fn damaged(&self) -> DatabaseError {
        DatabaseError::Damaged { path: self.path.clone() }
    }
}
