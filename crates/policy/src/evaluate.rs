//! From facts to a verdict.
//!
//! Days are days of UTC. A deadline is the last day on which something is in order; the end of an exception is the first day
//! on which it does not count any more.

mod admission;
mod attached;
mod base;
mod clock;
mod data;
mod exceptions;
mod ignores;
mod judgement;
mod licences;
mod limits;
mod packages;
mod suites;
mod support;
mod vex;
mod vulnerabilities;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::judgement::Judgement;
use crate::facts::Facts;
use crate::hardening;
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::verdict::Verdict;

/// A verdict, and what the next one has to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Whether the image may go out.
    pub verdict: Verdict,
    /// The ledger of the facts with what was seen now.
    pub ledger: Ledger,
}

/// Judges an image by a policy. The same facts and the same policy give the same answer, byte for byte, and the order of
/// findings, packages and documents in the facts changes nothing.
#[must_use]
pub fn evaluate(facts: &Facts, policy: &Policy) -> Evaluated {
    let today = facts.now.to_zoned(TimeZone::UTC).date();
    let facts = &*suites::settled(facts, policy);
    let question = Question { facts, policy, today };
    let mut judgement = Judgement::new(facts.platforms.len());
    let ledger = vulnerabilities::judge(question, &mut judgement);
    data::judge(question, &mut judgement);
    support::judge(question, &mut judgement);
    attached::judge(question, &mut judgement);
    admission::judge(question, &mut judgement);
    base::judge(question, &mut judgement);
    packages::judge(question, &mut judgement);
    suites::judge(question, &mut judgement);
    licences::judge(question, &mut judgement);
    limits::judge(question, &mut judgement);
    for (name, platform) in &facts.platforms {
        for violation in hardening::judge(platform, &policy.hardening, &facts.reference) {
            judgement.on(name, violation);
        }
    }
    Evaluated { verdict: judgement.verdict(facts, policy), ledger }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    today: Date,
}

#[cfg(test)]
mod tests;
