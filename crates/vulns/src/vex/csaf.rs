//! The VEX profile of CSAF.

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use distil_imgcore::Escaped;
use jiff::Timestamp;
use serde::Deserialize;

use super::list::List;
use super::{Product, Statement, Unusable, VexDocument, VexError, VexStatus, text};
use tree::{Products, Tree};

#[derive(Deserialize)]
struct Csaf {
    document: About,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: List<Vulnerability>,
}

#[derive(Deserialize)]
struct About {
    category: Option<String>,
    csaf_version: Option<String>,
    publisher: Option<Publisher>,
    tracking: Option<Tracking>,
}

#[derive(Deserialize)]
struct Publisher {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Tracking {
    id: Option<String>,
    current_release_date: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    #[serde(default)]
    ids: List<Id>,
    #[serde(default)]
    product_status: ProductStatus,
    #[serde(default)]
    flags: List<Said>,
    #[serde(default)]
    threats: List<Said>,
    #[serde(default)]
    remediations: List<Said>,
}

#[derive(Deserialize)]
struct Id {
    text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProductStatus {
    fixed: List<String>,
    first_fixed: List<String>,
    known_not_affected: List<String>,
    under_investigation: List<String>,
    known_affected: List<String>,
    first_affected: List<String>,
    last_affected: List<String>,
}

/// A flag, a threat or a remediation: something said of some products.
#[derive(Deserialize)]
struct Said {
    label: Option<String>,
    category: Option<String>,
    details: Option<String>,
    #[serde(default)]
    product_ids: List<String>,
    #[serde(default)]
    group_ids: List<String>,
}

pub(super) fn read(bytes: &[u8], name: &str) -> Result<VexDocument, VexError> {
    let csaf: Csaf = serde_json::from_slice(bytes)?;
    if csaf.document.category.as_deref() != Some("csaf_vex") {
        return Err(VexError::Unknown);
    }
    match csaf.document.csaf_version {
        Some(version) if version != "2.0" => {
            return Err(VexError::Version(format!("CSAF {}", version.chars().take(20).collect::<String>())));
        }
        _ => {}
    }
    let mut notes = Vec::new();
    let (mut id, mut timestamp) = (None, None);
    if let Some(tracking) = csaf.document.tracking {
        match tracking.status.as_deref() {
            Some("draft") => return Err(VexError::Draft),
            Some("interim") => notes.push("the document is interim: it may change soon".to_owned()),
            _ => {}
        }
        id = text(tracking.id);
        timestamp = tracking.current_release_date.and_then(|text| {
            text.parse().map_err(|_| notes.push(format!("{} is no time", Escaped(text.as_bytes())))).ok()
        });
    }
    let mut read = VexDocument {
        id: id.unwrap_or_else(|| name.to_owned()),
        author: text(csaf.document.publisher.and_then(|publisher| publisher.name)),
        timestamp,
        notes,
        statements: Vec::new(),
        unusable: Vec::new(),
        is_verified: false,
    };
    let products = Products::of(csaf.product_tree);
    for (at, vulnerability) in csaf.vulnerabilities.0.iter().enumerate() {
        for statement in vulnerability.statements(&products, timestamp) {
            match statement.check() {
                Ok(()) => read.statements.push(statement),
                Err(reason) => read.unusable.push(Unusable {
                    document: read.id.clone(),
                    statement: at + 1,
                    ids: statement.ids,
                    reason,
                }),
            }
        }
    }
    Ok(read)
}

impl Vulnerability {
    /// A statement for each status, and within it for each justification and impact. What is said to be affected comes last,
    /// so that it counts where a document contradicts itself.
    fn statements(&self, products: &Products, timestamp: Option<Timestamp>) -> Vec<Statement> {
        let ids = self.cve.iter().chain(self.ids.0.iter().filter_map(|id| id.text.as_ref()));
        let ids: BTreeSet<String> = ids.filter_map(|id| text(Some(id.clone()))).collect();
        let flags = self.flags.0.iter().filter_map(|flag| Some((flag, flag.label.clone()?)));
        let flags = told(flags, products);
        let is_impact = |said: &&Said| said.category.as_deref() == Some("impact");
        let impacts = self.threats.0.iter().filter(is_impact);
        let impacts = told(impacts.filter_map(|threat| Some((threat, text(threat.details.clone())?))), products);
        let actions = self.remediations.0.iter();
        let actions = told(actions.filter_map(|remedy| Some((remedy, text(remedy.details.clone())?))), products);

        let status = &self.product_status;
        let by_status: [(VexStatus, &[&List<String>]); 4] = [
            (VexStatus::Fixed, &[&status.fixed, &status.first_fixed]),
            (VexStatus::NotAffected, &[&status.known_not_affected]),
            (VexStatus::UnderInvestigation, &[&status.under_investigation]),
            (VexStatus::Affected, &[&status.known_affected, &status.first_affected, &status.last_affected]),
        ];
        let mut statements = Vec::new();
        for (status, lists) in by_status {
            let mut alike: BTreeMap<[Option<String>; 3], Vec<Arc<Product>>> = BTreeMap::new();
            for product in lists.iter().flat_map(|list| &list.0) {
                let words = [&flags, &impacts, &actions].map(|said| said.of(product));
                alike.entry(words).or_default().push(products.get(product));
            }
            statements.extend(alike.into_iter().map(|([justification, impact, action], products)| Statement {
                ids: ids.clone(),
                products,
                status,
                justification,
                impact,
                action,
                timestamp,
            }));
        }
        statements
    }
}

/// What is said of products, by their identifiers.
#[derive(Default)]
struct Told<'a> {
    of: BTreeMap<&'a str, String>,
    /// What is said of no product in particular holds for all.
    of_all: Option<String>,
}

impl Told<'_> {
    fn of(&self, product: &str) -> Option<String> {
        self.of.get(product).or(self.of_all.as_ref()).cloned()
    }
}

/// The first that is said of a product counts.
fn told<'a>(said: impl Iterator<Item = (&'a Said, String)>, products: &'a Products) -> Told<'a> {
    let mut told = Told::default();
    for (said, words) in said {
        if said.product_ids.0.is_empty() && said.group_ids.0.is_empty() {
            told.of_all.get_or_insert(words);
            continue;
        }
        let groups = said.group_ids.0.iter().flat_map(|group| products.group(group));
        for product in said.product_ids.0.iter().chain(groups) {
            if told.of.len() < super::MAX_ITEMS {
                told.of.entry(product).or_insert_with(|| words.clone());
            }
        }
    }
    told
}
