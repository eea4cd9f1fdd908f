//! What several found of the same, as one.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::str::FromStr;

use distil_debunpack::Version;

use crate::advisory::{Epss, Kev};
use crate::canonical::{canonical_ids, cve_of};
use crate::finding::{Finding, FixState, OriginKind, Status};
use crate::severity::Rater;

/// Joins findings of the same vulnerability, release, source package and source version, whoever found them, and sorts them.
/// The order in which they come does not matter, and every origin is kept.
///
/// Where Debian's own data and a scanner's report disagree, Debian's word of how it stands and how urgent it is counts; but
/// what a report finds is never taken back.
#[must_use]
pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = findings.into_iter().flat_map(canonical).collect();
    // Neighbours rather than a map of lists, which would take several times the memory of the findings.
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    let (mut all, mut same) = (Vec::new(), Vec::new());
    for finding in findings {
        if same.first().is_some_and(|first| key(first) != key(&finding)) {
            all.extend(join(std::mem::take(&mut same)));
        }
        same.push(finding);
    }
    all.extend(join(same));
    all
}

/// By source package first, as a reader looks for them; then identifier, release and version.
fn key(finding: &Finding) -> (&str, &str, Option<&str>, &str) {
    let Finding { source, id, release, source_version, .. } = finding;
    (source, id, release.as_deref(), source_version)
}

/// The finding under the identifier that all agree on: that of an advisory about several CVEs is one for each of them.
fn canonical(finding: Finding) -> Vec<Finding> {
    let ids = canonical_ids(&finding.id, finding.aliases.iter().map(String::as_str));
    let is_several = ids.len() > 1;
    let under = |(mut one, id): (Finding, String)| {
        if is_several {
            // They are no other names of each other.
            one.aliases.retain(|alias| cve_of(alias).is_none());
        }
        let other = std::mem::replace(&mut one.id, id);
        one.aliases.insert(other);
        one.aliases.remove(&one.id);
        one
    };
    // The last takes the finding itself, and most are the only one.
    std::iter::repeat_n(finding, ids.len()).zip(ids).map(under).collect()
}

fn join(mut findings: Vec<Finding>) -> Option<Finding> {
    findings.sort_by(compare);
    let has_own = findings.iter().any(|finding| is_own(finding) && has_debians_word(finding));
    if has_own {
        // Trivy says low and Grype negligible where Debian says unimportant.
        let others = findings.iter_mut().filter(|finding| !is_own(finding));
        others.for_each(|finding| finding.ratings.retain(|rating| rating.rater != Rater::DebianUrgency));
    }
    let mut findings = findings.into_iter();
    let mut joined = findings.next()?;
    for next in findings {
        joined.ratings.extend(next.ratings);
        joined.aliases.extend(next.aliases);
        for (name, version) in next.packages {
            let known = joined.packages.entry(name).or_default();
            if *known < version {
                *known = version;
            }
        }
        if joined.fixed == next.fixed {
            joined.fix_state = joined.fix_state.max(next.fix_state);
        }
        joined.published = earliest(joined.published, next.published);
        joined.fix_available = earliest(joined.fix_available, next.fix_available);
        joined.kev = join_kev(joined.kev, next.kev);
        joined.epss = match (joined.epss, next.epss) {
            (Some(a), Some(b)) => Some(if likelier(&a, &b) == Ordering::Less { b } else { a }),
            (a, b) => a.or(b),
        };
        joined.title = joined.title.or(next.title);
        joined.origins.extend(next.origins);
        joined.vex.extend(next.vex);
    }
    joined.ratings.sort();
    joined.ratings.dedup();
    joined.vex.sort();
    joined.vex.dedup();
    if joined.fixed.is_none() {
        joined.fix_state = FixState::None;
    }
    Some(joined)
}

/// The first is the one whose word counts. All that is taken from the first alone takes part, so that findings in another
/// order give the same.
fn compare(a: &Finding, b: &Finding) -> Ordering {
    let version = |finding: &Finding| finding.fixed.as_deref().and_then(|text| Version::from_str(text).ok());
    let title = |finding: &Finding| (finding.title.is_none(), finding.title.clone());
    precedence(a)
        .cmp(&precedence(b))
        .then_with(|| a.status.cmp(&b.status))
        .then_with(|| version(b).cmp(&version(a)))
        .then_with(|| b.fixed.cmp(&a.fixed))
        .then_with(|| title(a).cmp(&title(b)))
}

/// Whose word of the status counts: a repair that somebody knows of, then Debian's own.
fn precedence(finding: &Finding) -> u8 {
    match (is_own(finding), finding.status) {
        (true, Status::Fixed) => 0,
        (false, Status::Fixed) => 1,
        (true, Status::NotAffected | Status::Resolved) => 6,
        (true, status) if status.is_affected() => 2,
        (true, _) => 3,
        (false, status) if status.is_affected() => 4,
        (false, _) => 5,
    }
}

/// Whether Debian's own data has it.
fn is_own(finding: &Finding) -> bool {
    let own = BTreeSet::from([OriginKind::Tracker, OriginKind::Osv, OriginKind::Dsa, OriginKind::Dla]);
    finding.origins.iter().any(|origin| own.contains(&origin.kind))
}

fn has_debians_word(finding: &Finding) -> bool {
    finding.ratings.iter().any(|rating| rating.rater == Rater::DebianUrgency)
}

fn likelier(a: &Epss, b: &Epss) -> Ordering {
    a.score.total_cmp(&b.score).then(a.percentile.total_cmp(&b.percentile))
}

fn earliest<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn join_kev(a: Option<Kev>, b: Option<Kev>) -> Option<Kev> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Kev {
            added: a.added.min(b.added),
            due: earliest(a.due, b.due),
            ransomware: a.ransomware || b.ransomware,
        }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests;
