//! Vulnerabilities: what is refused at once, what is late, what is soon, and what does not count.

use std::collections::{BTreeMap, BTreeSet};

use distil_vulns::{Finding, Level, Rater, Rating, Severity, SeverityOrder, Status};
use jiff::tz::TimeZone;

use super::Question;
use super::clock::{Clock, clock, days_between, is_fixable};
use super::exceptions::{Book, Excuse, fits, is_named};
use super::judgement::{Judgement, violation};
use super::vex;
use crate::document::{SeverityRules, Undetermined};
use crate::facts::PlatformFacts;
use crate::ledger::{Entry, Key, Ledger, Seen};
use crate::verdict::{Suppressed, Violation, VulnerabilityNote, Weight};

/// Judges all findings, and gives the ledger in which they are.
pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) -> Ledger {
    let order = order(&question.policy.severity);
    let ledger = ledger(question, &order);
    let mut book = Book::new(question);
    for (name, platform) in &question.facts.platforms {
        for finding in &platform.findings {
            let severity = severity(finding, &question.policy.severity, &order);
            let case = Case { question, name, platform, finding, severity };
            if !counts(question, finding) {
                case.tell_unknown(judgement);
                continue;
            }
            if let Some(entry) = ledger.get(&key(finding)) {
                case.judge(entry, &mut book, judgement);
            }
        }
    }
    book.close(judgement);
    for told in &question.facts.ignores_left_out {
        judgement.add(violation("DSTL-VUL-009", "ignore file", told.clone()));
    }
    for told in &question.facts.vex_unusable {
        judgement.add(violation("DSTL-VUL-008", "VEX", told.clone()));
    }
    ledger
}

/// Whether a finding is one that has to be resolved.
fn counts(question: Question<'_>, finding: &Finding) -> bool {
    let counted = question.policy.data.undetermined == Undetermined::Count;
    finding.status.is_affected() || (finding.status == Status::UnderInvestigation && counted)
}

fn key(finding: &Finding) -> Key {
    Key { release: finding.release.clone().unwrap_or_default(), source: finding.source.clone(), id: finding.id.clone() }
}

fn order(rules: &SeverityRules) -> SeverityOrder {
    let mut order = rules.order.clone();
    order.insert(0, Rater::Override);
    SeverityOrder {
        order,
        unimportant: rules.unimportant,
        not_yet_assigned: rules.not_yet_assigned,
        unknown: None,
        cvss_preference: rules.cvss_preference.iter().map(|version| version.as_str().to_owned()).collect(),
    }
}

/// How bad a finding is, as the policy sees it; it has no level where nobody says.
fn severity(finding: &Finding, rules: &SeverityRules, order: &SeverityOrder) -> Severity {
    let own = rules.overrides.iter().find(|own| is_named(&own.id, finding) && fits(&own.package, finding));
    let Some(own) = own else {
        return order.decide(&finding.ratings);
    };
    let rating = Rating { rater: Rater::Override, level: Some(own.level), score: None, vector: None };
    order.decide(&[rating])
}

/// The ledger after today.
fn ledger(question: Question<'_>, order: &SeverityOrder) -> Ledger {
    let Question { facts, policy, today } = question;
    let mut seen: BTreeMap<Key, Seen> = BTreeMap::new();
    let mut had: BTreeSet<(&str, &str)> = BTreeSet::new();
    for platform in facts.platforms.values() {
        let release = platform.release.as_deref().unwrap_or_default();
        had.extend(platform.packages.iter().map(|package| (release, package.source.as_str())));
        for finding in platform.findings.iter().filter(|finding| counts(question, finding)) {
            let fixable = is_fixable(finding, &policy.vulnerabilities);
            // What was announced, and could not be had when it was last seen, can be had from today on as far as anybody knows.
            let held = facts.ledger.get(&key(finding)).filter(|entry| entry.first_fixable.is_none());
            let came_out = finding.fix_available.filter(|day| held.is_none_or(|entry| entry.last_seen < *day));
            let fixable = fixable.then(|| came_out.map_or(today, |day| day.min(today)));
            let level = severity(finding, &policy.severity, order).level;
            let entry = seen.entry(key(finding)).or_insert_with(|| Seen { key: key(finding), fixable, level });
            entry.level = entry.level.max(level);
            entry.fixable = [entry.fixable, fixable].into_iter().flatten().min();
        }
    }
    let seen: Vec<Seen> = seen.into_values().collect();
    let had = |release: &str, source: &str| had.contains(&(release, source));
    facts.ledger.after(&seen, had, today, policy.vulnerabilities.reopen)
}

