//! JSON of [Debian's security tracker](https://security-tracker.debian.org/tracker/data/json): an object of source packages, of
//! issues in them, of releases.
//!
//! What it says of a release is about the version that the archive had when it was made, so that only `fixed_version` counts
//! for others. It has no times in it.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use distil_debunpack::Version;
use serde::de::{DeserializeSeed as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json::{Each, Members, Unique, outcome};
use super::text::{is_word, title, word};
use super::{FeedError, Summary};
use crate::advisory::{Advisory, CveFacts, Feed, Item, NoDsa, State, Urgency};

#[derive(Debug, Deserialize)]
struct Issue {
    description: Option<String>,
    #[serde(default)]
    releases: InReleases,
}

/// What is said of each release. The tracker writes an array where there is none.
#[derive(Debug, Default)]
struct InReleases(Unique<InRelease>);

impl<'de> Deserialize<'de> for InReleases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = InReleases;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("releases")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InReleases, A::Error> {
                Unique::of(map).map(InReleases)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<InReleases, A::Error> {
                match elements.next_element::<IgnoredAny>()? {
                    None => Ok(InReleases::default()),
                    Some(_) => Err(A::Error::custom("releases are an object")),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[derive(Debug, Deserialize)]
struct InRelease {
    status: String,
    #[serde(default)]
    repositories: Unique<String>,
    fixed_version: Option<String>,
    urgency: Option<String>,
    nodsa: Option<String>,
    nodsa_reason: Option<String>,
    #[serde(default)]
    next_point_update: bool,
}

pub(super) fn read(reader: &mut dyn Read, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let mut summary = Summary::default();
    let mut sources = BTreeSet::new();
    let mut take = |(source, issues): (String, Unique<Issue>)| {
        let source = word(source, "a source package", || "the feed".to_owned())?;
        if !sources.insert(source.clone()) {
            return Err(FeedError::Record { record: source, what: "a source package", expected: "there once" });
        }
        for (id, issue) in issues.0 {
            summary.count()?;
            take(&source, id, issue, each)?;
        }
        Ok(())
    };
    let mut failed = None;
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let parsed = Members(Each::new(&mut take, &mut failed)).deserialize(&mut deserializer);
    outcome(parsed.and_then(|()| deserializer.end()), failed)?;
    Ok(summary)
}

fn take(source: &str, id: String, issue: Issue, each: &mut dyn FnMut(Item)) -> Result<(), FeedError> {
    let id = word(id, "an issue", || source.to_owned())?;
    if let Some(title) = issue.description.as_deref().and_then(title) {
        each(Item::Cve(CveFacts { id: id.clone(), title: Some(title), ..CveFacts::default() }));
    }
    for (release, found) in issue.releases.0.0 {
        let release = word(release, "a release", || format!("{id} in {source}"))?;
        let wrong =
            |what, expected| FeedError::Record { record: format!("{id} in {source}, {release}"), what, expected };
        let urgency = found.urgency.as_deref().and_then(urgency);
        let state = match (found.status.as_str(), found.fixed_version) {
            ("resolved", Some(version)) if version == "0" => State::NotAffected,
            ("resolved", Some(version)) if is_word(&version) => State::Fixed(version),
            ("resolved", _) => return Err(wrong("fixed_version", "a version, since the status is resolved")),
            ("open", _) if urgency == Some(Urgency::EndOfLife) => State::EndOfLife,
            ("open", _) => State::Open,
            ("undetermined", _) => State::Undetermined,
            _ => return Err(wrong("status", "resolved, open or undetermined")),
        };
        let no_dsa = match (found.nodsa_reason.as_deref(), found.nodsa) {
            (Some("ignored"), _) => Some(NoDsa::Ignored),
            (Some("postponed"), _) => Some(NoDsa::Postponed),
            // The repair waits for the next point release.
            _ if found.next_point_update => Some(NoDsa::Postponed),
            (Some(_), _) | (None, Some(_)) => Some(NoDsa::Minor),
            (None, None) => None,
        };
        each(Item::Advisory(Advisory {
            id: id.clone(),
            aliases: Vec::new(),
            feed: Feed::Tracker,
            release,
            source: source.to_owned(),
            state,
            urgency,
            no_dsa,
            archive: highest(found.repositories.0.into_values()),
            published: None,
            title: None,
        }));
    }
    Ok(())
}

/// Debian's urgency by its word. A star says that it was set automatically, which changes nothing; what has not been assigned
/// yet is none.
pub(super) fn urgency(word: &str) -> Option<Urgency> {
    match word.trim_end_matches('*') {
        "unimportant" => Some(Urgency::Unimportant),
        "low" => Some(Urgency::Low),
        "medium" => Some(Urgency::Medium),
        "high" => Some(Urgency::High),
        "end-of-life" => Some(Urgency::EndOfLife),
        _ => None,
    }
}

/// The highest of versions. What is no version is in no archive.
fn highest(versions: impl Iterator<Item = String>) -> Option<String> {
    let highest = versions.filter_map(|text| text.parse::<Version>().ok()).max()?;
    Some(highest.as_str().to_owned())
}
