//! Licences as tools write them: an expression, ids, or names of any kind.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::raw::{Component, Licence, LicenceChoice};
use crate::cyclonedx::property;
use crate::expression;
use crate::licence::{Licences, of_name};

/// Characters of a name that stand in the reference which replaces it.
const MAX_SLUG: usize = 40;

/// The licences of a component. Texts of those that SPDX has no name for are added to `texts`.
pub(super) fn of(component: &Component, texts: &mut BTreeMap<String, String>) -> Licences {
    for choice in component.evidence.0.iter().flat_map(|evidence| &evidence.licenses.0) {
        for licence in &choice.license.0 {
            if let (true, Some(text)) = (licence.name.0.starts_with(expression::REFERENCE), text_of(licence)) {
                texts.entry(licence.name.0.clone()).or_insert_with(|| text.to_owned());
            }
        }
    }
    let (mut concluded, mut declared) = (Vec::new(), Vec::new());
    for choice in &component.licenses.0 {
        let mut add = |acknowledgement: &str, expression| match acknowledgement {
            "concluded" => concluded.push(expression),
            _ => declared.push(expression),
        };
        if let Some(text) = choice.expression.known() {
            add(&choice.acknowledgement.0, as_expression(text, text, texts));
        }
        for licence in &choice.license.0 {
            if let Some(name) = licence.id.known().or_else(|| licence.name.known()) {
                let text = text_of(licence).unwrap_or(name);
                add(acknowledgement(choice, licence), as_expression(name, text, texts));
            }
        }
    }
    let property = component.properties.first(property::DECLARED).map(|text| as_expression(text, text, texts));
    Licences {
        declared: property.or_else(|| all(declared)),
        concluded: all(concluded),
        copyright: component.copyright.0.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        remarks: component.properties.all(property::REMARK).map(str::to_owned).collect(),
    }
}

fn acknowledgement<'a>(choice: &'a LicenceChoice, licence: &'a Licence) -> &'a str {
    licence.acknowledgement.known().unwrap_or(&choice.acknowledgement.0)
}

/// A text that is not encoded.
fn text_of(licence: &Licence) -> Option<&str> {
    let plain = licence.text.0.iter().find(|text| text.encoding.known().is_none());
    plain.and_then(|text| text.content.known())
}

/// What is no expression is a reference to its text, which may be but the name.
fn as_expression(name: &str, text: &str, texts: &mut BTreeMap<String, String>) -> String {
    if expression::is_valid(name) {
        return name.to_owned();
    }
    if let Some(known) = of_name(name) {
        return known;
    }
    let mut slug = String::new();
    for c in name.chars().take(MAX_SLUG) {
        match c {
            c if c.is_ascii_alphanumeric() || c == '.' => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let hash = hex::encode(Sha256::digest(text.as_bytes()).iter().take(6).copied().collect::<Vec<u8>>());
    let reference = format!("{}{}-{hash}", expression::REFERENCE, slug.trim_end_matches('-'));
    texts.entry(reference.clone()).or_insert_with(|| text.to_owned());
    reference
}

/// All of several expressions, each once.
fn all(mut parts: Vec<String>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    parts.retain(|part| seen.insert(part.clone()));
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => {
            let bracketed =
                many.iter().map(|part| if part.contains(" OR ") { format!("({part})") } else { part.clone() });
            Some(bracketed.collect::<Vec<_>>().join(" AND "))
        }
    }
}
