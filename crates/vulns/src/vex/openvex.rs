//! `OpenVEX`.

mod write;

pub use write::write;

use std::collections::BTreeSet;
use std::sync::Arc;

use distil_imgcore::Escaped;
use jiff::Timestamp;
use serde::Deserialize;

use super::list::List;
use super::{Identifier, Product, Statement, Unusable, VexDocument, VexError, VexStatus, text};

/// What the context of every version begins with.
const NAMESPACE: &str = "https://openvex.dev/ns";

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@id")]
    id: Option<String>,
    author: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    #[serde(default)]
    statements: List<Said>,
}

#[derive(Deserialize)]
struct Said {
    vulnerability: Option<Vulnerability>,
    #[serde(default)]
    products: List<Named<Whole>>,
    /// Before 0.2.0 these stood beside the products.
    #[serde(default)]
    subcomponents: List<Named<Component>>,
    status: Option<String>,
    justification: Option<String>,
    impact_statement: Option<String>,
    action_statement: Option<String>,
    timestamp: Option<String>,
}

/// Before 0.2.0 it was a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Object {
        name: Option<String>,
        #[serde(default)]
        aliases: List<String>,
    },
}

/// A product or a part of one; before 0.2.0 it was a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named<T> {
    Name(String),
    Object(Box<T>),
}

#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    component: Component,
    #[serde(default)]
    subcomponents: List<Named<Component>>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id")]
    id: Option<String>,
    identifiers: Option<Identifiers>,
    hashes: Option<Hashes>,
}

#[derive(Deserialize)]
struct Identifiers {
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Hashes {
    #[serde(rename = "sha-256")]
    sha256: Option<String>,
}

/// Refuses versions that nobody has written yet.
pub(super) fn check_context(context: &str) -> Result<(), VexError> {
    let version = context.strip_prefix(NAMESPACE).ok_or(VexError::Unknown)?;
    let is_read = matches!(version, "" | "/" | "/v0.2.0") || version.starts_with("/v0.0.");
    if is_read { Ok(()) } else { Err(VexError::Version(context.chars().take(100).collect())) }
}

pub(super) fn read(bytes: &[u8], name: &str) -> Result<VexDocument, VexError> {
    let document: Document = serde_json::from_slice(bytes)?;
    let mut notes = Vec::new();
    let id = text(document.id).unwrap_or_else(|| {
        notes.push("the document has no identifier".to_owned());
        name.to_owned()
    });
    let timestamp = document.last_updated.or(document.timestamp);
    let timestamp = timestamp
        .and_then(|text| text.parse().map_err(|_| notes.push(format!("{} is no time", Escaped(text.as_bytes())))).ok());
    let mut read = VexDocument {
        id,
        author: text(document.author),
        timestamp,
        notes,
        statements: Vec::new(),
        unusable: Vec::new(),
        is_verified: false,
    };
    for (at, said) in document.statements.0.into_iter().enumerate() {
        let at = at + 1;
        let ids = ids(said.vulnerability.as_ref());
        let statement = match said.into_statement(ids.clone(), timestamp) {
            Ok(statement) => statement,
            Err(reason) => {
                read.unusable.push(Unusable { document: read.id.clone(), statement: at, ids, reason });
                continue;
            }
        };
        if statement.status.suppresses() && statement.products.iter().any(|product| product.is_whole_image()) {
            read.notes.push(format!("statement {at} names no package, and counts for all of the image"));
        }
        read.statements.push(statement);
    }
    Ok(read)
}

fn ids(vulnerability: Option<&Vulnerability>) -> BTreeSet<String> {
    let (name, aliases) = match vulnerability {
        Some(Vulnerability::Name(name)) => (Some(name), &[][..]),
        Some(Vulnerability::Object { name, aliases }) => (name.as_ref(), aliases.0.as_slice()),
        None => (None, &[][..]),
    };
    name.into_iter().chain(aliases).filter_map(|id| text(Some(id.clone()))).collect()
}

impl Said {
    fn into_statement(self, ids: BTreeSet<String>, inherited: Option<Timestamp>) -> Result<Statement, String> {
        let word = self.status.unwrap_or_default();
        let status = VexStatus::of(&word).ok_or_else(|| format!("{} is no status", Escaped(word.trim().as_bytes())))?;
        let timestamp = match self.timestamp {
            Some(text) => Some(text.parse().map_err(|_| format!("{} is no time", Escaped(text.as_bytes())))?),
            None => inherited,
        };
        let parts: Vec<_> = self.subcomponents.0.into_iter().map(Named::into_identifiers).collect();
        let products = self.products.0.into_iter().map(|named| {
            let mut product = named.into_product();
            product.subcomponents.extend_from_slice(&parts);
            Arc::new(product)
        });
        let statement = Statement {
            ids,
            // Parts that stand beside many products would be many times as much.
            products: products
                .take(if parts.is_empty() { usize::MAX } else { super::MAX_ITEMS / parts.len() })
                .collect(),
            status,
            justification: text(self.justification),
            impact: text(self.impact_statement),
            action: text(self.action_statement),
            timestamp,
        };
        statement.check().map(|()| statement)
    }
}

impl Named<Component> {
    fn into_identifiers(self) -> Vec<Identifier> {
        match self {
            Self::Name(name) => vec![Identifier::of(&name)],
            Self::Object(component) => component.into_identifiers(),
        }
    }
}

impl Named<Whole> {
    fn into_product(self) -> Product {
        match self {
            Self::Name(name) => Product { identifiers: vec![Identifier::of(&name)], ..Product::default() },
            Self::Object(whole) => Product {
                identifiers: whole.component.into_identifiers(),
                subcomponents: whole.subcomponents.0.into_iter().map(Named::into_identifiers).collect(),
            },
        }
    }
}

impl Component {
    fn into_identifiers(self) -> Vec<Identifier> {
        let purl = self.identifiers.and_then(|identifiers| identifiers.purl);
        let digest = self.hashes.and_then(|hashes| hashes.sha256).map(|hex| format!("sha256:{hex}"));
        [self.id, purl, digest].iter().flatten().map(|name| Identifier::of(name)).collect()
    }
}
