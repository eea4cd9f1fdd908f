//! Which advisories an installed package is affected by.
//!
//! A source package is looked up by the release that it is for, its name and its version, in dpkg's order, and never by less:
//! without a release there is no answer. What several advisories say of one CVE becomes one finding. What the security tracker
//! says of a CVE in a release, itself or as an OSV record, is believed before lists of advisories, which know nothing of
//! repairs in point releases.

mod claim;
mod foreign;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use distil_debunpack::Version;

use crate::advisory::{Advisory, CveFacts, Feed, State, Urgency};
use crate::canonical::{canonical_ids, cve_of};
use crate::finding::{Finding, FixState, Origin, OriginKind, Status};
use crate::severity::{Level, Rater, Rating};
use claim::Claim;

pub use foreign::is_debians;

/// A source package of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// The codename of the release that it is for.
    pub release: String,
    /// Its name.
    pub source: String,
    /// Its version: never that of a binary package, which may differ in every part.
    pub source_version: String,
    /// The binary packages of the image that were built from it, with their versions.
    pub packages: BTreeMap<String, String>,
}

/// What the configured suites have of a source package, for the architecture of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Available<V> {
    /// They were not asked: what the security tracker saw in the archive stands in.
    NotAsked,
    /// They do not have it.
    Nothing,
    /// Its newest version in any of them.
    Newest(V),
}

/// What of these advisories an installed package is affected by, sorted by identifier.
///
/// Advisories for other releases or sources are passed over. `cve` is asked once for each CVE of a finding. A repair is to be had
/// where what is `available` is not below it. With `all`, what does not affect this version is found too, and says so by its
/// status.
pub fn find(
    installed: &Installed,
    advisories: &[Advisory],
    cve: &mut dyn FnMut(&str) -> Option<CveFacts>,
    available: Available<&str>,
    all: bool,
) -> Vec<Finding> {
    if installed.release.is_empty() {
        return Vec::new();
    }
    let mut groups: BTreeMap<String, Vec<&Advisory>> = BTreeMap::new();
    let is_about = |a: &&Advisory| a.release == installed.release && a.source == installed.source;
    for advisory in advisories.iter().filter(is_about) {
        for id in vulnerabilities(advisory, advisories) {
            groups.entry(id).or_default().push(advisory);
        }
    }
    let version = Version::from_str(&installed.source_version).ok();
    let parse = |text: &str| Version::from_str(text).ok();
    // The tracker looks into the archive itself, the repositories for security and for long-term support too.
    let in_archive = || advisories.iter().filter(is_about).filter_map(|a| parse(a.archive.as_deref()?)).max();
    let known = |version: Option<Version>| version.map_or(Available::NotAsked, Available::Newest);
    let available = match available {
        Available::NotAsked => known(in_archive()),
        Available::Nothing => Available::Nothing,
        Available::Newest(text) => known(parse(text)),
    };
    let mut found = Vec::new();
    for (id, mut advisories) in groups {
        advisories.sort_by(|a, b| (a.feed, &a.id).cmp(&(b.feed, &b.id)));
        let claim = decide(&advisories, version.as_ref());
        if all || !matches!(claim.status, Status::NotAffected | Status::Resolved) {
            let facts = cve(&id).unwrap_or_default();
            found.push(finding(installed, id, &advisories, claim, facts, &available));
        }
    }
    found
}

/// What an advisory is about. OSV has no CVEs of an update that repairs an update, where the lists have those of the first.
fn vulnerabilities(advisory: &Advisory, all: &[Advisory]) -> Vec<String> {
    let own = advisory.aliases.iter().map(String::as_str);
    let ids = canonical_ids(&advisory.id, own.clone());
    if ids.iter().any(|id| *id != advisory.id) || is_of_one(&advisory.id) {
        return ids;
    }
    let same = all.iter().filter(|other| other.id == advisory.id && other.source == advisory.source);
    canonical_ids(&advisory.id, own.chain(same.flat_map(|other| &other.aliases).map(String::as_str)))
}

/// How much an advisory's word counts: the lower, the more.
fn rank(advisory: &Advisory) -> u8 {
    match advisory.feed {
        Feed::Tracker => 0,
        // What OSV has of the tracker calls affected what nobody has looked at yet.
        Feed::Osv if is_of_one(&advisory.id) => 1,
        Feed::Osv | Feed::Dsa | Feed::Dla => 2,
    }
}

