//! Which exceptions let a vulnerability pass, and which exceptions are not in order themselves.

use std::collections::BTreeSet;

use distil_vulns::{Finding, Level, Version};
use jiff::civil::Date;

use super::Question;
use super::clock::{after, days_between};
use super::ignores::Ignores;
use super::judgement::{Judgement, violation};
use crate::document::{Exception, Glob, Reaction, Relation};
use crate::verdict::Weight;

/// Why a vulnerability does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excuse {
    /// Who says so.
    pub(super) by: String,
    /// Why.
    pub(super) reason: String,
    /// From the start of this day on it counts.
    pub(super) expires: Option<Date>,
    /// Whether somebody decided about this very vulnerability, so that it holds for what is always refused, too.
    pub(super) is_decision: bool,
}

/// The exceptions of a policy and of ignore files, and which of them were needed.
#[derive(Debug)]
pub(super) struct Book<'a> {
    question: Question<'a>,
    ignores: Ignores<'a>,
    used: BTreeSet<usize>,
    /// Exceptions, by place, that end because of a severity, and which.
    outgrown: BTreeSet<(usize, Level, String)>,
}

impl<'a> Book<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
        Self { question, ignores: Ignores::new(question), used: BTreeSet::new(), outgrown: BTreeSet::new() }
    }

    /// What lets a vulnerability pass today.
    pub(super) fn excuse(&mut self, finding: &Finding, level: Level) -> Option<Excuse> {
        let today = self.question.today;
        let mut found = None;
        for (at, exception) in self.question.policy.exception.iter().enumerate() {
            if !is_about(exception, finding) {
                continue;
            }
            self.used.insert(at);
            if exception.expires <= today {
                continue;
            }
            if exception.max_severity.is_some_and(|most| level > most) {
                self.outgrown.insert((at, level, finding.source.clone()));
                continue;
            }
            found.get_or_insert_with(|| Excuse {
                by: format!(
                    "exception {} for {} (line {} of the policy)",
                    exception.id, exception.package, exception.line
                ),
                reason: reason(exception),
                expires: Some(exception.expires),
                is_decision: true,
            });
        }
        found.or_else(|| self.ignores.excuse(finding))
    }

    /// Tells of exceptions that have ended, last too long, or are not needed.
    pub(super) fn close(self, judgement: &mut Judgement) {
        let Question { facts, policy, today } = self.question;
        let rules = &policy.exceptions;
        let names: BTreeSet<&str> = facts
            .platforms
            .values()
            .flat_map(|platform| &platform.packages)
            .flat_map(|package| [package.name.as_str(), package.source.as_str()])
            .collect();
        for (at, exception) in policy.exception.iter().enumerate() {
            let subject = format!("exception {} for {}", exception.id, exception.package);
            let mut tell = |evidence: String, weight: Weight, deadline: Option<Date>| {
                let mut told = violation("DSTL-VUL-005", subject.clone(), evidence);
                told.weight = weight;
                told.deadline = deadline;
                told.days_left = deadline.map(|last| days_between(today, last));
                judgement.add(told);
            };
            let line = exception.line;
            if exception.expires <= today {
                let last = exception.expires.yesterday().ok();
                tell(
                    format!("it ended on {} (line {line} of the policy)", exception.expires),
                    weight(rules.expired),
                    last,
                );
                continue;
            }
            if let Some(most) = rules.max_duration.filter(|most| exception.expires > after(today, *most)) {
                tell(
                    format!(
                        "it lasts until {}, longer than {most} days (line {line} of the policy)",
                        exception.expires
                    ),
                    Weight::Error,
                    None,
                );
            }
            for (_, level, source) in self.outgrown.iter().filter(|(place, ..)| *place == at) {
                tell(
                    format!("{source} is {level} now, which is worse than it lets pass (line {line} of the policy)"),
                    Weight::Warning,
                    None,
                );
            }
            if !self.used.contains(&at) {
                // One policy is for many images: that this one lacks the package says nothing.
                let is_here = names.iter().any(|name| exception.package.matches(name));
                let weight = if is_here { weight(rules.unused) } else { Weight::Note };
                tell(format!("nothing in the image needs it (line {line} of the policy)"), weight, None);
            }
        }
        self.ignores.close(judgement);
    }
}

fn weight(reaction: Reaction) -> Weight {
    match reaction {
        Reaction::Warn => Weight::Warning,
        Reaction::Fail => Weight::Error,
    }
}

fn reason(exception: &Exception) -> String {
    match (&exception.reason, &exception.approved_by) {
        (Some(reason), Some(by)) => format!("{reason} (approved by {by})"),
        (Some(reason), None) => reason.clone(),
        (None, Some(by)) => format!("approved by {by}"),
        (None, None) => "no reason given".to_owned(),
    }
}

/// Whether an exception is about a finding, whatever the day and the severity.
fn is_about(exception: &Exception, finding: &Finding) -> bool {
    is_named(&exception.id, finding) && fits(&exception.package, finding) && holds(&exception.versions, finding)
}

/// Whether an identifier is one of the finding's.
pub(super) fn is_named(id: &str, finding: &Finding) -> bool {
    let plain = |id: &str| id.trim().to_ascii_uppercase().trim_start_matches("DEBIAN-").to_owned();
    let wanted = plain(id);
    plain(&finding.id) == wanted || finding.aliases.iter().any(|alias| plain(alias) == wanted)
}

/// Whether a pattern fits the source package or one of the binary packages.
pub(super) fn fits(pattern: &Glob, finding: &Finding) -> bool {
    pattern.matches(&finding.source) || finding.packages.keys().any(|name| pattern.matches(name))
}

/// Whether the source version is within all relations. One that cannot be read is within none.
fn holds(versions: &[(Relation, String)], finding: &Finding) -> bool {
    if versions.is_empty() {
        return true;
    }
    let Ok(installed) = finding.source_version.parse::<Version>() else { return false };
    versions.iter().all(|(relation, text)| {
        text.parse::<Version>().is_ok_and(|wanted| match relation {
            Relation::Earlier => installed < wanted,
            Relation::EarlierOrEqual => installed <= wanted,
            Relation::Equal => installed == wanted,
            Relation::LaterOrEqual => installed >= wanted,
            Relation::Later => installed > wanted,
        })
    })
}
