//! Debian's releases: names, numbers, and until when they are supported.
//!
//! The list is that of the package distro-info-data; one of its versions is part of the crate, and a newer one can be read.

use std::fmt;

use distil_sbom::System;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The list that is part of the crate.
const EMBEDDED: &str = include_str!("../data/debian.csv");

/// A longer list is none: Debian has had two dozen releases in thirty years.
pub const MAX_RELEASES: usize = 1000;

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its codename, as in `bookworm`.
    pub codename: String,
    /// Its number, as in `12`; unstable has none.
    pub version: Option<String>,
    /// The day it came out.
    pub released: Option<Date>,
    /// The last day of regular support.
    pub regular: Option<Date>,
    /// The last day of long-term support.
    pub lts: Option<Date>,
    /// The last day of extended long-term support, which is not Debian's own.
    pub elts: Option<Date>,
}

/// Debian's releases, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases(Vec<Release>);

/// Why a list of releases cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleasesError {
    /// It is no CSV, or not UTF-8.
    #[error("line {line} is no line of comma-separated values")]
    Csv {
        /// The line.
        line: u64,
    },
    /// A column is missing.
    #[error("there is no column {column}")]
    Column {
        /// Its name.
        column: &'static str,
    },
    /// A field is not what its column holds.
    #[error("line {line}: {column} is {expected}")]
    Field {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// What it holds.
        expected: &'static str,
    },
    /// It is longer than any.
    #[error("there are more than {MAX_RELEASES} releases")]
    TooMany,
}

impl Releases {
    /// The list that is part of the crate.
    #[must_use]
    pub fn embedded() -> Self {
        // A test reads it, so that this is never empty.
        Self::from_csv(EMBEDDED.as_bytes()).unwrap_or_else(|_| Self(Vec::new()))
    }

    /// Reads `debian.csv` of distro-info-data.
    ///
    /// # Errors
    /// [`ReleasesError`] where it is something else.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, ReleasesError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let header = reader.headers().map_err(|error| no_csv(&error))?.clone();
        let column = |name: &'static str| {
            header.iter().position(|found| found == name).ok_or(ReleasesError::Column { column: name })
        };
        let (version, series, release) = (column("version")?, column("series")?, column("release")?);
        let (eol, lts, elts) = (column("eol")?, column("eol-lts").ok(), column("eol-elts").ok());
        let mut releases = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| no_csv(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            let field = |index: usize| record.get(index).filter(|text| !text.is_empty());
            let date = |index: Option<usize>, column| match index.and_then(field) {
                None => Ok(None),
                Some(text) => match text.parse::<Date>() {
                    Ok(date) => Ok(Some(date)),
                    Err(_) => Err(ReleasesError::Field { line, column, expected: "a date as 2023-06-10" }),
                },
            };
            let codename = field(series).filter(|name| is_codename(name)).ok_or(ReleasesError::Field {
                line,
                column: "series",
                expected: "a codename in small letters",
            })?;
            releases.push(Release {
                codename: codename.to_owned(),
                // Of a number like "6.0 LTS" only the first word is one.
                version: field(version).and_then(|text| text.split(' ').next()).map(str::to_owned),
                released: date(Some(release), "release")?,
                regular: date(Some(eol), "eol")?,
                lts: date(lts, "eol-lts")?,
                elts: date(elts, "eol-elts")?,
            });
            if releases.len() > MAX_RELEASES {
                return Err(ReleasesError::TooMany);
            }
        }
        Ok(Self(releases))
    }

    /// The release with a codename, as in `bookworm`.
    #[must_use]
    pub fn by_codename(&self, codename: &str) -> Option<&Release> {
        self.0.iter().find(|release| release.codename == codename)
    }

    /// The release with a number, as in `12` or `6.0`.
    #[must_use]
    pub fn by_version(&self, version: &str) -> Option<&Release> {
        self.0.iter().find(|release| release.version.as_deref() == Some(version))
    }

    /// The release that a system is. It must be Debian itself: what is only like Debian has other packages under the same names.
    #[must_use]
    pub fn identify(&self, system: &System) -> Option<&Release> {
        if system.id != "debian" {
            return None;
        }
        match &system.version_id {
            // Images of testing and unstable have no number, old ones of unstable the word.
            Some(version) => self
                .by_version(version)
                .or_else(|| self.by_codename(version))
                // A point release, as in `12.4`.
                .or_else(|| self.by_version(version.split_once('.')?.0)),
            None => system.codename.as_deref().and_then(|codename| self.by_codename(codename)),
        }
    }

    /// The release that a suite belongs to, by its codename: `bookworm` for `bookworm-security` and `bookworm/updates`.
    #[must_use]
    pub fn of_suite(&self, suite: &str) -> Option<&Release> {
        self.by_codename(base_of(suite))
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Release> {
        self.0.iter()
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "Debian {version} ({})", self.codename),
            None => write!(f, "Debian {}", self.codename),
        }
    }
}

