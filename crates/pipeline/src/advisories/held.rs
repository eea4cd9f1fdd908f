//! What is read of feeds, in the form in which it is stored, until all of it is written in the order of its keys.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_vulns::Item;
use distil_vulns::feed::FeedKind;
use redb::ReadableTable as _;

use super::store::{self, ADVISORIES, COUNTS, CVES, META, Meta, OfKind, PACKAGES, Part, SOURCES, Stored, Supported};
use super::suites::Offered;
use super::{Database, DatabaseError, sealed};

/// Records of one key, and how many.
#[derive(Debug, Default)]
struct Records {
    bytes: Vec<u8>,
    count: u64,
}

impl Records {
    fn push(&mut self, record: &impl OfKind) -> Result<(), postcard::Error> {
        self.bytes = postcard::to_extend(record, std::mem::take(&mut self.bytes))?;
        self.count += 1;
        Ok(())
    }
}

/// All that will be in a database.
#[derive(Debug, Default)]
pub(super) struct Held {
    advisories: BTreeMap<(String, String), Records>,
    cves: BTreeMap<String, Records>,
    /// What lists say of the support of packages.
    pub(super) support: Vec<Supported>,
    /// A value that has no stored form; there is none such today.
    unfit: Option<postcard::Error>,
}

impl Held {
    /// What an older database has of feeds that are not replaced.
    pub(super) fn kept(old: &Database, replaced: &[FeedKind]) -> Result<Self, DatabaseError> {
        let failed = |error: redb::StorageError| DatabaseError::of(&old.path, error.into());
        let support = old.meta.support.iter().filter(|entry| !replaced.contains(&entry.kind));
        let mut held = Self { support: support.cloned().collect(), ..Self::default() };
        for entry in old.advisories.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            let (bytes, count) = store::without::<Stored>(value.value(), replaced).ok_or_else(|| old.damaged())?;
            if count > 0 {
                let (release, source) = key.value();
                held.advisories.insert((release.to_owned(), source.to_owned()), Records { bytes, count });
            }
        }
        for entry in old.cves.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            let (bytes, count) = store::without::<Part>(value.value(), replaced).ok_or_else(|| old.damaged())?;
            if count > 0 {
                held.cves.insert(key.value().to_owned(), Records { bytes, count });
            }
        }
        Ok(held)
    }

    /// Takes what a feed says; of a list about support, for a release or for all.
    pub(super) fn take(&mut self, kind: FeedKind, release: Option<&str>, item: Item) {
        let taken = match item {
            Item::Advisory(advisory) => {
                let (key, stored) = Stored::of(advisory);
                self.advisories.entry(key).or_default().push(&stored)
            }
            Item::Cve(facts) => {
                let (key, part) = Part::of(kind, facts);
                self.cves.entry(key).or_default().push(&part)
            }
            Item::Support(support) => {
                self.support.push(Supported { kind, release: release.map(str::to_owned), support });
                Ok(())
            }
        };
        if let Err(error) = taken {
            self.unfit = Some(error);
        }
    }

    /// Writes a database into a file that is not there yet, all in one transaction.
    pub(super) fn write(
        self,
        path: &Path,
        meta: &Meta,
        offered: &Offered,
        cancelled: &AtomicBool,
    ) -> Result<(), DatabaseError> {
        let unfit = |error: postcard::Error| DatabaseError::Write {
            path: path.to_owned(),
            source: std::io::Error::other(error),
        };
        if let Some(error) = self.unfit.or_else(|| offered.unfit.clone()) {
            return Err(unfit(error));
        }
        let entries = meta.entries().map_err(unfit)?;
        let fill = |database: &redb::Database| -> Result<bool, redb::Error> {
            let writing = database.begin_write()?;
            {
                let mut table = writing.open_table(META)?;
                for (key, value) in &entries {
                    table.insert(key, value.as_slice())?;
                }
                let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
                let mut table = writing.open_table(ADVISORIES)?;
                for ((release, source), records) in &self.advisories {
                    if cancelled.load(Ordering::Relaxed) {
                        return Ok(false);
                    }
                    table.insert((release.as_str(), source.as_str()), records.bytes.as_slice())?;
                    *counts.entry(release).or_default() += records.count;
                }
                let mut table = writing.open_table(COUNTS)?;
                for (release, count) in &counts {
                    table.insert(release, count)?;
                }
                let mut table = writing.open_table(CVES)?;
                for (id, records) in &self.cves {
                    if cancelled.load(Ordering::Relaxed) {
                        return Ok(false);
                    }
                    table.insert(id.as_str(), records.bytes.as_slice())?;
                }
                for (definition, values) in [(PACKAGES, &offered.packages), (SOURCES, &offered.sources)] {
                    let mut table = writing.open_table(definition)?;
                    for ((release, name), value) in values {
                        if cancelled.load(Ordering::Relaxed) {
                            return Ok(false);
                        }
                        table.insert((release.as_str(), name.as_str()), value.as_slice())?;
                    }
                }
            }
            writing.commit()?;
            Ok(true)
        };
        match sealed::write(path, fill) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DatabaseError::Cancelled),
            Err(redb::Error::Io(source)) => Err(DatabaseError::Write { path: path.to_owned(), source }),
            Err(error) => Err(DatabaseError::of(path, error)),
        }
    }
}
