//! What documents mean for findings.

mod target;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Statement, VexDocument};
use crate::finding::{Finding, VexNote};
use target::Target;

/// How far clocks may be apart: a statement that is dated further ahead than that is of no time that has been.
const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// The image that findings are of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Digests by which it is known: that of its manifest, and that of an index it is in.
    pub digests: BTreeSet<String>,
    /// References by which it is known, as in `registry.example.org/team/app:1.0`.
    pub references: BTreeSet<String>,
    /// Its name without registry and path where it has no reference, as in `app`.
    pub name: Option<String>,
    /// Debian's name of its architecture, as in `amd64`.
    pub architecture: Option<String>,
    /// Its system as in package URLs, as in `debian-12`.
    pub distro: Option<String>,
}

/// A statement that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Unusable {
    /// The document.
    pub document: String,
    /// Which of its statements, from 1. Of CSAF it is which vulnerability.
    pub statement: usize,
    /// What it is about.
    pub ids: BTreeSet<String>,
    /// Why it is not used.
    pub reason: String,
}

/// A statement and where it stands.
#[derive(Clone, Copy)]
struct Placed<'a> {
    document: &'a VexDocument,
    /// Of all documents, so that two of the same time have an order.
    order: (usize, usize),
    statement: &'a Statement,
}

/// Fills [`Finding::vex`] with what the documents say at this moment, and gives the statements that are not used.
///
/// A statement that is dated more than a day ahead is not used: it would stay the latest, and never grow old. Nor is one about
/// packages of another system than the image's.
///
/// Of several statements about a package the latest counts, and of two of the same time the one that stands later. A finding
/// can be of several packages: then a note is there only if there is a statement about each, and where one of these does not
/// say that it is not affected, only that one is there. So a finding may be left out where there are notes and all of them
/// say so. Hand this only documents whose authors count, since one document can overrule another.
pub fn apply(findings: &mut [Finding], documents: &[VexDocument], subject: &Subject, now: Timestamp) -> Vec<Unusable> {
    let mut unusable: BTreeSet<Unusable> =
        documents.iter().flat_map(|document| document.unusable.iter().cloned()).collect();
    let mut by_id: BTreeMap<String, Vec<Placed<'_>>> = BTreeMap::new();
    for (at, document) in documents.iter().enumerate() {
        for (index, statement) in document.statements.iter().enumerate() {
            let placed = Placed { document, order: (at, index), statement };
            if let Err(reason) = usable(statement, subject, now) {
                unusable.insert(placed.unusable(reason));
                continue;
            }
            for id in statement.ids.iter().map(|id| canonical(id)) {
                by_id.entry(id).or_default().push(placed);
            }
        }
    }
    for finding in findings {
        let ids: BTreeSet<String> =
            std::iter::once(&finding.id).chain(&finding.aliases).map(|id| canonical(id)).collect();
        let mut candidates: Vec<Placed<'_>> = ids.iter().filter_map(|id| by_id.get(id)).flatten().copied().collect();
        if candidates.is_empty() {
            continue;
        }
        candidates.sort_by_key(|placed| (placed.statement.timestamp, placed.order));
        candidates.dedup_by_key(|placed| placed.order);
        let targets = Target::of(finding, subject);
        let winners: Vec<Option<Placed<'_>>> = targets
            .iter()
            .map(|target| candidates.iter().rev().find(|placed| target.is_meant(placed)).copied())
            .collect();
        match notes(&winners) {
            Ok(notes) => finding.vex = notes,
            Err(part) => {
                let left = targets.iter().zip(&winners).find(|(_, winner)| winner.is_none());
                let left = left.map(|(target, _)| target.name()).unwrap_or_default();
                let reason = format!("it is not about {left}, which has the vulnerability as well");
                unusable.insert(part.unusable(reason));
            }
        }
    }
    unusable.into_iter().collect()
}

/// What counts for a finding with these statements about its packages; the first one where some package has none.
fn notes<'a>(winners: &[Option<Placed<'a>>]) -> Result<Vec<VexNote>, Placed<'a>> {
    let mut about: Vec<Placed<'a>> = winners.iter().flatten().copied().collect();
    let is_against = |placed: &&Placed<'_>| !placed.statement.status.suppresses();
    if let Some(against) = about.iter().find(is_against) {
        return Ok(vec![against.note()]);
    }
    match about.first() {
        Some(first) if about.len() < winners.len() => Err(*first),
        _ => {
            about.sort_by_key(|placed| placed.order);
            about.dedup_by_key(|placed| placed.order);
            Ok(about.iter().map(Placed::note).collect())
        }
    }
}

/// Whether a statement can be used for this image at this moment.
fn usable(statement: &Statement, subject: &Subject, now: Timestamp) -> Result<(), String> {
    if let Some(time) = statement.timestamp.filter(|time| time.duration_since(now) > TOLERANCE) {
        return Err(format!("it is dated {time}, which is still to come"));
    }
    statement.check_for(subject.vendor())
}

impl Subject {
    /// Whose packages it has, as in package URLs.
    fn vendor(&self) -> &str {
        self.distro.as_deref().and_then(|distro| distro.split_once('-')).map_or("debian", |(vendor, _)| vendor)
    }
}

impl Placed<'_> {
    fn unusable(&self, reason: String) -> Unusable {
        Unusable {
            document: self.document.id.clone(),
            statement: self.order.1 + 1,
            ids: self.statement.ids.clone(),
            reason,
        }
    }

    fn note(&self) -> VexNote {
        VexNote {
            document: self.document.id.clone(),
            author: self.document.author.clone(),
            status: self.statement.status.as_str().to_owned(),
            justification: self.statement.justification.clone(),
            impact: self.statement.impact.clone(),
            date: self.statement.timestamp.map(|time| time.to_zoned(TimeZone::UTC).date()),
            is_verified: self.document.is_verified,
        }
    }
}

/// An identifier as those of several databases have it in common: OSV writes `DEBIAN-CVE-…` for a CVE.
fn canonical(id: &str) -> String {
    let id = id.trim().to_ascii_uppercase();
    match id.strip_prefix("DEBIAN-") {
        Some(cve) if cve.starts_with("CVE-") => cve.to_owned(),
        _ => id,
    }
}