/// A vulnerability of an image of one platform.
struct Case<'a> {
    question: Question<'a>,
    name: &'a str,
    platform: &'a PlatformFacts,
    finding: &'a Finding,
    severity: Severity,
}

impl Case<'_> {
    /// What counts where nobody says how bad it is.
    fn level(&self) -> Level {
        self.severity.level.unwrap_or(self.question.policy.severity.unknown)
    }

    /// Of what nobody knows whether it is there.
    fn tell_unknown(&self, judgement: &mut Judgement) {
        let evidence = match self.finding.status {
            Status::UnderInvestigation if self.question.policy.data.undetermined == Undetermined::Report => {
                "nobody has decided yet whether it is affected".to_owned()
            }
            Status::Unknown => {
                format!("{} is newer than all versions that are known", self.finding.source_version)
            }
            _ => return,
        };
        judgement.on(self.name, self.violation("DSTL-VUL-006", evidence));
    }

    fn judge(&self, entry: &Entry, book: &mut Book<'_>, judgement: &mut Judgement) {
        let said = vex::excuse(self.question, self.finding, self.name, judgement);
        // An exception is marked as used whether or not it is needed beside a statement.
        let excepted = book.excuse(self.finding, self.level());
        let decided = excepted.clone().filter(|excuse| excuse.is_decision).or(said);
        let of_clock = decided.clone().or(excepted).or_else(|| self.left_out(entry));
        if self.is_denied() {
            self.tell(self.exploited(), decided.as_ref(), judgement);
        }
        let before = self.could_have_been_fixed(entry).map(|evidence| self.violation("DSTL-VUL-002", evidence));
        if let Some(violation) = before {
            self.tell(violation, of_clock.as_ref(), judgement);
        }
        let timed = self.timed(entry, judgement, of_clock.is_some());
        match (timed, of_clock) {
            (Some(violation), excuse) => self.tell(violation, excuse.as_ref(), judgement),
            // Whoever reads what does not count wants to see it whether or not it is late.
            (None, Some(excuse)) => {
                let violation = self.violation("DSTL-VUL-001", "it has no last day");
                self.tell(Violation { weight: Weight::Note, ..violation }, Some(&excuse), judgement);
            }
            (None, None) => {}
        }
    }

    fn tell(&self, violation: Violation, excuse: Option<&Excuse>, judgement: &mut Judgement) {
        let Some(excuse) = excuse else {
            return judgement.on(self.name, violation);
        };
        if violation.weight == Weight::Error
            && let Some(last) = excuse.expires.and_then(|expires| expires.yesterday().ok())
        {
            judgement.holds_until(last);
        } else if let (Some(expires), Some(last)) = (excuse.expires, violation.deadline) {
            // It is in order until its own last day, and let pass until that of the excuse.
            judgement.holds_until(expires.yesterday().map_or(last, |until| until.max(last)));
        }
        let Excuse { by, reason, expires, .. } = excuse.clone();
        judgement.suppress_on(self.name, Suppressed { violation, by, reason, expires });
    }

    /// Whether it is refused whatever time is left.
    fn is_denied(&self) -> bool {
        let deny = &self.question.policy.vulnerabilities.deny;
        self.finding.kev.is_some() && deny.iter().any(|rule| rule.kev)
    }

    fn exploited(&self) -> Violation {
        let kev = self.finding.kev.as_ref();
        let since = kev.map(|kev| format!(" since {}", kev.added)).unwrap_or_default();
        let by = if kev.is_some_and(|kev| kev.ransomware) { ", by ransomware too" } else { "" };
        self.violation("DSTL-VUL-003", format!("in the catalogue of known exploited vulnerabilities{since}{by}"))
    }

    /// What shows that the image was made with it although there was a repaired version; where one of the days is not
    /// known, it counts.
    fn could_have_been_fixed(&self, entry: &Entry) -> Option<String> {
        let rules = &self.question.policy.vulnerabilities;
        let worst = rules.at_creation.fail_on?;
        let fixable = is_fixable(self.finding, rules);
        if self.level() < worst || (rules.at_creation.only_fixable && !fixable) {
            return None;
        }
        // A ledger that saw it before it could be repaired knows the day on which that changed.
        let seen = entry.first_fixable.filter(|fix| entry.first_seen < *fix);
        let known = if fixable { self.finding.fix_available.max(seen) } else { self.finding.published };
        let created = self.platform.created.filter(|_| !self.question.facts.is_new);
        let created = created.map(|created| created.to_zoned(TimeZone::UTC).date());
        if let (Some(known), Some(created)) = (known, created)
            && known > created
        {
            return None;
        }
        let word = self.word();
        Some(match (&self.finding.fixed, fixable) {
            (Some(fixed), true) => format!("{word}, and repaired in {fixed}"),
            _ => format!("{word}, and known when the image was made"),
        })
    }

    /// What the policy leaves out without a decision about this very vulnerability.
    fn left_out(&self, entry: &Entry) -> Option<Excuse> {
        let rules = &self.question.policy.vulnerabilities;
        let excuse = |by: &str, reason: String| Excuse { by: by.to_owned(), reason, expires: None, is_decision: false };
        if rules.ignore_statuses.contains(&self.finding.status) {
            let status = self.finding.status.as_str();
            return Some(excuse("vulnerabilities.ignore-statuses", format!("the status {status} does not count")));
        }
        if let Some(pattern) = rules.ignore_packages.iter().find(|pattern| fits(pattern, self.finding)) {
            return Some(excuse("vulnerabilities.ignore-packages", format!("{pattern} does not count")));
        }
        if self.clock(entry) == Clock::LeftOut {
            return Some(excuse("vulnerabilities.unfixed", "no version repairs it".to_owned()));
        }
        None
    }

    fn clock(&self, entry: &Entry) -> Clock {
        clock(self.finding, entry, self.level(), &self.question.policy.vulnerabilities)
    }

    /// What the clock says: late, soon, or in order.
    fn timed(&self, entry: &Entry, judgement: &mut Judgement, is_excused: bool) -> Option<Violation> {
        let Question { policy, today, .. } = self.question;
        let word = self.word();
        let last = match self.clock(entry) {
            Clock::Due(last) => last,
            Clock::Held => {
                let evidence = format!("{word}; no version repairs it yet, and its days begin when one does");
                return Some(Violation { weight: Weight::Note, ..self.violation("DSTL-VUL-004", evidence) });
            }
            Clock::Never | Clock::LeftOut => return None,
        };
        let left = days_between(today, last);
        let (rule, evidence) = if left < 0 {
            ("DSTL-VUL-001", format!("{word}, first seen on {}, was due until {last}", entry.first_seen))
        } else {
            ("DSTL-VUL-004", format!("{word}, first seen on {}, in order until {last}", entry.first_seen))
        };
        let mut timed = self.violation(rule, evidence);
        if left > i64::from(policy.vulnerabilities.warn_before) {
            timed.weight = Weight::Note;
        }
        (timed.deadline, timed.days_left) = (Some(last), Some(left));
        if left >= 0 && !is_excused {
            judgement.holds_until(last);
        }
        Some(timed)
    }

    /// How bad it is, in words.
    fn word(&self) -> String {
        match (self.severity.level, self.severity.from) {
            (Some(level), Some(from)) => format!("{level} by {}", from.as_str()),
            _ => format!("of unknown severity, taken as {}", self.level()),
        }
    }

    fn violation(&self, rule: &str, evidence: impl Into<String>) -> Violation {
        let Finding { id, source, .. } = self.finding;
        let mut found = violation(rule, format!("{id} in {source}"), evidence);
        if let Some(fixed) = &self.finding.fixed
            && self.finding.status.is_affected()
        {
            found.fix = format!("update {source} from {} to {fixed} or later", self.finding.source_version);
        }
        found.location = self.location();
        found.vulnerability = Some(VulnerabilityNote {
            id: id.clone(),
            source: source.clone(),
            installed: self.finding.source_version.clone(),
            fixed: self.finding.fixed.clone(),
            packages: self.finding.packages.keys().cloned().collect(),
            severity: self.severity.clone(),
            status: self.finding.status,
            title: self.finding.title.clone(),
            release: self.finding.release.clone(),
        });
        found
    }

    /// The record of the first of its packages, where it is a Debian package.
    fn location(&self) -> Option<String> {
        let first = self.finding.packages.keys().next()?;
        let is_debian =
            |name: &str| self.platform.packages.iter().any(|package| package.kind == "deb" && package.name == name);
        is_debian(first).then(|| format!("var/lib/dpkg/status.d/{first}"))
    }
}