/// Whether it is about a single vulnerability, rather than an advisory that repairs several.
fn is_of_one(id: &str) -> bool {
    cve_of(id).is_some() || id.starts_with("TEMP-")
}

/// What a version is to advisories about one vulnerability.
fn decide(advisories: &[&Advisory], version: Option<&Version>) -> Claim {
    let mut by_rank: BTreeMap<u8, Vec<Claim>> = BTreeMap::new();
    for advisory in advisories {
        by_rank.entry(rank(advisory)).or_default().push(Claim::of(advisory, version));
    }
    let mut ranks = by_rank.into_values().filter_map(Claim::join);
    let Some(first) = ranks.next() else { return Claim::unknown() };
    if matches!(first.status, Status::NotAffected | Status::Resolved | Status::Fixed) {
        return first;
    }
    // The tracker that was read may be older than the advisory that repairs it.
    ranks.find(|claim| claim.status == Status::Fixed).unwrap_or(first)
}

fn finding(
    installed: &Installed,
    id: String,
    advisories: &[&Advisory],
    claim: Claim,
    facts: CveFacts,
    available: &Available<Version>,
) -> Finding {
    let mut aliases = BTreeSet::new();
    let mut ratings = facts.ratings;
    for advisory in advisories {
        aliases.insert(advisory.id.clone());
        if is_of_one(&advisory.id) {
            // The CVEs of an advisory that repairs several are no other names of each other.
            aliases.extend(advisory.aliases.iter().filter(|alias| cve_of(alias).is_none()).cloned());
        }
        ratings.extend(rating(advisory));
    }
    aliases.remove(&id);
    ratings.sort();
    ratings.dedup();
    let fixed = claim.fixed;
    let announced = |a: &&&Advisory| matches!((&a.state, &fixed), (State::Fixed(f), Some(g)) if f == g.as_str());
    let fix_available = advisories.iter().filter(|a| rank(a) == 2).filter(announced).filter_map(|a| a.published).min();
    let of_itself = advisories.iter().filter(|a| is_of_one(&a.id)).filter_map(|a| a.published).min();
    let of_repair = advisories.iter().filter_map(|a| a.published).min();
    let fix_state = match (&fixed, available) {
        (None, _) => FixState::None,
        (Some(_), Available::NotAsked) => FixState::Unchecked,
        (Some(fixed), Available::Newest(version)) if version >= fixed => FixState::InSuite,
        (Some(_), Available::Newest(_) | Available::Nothing) => FixState::Announced,
    };
    Finding {
        id,
        aliases,
        release: Some(installed.release.clone()),
        source: installed.source.clone(),
        source_version: installed.source_version.clone(),
        packages: installed.packages.clone(),
        status: claim.status,
        fixed: fixed.map(|version| version.to_string()),
        fix_state,
        ratings,
        published: facts.published.or(of_itself).or(of_repair),
        fix_available,
        kev: facts.kev,
        epss: facts.epss,
        title: facts.title.or_else(|| advisories.iter().find_map(|advisory| advisory.title.clone())),
        origins: advisories.iter().map(|advisory| origin(advisory)).collect(),
        vex: Vec::new(),
    }
}

fn origin(advisory: &Advisory) -> Origin {
    let kind = match advisory.feed {
        Feed::Tracker => OriginKind::Tracker,
        Feed::Osv => OriginKind::Osv,
        Feed::Dsa => OriginKind::Dsa,
        Feed::Dla => OriginKind::Dla,
    };
    Origin { kind, id: advisory.id.clone(), report: None }
}

/// Debian's word. That nobody has found one yet is told too; advisories that repair several have none.
fn rating(advisory: &Advisory) -> Option<Rating> {
    let level = match advisory.urgency {
        Some(Urgency::Unimportant) => Some(Level::Negligible),
        Some(Urgency::Low) => Some(Level::Low),
        Some(Urgency::Medium) => Some(Level::Moderate),
        Some(Urgency::High) => Some(Level::High),
        Some(Urgency::EndOfLife) | None => None,
    };
    (level.is_some() || is_of_one(&advisory.id)).then_some(Rating {
        rater: Rater::DebianUrgency,
        level,
        score: None,
        vector: None,
    })
}

#[cfg(test)]
mod tests;
