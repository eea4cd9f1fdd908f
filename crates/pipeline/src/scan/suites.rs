//! What the configured suites have of the packages of an image, and which of these have less support than their release.

use std::collections::{BTreeMap, BTreeSet};

use distil_policy::facts::{PackageFacts, PackageSupportFacts, PlatformFacts, SourceFacts};
use distil_vulns::FixState;
use distil_vulns::matching::Available;
use distil_vulns::release::base_of;
use distil_vulns::support::Extent;
use jiff::{SignedDuration, Timestamp};

use super::matched::DEB;
use crate::advisories::{Database, DatabaseError};

/// What is asked of the suites of a release for the packages of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    database: &'a Database,
    release: &'a str,
    architecture: &'a str,
}

/// The architecture of packages for all.
const ALL: &str = "all";

impl<'a> Asked<'a> {
    /// None where no suite of the image's release was asked for its architecture.
    pub(super) fn of(facts: &'a PlatformFacts, database: &'a Database) -> Option<Self> {
        let release = facts.release.as_deref()?;
        let architecture = architecture(facts);
        database.was_asked(release, architecture).then_some(Self { database, release, architecture })
    }

    /// The newest version of a source package.
    pub(super) fn source(self, name: &str) -> Result<Option<String>, DatabaseError> {
        self.database.newest_source(self.release, name, self.architecture)
    }
}

/// What there is of a source package, where suites were asked.
pub(super) fn available<'a>(asked: Option<Asked<'_>>, newest: Option<&'a str>) -> Available<&'a str> {
    match (asked, newest) {
        (None, _) => Available::NotAsked,
        (Some(_), None) => Available::Nothing,
        (Some(_), Some(version)) => Available::Newest(version),
    }
}

/// Debian's name for the architecture of an image: that of the first package that is not for all.
fn architecture(facts: &PlatformFacts) -> &str {
    let packages = facts.packages.iter().filter(|package| package.kind == DEB);
    packages.filter_map(|package| package.architecture.as_deref()).find(|name| *name != ALL).unwrap_or(ALL)
}

/// Adds to each package its newest version in the suites, and to the image which of its packages have less support.
pub(super) fn add(facts: &mut PlatformFacts, database: &Database) -> Result<(), DatabaseError> {
    let Some(release) = facts.release.clone() else { return Ok(()) };
    let architecture = architecture(facts).to_owned();
    if database.was_asked(&release, &architecture) {
        for package in facts.packages.iter_mut().filter(|package| package.kind == DEB) {
            let Some(newest) = database.newest(&release, &package.name, &architecture)? else { continue };
            package.candidate = Some(newest.version);
            package.candidate_suite = Some(newest.suite);
            package.candidate_source_version = Some(newest.source_version);
            package.security_candidate = newest.in_security;
        }
    }
    facts.less_support = less_support(&facts.packages, &release, database);
    Ok(())
}

/// The source packages of Debian's own that lists say to have less support.
fn less_support(packages: &[PackageFacts], release: &str, database: &Database) -> Vec<PackageSupportFacts> {
    let own = packages.iter().filter(|package| package.has_advisories);
    let sources: BTreeSet<&str> = own.map(|package| package.source.as_str()).collect();
    let mut found = BTreeSet::new();
    for entry in database.less_support(release) {
        let is_about = entry.about();
        for source in sources.iter().filter(|source| is_about(source)) {
            let (ended, last_version) = match &entry.extent {
                Extent::Limited => (None, None),
                // No version of the release had any.
                Extent::Ended { last, day } if last == "0" => (Some(*day), None),
                Extent::Ended { last, day } => (Some(*day), Some(last.clone())),
            };
            let source = (*source).to_owned();
            found.insert(PackageSupportFacts { source, ended, last_version, text: entry.text.clone() });
        }
    }
    found.into_iter().collect()
}

/// What a reader should know of suites that were not asked for an image, though others were.
pub(super) fn not_asked(facts: &PlatformFacts, database: &Database) -> Option<String> {
    let release = facts.release.as_deref()?;
    let is_missing = database.has_suites() && Asked::of(facts, database).is_none();
    is_missing.then(|| {
        let architecture = architecture(facts);
        format!("no suite of {release} was asked for {architecture}, so that nobody knows which repairs are to be had")
    })
}

/// Suites that were looked at too long ago, by the codename of their release, in words.
pub(super) fn outdated(
    sources: &[SourceFacts],
    now: Timestamp,
    limit: SignedDuration,
) -> BTreeMap<String, Vec<String>> {
    let mut outdated: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for suite in sources.iter().filter(|source| source.kind == "suite") {
        if let Some(age) = suite.outdated(now, limit) {
            let words = format!("{}: {age}: which repairs it has now, nobody can tell", suite.name);
            outdated.entry(base_of(&suite.name).to_owned()).or_default().push(words);
        }
    }
    outdated
}

/// Takes back that a repair is not to be had yet: what suites have now that were looked at too long ago, nobody can tell.
pub(super) fn doubt(facts: &mut PlatformFacts) {
    for finding in &mut facts.findings {
        if finding.fix_state == FixState::Announced {
            finding.fix_state = FixState::Unchecked;
        }
    }
}
