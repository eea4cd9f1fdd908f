//! Where an image and its base come from, and how it is named.

use super::Question;
use super::judgement::{Judgement, violation};
use crate::document::{Admission, Mode, Response};
use crate::facts::RecordedFacts;
use crate::image_name::ImageName;
use crate::verdict::{Violation, Weight};

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let rules = &question.policy.admission;
    bases(question, judgement);
    // Layouts and archives are in no registry. Whoever has the files in hand is not asked where they are from.
    let Some(name) = ImageName::of(&question.facts.reference) else { return };
    let subject = &question.facts.reference;
    if !rules.registries.is_empty() && !rules.registries.iter().any(|allowed| name.is_below(allowed)) {
        let evidence = format!("{} is in none of the allowed registries", name.path());
        let found = violation("DSTL-ADM-001", subject, evidence);
        match rules.no_match {
            Response::Allow => {}
            Response::Warn => judgement.add(Violation { weight: Weight::Warning, ..found }),
            Response::Deny => judgement.add(question.admitted(found)),
        }
    }
    if rules.require_digest && name.digest.is_none() {
        judgement.add(question.admitted(violation("DSTL-ADM-002", subject, "it is named by a tag alone")));
    }
    if let Some(tag) = name.tag {
        moved(question, tag, judgement);
    }
    if let Some(tag) = name.tag.filter(|tag| rules.forbid_tags.iter().any(|forbidden| forbidden == tag)) {
        judgement.add(question.admitted(violation("DSTL-ADM-003", subject, format!("the tag {tag} is forbidden"))));
    }
}

fn bases(question: Question<'_>, judgement: &mut Judgement) {
    let allowed = &question.policy.admission.base_images;
    if allowed.is_empty() {
        return;
    }
    for (platform, facts) in &question.facts.platforms {
        let Some(stated) = facts.stated_base() else { continue };
        if !question.policy.admission.allows_base(stated.name) {
            let found = violation("DSTL-ADM-004", stated.name, "it is none of the allowed base images");
            judgement.on(platform, question.admitted(found));
        }
    }
}

impl Question<'_> {
    /// What was found about where an image comes from or who vouches for it, as much as the policy lets that count.
    pub(super) fn admitted(self, found: Violation) -> Violation {
        match self.policy.admission.mode {
            Mode::Enforce => found,
            Mode::Warn => Violation { weight: found.weight.max(Weight::Warning), ..found },
        }
    }
}

impl Admission {
    /// Whether an image may be built upon what has this name.
    #[must_use]
    pub fn allows_base(&self, name: &str) -> bool {
        let allowed = &self.base_images;
        let is_below = |name: ImageName<'_>| allowed.iter().any(|allowed| name.is_below(allowed));
        allowed.is_empty() || ImageName::of(name).is_some_and(is_below)
    }
}

/// Whether the reference's tag is one that must not move, and means another image than was recorded.
fn moved(question: Question<'_>, tag: &str, judgement: &mut Judgement) {
    let Some(recorded) = &question.facts.recorded else { return };
    if question.policy.immutable.covers(tag) && recorded.digest != recorded.present {
        let RecordedFacts { digest, when, present } = recorded;
        let evidence = format!("{digest} was recorded for the tag {tag} on {when}, and it is {present} now");
        judgement.add(violation("DSTL-REG-001", &question.facts.reference, evidence));
    }
}
