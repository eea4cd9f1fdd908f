//! What is worked out once before a document is written.

use std::collections::BTreeMap;

use super::refs::Refs;
use crate::document::About;
use crate::expression;
use crate::inventory::{Context, Dependency, Inventory, Owner, Package, PackageKind};
use crate::time;

/// An inventory, with what its components need to know of each other.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) about: &'a About,
    pub(super) refs: Refs,
    /// The files of each package, as far as files are listed.
    pub(super) files: Vec<Vec<usize>>,
    /// The files of no package that are listed: own ones always.
    pub(super) other_files: Vec<usize>,
    /// The packages found in the files of each package.
    pub(super) held: Vec<Vec<usize>>,
    /// The time of the document.
    pub(super) created: Option<String>,
    diff_ids: Vec<String>,
    /// Whether what Debian packages need was read.
    has_relations: bool,
    /// The first package with each licence that SPDX has no name for: the text stands there and nowhere else.
    texts: BTreeMap<&'a str, usize>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(inventory: &'a Inventory, about: &'a About) -> Self {
        let mut files = vec![Vec::new(); inventory.packages.len()];
        let mut other_files = Vec::new();
        for (number, file) in inventory.files.iter().enumerate() {
            let listed = about.files || file.owner == Owner::Recipe;
            let list = match file.owner {
                Owner::Package { number, .. } => files.get_mut(number).unwrap_or(&mut other_files),
                Owner::Recipe | Owner::Generated | Owner::Unknown => &mut other_files,
            };
            list.extend(listed.then_some(number));
        }
        let mut held: Vec<Vec<usize>> = vec![Vec::new(); inventory.packages.len()];
        let mut texts = BTreeMap::new();
        for (number, package) in inventory.packages.iter().enumerate() {
            if let Some(holder) = package.part_of.and_then(|holder| held.get_mut(holder)) {
                holder.push(number);
            }
            for name in licence_refs(package) {
                texts.entry(name).or_insert(number);
            }
        }
        let is_read = |package: &Package| package.kind == PackageKind::Deb && !package.dependencies.is_empty();
        let is_built = inventory.image.context == Context::Build;
        Self {
            inventory,
            about,
            refs: Refs::of(inventory),
            files,
            other_files,
            held,
            created: time::text(about.created),
            diff_ids: inventory.image.layers.iter().map(|layer| layer.diff_id.to_string()).collect(),
            has_relations: is_built || inventory.packages.iter().any(is_read),
            texts,
        }
    }

    /// The diff id of a layer.
    pub(super) fn diff_id(&self, layer: Option<usize>) -> Option<&str> {
        self.diff_ids.get(layer?).map(String::as_str)
    }

    /// The licences whose texts stand at this package: their names and texts.
    pub(super) fn texts_of(&self, number: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
        let package = self.inventory.packages.get(number);
        let mut names: Vec<&str> = package.into_iter().flat_map(licence_refs).collect();
        names.sort_unstable();
        names.dedup();
        let texts = &self.inventory.licence_texts;
        let here = names.into_iter().filter(move |name| self.texts.get(name) == Some(&number));
        here.filter_map(|name| Some((name, texts.get(name)?.as_str())))
    }

    /// Whether all that a package needs is known. None where nobody looked: relations are read of Debian packages, and a
    /// document may have left them out.
    pub(super) fn is_complete(&self, package: &Package) -> Option<bool> {
        let is_missing = |dependency: &Dependency| matches!(dependency, Dependency::Missing(_));
        if package.dependencies.iter().any(is_missing) {
            return Some(false);
        }
        (package.kind == PackageKind::Deb && self.has_relations).then_some(true)
    }
}

/// Whether packages of this kind are those of an operating system.
pub(super) fn is_of_system(kind: &PackageKind) -> bool {
    match kind {
        PackageKind::Deb => true,
        PackageKind::Other(name) => matches!(name.as_str(), "alpm" | "apk" | "rpm"),
        _ => false,
    }
}

/// The names in a package's licences that stand for texts of their own.
fn licence_refs(package: &Package) -> impl Iterator<Item = &str> {
    let expressions = [package.licences.concluded.as_deref(), package.licences.declared.as_deref()];
    expressions.into_iter().flatten().flat_map(expression::references)
}
