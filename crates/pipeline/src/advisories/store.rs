//! How the database is laid out.
//!
//! A value is a sequence of records, one after the other, so that an import appends what it reads and copies what stays. Release,
//! source package and CVE stand in the keys alone.

use std::path::Path;

use distil_policy::facts::SourceFacts;
use distil_vulns::feed::FeedKind;
use distil_vulns::release::Releases;
use distil_vulns::support::PackageSupport;
use distil_vulns::{Advisory, CveFacts, Epss, Feed, Kev, NoDsa, Rating, State, Urgency};
use jiff::Timestamp;
use jiff::civil::Date;
use redb::{ReadTransaction, TableDefinition};
use serde::{Deserialize, Serialize};

use super::DatabaseError;

/// Changes with everything below, and with the types of `vulns` that are stored. Files of another one are made anew.
pub(super) const FORMAT: u32 = 2;

/// Bytes of the file that are held in memory.
pub(super) const CACHE: usize = 32 << 20;

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// By release and source package.
pub(super) const ADVISORIES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("advisories");
/// By CVE.
pub(super) const CVES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("cves");
/// What suites have of a package, by release and name: an [`Offer`] for each suite and architecture.
pub(super) const PACKAGES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("packages");
/// The newest version of a source package in all suites of a release, by release and name: one for each architecture.
pub(super) const SOURCES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("sources");
/// Advisories of each release.
pub(super) const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("counts");

const FORMAT_KEY: &str = "format";
const META_KEY: &str = "meta";

/// What the database says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) imported: Timestamp,
    pub(super) feeds: Vec<FeedSource>,
    pub(super) releases: Option<Releases>,
    /// The suites that were asked, as [`Offer`]s count them.
    pub(super) suites: Vec<Suite>,
    /// The architectures that they were asked for.
    pub(super) architectures: Vec<String>,
    pub(super) support: Vec<Supported>,
}

/// A feed that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FeedSource {
    pub(super) kind: FeedKind,
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) date: Option<Timestamp>,
    pub(super) records: u64,
}

/// A suite that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Suite {
    /// Its codename, as in `bookworm-security`, fit for a terminal.
    pub(super) name: String,
    /// The codename of its release.
    pub(super) release: String,
    /// Whether security updates come from it.
    pub(super) is_security: bool,
    /// Of the file that is signed, in hexadecimal digits.
    pub(super) sha256: String,
    pub(super) date: Timestamp,
    /// When it was asked, or the time of the snapshot.
    pub(super) fetched: Timestamp,
    pub(super) valid_until: Option<Timestamp>,
    /// How many packages it has.
    pub(super) records: u64,
}

/// A package of a suite, in its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    /// The place of the suite in [`Meta::suites`].
    pub(super) suite: u32,
    pub(super) architecture: String,
    pub(super) version: String,
    /// The source package and its version, where these differ from the package's.
    pub(super) source: Option<(String, String)>,
}

/// What a list says of the support of source packages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Supported {
    pub(super) kind: FeedKind,
    /// The codename of the release; none for all.
    pub(super) release: Option<String>,
    pub(super) support: PackageSupport,
}

impl FeedSource {
    pub(super) fn into_facts(self) -> SourceFacts {
        let Self { kind, name, sha256, date, records } = self;
        SourceFacts { kind: kind.as_str().to_owned(), name, sha256, date, fetched: None, valid_until: None, records }
    }
}

impl Suite {
    /// The kind of source that it is.
    const KIND: &str = "suite";

    pub(super) fn facts(&self) -> SourceFacts {
        SourceFacts {
            kind: Self::KIND.to_owned(),
            name: self.name.clone(),
            sha256: self.sha256.clone(),
            date: Some(self.date),
            fetched: Some(self.fetched),
            valid_until: self.valid_until,
            records: self.records,
        }
    }
}

