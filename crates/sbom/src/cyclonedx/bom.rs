//! The parts of a document of [`CycloneDX` 1.6](https://cyclonedx.org/docs/1.6/json/) that are written, in their order.

use std::borrow::Cow;

use serde::Serialize;

use super::address;
use super::files::FileComponents;
use crate::digests::Digests;
use crate::inventory::{Agent, Contact};
use crate::json::Hex;

/// A component. Only its type and name must be there.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    pub(super) bom_ref: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supplier: Option<Entity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) manufacturer: Option<Entity<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<&'a str>,
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<LicenceChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) copyright: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) swid: Option<Swid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pedigree: Option<Pedigree<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_references: Vec<Reference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) components: Option<FileComponents<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property<'a>>,
}

/// An organisation.
#[derive(Serialize)]
pub(super) struct Entity<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<[Person<'a>; 1]>,
}

/// A human, or how to reach an organisation.
#[derive(Serialize)]
pub(super) struct Person<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Hash<'a> {
    alg: &'static str,
    content: Hex<'a>,
}

/// Either one expression or licences, never both.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum LicenceChoice<'a> {
    Expression { expression: &'a str, acknowledgement: &'static str },
    Named { license: Licence<'a> },
}

#[derive(Default, Serialize)]
pub(super) struct Licence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acknowledgement: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Attachment<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment<'a> {
    pub(super) content_type: &'static str,
    pub(super) content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Swid<'a> {
    pub(super) tag_id: &'a str,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
}

/// What something was made from.
#[derive(Serialize)]
pub(super) struct Pedigree<'a> {
    pub(super) ancestors: Vec<Component<'a>>,
}

#[derive(Serialize)]
pub(super) struct Reference<'a> {
    pub(super) url: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash<'a>>,
}

/// How it is known that a component is there.
#[derive(Serialize)]
pub(super) struct Evidence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<Identity<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) occurrences: Vec<Occurrence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<LicenceChoice<'a>>,
}

/// How sure the identity is. One object, as before 1.6: Syft 1.18 reads no document that has the list of 1.6.
#[derive(Serialize)]
pub(super) struct Identity<'a> {
    pub(super) field: &'static str,
    pub(super) confidence: u8,
    pub(super) methods: [Method<'a>; 1],
}

#[derive(Serialize)]
pub(super) struct Method<'a> {
    pub(super) technique: &'static str,
    pub(super) confidence: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Occurrence {
    pub(super) location: String,
}

#[derive(Serialize)]
pub(super) struct Property<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

/// Properties of one component.
#[derive(Default)]
pub(super) struct Properties<'a>(pub(super) Vec<Property<'a>>);

impl<'a> Properties<'a> {
    /// Adds one.
    pub(super) fn add(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.0.push(Property { name: name.into(), value: value.into() });
    }

    /// Adds one where its value is known.
    pub(super) fn add_known(&mut self, name: &'static str, value: Option<impl Into<Cow<'a, str>>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

impl<'a> Entity<'a> {
    pub(super) fn of(agent: &'a Agent) -> Self {
        let url = match &agent.contact {
            Some(Contact::Url(text)) => address::url(text),
            _ => None,
        };
        let contact = mail(agent).map(|email| [Person { name: None, email: Some(email) }]);
        Self { name: &agent.name, url: url.map(|url| [url]), contact }
    }
}

impl<'a> Person<'a> {
    pub(super) fn of(agent: &'a Agent) -> Self {
        Self { name: Some(&agent.name), email: mail(agent) }
    }
}

fn mail(agent: &Agent) -> Option<&str> {
    match &agent.contact {
        Some(Contact::Mail(text)) if address::is_mail(text) => Some(text),
        _ => None,
    }
}

impl<'a> Hash<'a> {
    /// All digests that are known.
    pub(super) fn all(digests: &'a Digests) -> Vec<Self> {
        let known = [
            ("MD5", digests.md5.as_ref().map(<[u8; 16]>::as_slice)),
            ("SHA-1", digests.sha1.as_ref().map(<[u8; 20]>::as_slice)),
            ("SHA-256", digests.sha256.as_ref().map(<[u8; 32]>::as_slice)),
            ("SHA-512", digests.sha512.as_ref().map(<[u8; 64]>::as_slice)),
        ];
        known.into_iter().filter_map(|(alg, bytes)| Some(Self { alg, content: Hex(bytes?) })).collect()
    }
}
