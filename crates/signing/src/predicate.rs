//! Types of predicates, by name or URI, and statements about images.
//!
//! | name | predicate type | the predicate |
//! |---|---|---|
//! | `spdxjson` | `https://spdx.dev/Document` | the file |
//! | `spdx` | `https://spdx.dev/Document` | the file as a text |
//! | `cyclonedx` | `https://cyclonedx.org/bom` | the file |
//! | `vuln` | `https://cosign.sigstore.dev/attestation/vuln/v1` | the file |
//! | `openvex` | `https://openvex.dev/ns` | the file |
//! | `slsaprovenance`, `slsaprovenance02` | `https://slsa.dev/provenance/v0.2` | the file |
//! | `slsaprovenance1` | `https://slsa.dev/provenance/v1` | the file |
//! | `link` | `https://in-toto.io/Link/v1` | the file |
//! | `test-result` | `https://in-toto.io/attestation/test-result/v0.1` | the file |
//! | `vsa` | `https://slsa.dev/verification_summary/v1` | the file |
//! | `ledger` | `https://git.example.org/distil/docs/ledger.md#v1` | the file |
//! | `custom` | `https://cosign.sigstore.dev/attestation/v1` | an object with the file as a text, and the time |
//!
//! The names are cosign's, but for `test-result`, `vsa` and `ledger`, which it has none for. Any other URI is a type as well.
//! Cosign reads a predicate and writes it anew, which rounds large numbers; here the file is embedded as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use distil_imgcore::json::{self, JsonError};
use distil_imgcore::statement::{self, Form, MAX_STATEMENT, Subject};
use distil_imgcore::{Digest, Escaped, time};
use serde::Serialize;

use crate::wire;

/// What kind of document a predicate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateType {
    uri: Cow<'static, str>,
    body: Body,
}

/// What a predicate is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Object,
    Text,
    Dated,
}

/// A text that is no type of predicates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is neither the name of a predicate type nor a URI", Escaped(.0.as_bytes()))]
pub struct UnknownPredicateType(pub String);

/// Why a file is no predicate of some type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// Not JSON, or JSON that two readers could understand differently.
    #[error("the predicate has no single meaning")]
    Json(#[source] JsonError),
    /// A predicate of this type is an object.
    #[error("the predicate is no object")]
    NoObject,
    /// A predicate of this type has the file as a text.
    #[error("the predicate is not UTF-8")]
    NotUtf8,
    /// A time that has no form.
    #[error("{0} seconds since 1970 is no time that can be written")]
    Time(i64),
}

const NAMES: [(&str, PredicateType); 13] = [
    ("spdxjson", PredicateType::known("https://spdx.dev/Document", Body::Object)),
    ("spdx", PredicateType::known("https://spdx.dev/Document", Body::Text)),
    ("cyclonedx", PredicateType::known("https://cyclonedx.org/bom", Body::Object)),
    ("vuln", PredicateType::known("https://cosign.sigstore.dev/attestation/vuln/v1", Body::Object)),
    ("openvex", PredicateType::OPENVEX),
    ("slsaprovenance", PredicateType::known("https://slsa.dev/provenance/v0.2", Body::Object)),
    ("slsaprovenance02", PredicateType::known("https://slsa.dev/provenance/v0.2", Body::Object)),
    ("slsaprovenance1", PredicateType::known("https://slsa.dev/provenance/v1", Body::Object)),
    ("link", PredicateType::known("https://in-toto.io/Link/v1", Body::Object)),
    ("test-result", PredicateType::known("https://in-toto.io/attestation/test-result/v0.1", Body::Object)),
    ("vsa", PredicateType::VSA),
    ("ledger", PredicateType::LEDGER),
    ("custom", PredicateType::known("https://cosign.sigstore.dev/attestation/v1", Body::Dated)),
];

