//! A record.

use std::collections::BTreeSet;

use distil_debunpack::Version;
use serde::Deserialize;

use crate::advisory::{Advisory, CveFacts, Feed, Item, Range, State, Urgency};
use crate::feed::text::{day, is_word, time, title, word};
use crate::feed::tracker::urgency;
use crate::feed::{FeedError, Summary};
use crate::release::{Release, Releases};
use crate::severity::{Rater, Rating};

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    id: String,
    modified: Option<String>,
    published: Option<String>,
    withdrawn: Option<String>,
    summary: Option<String>,
    details: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    related: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default)]
    severity: Vec<Vector>,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    score: String,
}

#[derive(Debug, Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Events>,
    #[serde(default)]
    versions: Vec<String>,
    ecosystem_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Specific {
    urgency: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Events {
    r#type: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

impl Record {
    pub(super) fn take(
        self,
        releases: &Releases,
        each: &mut dyn FnMut(Item),
        summary: &mut Summary,
    ) -> Result<(), FeedError> {
        let id = word(self.id, "id", || "a record".to_owned())?;
        summary.saw(self.modified.as_deref().and_then(time));
        let of_debian = |affected: &Affected| Some(release(&affected.package.as_ref()?.ecosystem, releases)?.clone());
        // A record without any package can still say how bad something is.
        let is_foreign =
            !self.affected.is_empty() && !self.affected.iter().any(|affected| of_debian(affected).is_some());
        if self.withdrawn.is_some() || is_foreign {
            summary.passed_over += 1;
            return Ok(());
        }
        summary.count()?;
        let published = self.published.as_deref().and_then(day);
        let cve = id.strip_prefix("DEBIAN-").unwrap_or(&id);
        let is_about_one = cve.starts_with("CVE-");
        // Of an advisory, what is related is what it repairs (records of 2023 have it so); of a CVE it is another CVE.
        let related = if is_about_one { Vec::new() } else { self.related };
        let aliases: BTreeSet<&str> = [&self.aliases, &related, &self.upstream]
            .into_iter()
            .flatten()
            .map(|alias| alias.strip_prefix("DEBIAN-").filter(|cve| cve.starts_with("CVE-")).unwrap_or(alias))
            .chain(is_about_one.then_some(cve))
            .filter(|alias| *alias != id && is_word(alias))
            .collect();
        let aliases: Vec<String> = aliases.into_iter().map(str::to_owned).collect();
        let summary_line = self.summary.as_deref().and_then(title);
        if is_about_one {
            let vectors = self.severity.iter().map(|vector| vector.score.as_str());
            each(Item::Cve(CveFacts {
                id: cve.to_owned(),
                // Debian's records copy what NVD says.
                ratings: newest(vectors.map(|vector| (Rater::NvdCvss, vector))),
                published,
                title: summary_line.clone().or_else(|| title(self.details.as_deref()?)),
                ..CveFacts::default()
            }));
        }
        for affected in self.affected {
            let Some(release) = of_debian(&affected) else { continue };
            let Some(package) = affected.package else { continue };
            let source = word(package.name, "package", || id.clone())?;
            let urgency = affected.ecosystem_specific.and_then(|specific| urgency(specific.urgency.as_deref()?));
            let Some(state) = state(affected.ranges, affected.versions, urgency) else { continue };
            each(Item::Advisory(Advisory {
                id: id.clone(),
                aliases: aliases.clone(),
                feed: Feed::Osv,
                release: release.codename,
                source,
                state,
                urgency,
                no_dsa: None,
                archive: None,
                published,
                title: if is_about_one { None } else { summary_line.clone() },
            }));
        }
        Ok(())
    }
}

/// Of each rater only what the newest version of CVSS says: older vectors of the same are kept for old tools.
pub(in crate::feed) fn newest<'a>(vectors: impl Iterator<Item = (Rater, &'a str)>) -> Vec<Rating> {
    let mut all: Vec<_> = vectors
        .filter_map(|(rater, vector)| {
            let version = vector.parse::<crate::cvss::Cvss>().ok()?.version();
            Some((rater, std::cmp::Reverse(version), Rating::from_vector(rater, vector)?))
        })
        .collect();
    all.sort();
    let newest: std::collections::BTreeMap<Rater, _> =
        all.iter().rev().map(|(rater, version, _)| (*rater, *version)).collect();
    let mut kept: Vec<Rating> = all
        .into_iter()
        .filter(|(rater, version, _)| newest.get(rater) == Some(version))
        .map(|(_, _, rating)| rating)
        .collect();
    kept.dedup();
    kept
}

