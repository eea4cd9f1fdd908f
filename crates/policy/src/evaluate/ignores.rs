//! What ignore files of scanners let pass.

use std::collections::BTreeSet;

use distil_vulns::Finding;

use super::Question;
use super::exceptions::{Excuse, is_named};
use super::judgement::{Judgement, violation};
use crate::document::Glob;
use crate::facts::ImportedIgnore;

/// The entries of ignore files.
#[derive(Debug)]
pub(super) struct Ignores<'a> {
    question: Question<'a>,
    /// Their patterns; none where there is no pattern, or it is broken and fits nothing.
    patterns: Vec<Option<Glob>>,
    /// Entries about some packages of a finding, where nothing is about the others: the finding, and what is said of it.
    partial: BTreeSet<(String, String)>,
}

/// An entry with its pattern.
type Entry<'a> = (&'a ImportedIgnore, Option<&'a Glob>);

impl<'a> Ignores<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
        let pattern = |ignore: &ImportedIgnore| Glob::of_names(ignore.package.as_deref()?).ok();
        let patterns = question.facts.ignores.iter().map(pattern).collect();
        Self { question, patterns, partial: BTreeSet::new() }
    }

    /// What lets a vulnerability pass today: an entry, or several together, where each package that has the vulnerability is
    /// covered. As with VEX, what is said of one binary package is not said of another of the same source package.
    pub(super) fn excuse(&mut self, finding: &Finding) -> Option<Excuse> {
        let Question { facts, today, .. } = self.question;
        let entries: Vec<Entry<'_>> = facts
            .ignores
            .iter()
            .zip(self.patterns.iter().map(Option::as_ref))
            .filter(|(ignore, _)| ignore.expires.is_none_or(|expires| today < expires) && is_named(&ignore.id, finding))
            .collect();
        let packages = packages(finding);
        let covers_all = |entry: &&Entry<'_>| packages.iter().all(|package| covers(**entry, finding, *package));
        if let Some((ignore, _)) = entries.iter().find(covers_all) {
            return Some(excused(&[ignore]));
        }
        let covering =
            |package| entries.iter().find(|entry| covers(**entry, finding, package)).map(|(ignore, _)| *ignore);
        let found: Vec<_> = packages.iter().map(|package| (package.0, covering(*package))).collect();
        let mut needed: Vec<&ImportedIgnore> = found.iter().filter_map(|(_, ignore)| *ignore).collect();
        needed.sort();
        needed.dedup();
        let Some((left, _)) = found.iter().find(|(_, ignore)| ignore.is_none()) else {
            return Some(excused(&needed));
        };
        let subject = format!("{} in {}", finding.id, finding.source);
        for ignore in needed {
            let told = format!("{}: it is not about {left}, which has the vulnerability as well", place(ignore));
            self.partial.insert((subject.clone(), told));
        }
        None
    }

    /// Tells of entries that say too little of a finding, and of files whose entries never end.
    pub(super) fn close(self, judgement: &mut Judgement) {
        for (subject, told) in self.partial {
            judgement.add(violation("DSTL-VUL-009", subject, told));
        }
        let endless = || self.question.facts.ignores.iter().filter(|ignore| ignore.expires.is_none());
        let origins: BTreeSet<&str> = endless().map(|ignore| ignore.origin.as_str()).collect();
        for origin in origins {
            let count = endless().filter(|ignore| ignore.origin == origin).count();
            judgement.add(violation("DSTL-VUL-009", origin, format!("no expiry: imported ({count})")));
        }
    }
}

/// The packages with a vulnerability and their versions: the binary ones, and the source package where none is known.
fn packages(finding: &Finding) -> Vec<(&str, &str)> {
    if finding.packages.is_empty() {
        return vec![(&finding.source, &finding.source_version)];
    }
    finding.packages.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect()
}

/// Whether an entry is about a package of a finding. One about the source package is about all that was built from it.
fn covers((ignore, pattern): Entry<'_>, finding: &Finding, (name, version): (&str, &str)) -> bool {
    let is_of_source = ignore.is_source || ignore.package.is_none();
    let is_package = ignore.package.is_none()
        || pattern.is_some_and(|pattern| pattern.matches(if is_of_source { &finding.source } else { name }));
    is_package
        && ignore
            .version
            .as_deref()
            .is_none_or(|wanted| wanted == version || is_of_source && wanted == finding.source_version)
}

/// What these entries say together. They let pass until the first of them ends.
fn excused(ignores: &[&ImportedIgnore]) -> Excuse {
    let mut places: Vec<String> = Vec::new();
    let mut reasons: Vec<&str> = Vec::new();
    for ignore in ignores {
        let (place, reason) = (place(ignore), ignore.reason.as_deref());
        if !places.contains(&place) {
            places.push(place);
        }
        reasons.extend(reason.filter(|reason| !reasons.contains(reason)));
    }
    if reasons.is_empty() {
        reasons.push("no reason given");
    }
    Excuse {
        by: places.join(", "),
        reason: reasons.join("; "),
        expires: ignores.iter().filter_map(|ignore| ignore.expires).min(),
        is_decision: false,
    }
}

fn place(ignore: &ImportedIgnore) -> String {
    format!("{} (line {})", ignore.origin, ignore.line)
}
