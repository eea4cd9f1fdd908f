//! Whether the tag that a base was taken by still means that base.

use super::Question;
use super::judgement::{Judgement, violation};
use crate::facts::{BaseFacts, StatedBase};
use crate::verdict::{Violation, Weight};

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let Some(weight) = question.policy.freshness.base_image else { return };
    for (platform, facts) in &question.facts.platforms {
        let Some(base) = facts.stated_base().filter(StatedBase::has_tag) else { continue };
        let found = |weight, evidence| Violation { weight, ..violation("DSTL-UPD-001", base.name, evidence) };
        match standing(base, facts.base.as_ref()) {
            Standing::Current => {}
            Standing::Old(evidence) => judgement.on(platform, found(weight, evidence)),
            // Where the policy refuses an old base, nobody knows whether this is one.
            Standing::Unknown(why) if weight == Weight::Error => judgement.undecided(found(Weight::Note, why)),
            Standing::Unknown(why) => judgement.on(platform, found(Weight::Note, why)),
        }
    }
}

/// How a base stands to its tag.
enum Standing {
    Current,
    /// With both digests.
    Old(String),
    /// With the reason.
    Unknown(String),
}

fn standing(base: StatedBase<'_>, asked: Option<&BaseFacts>) -> Standing {
    let Some(built_on) = base.digest else {
        return Standing::Unknown("the image does not say which digest of its base it was built on".to_owned());
    };
    let Some(asked) = asked else {
        return Standing::Unknown("nobody asked what the tag of the base stands for".to_owned());
    };
    match &asked.digest {
        Some(now) if now == built_on || asked.manifests.contains(built_on) => Standing::Current,
        Some(now) => Standing::Old(format!("it was built on {built_on}, and the tag is {now} now")),
        None => {
            let why = asked.obstacle.as_deref().unwrap_or("nobody knows why");
            Standing::Unknown(format!("what the tag of the base stands for cannot be found out: {why}"))
        }
    }
}

impl StatedBase<'_> {
    /// Whether it was taken by a name that may come to mean another image.
    #[must_use]
    pub fn has_tag(&self) -> bool {
        let (name, digest) = self.name.split_once('@').map_or((self.name, None), |(name, digest)| (name, Some(digest)));
        let last = name.rsplit('/').next().unwrap_or(name);
        digest.is_none() || last.contains(':')
    }
}
