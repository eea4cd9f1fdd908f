//! What an image is called, what it says of itself, and of its base.

use distil_imgcore::{Reference, Selector};

use super::Against;
use super::configuration::shown;
use crate::document::Hardening;
use crate::facts::{BASE_NAME, PlatformFacts};

pub(super) fn look(facts: &PlatformFacts, hardening: &Hardening, reference: &str, against: &mut Vec<Against>) {
    // An annotation of the manifest, or else a label of that name.
    let said = |key: &str| facts.annotations.get(key).or_else(|| facts.config.labels.get(key)).map(String::as_str);
    if let Some(base) = facts.stated_base() {
        let is_pinned = base.digest.is_some_and(|digest| digest.parse::<distil_imgcore::Digest>().is_ok());
        if !is_pinned {
            let evidence = format!("{} is named without a digest", shown(base.name));
            against.push(Against::new("DSTL-CFG-009", BASE_NAME, evidence));
        }
    }
    for key in &hardening.annotations_required {
        let is_empty = match said(key) {
            None => "it is missing",
            Some(text) if text.trim().is_empty() => "it is empty",
            Some(_) => continue,
        };
        against.push(Against::new("DSTL-CFG-008", shown(key), is_empty));
    }
    if let Some(tag) = floating(reference) {
        against.push(Against::new("DSTL-CFG-010", shown(reference), tag));
    }
}

/// Why a reference means another image tomorrow. A folder or file without a tag holds one image, so that it does not.
fn floating(reference: &str) -> Option<&'static str> {
    const LATEST: &str = "its tag is latest";
    match reference.parse().ok()? {
        Reference::Layout(at) | Reference::Archive(at) | Reference::DockerArchive(at) => {
            let is_latest =
                matches!(at.selector(), Selector::Name(name) if name.to_string().rsplit(':').next() == Some("latest"));
            is_latest.then_some(LATEST)
        }
        Reference::Registry(name) => {
            if name.digest().is_some() {
                return None;
            }
            match name.tag() {
                None => Some("it has no tag, which means latest"),
                Some(tag) if tag.to_string() == "latest" => Some(LATEST),
                Some(_) => None,
            }
        }
    }
}
