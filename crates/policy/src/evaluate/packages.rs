//! What must be in an image, and what must not; and what has a newer version.

use distil_vulns::Version;

use super::Question;
use super::judgement::{Judgement, violation};
use crate::facts::PackageFacts;

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let rules = &question.policy.packages;
    for (platform, facts) in &question.facts.platforms {
        for required in &rules.required {
            if !facts.packages.iter().any(|package| required.matches(&package.name)) {
                judgement
                    .on(platform, violation("DSTL-PKG-102", required.as_str(), "no package of this name is there"));
            }
        }
        for package in &facts.packages {
            if let Some(pattern) = rules.forbidden.iter().find(|pattern| pattern.matches(&package.name)) {
                let mut found = violation(
                    "DSTL-PKG-101",
                    &package.name,
                    format!("{pattern} fits {} {}", package.name, package.version),
                );
                found.location = record(package);
                judgement.on(platform, found);
            }
            if let Some(candidate) = newer(package) {
                let evidence = format!("{} is there, and {candidate} to be had", package.version);
                let mut found = violation("DSTL-UPD-002", &package.name, evidence);
                found.location = record(package);
                judgement.on(platform, found);
            }
        }
    }
}

/// The version in the configured suites, where it is newer.
fn newer(package: &PackageFacts) -> Option<&str> {
    let candidate = package.candidate.as_deref()?;
    let (there, offered) = (package.version.parse::<Version>().ok()?, candidate.parse::<Version>().ok()?);
    (there < offered).then_some(candidate)
}

fn record(package: &PackageFacts) -> Option<String> {
    (package.kind == "deb").then(|| format!("var/lib/dpkg/status.d/{}", package.name))
}
