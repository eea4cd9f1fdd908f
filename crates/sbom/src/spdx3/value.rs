//! What elements have in them: digests, identifiers, references.

use std::borrow::Cow;

use serde::Serialize;

use crate::digests::Digests;
use crate::inventory::{Agent, Contact};
use crate::json::Hex;

/// A digest.
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename = "Hash")]
pub(super) struct Hash<'a> {
    algorithm: &'static str,
    #[serde(rename = "hashValue")]
    value: Hex<'a>,
}

/// A name that something has elsewhere.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ExternalIdentifier")]
pub(super) struct ExternalIdentifier<'a> {
    #[serde(rename = "externalIdentifierType")]
    kind: &'static str,
    identifier: Cow<'a, str>,
    #[serde(rename = "issuingAuthority", skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

/// A place where something is found.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ExternalRef")]
pub(super) struct ExternalRef {
    #[serde(rename = "externalRefType")]
    kind: &'static str,
    locator: [String; 1],
}

/// What a `LicenseRef-…` of an expression stands for.
#[derive(Serialize)]
#[serde(tag = "type", rename = "DictionaryEntry")]
pub(super) struct DictionaryEntry<'a, V> {
    pub(super) key: &'a str,
    pub(super) value: V,
}

/// Named values that SPDX has no property for. They have the names that CycloneDX documents have for them.
#[derive(Serialize)]
#[serde(tag = "type", rename = "extension_CdxPropertiesExtension")]
pub(super) struct Properties<'a> {
    #[serde(rename = "extension_cdxProperty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "extension_CdxPropertyEntry")]
struct Property<'a> {
    #[serde(rename = "extension_cdxPropName")]
    name: Cow<'a, str>,
    #[serde(rename = "extension_cdxPropValue")]
    value: Cow<'a, str>,
}

impl<'a> Hash<'a> {
    pub(super) fn new(algorithm: &'static str, bytes: &'a [u8]) -> Self {
        Self { algorithm, value: Hex(bytes) }
    }

    /// All digests that are known.
    pub(super) fn all(digests: &'a Digests) -> impl Iterator<Item = Self> + Clone {
        let md5 = digests.md5.as_ref().map(|bytes| Self::new("md5", bytes));
        let sha512 = digests.sha512.as_ref().map(|bytes| Self::new("sha512", bytes));
        md5.into_iter().chain(Self::short(digests)).chain(sha512)
    }

    /// Enough to tell a file by, and to write SPDX 2.3 from the document.
    pub(super) fn short(digests: &'a Digests) -> impl Iterator<Item = Self> + Clone {
        let sha1 = digests.sha1.as_ref().map(|bytes| Self::new("sha1", bytes));
        let sha256 = digests.sha256.as_ref().map(|bytes| Self::new("sha256", bytes));
        sha1.into_iter().chain(sha256)
    }
}

impl<'a> ExternalIdentifier<'a> {
    pub(super) fn new(kind: &'static str, identifier: impl Into<Cow<'a, str>>) -> Self {
        Self { kind, identifier: identifier.into(), authority: None, comment: None }
    }

    pub(super) fn with_authority(self, authority: &'a str, comment: Option<&'a str>) -> Self {
        Self { authority: Some(authority), comment, ..self }
    }

    /// How somebody is reached, where that is an address that can be one.
    pub(super) fn of_agent(agent: &'a Agent) -> Option<Self> {
        match agent.contact.as_ref()? {
            Contact::Mail(address) => is_mail(address).then(|| Self::new("email", address)),
            Contact::Url(url) => is_url(url).then(|| Self::new("urlScheme", url)),
        }
    }
}

impl ExternalRef {
    pub(super) fn new(kind: &'static str, locator: String) -> Self {
        Self { kind, locator: [locator] }
    }
}

impl<'a> Properties<'a> {
    /// The values that are there, by their names.
    pub(super) fn new<V: Into<Cow<'a, str>>>(values: impl IntoIterator<Item = (Cow<'a, str>, V)>) -> Option<Self> {
        let properties: Vec<_> =
            values.into_iter().map(|(name, value)| Property { name, value: value.into() }).collect();
        (!properties.is_empty()).then_some(Self { properties })
    }
}

/// Whether a text can stand where an address of a page is wanted: no other scheme, and nothing that no address has.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain))
}

fn is_mail(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"\\".contains(c);
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, url: bool, mail: bool) {
        assert_eq!((is_url(text), is_mail(text)), (url, mail), "{text:?}");
    }

    #[test]
    fn what_is_no_address_is_not_written_as_one() {
        check("https://example.org/a?b=c#d", true, false);
        check("https://", false, false);
        check("https://example.org/\u{202e}", false, false);
        check("https://example.org/<b>", false, false);
        check("javascript:alert(1)//a@b", false, true);
        check("a@example.org", false, true);
        check("@example.org", false, false);
        check("a@b\nBcc: c@d", false, false);
    }
}
