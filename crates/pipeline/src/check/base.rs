//! What the tags of bases stand for now, asked of their registries.

use std::collections::BTreeMap;
use std::error::Error as _;

use distil_imgcore::{Escaped, Reference, RegistryName};
use distil_policy::facts::{BaseFacts, StatedBase};
use distil_policy::{Facts, Policy};

use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Silent;
use crate::read::{Named, ReadError};

/// Adds what the tags stand for of which the image says that it was built on them, where the policy wants to know. The names are
/// the image's own: of what a policy does not allow as a base nobody is asked.
pub(super) fn add(facts: &mut Facts, policy: &Policy, machine: &Machine) {
    if policy.freshness.base_image.is_none() {
        return;
    }
    let places = Places::uncancelled(machine, &Silent);
    let mut asked: BTreeMap<String, BaseFacts> = BTreeMap::new();
    for platform in facts.platforms.values_mut() {
        let is_asked = |base: &StatedBase<'_>| base.digest.is_some() && base.has_tag();
        let name = platform.stated_base().filter(is_asked).map(|base| base.name.to_owned());
        if let Some(name) = name.filter(|name| policy.admission.allows_base(name)) {
            platform.base = Some(asked.entry(name).or_insert_with_key(|name| ask(name, &places)).clone());
        }
    }
}

fn ask(name: &str, places: &Places<'_>) -> BaseFacts {
    let unknown = |obstacle| BaseFacts { obstacle: Some(obstacle), ..BaseFacts::default() };
    // The digest behind a tag is that of the day of the build; it is the tag that is asked for.
    let tag = name.split('@').next().unwrap_or(name);
    let Ok(tag) = tag.strip_prefix("docker://").unwrap_or(tag).parse::<RegistryName>() else {
        return unknown("it is not the full name of an image in a registry".to_owned());
    };
    match Named::open(&Reference::Registry(tag), places) {
        Ok(named) => BaseFacts {
            digest: Some(named.root.digest().to_string()),
            manifests: named.platforms.iter().map(|(_, manifest)| manifest.digest().to_string()).collect(),
            obstacle: None,
        },
        Err(error) => unknown(words(&error)),
    }
}

/// An error with its causes, in one line.
fn words(error: &ReadError) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.ends_with(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    Escaped(words.as_bytes()).to_string()
}
