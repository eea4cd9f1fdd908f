//! `OpenVEX` as it is written.

use distil_imgcore::{Digest, Visible};
use jiff::Timestamp;
use serde::Serialize;

use crate::vex::{Identifier, Product, Statement, VexStatus};

/// Where identifiers of documents live that have no other place, by the specification's own tools.
const IDENTIFIERS: &str = "https://openvex.dev/docs/public/vex-";

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    author: &'a str,
    timestamp: String,
    version: u32,
    tooling: &'static str,
    statements: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    vulnerability: Vulnerability<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    products: Vec<Whole>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_statement: Option<&'a str>,
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'a str>,
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    component: Component,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
}

/// A document of these statements, as one line of JSON. Its identifier is made of the digest of all the rest, so that the
/// same statements by the same author at the same time are the same document. A statement that could not be used, by
/// [`Statement::check`], is left out; of the identifiers of a vulnerability a CVE becomes its name.
#[expect(clippy::missing_panics_doc, reason = "what is written is text and lists in memory")]
#[must_use]
pub fn write(author: &str, timestamp: Timestamp, statements: &[Statement]) -> Vec<u8> {
    let said = || statements.iter().filter(|statement| statement.check().is_ok()).map(Said::of).collect();
    let document = |id: &str| {
        let mut bytes = Vec::new();
        let document = Document {
            context: "https://openvex.dev/ns/v0.2.0",
            id,
            author,
            timestamp: timestamp.to_string(),
            version: 1,
            tooling: concat!("distil ", env!("CARGO_PKG_VERSION")),
            statements: said(),
        };
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Visible);
        document.serialize(&mut serializer).expect("a vector takes all, and all keys are text");
        bytes.push(b'\n');
        bytes
    };
    let id = format!("{IDENTIFIERS}{}", Digest::of(&document(IDENTIFIERS)).hex());
    document(&id)
}

impl<'a> Said<'a> {
    fn of(statement: &'a Statement) -> Self {
        let name = statement.ids.iter().find(|id| id.starts_with("CVE-")).or(statement.ids.first());
        let name = name.map(String::as_str).unwrap_or_default();
        Self {
            vulnerability: Vulnerability {
                name,
                aliases: statement.ids.iter().map(String::as_str).filter(|id| *id != name).collect(),
            },
            timestamp: statement.timestamp.map(|time| time.to_string()),
            products: statement.products.iter().flat_map(|product| Whole::of(product)).collect(),
            status: match statement.status {
                VexStatus::Fixed => "fixed",
                VexStatus::NotAffected => "not_affected",
                VexStatus::UnderInvestigation => "under_investigation",
                VexStatus::Affected => "affected",
            },
            justification: statement.justification.as_deref(),
            impact_statement: statement.impact.as_deref(),
            action_statement: statement.action.as_deref(),
        }
    }
}

impl Whole {
    /// One for each name of the product: readers bind a product by `@id`, and not all of them by anything else.
    fn of(product: &Product) -> Vec<Self> {
        let names = product.identifiers.iter().filter_map(name);
        names
            .map(|id| Self {
                component: Component { id },
                subcomponents: product
                    .subcomponents
                    .iter()
                    .flatten()
                    .filter_map(name)
                    .map(|id| Component { id })
                    .collect(),
            })
            .collect()
    }
}

fn name(identifier: &Identifier) -> Option<String> {
    match identifier {
        Identifier::Purl(purl) => Some(purl.to_string()),
        Identifier::Digest(digest) => Some(digest.to_string()),
        Identifier::Reference(name) => Some(name.to_string()),
        Identifier::Other(_) => None,
    }
}
