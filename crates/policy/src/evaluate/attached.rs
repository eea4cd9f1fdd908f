//! Whether the image is signed as the policy asks, and has beside it what the policy asks for.

use std::collections::BTreeSet;

use distil_sbom::Format;

use super::Question;
use super::clock::is_older;
use super::data::words;
use super::judgement::{Judgement, violation};
use crate::document::{Glob, Signatures};
use crate::facts::AttachedFacts;

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    for (images, rules) in question.policy.asked_of(&question.facts.reference) {
        Asked { question, images, rules }.judge(judgement);
    }
}

/// What is asked of all images, or of those that a pattern stands for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    question: Question<'a>,
    images: Option<&'a Glob>,
    rules: &'a Signatures,
}

impl Asked<'_> {
    fn judge(self, judgement: &mut Judgement) {
        let Self { question, rules, .. } = self;
        let facts = question.facts;
        let mut add = |rule, subject: &str, evidence: &str| {
            let of = self.images.map(|images| format!(" (asked of {})", images.as_str().trim_start_matches('/')));
            let evidence = format!("{evidence}{}", of.unwrap_or_default());
            judgement.add(question.admitted(violation(rule, subject, evidence)));
        };
        if rules.require_signature && !rules.trusts(&facts.signatures.verified) {
            add("DSTL-SIG-001", &facts.digest, &self.refused());
        }
        for kind in &rules.require_attestations {
            let good = |attached: &AttachedFacts| attached.kind == *kind && self.objection(attached).is_none();
            if !is_covered(question, good) {
                add("DSTL-SIG-002", kind, &self.because(kind));
            }
        }
        if rules.require_sbom && !is_covered(question, is_sbom) {
            add("DSTL-SIG-003", &facts.digest, "no SBOM refers to the image");
        }
    }

    /// Why nobody's signature who is trusted here is good.
    fn refused(self) -> String {
        let is_ours = |line: &&String| {
            let names = self.rules.authorities.iter().map(|authority| authority.name.as_str());
            names.into_iter().any(|name| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
        };
        let refused: Vec<&str> =
            self.question.facts.signatures.refused.iter().filter(is_ours).map(String::as_str).collect();
        if refused.is_empty() { "there is no signature".to_owned() } else { refused.join("; ") }
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

impl Asked<'_> {
    /// Why a statement does not count.
    fn objection(self, attached: &AttachedFacts) -> Option<String> {
        if !self.rules.trusts(&attached.verified) {
            return Some("no trusted authority signed it".to_owned());
        }
        if attached.passed == Some(false) {
            return Some("it says that the image did not pass".to_owned());
        }
        if attached.passed == Some(true) && self.is_taken_back(attached) {
            return Some("a later one says that the image did not pass".to_owned());
        }
        let limit = self.rules.max_attestation_age?;
        match attached.made {
            None => Some("it does not say when it was made".to_owned()),
            Some(made) if is_older(made, limit, self.question.facts.now) => {
                Some(format!("it is of {made}, older than {}", words(limit)))
            }
            Some(_) => None,
        }
    }

    /// Whether another summary of the same type, signed as well and not known to be older, says that the image did not pass.
    fn is_taken_back(self, attached: &AttachedFacts) -> bool {
        self.question.facts.attached.iter().any(|other| {
            let is_alike = other.kind == attached.kind && other.platform == attached.platform;
            let is_older = other.made.is_some() && other.made < attached.made;
            is_alike && other.passed == Some(false) && self.rules.trusts(&other.verified) && !is_older
        })
    }

    /// Why there is no good statement of a type.
    fn because(self, kind: &str) -> String {
        let of_kind = self.question.facts.attached.iter().filter(|attached| attached.kind == kind);
        let objections: BTreeSet<String> = of_kind
            .filter_map(|attached| Some(format!("{}: {}", attached.digest, self.objection(attached)?)))
            .collect();
        if objections.is_empty() {
            return "no such statement is about it".to_owned();
        }
        objections.into_iter().collect::<Vec<_>>().join("; ")
    }
}

fn is_sbom(attached: &AttachedFacts) -> bool {
    let kind = attached.kind.as_str();
    Format::ALL.into_iter().any(|format| format.media_type() == kind || format.predicate_type() == kind)
        || kind == "https://cyclonedx.org/bom"
        || kind.starts_with("https://spdx.dev/Document")
}
