//! Hardening: what the configuration, the packages and the files of an image should not have.

mod configuration;
mod environment;
mod history;
mod naming;
mod packages;

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Glob, Hardening};
use crate::facts::PlatformFacts;
use crate::observation::Observation;
use crate::observe::REMOTE_LOGINS;
use crate::rules::{Rule, rule};
use crate::{Violation, Weight};

/// What the rules of `[hardening]` have against the image of one platform, the worst first.
///
/// `reference` is the image as it was asked for. Every violation is of a rule for which [`Rule::is_hardening`] holds.
#[must_use]
pub fn judge(facts: &PlatformFacts, hardening: &Hardening, reference: &str) -> Vec<Violation> {
    let mut against = Vec::new();
    configuration::look(facts, hardening, &mut against);
    environment::look(facts, hardening, &mut against);
    history::look(&facts.config.history, &mut against);
    naming::look(facts, hardening, reference, &mut against);
    packages::look(facts, hardening, &mut against);
    against.extend(observed(&facts.observations, hardening));
    let mut violations: Vec<Violation> =
        against.into_iter().filter_map(|against| against.into_violation(hardening)).collect();
    violations.sort_by(|a, b| {
        (a.weight, &a.rule, &a.subject, &a.evidence).cmp(&(b.weight, &b.rule, &b.subject, &b.evidence))
    });
    violations.dedup();
    violations
}

/// How much a rule counts under a policy; none where it is off.
fn weight(rule: &Rule, hardening: &Hardening) -> Option<Weight> {
    match hardening.rules.get(rule.id) {
        Some(chosen) => *chosen,
        None => rule.weight(hardening.profile),
    }
}

/// Something that a rule is against, wherever it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Against {
    rule: &'static str,
    subject: String,
    evidence: String,
    location: Option<String>,
    /// Whether it is an error wherever the rule counts and the policy does not say how much.
    is_worse: bool,
}

impl Against {
    fn new(rule: &'static str, subject: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { rule, subject: subject.into(), evidence: evidence.into(), location: None, is_worse: false }
    }

    fn into_violation(self, hardening: &Hardening) -> Option<Violation> {
        let rule = rule(self.rule)?;
        Some(Violation {
            rule: rule.id.to_owned(),
            weight: match weight(rule, hardening)? {
                _ if self.is_worse && !hardening.rules.contains_key(rule.id) => Weight::Error,
                weight => weight,
            },
            subject: self.subject,
            evidence: self.evidence,
            fix: rule.fix.to_owned(),
            deadline: None,
            days_left: None,
            platforms: Vec::new(),
            location: self.location,
            vulnerability: None,
        })
    }
}

/// Files of one package with the same fault of compilation, from which on they are told as one.
const TOLD_AS_ONE: usize = 4;

/// What is left of observations when the policy lets some pass.
fn observed(observations: &[Observation], hardening: &Hardening) -> Vec<Against> {
    let mut left = Vec::new();
    let mut compiled: BTreeMap<(&'static str, &str), Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        let Some(rule) = rule(&observation.rule).filter(|rule| rule.is_hardening()) else { continue };
        if is_allowed(observation, hardening) {
            continue;
        }
        match &observation.package {
            Some(package) if rule.id.starts_with("DSTL-ELF-") => {
                compiled.entry((rule.id, package)).or_default().push(observation);
            }
            _ => left.push(against(rule.id, observation)),
        }
    }
    for ((rule, package), files) in compiled {
        if files.len() < TOLD_AS_ONE {
            left.extend(files.into_iter().map(|observation| against(rule, observation)));
        } else if let Some(first) = files.first() {
            let evidence = format!("{} files, the first {}: {}", files.len(), first.path, first.seen);
            left.push(Against { location: Some(relative(&first.path)), ..Against::new(rule, package, evidence) });
        }
    }
    left
}

fn against(rule: &'static str, observation: &Observation) -> Against {
    let mut evidence = observation.seen.clone();
    if let Some(layer) = observation.layer.filter(|_| rule == "DSTL-FS-013") {
        evidence = format!("{evidence}, in layer {layer}");
    }
    if let Some(package) = &observation.package {
        evidence = format!("{evidence} (package {package})");
    }
    let is_worse = observation.seen.starts_with(REMOTE_LOGINS);
    Against {
        location: Some(relative(&observation.path)),
        is_worse,
        ..Against::new(rule, &*observation.path, evidence)
    }
}

fn relative(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

/// Whether the policy lets an observation pass.
fn is_allowed(observation: &Observation, hardening: &Hardening) -> bool {
    let allow = &hardening.allow;
    let path = observation.path.as_str();
    let fits = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
    if allow.files.get(&observation.rule).is_some_and(|globs| fits(globs)) {
        return true;
    }
    match observation.rule.as_str() {
        "DSTL-FS-001" => fits(&allow.setuid),
        "DSTL-FS-002" => {
            let first = allow.capabilities.iter().find(|(glob, _)| glob.matches(path));
            first.is_some_and(|(_, allowed)| has_no_more(&observation.seen, allowed))
        }
        "DSTL-FS-003" => fits(&allow.world_writable),
        "DSTL-FS-008" | "DSTL-FS-009" | "DSTL-FS-010" | "DSTL-FS-013" | "DSTL-FS-018" => fits(&allow.secret_paths),
        _ => false,
    }
}

/// Whether the capabilities that an observation names are all among those that may be. What could not be read is not.
fn has_no_more(seen: &str, allowed: &BTreeSet<String>) -> bool {
    let words = seen.split([' ', ',']).filter(|word| word.starts_with("cap_"));
    let names: Vec<String> = words.map(str::to_owned).collect();
    !names.is_empty() && names.iter().all(|name| allowed.contains(name))
}

#[cfg(test)]
mod tests;
