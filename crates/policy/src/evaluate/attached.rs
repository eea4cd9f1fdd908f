//! Whether the image is signed as the policy asks, and has beside it what the policy asks for.

use std::collections::BTreeSet;

use distil_sbom::Format;

use super::Question;
use super::clock::is_older;
use super::data::words;
use super::judgement::{Judgement, violation};
use crate::facts::AttachedFacts;

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let Question { facts, policy, .. } = question;
    let rules = &policy.signatures;
    if rules.require_signature && facts.signatures.verified.is_empty() {
        let refused = &facts.signatures.refused;
        let evidence = if refused.is_empty() { "there is no signature".to_owned() } else { refused.join("; ") };
        judgement.add(question.admitted(violation("DSTL-SIG-001", &facts.digest, evidence)));
    }
    for kind in &rules.require_attestations {
        let good = |attached: &AttachedFacts| attached.kind == *kind && objection(question, attached).is_none();
        if !is_covered(question, good) {
            judgement.add(question.admitted(violation("DSTL-SIG-002", kind, because(question, kind))));
        }
    }
    if rules.require_sbom && !is_covered(question, is_sbom) {
        judgement.add(question.admitted(violation("DSTL-SIG-003", &facts.digest, "no SBOM refers to the image")));
    }
}

/// Whether something good refers to the whole image, or to each platform that is judged.
fn is_covered(question: Question<'_>, good: impl Fn(&AttachedFacts) -> bool) -> bool {
    let good: BTreeSet<Option<&str>> = question
        .facts
        .attached
        .iter()
        .filter(|attached| good(attached))
        .map(|attached| attached.platform.as_deref())
        .collect();
    let mut platforms = question.facts.platforms.keys();
    let on_each = !question.facts.platforms.is_empty() && platforms.all(|name| good.contains(&Some(name)));
    good.contains(&None) || on_each
}

/// Why a statement does not count.
fn objection(question: Question<'_>, attached: &AttachedFacts) -> Option<String> {
    if attached.verified.is_empty() {
        return Some("no trusted authority signed it".to_owned());
    }
    if attached.passed == Some(false) {
        return Some("it says that the image did not pass".to_owned());
    }
    if attached.passed == Some(true) && is_taken_back(question, attached) {
        return Some("a later one says that the image did not pass".to_owned());
    }
    let limit = question.policy.signatures.max_attestation_age?;
    match attached.made {
        None => Some("it does not say when it was made".to_owned()),
        Some(made) if is_older(made, limit, question.facts.now) => {
            Some(format!("it is of {made}, older than {}", words(limit)))
        }
        Some(_) => None,
    }
}

/// Whether another summary of the same type, signed as well and not known to be older, says that the image did not pass.
fn is_taken_back(question: Question<'_>, attached: &AttachedFacts) -> bool {
    question.facts.attached.iter().any(|other| {
        let is_alike = other.kind == attached.kind && other.platform == attached.platform;
        let is_older = other.made.is_some() && other.made < attached.made;
        is_alike && other.passed == Some(false) && !other.verified.is_empty() && !is_older
    })
}

/// Why there is no good statement of a type.
fn because(question: Question<'_>, kind: &str) -> String {
    let of_kind = question.facts.attached.iter().filter(|attached| attached.kind == kind);
    let objections: BTreeSet<String> = of_kind
        .filter_map(|attached| Some(format!("{}: {}", attached.digest, objection(question, attached)?)))
        .collect();
    if objections.is_empty() {
        return "no such statement is about it".to_owned();
    }
    objections.into_iter().collect::<Vec<_>>().join("; ")
}

fn is_sbom(attached: &AttachedFacts) -> bool {
    let kind = attached.kind.as_str();
    Format::ALL.into_iter().any(|format| format.media_type() == kind || format.predicate_type() == kind)
        || kind == "https://cyclonedx.org/bom"
        || kind.starts_with("https://spdx.dev/Document")
}
