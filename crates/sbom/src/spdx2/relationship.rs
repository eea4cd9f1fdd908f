//! What elements are to each other.

use std::borrow::Cow;

use serde::Serialize;

use super::file::{Codes, listed};
use super::identifier::{self, DOCUMENT, Identifiers, NOASSERTION, NONE};
use crate::document::About;
use crate::inventory::{Dependency, File, Inventory, Owner, Package, PackageKind};

pub(super) const CONFFILE: &str = "configuration file";
pub(super) const OWN: &str = "brought by the recipe";
pub(super) const GENERATED: &str = "made by the build";
pub(super) const BUILT_USING: &str = "built-using";
pub(super) const STATIC_BUILT_USING: &str = "static-built-using";
/// Stands for CONTAINS where not all files of the container are listed, since then it must contain none.
pub(super) const HOLDS: &str = "holds this file, and others that are not listed";

#[derive(Debug, Serialize)]
pub(super) struct Relationship<'a> {
    #[serde(rename = "spdxElementId")]
    from: &'a str,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    to: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Cow<'a, str>>,
}

impl<'a> Relationship<'a> {
    fn new(from: &'a str, kind: &'static str, to: impl Into<Cow<'a, str>>) -> Self {
        Self { from, kind, to: to.into(), comment: None }
    }

    fn with_comment(self, comment: impl Into<Cow<'a, str>>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }

    /// All relationships of a document, those of files last.
    pub(super) fn all(
        inventory: &'a Inventory,
        about: &'a About,
        ids: &'a Identifiers,
        codes: &'a Codes,
    ) -> impl Iterator<Item = Self> {
        // An inventory without a single edge comes from a document that knew of none, and claims nothing.
        let has_edges = inventory.packages.iter().any(|package| !package.dependencies.is_empty());
        let packages = inventory.packages.iter().zip(&ids.packages);
        let packages = packages.flat_map(move |(package, id)| of_package(package, id, ids, has_edges));
        let files = listed(inventory, about).map(move |file| of_file(file, ids, codes));
        of_image(ids).into_iter().chain(packages).chain(files)
    }
}

fn of_image(ids: &Identifiers) -> Vec<Relationship<'_>> {
    let within = ids.system.iter().chain(&ids.layers).map(|id| Relationship::new(&ids.image, "CONTAINS", id));
    let base = ids.base.iter().map(|id| Relationship::new(&ids.image, "DESCENDANT_OF", id));
    std::iter::once(Relationship::new(DOCUMENT, "DESCRIBES", &ids.image)).chain(within).chain(base).collect()
}

fn of_package<'a>(package: &'a Package, id: &'a str, ids: &'a Identifiers, has_edges: bool) -> Vec<Relationship<'a>> {
    let mut all: Vec<_> = containers(package, ids).map(|from| Relationship::new(from, "CONTAINS", id)).collect();
    for dependency in &package.dependencies {
        all.extend(match dependency {
            Dependency::Package(number) => {
                ids.packages.get(*number).map(|needed| Relationship::new(id, "DEPENDS_ON", needed))
            }
            Dependency::Missing(relation) => {
                Some(Relationship::new(id, "DEPENDS_ON", NOASSERTION).with_comment(relation))
            }
        });
    }
    if has_edges && package.dependencies.is_empty() && package.kind == PackageKind::Deb {
        all.push(Relationship::new(id, "DEPENDS_ON", NONE));
    }
    all.extend(package.source.iter().map(|of| Relationship::new(id, "GENERATED_FROM", identifier::of_source(of))));
    all.extend(package.built_using.iter().map(|built| {
        let comment = if built.is_static { STATIC_BUILT_USING } else { BUILT_USING };
        Relationship::new(id, "GENERATED_FROM", identifier::of_source(&built.source)).with_comment(comment)
    }));
    all
}

/// What holds a package: the package whose files it was found in, or the image, and the operating system if it is of it.
/// Trivy finds the operating system's packages from there.
fn containers<'a>(package: &Package, ids: &'a Identifiers) -> impl Iterator<Item = &'a str> {
    let part_of = package.part_of.and_then(|number| ids.packages.get(number));
    let system = ids.system.as_ref().filter(|_| part_of.is_none() && package.kind == PackageKind::Deb);
    [Some(part_of.unwrap_or(&ids.image)), system].into_iter().flatten().map(String::as_str)
}

fn of_file<'a>(file: &File, ids: &'a Identifiers, codes: &Codes) -> Relationship<'a> {
    let of_image = (&ids.image, codes.image);
    let ((from, code), note) = match file.owner {
        Owner::Package { number, is_conffile } => {
            let owner = ids.packages.get(number).zip(codes.packages.get(number).copied());
            (owner.unwrap_or(of_image), is_conffile.then_some(CONFFILE))
        }
        Owner::Recipe => (of_image, Some(OWN)),
        Owner::Generated => (of_image, Some(GENERATED)),
        Owner::Unknown => (of_image, None),
    };
    let kind = if code.is_some() { "CONTAINS" } else { "OTHER" };
    let comment: Option<Cow<'_, str>> = match (code, note) {
        (Some(_), note) => note.map(Cow::Borrowed),
        (None, Some(note)) => Some(format!("{HOLDS}: {note}").into()),
        (None, None) => Some(HOLDS.into()),
    };
    Relationship { comment, ..Relationship::new(from, kind, identifier::of_file(&file.path)) }
}