/// The release of an ecosystem, `Debian:12` or `Debian:sid`.
fn release<'a>(ecosystem: &str, releases: &'a Releases) -> Option<&'a Release> {
    let name = ecosystem.strip_prefix("Debian:")?;
    releases.by_version(name).or_else(|| releases.by_codename(name))
}

/// What ranges and versions say together. Nothing is affected where there are none of both.
fn state(ranges: Vec<Events>, versions: Vec<String>, urgency: Option<Urgency>) -> Option<State> {
    let ranges: Vec<Range> =
        ranges.into_iter().filter(|range| range.r#type == "ECOSYSTEM").flat_map(|range| walk(range.events)).collect();
    let versions: Vec<String> =
        versions.into_iter().filter(|version| is_word(version) && !is_within(version, &ranges)).collect();
    match (ranges.as_slice(), versions.is_empty()) {
        ([], true) => None,
        ([Range::From(first)], true) if first == "0" && urgency == Some(Urgency::EndOfLife) => Some(State::EndOfLife),
        ([Range::From(first)], true) if first == "0" => Some(State::Open),
        ([Range::Below(first, fixed)], true) if first == "0" => Some(State::Fixed(fixed.clone())),
        _ => Some(State::Ranges { ranges, versions }),
    }
}

/// The ranges of events, in the order of versions and whatever order they are written in.
fn walk(events: Vec<Event>) -> Vec<Range> {
    enum End {
        Below,
        UpTo,
    }
    let mut sorted: Vec<(Option<Version>, String, Option<End>)> = Vec::new();
    for event in events {
        let parts = [(event.introduced, None), (event.fixed, Some(End::Below)), (event.last_affected, Some(End::UpTo))];
        for (version, end) in parts {
            let Some(version) = version else { continue };
            // `0` is before every version, also before `0~1`; so it has none.
            let parsed = if version == "0" || !is_word(&version) { None } else { version.parse().ok() };
            if parsed.is_some() || version == "0" {
                sorted.push((parsed, version, end));
            } else if end.is_none() {
                // What begins at no version begins somewhere.
                sorted.push((None, "0".to_owned(), None));
            }
        }
    }
    sorted.sort_by(|one, two| one.0.cmp(&two.0));
    let mut ranges = Vec::new();
    let mut from = None;
    for (_, version, end) in sorted {
        match (end, from.take()) {
            (None, None) => from = Some(version),
            (None, Some(earlier)) => from = Some(earlier),
            (Some(End::Below), Some(first)) => ranges.push(Range::Below(first, version)),
            (Some(End::UpTo), Some(first)) => ranges.push(Range::UpTo(first, version)),
            (Some(_), None) => {}
        }
    }
    ranges.extend(from.map(Range::From));
    ranges
}

/// Whether a version that is listed by itself is in a range anyway, as nearly all are.
fn is_within(version: &str, ranges: &[Range]) -> bool {
    let Ok(version) = version.parse::<Version>() else { return false };
    let from = |first: &str| first == "0" || first.parse::<Version>().is_ok_and(|first| version >= first);
    ranges.iter().any(|range| match range {
        Range::From(first) => from(first),
        Range::Below(first, end) => from(first) && end.parse::<Version>().is_ok_and(|end| version < end),
        Range::UpTo(first, last) => from(first) && last.parse::<Version>().is_ok_and(|last| version <= last),
    })
}
