//! What was found so far, for all platforms together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::facts::Facts;
use crate::policy::Policy;
use crate::rules::{MANUAL, rule};
use crate::verdict::{Outcome, Suppressed, VERDICT, Verdict, Violation, Weight};

/// Rules that say that something is not known. They are errors, since nothing may pass by them, and no answer on their own.
const UNDECIDED: &[&str] = &["DSTL-EOS-004", "DSTL-VUL-007"];

/// Something, and the platforms that it is about; none for the whole image.
type On<T> = (T, BTreeSet<String>);

/// What was found so far.
#[derive(Debug)]
pub(super) struct Judgement {
    /// How many platforms there are.
    platforms: usize,
    violations: Vec<On<Violation>>,
    suppressed: Vec<On<Suppressed>>,
    undecided: BTreeSet<String>,
    /// The last days on which something is as it is.
    last_days: BTreeSet<Date>,
}

/// A violation as the catalogue of rules has it.
pub(super) fn violation(id: &str, subject: impl Into<String>, evidence: impl Into<String>) -> Violation {
    let rule = rule(id);
    Violation {
        rule: id.to_owned(),
        weight: rule.and_then(|rule| rule.weight(crate::document::Profile::None)).unwrap_or(Weight::Error),
        subject: subject.into(),
        evidence: evidence.into(),
        fix: rule.map(|rule| rule.fix.to_owned()).unwrap_or_default(),
        deadline: None,
        days_left: None,
        platforms: Vec::new(),
        location: None,
        vulnerability: None,
    }
}

impl Judgement {
    pub(super) fn new(platforms: usize) -> Self {
        Self {
            platforms,
            violations: Vec::new(),
            suppressed: Vec::new(),
            undecided: BTreeSet::new(),
            last_days: BTreeSet::new(),
        }
    }

    /// Something about the whole image.
    pub(super) fn add(&mut self, violation: Violation) {
        if !self.violations.iter().any(|(found, _)| *found == violation) {
            self.violations.push((violation, BTreeSet::new()));
        }
    }

    /// Something about a platform.
    pub(super) fn on(&mut self, platform: &str, violation: Violation) {
        self.violations.push((violation, [platform.to_owned()].into()));
    }

    /// Something about a platform that does not count.
    pub(super) fn suppress_on(&mut self, platform: &str, suppressed: Suppressed) {
        self.suppressed.push((suppressed, [platform.to_owned()].into()));
    }

    /// Something without which there is no answer.
    pub(super) fn undecided(&mut self, violation: Violation) {
        self.undecided.insert(format!("{}: {}", violation.subject, violation.evidence));
        self.add(violation);
    }

    /// The answer changes after this day.
    pub(super) fn holds_until(&mut self, last: Date) {
        self.last_days.insert(last);
    }

    /// The verdict.
    pub(super) fn verdict(self, facts: &Facts, policy: &Policy) -> Verdict {
        let all = self.platforms;
        let mut violations: Vec<Violation> = merged(self.violations, |violation| violation)
            .map(|(violation, on)| Violation { platforms: named(on, all), ..violation })
            .collect();
        violations.sort_by_cached_key(order);
        let mut suppressed: Vec<Suppressed> = merged(self.suppressed, |suppressed| &suppressed.violation)
            .map(|(suppressed, on)| Suppressed {
                violation: Violation { platforms: named(on, all), ..suppressed.violation },
                ..suppressed
            })
            .collect();
        suppressed.sort_by_cached_key(|suppressed| {
            (order(&suppressed.violation), suppressed.by.clone(), suppressed.reason.clone(), suppressed.expires)
        });
        let is_against =
            |violation: &Violation| violation.weight == Weight::Error && !UNDECIDED.contains(&violation.rule.as_str());
        let outcome = if violations.iter().any(is_against) {
            Outcome::Fail
        } else if self.undecided.is_empty() {
            Outcome::Pass
        } else {
            Outcome::Undecided
        };
        let mut sources = facts.data.sources.clone();
        sources.sort();
        Verdict {
            schema: VERDICT.to_owned(),
            verdict: outcome,
            reference: facts.reference.clone(),
            digest: facts.digest.clone(),
            now: facts.now,
            good_until: self.last_days.first().copied().filter(|_| outcome == Outcome::Pass),
            policy: policy.name.clone(),
            policy_sha256: policy.sha256.clone(),
            sources,
            violations,
            suppressed,
            undecided: self.undecided.into_iter().collect(),
            manual: MANUAL.iter().map(|(id, words)| ((*id).to_owned(), (*words).to_owned())).collect(),
        }
    }
}

/// The same on several platforms is one.
fn merged<T: PartialEq>(found: Vec<On<T>>, violation: impl Fn(&T) -> &Violation) -> impl Iterator<Item = On<T>> {
    let mut by_key: BTreeMap<(String, String, String), Vec<On<T>>> = BTreeMap::new();
    for (one, on) in found {
        let about = violation(&one);
        let key = (about.rule.clone(), about.subject.clone(), about.evidence.clone());
        let same = by_key.entry(key).or_default();
        match same.iter_mut().find(|(other, _)| *other == one) {
            Some((_, platforms)) => platforms.extend(on),
            None => same.push((one, on)),
        }
    }
    by_key.into_values().flatten()
}

/// The platforms to name: none where it is about all.
fn named(on: BTreeSet<String>, all: usize) -> Vec<String> {
    if on.len() == all { Vec::new() } else { on.into_iter().collect() }
}

/// The worst first, and what is due first; of all the rest only that it is always the same.
fn order(violation: &Violation) -> impl Ord + use<> {
    let level = violation.vulnerability.as_ref().and_then(|note| note.severity.level);
    let rest = serde_json::to_string(violation).unwrap_or_default();
    (
        violation.weight,
        violation.rule.clone(),
        Reverse(level),
        (violation.deadline.is_none(), violation.deadline),
        violation.subject.clone(),
        rest,
    )
}
