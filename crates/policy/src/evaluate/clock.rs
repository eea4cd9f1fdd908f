//! When a vulnerability has to be resolved.

use distil_vulns::{Finding, FixState, Level};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::document::{FixableMeans, Start, Unfixed, Vulnerabilities};
use crate::ledger::Entry;

/// Where the clock of a vulnerability stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Its last day.
    Due(Date),
    /// No version repairs it, and its days begin when one does.
    Held,
    /// It has no last day.
    Never,
    /// No version repairs it, and the policy leaves it out until one does.
    LeftOut,
}

/// Whether a version that repairs it is to be had, as the policy means it.
pub(super) fn is_fixable(finding: &Finding, rules: &Vulnerabilities) -> bool {
    match (finding.fix_state, rules.fixable_means) {
        (FixState::None, _) | (FixState::Announced, FixableMeans::InSuite) => false,
        // Where nobody could tell, an image does not pass for that.
        (FixState::InSuite | FixState::Unchecked, _) | (FixState::Announced, FixableMeans::Announced) => true,
    }
}

/// Where the clock stands: from the ledger's days, the finding's and the policy's. A severity that rises or falls later
/// changes the number of days, never the day from which they are counted.
pub(super) fn clock(finding: &Finding, entry: &Entry, level: Level, rules: &Vulnerabilities) -> Clock {
    let fixable = is_fixable(finding, rules);
    let fix = if fixable { entry.first_fixable.or(finding.fix_available) } else { None };
    let catalogue = finding.kev.as_ref().and_then(|kev| kev.due).filter(|_| rules.kev_due_date);
    let begun = match rules.start {
        Start::FirstSeen => entry.first_seen,
        Start::Published => finding.published.unwrap_or(entry.first_seen),
        Start::FixAvailable => fix.unwrap_or(entry.first_seen),
        Start::Earliest => [finding.published, fix].into_iter().flatten().fold(entry.first_seen, Ord::min),
    };
    let start = match (rules.unfixed, fixable) {
        (Unfixed::Count, _) => begun,
        (Unfixed::Ignore, false) => return Clock::LeftOut,
        (Unfixed::Ignore | Unfixed::HoldUntilFix, true) => fix.map_or(begun, |fix| begun.max(fix)),
        (Unfixed::HoldUntilFix, false) => return catalogue.map_or(Clock::Held, Clock::Due),
    };
    let own = rules.resolution.days(level).map(|days| after(start, days));
    match [own, catalogue].into_iter().flatten().min() {
        Some(last) => Clock::Due(last),
        None => Clock::Never,
    }
}

/// So many days later.
pub(super) fn after(day: Date, days: u32) -> Date {
    day.saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
}

/// Days from one day to another; negative where that was before.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// Whether more time than that has passed since.
pub(super) fn is_older(since: Timestamp, limit: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(since) > limit
}

/// Whether a time is still to come, by more than clocks may be apart.
pub(super) fn is_ahead(time: Timestamp, now: Timestamp) -> bool {
    time.duration_since(now) > SignedDuration::from_hours(24)
}
