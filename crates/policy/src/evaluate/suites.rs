//! What the configured suites have that an image has not, and whether that is known well enough.

use std::borrow::Cow;
use std::collections::BTreeSet;

use distil_vulns::release::base_of;
use distil_vulns::{FixState, Version};
use jiff::{SignedDuration, Timestamp};

use super::Question;
use super::clock::is_older;
use super::data::words;
use super::judgement::{Judgement, violation};
use super::packages::record;
use crate::facts::{Facts, PackageFacts, PlatformFacts, SourceFacts};
use crate::policy::Policy;
use crate::verdict::Weight;

/// The kind of sources that are suites.
const SUITE: &str = "suite";

/// The facts without what suites cannot tell that were looked at too long ago: that a repair is not in them yet. What they had,
/// they still have.
pub(super) fn settled<'a>(facts: &'a Facts, policy: &Policy) -> Cow<'a, Facts> {
    let old: BTreeSet<&str> = suites(facts).filter(|suite| age(suite, facts, policy).is_some()).map(release).collect();
    let is_old = |platform: &PlatformFacts| platform.release.as_deref().is_some_and(|release| old.contains(release));
    if !facts.platforms.values().any(is_old) {
        return Cow::Borrowed(facts);
    }
    let mut settled = facts.clone();
    for platform in settled.platforms.values_mut().filter(|platform| is_old(platform)) {
        for finding in &mut platform.findings {
            if finding.fix_state == FixState::Announced {
                finding.fix_state = FixState::Unchecked;
            }
        }
    }
    Cow::Owned(settled)
}

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    for (name, platform) in &question.facts.platforms {
        for package in platform.packages.iter().filter(|package| package.kind == "deb") {
            judge_package(question, (name, platform), package, judgement);
        }
    }
    judge_age(question, judgement);
}

fn judge_package(
    question: Question<'_>,
    (name, platform): (&str, &PlatformFacts),
    package: &PackageFacts,
    judgement: &mut Judgement,
) {
    let rules = &question.policy.freshness;
    let Some(candidate) = newer(package, package.candidate.as_deref()) else { return };
    let repaired = repaired(platform, package);
    let is_security = newer(package, package.security_candidate.as_deref()).is_some() || !repaired.is_empty();
    let Some(weight) = (if is_security { rules.security_packages } else { rules.packages }) else { return };
    let suite = package.candidate_suite.as_deref().map(|suite| format!(" in {suite}")).unwrap_or_default();
    let word = if is_security { ", a security update" } else { "" };
    let repairs = match repaired.as_slice() {
        [] => String::new(),
        [id] => format!("; it repairs {id}"),
        [id, more @ ..] => format!("; it repairs {id} and {} more", more.len()),
    };
    let evidence = format!("{} is there, and {candidate} to be had{suite}{word}{repairs}", package.version);
    let mut found = violation("DSTL-UPD-002", &package.name, evidence);
    found.weight = weight;
    found.location = record(package);
    judgement.on(name, found);
}

/// A version of a package, where it is newer than the one that is there.
fn newer<'a>(package: &PackageFacts, version: Option<&'a str>) -> Option<&'a str> {
    let offered = version?;
    (package.version.parse::<Version>().ok()? < offered.parse::<Version>().ok()?).then_some(offered)
}

/// The vulnerabilities that the version of the suites repairs, sorted.
fn repaired<'a>(platform: &'a PlatformFacts, package: &PackageFacts) -> Vec<&'a str> {
    let version = |text: &str| text.parse::<Version>().ok();
    let Some(offered) = package.candidate_source_version.as_deref().and_then(version) else { return Vec::new() };
    let of_package = platform.findings.iter().filter(|finding| {
        (&finding.source, &finding.source_version) == (&package.source, &package.source_version)
            && finding.status.is_affected()
    });
    let mut ids: Vec<&str> = of_package
        .filter(|finding| finding.fixed.as_deref().and_then(version).is_some_and(|fixed| fixed <= offered))
        .map(|finding| finding.id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Tells which suites were looked at too long ago. Where a newer package would be against the image, nothing is decided then.
fn judge_age(question: Question<'_>, judgement: &mut Judgement) {
    let Question { facts, policy, .. } = question;
    let releases: BTreeSet<&str> =
        facts.platforms.values().filter_map(|platform| platform.release.as_deref()).collect();
    let rules = &policy.freshness;
    let decides = [rules.packages, rules.security_packages].contains(&Some(Weight::Error));
    for suite in suites(facts).filter(|suite| releases.contains(release(suite))) {
        let Some(age) = age(suite, facts, policy) else { continue };
        let evidence = format!("{age}: what else it has now, nobody can tell");
        let found = violation(if decides { "DSTL-VUL-007" } else { "DSTL-UPD-003" }, &suite.name, evidence);
        let found = crate::Violation { fix: "ask it again with `distil db import --suites`".to_owned(), ..found };
        if decides { judgement.undecided(found) } else { judgement.add(found) }
    }
}

fn suites(facts: &Facts) -> impl Iterator<Item = &SourceFacts> {
    facts.data.sources.iter().filter(|source| source.kind == SUITE)
}

/// The codename of the release that a suite belongs to.
fn release(suite: &SourceFacts) -> &str {
    base_of(&suite.name)
}

fn age(suite: &SourceFacts, facts: &Facts, policy: &Policy) -> Option<String> {
    suite.outdated(facts.now, policy.data.max_data_age)
}

impl SourceFacts {
    /// Why a suite was looked at too long ago for what it lacks to be known, in words.
    #[must_use]
    pub fn outdated(&self, now: Timestamp, limit: SignedDuration) -> Option<String> {
        match (self.fetched, self.valid_until) {
            (None, _) => Some("nothing says when the suite was fetched".to_owned()),
            (_, Some(end)) if end < now => Some(format!("the suite was to be believed until {end}")),
            (Some(fetched), _) if is_older(fetched, limit, now) => {
                Some(format!("the suite was fetched at {fetched}, longer than {} ago", words(limit)))
            }
            _ => None,
        }
    }
}
