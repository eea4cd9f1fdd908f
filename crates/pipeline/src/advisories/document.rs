//! What `db status` and `db import` print.

use std::path::Path;

use distil_imgcore::Escaped;
use distil_policy::facts::SourceFacts;
use jiff::Timestamp;
use jiff::civil::Date;
use redb::ReadableTable as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Database, DatabaseError};

/// What is in a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseDocument {
    /// `distil.db/v1`.
    pub schema: String,
    /// The file, made fit for a terminal.
    pub database: String,
    /// When it was made.
    #[schemars(with = "String")]
    pub imported: Timestamp,
    /// The newest time in what it was made from.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Timestamp>,
    /// What it was made from.
    pub sources: Vec<SourceFacts>,
    /// The releases that something is said of, by codename.
    pub releases: Vec<HeldRelease>,
    /// Identifiers, CVEs most of them, that something is known of wherever they occur.
    pub cves: u64,
}

/// A release in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HeldRelease {
    /// Its codename.
    pub codename: String,
    /// Its number, where it has one.
    pub version: Option<String>,
    /// How many advisories there are of its source packages.
    pub advisories: u64,
    /// The last day of regular support.
    #[schemars(with = "Option<String>")]
    pub regular: Option<Date>,
    /// The last day of long-term support.
    #[schemars(with = "Option<String>")]
    pub lts: Option<Date>,
    /// The last day of extended long-term support.
    #[schemars(with = "Option<String>")]
    pub elts: Option<Date>,
}

impl DatabaseDocument {
    /// Looks at the database in a file.
    ///
    /// # Errors
    /// [`DatabaseError`] where it cannot be read.
    pub fn of(path: &Path) -> Result<Self, DatabaseError> {
        let database = Database::open(path)?;
        let failed = |error: redb::StorageError| DatabaseError::of(path, error.into());
        let known = database.releases();
        let mut releases = Vec::new();
        for entry in database.counts.iter().map_err(failed)? {
            let (codename, count) = entry.map_err(failed)?;
            let release = known.by_codename(codename.value());
            releases.push(HeldRelease {
                codename: Escaped(codename.value().as_bytes()).to_string(),
                version: release.and_then(|release| release.version.clone()),
                advisories: count.value(),
                regular: release.and_then(|release| release.regular),
                lts: release.and_then(|release| release.lts),
                elts: release.and_then(|release| release.elts),
            });
        }
        let sources = database.sources()?;
        Ok(Self {
            schema: "distil.db/v1".to_owned(),
            database: Escaped::path(path).to_string(),
            imported: database.imported(),
            newest: sources.iter().filter_map(|source| source.date).max(),
            sources,
            releases,
            cves: database.cves()?,
        })
    }
}
