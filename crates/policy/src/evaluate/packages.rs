//! What must be in an image, and what must not.

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
        }
    }
}

/// Where a reader finds that it is there.
pub(super) fn record(package: &PackageFacts) -> Option<String> {
    (package.kind == "deb").then(|| format!("var/lib/dpkg/status.d/{}", package.name))
}
