//! Whether the release of an image and its packages are supported, and for how long.

use jiff::civil::Date;

use super::Question;
use super::clock::{after, days_between};
use super::judgement::{Judgement, violation};
use super::packages::record;
use crate::document::SupportTier;
use crate::facts::{PackageSupportFacts, PlatformFacts, SupportFacts};

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let Question { facts, policy, today } = question;
    for (name, platform) in &facts.platforms {
        for entry in &platform.less_support {
            judge_package(question, (name, platform), entry, judgement);
        }
        let known = platform.release.as_deref().and_then(|release| Some((release, facts.support.get(release)?)));
        let Some((release, support)) = known else {
            let system = platform.system.as_deref().unwrap_or("no system");
            let release = platform.release.as_deref().unwrap_or("of no known release");
            judgement.undecided(violation("DSTL-EOS-004", name, format!("{system} {release}")));
            continue;
        };
        let tier = policy.freshness.support_tier;
        let Some(last) = end(support, tier) else { continue };
        let left = days_between(today, last);
        let (rule, evidence) = if left < 0 {
            ("DSTL-EOS-001", format!("{} support ended on {last}", word(tier)))
        } else {
            judgement.holds_until(last);
            if after(today, policy.freshness.end_of_support_notice) < last {
                continue;
            }
            ("DSTL-EOS-002", format!("{} support ends on {last}", word(tier)))
        };
        let mut found = violation(rule, release, evidence);
        (found.deadline, found.days_left) = (Some(last), Some(left));
        judgement.on(name, found);
    }
}

/// A source package with less support than the release.
fn judge_package(
    question: Question<'_>,
    (name, platform): (&str, &PlatformFacts),
    entry: &PackageSupportFacts,
    judgement: &mut Judgement,
) {
    let Question { policy, today, .. } = question;
    let Some(weight) = policy.freshness.limited_support else { return };
    let last = entry.last_version.as_deref().map(|version| format!(", with version {version}")).unwrap_or_default();
    let left = entry.ended.map(|day| days_between(today, day));
    let mut evidence = match (entry.ended, left) {
        (Some(day), Some(..0)) => format!("its support ended on {day}{last}"),
        (Some(day), _) => {
            judgement.holds_until(day);
            if after(today, policy.freshness.end_of_support_notice) < day {
                return;
            }
            format!("its support ends on {day}{last}")
        }
        (None, _) => "its support is limited".to_owned(),
    };
    if let Some(text) = &entry.text {
        evidence.push_str(": ");
        evidence.push_str(text);
    }
    let mut found = violation("DSTL-EOS-003", &entry.source, evidence);
    found.weight = weight;
    found.location = platform.packages.iter().find(|package| package.source == entry.source).and_then(record);
    (found.deadline, found.days_left) = (entry.ended, left);
    judgement.on(name, found);
}

/// The last day of support: that of the tier, or of the longest below it that is known.
fn end(support: &SupportFacts, tier: SupportTier) -> Option<Date> {
    let SupportFacts { regular, lts, elts, .. } = *support;
    match tier {
        SupportTier::Regular => regular,
        SupportTier::Lts => lts.or(regular),
        SupportTier::Elts => elts.or(lts).or(regular),
    }
}

fn word(tier: SupportTier) -> &'static str {
    match tier {
        SupportTier::Regular => "regular",
        SupportTier::Lts => "long-term",
        SupportTier::Elts => "extended long-term",
    }
}