impl PredicateType {
    /// What says that a bundle is a signature of an image, and no attestation. Cosign 3 takes any for one.
    pub const SIGN: Self = Self::known("https://sigstore.dev/cosign/sign/v1", Body::Object);

    /// What somebody says of vulnerabilities in an image.
    pub const OPENVEX: Self = Self::known("https://openvex.dev/ns", Body::Object);
    /// What was found when an image was verified or judged: a summary as SLSA has it.
    pub const VSA: Self = Self::known("https://slsa.dev/verification_summary/v1", Body::Object);
    /// When vulnerabilities were first seen: an object with the entries of a ledger.
    pub const LEDGER: Self = Self::known("https://git.example.org/distil/docs/ledger.md#v1", Body::Object);

    const fn known(uri: &'static str, body: Body) -> Self {
        Self { uri: Cow::Borrowed(uri), body }
    }

    /// The URI that statements have.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether a statement is of this type. Names that differ in the form of the predicate alone are one type.
    #[must_use]
    pub fn is(&self, uri: &str) -> bool {
        self.uri == uri
    }

    /// Makes the predicate from a file, as JSON. `now` is in seconds since 1970, and only in a predicate that has a time.
    ///
    /// # Errors
    /// [`PredicateError`] where the file is none of this type. Nothing but its outermost form is looked at.
    pub fn predicate(&self, file: &[u8], now: i64) -> Result<String, PredicateError> {
        let text = || std::str::from_utf8(file).map_err(|_| PredicateError::NotUtf8);
        let json = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| PredicateError::NotUtf8);
        match self.body {
            Body::Object => {
                json::check_data(file, MAX_STATEMENT).map_err(PredicateError::Json)?;
                let object = text()?.trim();
                if object.starts_with('{') { Ok(object.to_owned()) } else { Err(PredicateError::NoObject) }
            }
            Body::Text => json(wire::proto(&text()?)),
            Body::Dated => {
                let timestamp = time::rfc3339(now).ok_or(PredicateError::Time(now))?;
                json(wire::proto(&Dated { data: text()?, timestamp }))
            }
        }
    }

    /// Writes a statement about an image, which is to be signed as the payload of an envelope: in the bytes of cosign 3, where
    /// the predicate is in them. Cosign has version 0.1 of the form there. `reference` is the image's repository, `predicate`
    /// what [`PredicateType::predicate`] gave.
    #[must_use]
    pub fn statement(&self, reference: &str, digest: &Digest, predicate: &str) -> Vec<u8> {
        write(Form::COSIGN_3, Subject::new(reference, digest), self, predicate)
    }
}

/// Writes the statement that cosign 3 signs where an image is signed, in its bytes: about nothing but the digest.
#[must_use]
pub fn signature_statement(digest: &Digest, annotations: &BTreeMap<String, String>) -> Vec<u8> {
    let subject = Subject::new("", digest).with_annotations(annotations);
    write(Form::COSIGN_3_SIGNATURE, subject, &PredicateType::SIGN, "{}")
}

fn write(form: Form, subject: Subject, kind: &PredicateType, predicate: &str) -> Vec<u8> {
    let mut out = Vec::new();
    statement::write_as(form, &[subject], kind.uri(), &mut |out| out.write_all(predicate.as_bytes()), &mut out)
        .expect("memory takes every byte");
    out
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Dated<'a> {
    data: &'a str,
    timestamp: String,
}

impl FromStr for PredicateType {
    type Err = UnknownPredicateType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, known)) = NAMES.into_iter().find(|(name, _)| *name == text) {
            return Ok(known);
        }
        let is_uri = text.split_once(':').is_some_and(|(scheme, rest)| {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
            scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_letter) && !rest.is_empty()
        });
        if !is_uri || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(UnknownPredicateType(text.to_owned()));
        }
        Ok(Self { uri: Cow::Owned(text.to_owned()), body: Body::Object })
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

#[cfg(test)]
mod tests;