/// The codename of the release in that of a suite: `bookworm` of `bookworm-security`, as of `bookworm` itself. Whether there is
/// such a release is another question.
#[must_use]
pub fn base_of(suite: &str) -> &str {
    suite.split(['-', '/']).next().unwrap_or(suite)
}

fn is_codename(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn no_csv(error: &csv::Error) -> ReleasesError {
    ReleasesError::Csv { line: error.position().map_or(1, csv::Position::line) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_list_of_the_crate_is_read() {
        let releases = Releases::embedded();
        assert_eq!(releases.iter().count(), 22);
        let bookworm = releases.by_version("12").unwrap();
        assert_eq!(bookworm.codename, "bookworm");
        assert_eq!(bookworm.regular, Some(date(2026, 7, 11)));
        assert_eq!(bookworm.lts, Some(date(2028, 6, 30)));
        assert_eq!(bookworm.elts, Some(date(2033, 6, 30)));
        assert_eq!(releases.by_version("6.0").unwrap().codename, "squeeze");
        assert_eq!(releases.by_codename("sid").unwrap().version, None);
        assert_eq!(releases.by_codename("forky").unwrap().regular, None);
        assert_eq!(releases.by_codename("sid").unwrap().to_string(), "Debian sid");
    }

    #[test]
    fn a_system_is_a_release_only_if_it_is_debian() {
        let releases = Releases::embedded();
        let codename = |text: &str| {
            System::parse(text.as_bytes()).and_then(|system| Some(releases.identify(&system)?.codename.clone()))
        };
        assert_eq!(codename("ID=debian\nVERSION_ID=\"12\"\n").as_deref(), Some("bookworm"));
        assert_eq!(codename("ID=debian\nVERSION_ID=\"12.4\"\n").as_deref(), Some("bookworm"));
        assert_eq!(codename("ID=debian\nVERSION_ID=\"6.0\"\n").as_deref(), Some("squeeze"));
        assert_eq!(codename("ID=debian\nVERSION_ID=\"99.1\"\n"), None);
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=forky\n").as_deref(), Some("forky"));
        assert_eq!(codename("ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=trixie\n").as_deref(), Some("bookworm"));
        assert_eq!(codename("ID=debian\nVERSION_ID=\"99\"\nVERSION_CODENAME=bookworm\n"), None);
        assert_eq!(codename("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"12\"\n"), None);
        assert_eq!(codename("ID=debian\n"), None);
    }

    #[test]
    fn a_suite_belongs_to_a_release() {
        let releases = Releases::embedded();
        for suite in ["bookworm", "bookworm-security", "bookworm-updates", "bookworm/updates", "bookworm-backports"] {
            assert_eq!(releases.of_suite(suite).unwrap().codename, "bookworm", "{suite}");
        }
        for suite in ["", "-", "stable", "oldstable-security", "noble", "bookwormer"] {
            assert_eq!(releases.of_suite(suite), None, "{suite}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let error = |text: &str| Releases::from_csv(text.as_bytes()).unwrap_err();
        assert_eq!(error("version,codename\n"), ReleasesError::Column { column: "series" });
        let head = "version,codename,series,created,release,eol\n";
        let field = |column, expected| ReleasesError::Field { line: 2, column, expected };
        assert_eq!(error(&format!("{head}1,A,<b>,,,\n")), field("series", "a codename in small letters"));
        assert_eq!(error(&format!("{head}1,A,a,,,soon\n")), field("eol", "a date as 2023-06-10"));
        let many = format!("{head}{}", "1,A,a,,,\n".repeat(MAX_RELEASES + 1));
        assert_eq!(error(&many), ReleasesError::TooMany);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Releases::from_csv(&bytes);
            let _ = Releases::from_csv(&[&b"version,codename,series,created,release,eol\n"[..], &bytes].concat());
        }
    }
}
