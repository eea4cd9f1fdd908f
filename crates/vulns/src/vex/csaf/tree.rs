//! The products of a CSAF document: branches, relationships and groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::vex::list::List;
use crate::vex::{Identifier, Product};

/// `product_tree`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tree {
    branches: List<Branch>,
    full_product_names: List<FullName>,
    relationships: List<Relationship>,
    product_groups: List<Group>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: List<Branch>,
    product: Option<FullName>,
}

#[derive(Deserialize)]
struct FullName {
    product_id: String,
    name: Option<String>,
    product_identification_helper: Option<Helper>,
}

#[derive(Deserialize)]
struct Helper {
    purl: Option<String>,
    #[serde(default)]
    hashes: List<Hashes>,
}

#[derive(Deserialize)]
struct Hashes {
    #[serde(default)]
    file_hashes: List<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: FullName,
}

#[derive(Deserialize)]
struct Group {
    group_id: String,
    #[serde(default)]
    product_ids: List<String>,
}

/// The products of a document, by their identifiers.
pub(super) struct Products {
    by_id: BTreeMap<String, Arc<Product>>,
    groups: BTreeMap<String, Vec<String>>,
}

impl Products {
    pub(super) fn of(tree: Tree) -> Self {
        let mut by_id: BTreeMap<String, Arc<Product>> = BTreeMap::new();
        let mut add = |name: FullName| {
            let product = Product { identifiers: name.identifiers(), ..Product::default() };
            by_id.entry(name.product_id).or_insert_with(|| Arc::new(product));
        };
        tree.full_product_names.0.into_iter().for_each(&mut add);
        // The reader of JSON ends what is nested too deep.
        let mut branches = tree.branches.0;
        while let Some(branch) = branches.pop() {
            branches.extend(branch.branches.0);
            branch.product.into_iter().for_each(&mut add);
        }
        for relationship in tree.relationships.0 {
            let whole = by_id.get(&relationship.relates_to_product_reference);
            let part = by_id.get(&relationship.product_reference);
            // Of what is itself put together no part can be found in an image.
            let (Some(whole), Some(part)) = (whole, part) else { continue };
            if !whole.subcomponents.is_empty() || !part.subcomponents.is_empty() {
                continue;
            }
            let product =
                Product { identifiers: whole.identifiers.clone(), subcomponents: vec![part.identifiers.clone()] };
            by_id.entry(relationship.full_product_name.product_id).or_insert_with(|| Arc::new(product));
        }
        let groups = tree.product_groups.0.into_iter().map(|group| (group.group_id, group.product_ids.0)).collect();
        Self { by_id, groups }
    }

    /// A product. One that the document does not define is one without names.
    pub(super) fn get(&self, id: &str) -> Arc<Product> {
        self.by_id.get(id).cloned().unwrap_or_default()
    }

    /// The identifiers of the products of a group.
    pub(super) fn group(&self, id: &str) -> &[String] {
        self.groups.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}

impl FullName {
    /// The names that stand for something at hand; where there is none the words that people read, for the message.
    fn identifiers(&self) -> Vec<Identifier> {
        let Some(helper) = &self.product_identification_helper else { return self.unnamed() };
        let hashes = helper.hashes.0.iter().flat_map(|hashes| &hashes.file_hashes.0);
        let sha256 = hashes.filter(|hash| hash.algorithm.as_deref() == Some("sha256")).filter_map(|hash| {
            let digest = format!("sha256:{}", hash.value.as_deref()?);
            Some(Identifier::Digest(digest.parse().ok()?))
        });
        let identifiers: Vec<_> = helper.purl.iter().map(|purl| Identifier::of(purl)).chain(sha256).collect();
        if identifiers.is_empty() { self.unnamed() } else { identifiers }
    }

    fn unnamed(&self) -> Vec<Identifier> {
        let name = self.name.as_deref().unwrap_or(&self.product_id);
        vec![Identifier::Other(name.chars().take(200).collect())]
    }
}