impl Meta {
    pub(super) fn read(reading: &ReadTransaction, path: &Path) -> Result<Self, DatabaseError> {
        let table = reading.open_table(META).map_err(|error| DatabaseError::of(path, error.into()))?;
        let get = |key| table.get(key).map_err(|error| DatabaseError::of(path, error.into()));
        let format = get(FORMAT_KEY)?.and_then(|found| postcard::from_bytes::<u32>(found.value()).ok());
        match format {
            Some(FORMAT) => {}
            Some(found) => return Err(DatabaseError::Format { path: path.to_owned(), found, expected: FORMAT }),
            None => return Err(DatabaseError::Damaged { path: path.to_owned() }),
        }
        let meta = get(META_KEY)?.and_then(|found| postcard::from_bytes(found.value()).ok());
        meta.ok_or_else(|| DatabaseError::Damaged { path: path.to_owned() })
    }

    /// The entries of the table, with their keys.
    pub(super) fn entries(&self) -> Result<[(&'static str, Vec<u8>); 2], postcard::Error> {
        Ok([(FORMAT_KEY, postcard::to_stdvec(&FORMAT)?), (META_KEY, postcard::to_stdvec(self)?)])
    }
}

/// An advisory without what its key says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) feed: Feed,
    id: String,
    aliases: Vec<String>,
    state: State,
    urgency: Option<Urgency>,
    no_dsa: Option<NoDsa>,
    archive: Option<String>,
    published: Option<Date>,
    title: Option<String>,
}

impl Stored {
    /// The key of an advisory, and the rest of it.
    pub(super) fn of(advisory: Advisory) -> ((String, String), Self) {
        let Advisory { id, aliases, feed, release, source, state, urgency, no_dsa, archive, published, title } =
            advisory;
        ((release, source), Self { feed, id, aliases, state, urgency, no_dsa, archive, published, title })
    }

    pub(super) fn into_advisory(self, release: &str, source: &str) -> Advisory {
        let Self { feed, id, aliases, state, urgency, no_dsa, archive, published, title } = self;
        let (release, source) = (release.to_owned(), source.to_owned());
        Advisory { id, aliases, feed, release, source, state, urgency, no_dsa, archive, published, title }
    }
}

/// What one feed says of a CVE.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) kind: FeedKind,
    ratings: Vec<Rating>,
    published: Option<Date>,
    title: Option<String>,
    kev: Option<Kev>,
    epss: Option<Epss>,
}

impl Part {
    /// The key, and the rest.
    pub(super) fn of(kind: FeedKind, facts: CveFacts) -> (String, Self) {
        let CveFacts { id, ratings, published, title, kev, epss } = facts;
        (id, Self { kind, ratings, published, title, kev, epss })
    }

    pub(super) fn into_facts(self) -> CveFacts {
        let Self { kind: _, ratings, published, title, kev, epss } = self;
        CveFacts { id: String::new(), ratings, published, title, kev, epss }
    }
}

/// A record that knows which kind of feed it came from.
pub(super) trait OfKind: Serialize + for<'de> Deserialize<'de> {
    fn kind(&self) -> FeedKind;
}

impl OfKind for Stored {
    fn kind(&self) -> FeedKind {
        self.feed.into()
    }
}

impl OfKind for Part {
    fn kind(&self) -> FeedKind {
        self.kind
    }
}

/// The records of a value; none where it is damaged.
pub(super) fn all<T: OfKind>(mut value: &[u8]) -> Option<Vec<T>> {
    let mut records = Vec::new();
    while !value.is_empty() {
        let (record, rest) = postcard::take_from_bytes(value).ok()?;
        records.push(record);
        value = rest;
    }
    Some(records)
}

/// A value without the records of some kinds; none where it is damaged. Also how many are left.
pub(super) fn without<T: OfKind>(value: &[u8], replaced: &[FeedKind]) -> Option<(Vec<u8>, u64)> {
    let (mut kept, mut count, mut rest) = (Vec::new(), 0, value);
    while !rest.is_empty() {
        let (record, behind) = postcard::take_from_bytes::<T>(rest).ok()?;
        if !replaced.contains(&record.kind()) {
            kept.extend_from_slice(rest.get(..rest.len() - behind.len())?);
            count += 1;
        }
        rest = behind;
    }
    Some((kept, count))
}
