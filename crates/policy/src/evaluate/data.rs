//! Whether the data that findings come from is there, and fresh.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::Question;
use super::clock::is_older;
use super::judgement::{Judgement, violation};

/// The kinds of sources that advisories come from.
const FEEDS: &[&str] = &["tracker", "osv", "dsa", "dla"];
/// The kinds of sources that are reports of scanners.
const REPORTS: &[&str] = &["trivy", "grype", "osv-scanner", "sarif"];

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let Question { facts, policy, .. } = question;
    let of =
        |kinds: &'static [&str]| facts.data.sources.iter().filter(move |source| kinds.contains(&source.kind.as_str()));
    for gap in &facts.gaps {
        judgement.undecided(violation("DSTL-VUL-007", "data", gap.clone()));
    }
    if let Some(limit) = policy.freshness.max_scan_age {
        for report in of(REPORTS) {
            if let Some(date) = report.date.filter(|date| is_older(*date, limit, facts.now)) {
                judgement.add(violation(
                    "DSTL-UPD-003",
                    &report.name,
                    format!("the report is of {date}, older than {}", words(limit)),
                ));
            }
        }
    }
    // Reports bring the data of whoever made them: they are enough where they are fresh, and there is nothing else.
    let has_feeds = of(FEEDS).next().is_some();
    let (kinds, limit) =
        if has_feeds { (FEEDS, Some(policy.data.max_data_age)) } else { (REPORTS, policy.freshness.max_scan_age) };
    let newest = of(kinds).map(|source| source.date).max();
    let problem = match (newest, limit) {
        (None, _) => Some("there are no advisories and no reports".to_owned()),
        (Some(None), Some(_)) => Some("nothing says how old the data is".to_owned()),
        (Some(Some(date)), Some(limit)) if is_older(date, limit, facts.now) => {
            Some(format!("the newest is of {date}, older than {}", words(limit)))
        }
        _ => None,
    };
    if let Some(evidence) = problem {
        judgement.undecided(violation("DSTL-VUL-007", "data", evidence));
    }
    without_advisories(question, judgement);
}

/// Packages that no advisory is about.
fn without_advisories(question: Question<'_>, judgement: &mut Judgement) {
    for (name, platform) in &question.facts.platforms {
        if platform.packages.is_empty() {
            let evidence = "it has no package that is known, so that nothing could be looked up";
            judgement.undecided(violation("DSTL-VUL-007", name, evidence));
        }
        let packages = platform.packages.iter().filter(|package| !package.has_advisories);
        let sources: BTreeSet<(&str, &str, &str)> = packages
            .map(|package| (package.kind.as_str(), package.source.as_str(), package.source_version.as_str()))
            .collect();
        for (kind, source, version) in sources {
            let evidence = format!("no advisory source for {kind} package {source} {version}");
            judgement.on(name, violation("DSTL-VUL-006", source, evidence));
        }
    }
}

/// A time in the largest unit that fits it.
pub(super) fn words(limit: SignedDuration) -> String {
    let hours = limit.as_hours();
    if hours != 0 && hours % 24 == 0 { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}
