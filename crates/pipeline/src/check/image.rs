//! What an image of one platform is, beside what is known of its packages.

use distil_imgcore::Image;
use distil_policy::facts::{LayerFacts, PlatformFacts};
use jiff::Timestamp;

use crate::harden::config_facts;

/// Builds that must not tell a time write the first moments of 1970, in whatever time zone.
const DAY: i64 = 24 * 60 * 60;

/// What the documents of an image say.
pub(crate) fn documents(image: &Image) -> PlatformFacts {
    let layers: Vec<LayerFacts> = image
        .layers()
        .iter()
        .map(|layer| LayerFacts { digest: layer.digest().to_string(), size: layer.size(), unpacked: None })
        .collect();
    let created = image.config().created().filter(|created| *created > DAY);
    PlatformFacts {
        digest: image.digest().to_string(),
        size: layers.iter().map(|layer| layer.size).sum(),
        layers,
        config: config_facts(image.config()),
        annotations: image.manifest().annotations().clone(),
        created: created.and_then(|created| Timestamp::from_second(created).ok()),
        ..PlatformFacts::default()
    }
}
