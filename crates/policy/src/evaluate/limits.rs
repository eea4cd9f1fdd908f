//! How large and how old an image may be.

use super::Question;
use super::clock::{is_ahead, is_older};
use super::data::words;
use super::judgement::{Judgement, violation};

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let Question { facts, policy, .. } = question;
    let rules = &policy.size;
    for (platform, image) in &facts.platforms {
        if let Some(most) = rules.max_image.filter(|most| image.size > *most) {
            judgement
                .on(platform, violation("DSTL-SIZ-001", platform, format!("{} bytes, more than {most}", image.size)));
        }
        let layers = image.layers.len();
        if let Some(most) = rules.max_layers.filter(|most| layers > *most) {
            judgement.on(platform, violation("DSTL-SIZ-002", platform, format!("{layers} layers, more than {most}")));
        }
        for layer in &image.layers {
            if let Some(most) = rules.max_layer.filter(|most| layer.size > *most) {
                let evidence = format!("{} bytes, more than {most}", layer.size);
                judgement.on(platform, violation("DSTL-SIZ-003", &layer.digest, evidence));
            }
        }
        if let (Some(limit), Some(created)) = (policy.freshness.max_image_age, image.created) {
            let evidence = if is_ahead(created, facts.now) {
                format!("it says that it is of {created}, which is still to come")
            } else if is_older(created, limit, facts.now) {
                format!("it is of {created}, older than {}", words(limit))
            } else {
                continue;
            };
            judgement.on(platform, violation("DSTL-UPD-003", platform, evidence));
        }
    }
}
