//! What relationships tell about packages and files.

use std::collections::HashMap;

use distil_imgcore::ImagePath;

use super::document::{Document, Element, Text};
use super::found::said;
use super::identifier::NOASSERTION;
use super::relationship::{BUILT_USING, CONFFILE, GENERATED, HOLDS, OWN, STATIC_BUILT_USING};
use super::role::Role;
use crate::inventory::{BuiltUsing, Dependency, File, Owner, Package, PackageKind, SourcePackage};

/// What is linked, by the identifiers of the document.
#[derive(Debug)]
pub(super) struct Links<'d, 'a> {
    elements: HashMap<&'d str, (&'d Element<'a>, &'d Role)>,
    /// The numbers of packages.
    pub(super) packages: HashMap<&'d str, usize>,
    /// The numbers of files.
    pub(super) files: HashMap<&'d str, usize>,
}

impl<'d, 'a> Links<'d, 'a> {
    pub(super) fn of(document: &'d Document<'a>, roles: &'d [Role]) -> Self {
        let elements =
            document.packages.iter().zip(roles).map(|(element, role)| (element.id.as_str(), (element, role)));
        Self { elements: elements.collect(), packages: HashMap::new(), files: HashMap::new() }
    }

    /// Follows all relationships in their order.
    pub(super) fn follow(&self, document: &Document<'_>, packages: &mut [Package], files: &mut [File]) {
        let mut found = Found { links: self, packages, files };
        for element in document.packages.iter() {
            for file in element.has_files.iter() {
                found.contains(element.id.as_str(), file.as_str(), "");
            }
        }
        for one in document.relationships.iter() {
            let (from, to) = (one.from.as_str(), one.to.as_str());
            let comment = one.comment.as_ref().map_or("", Text::as_str);
            match one.kind.as_str() {
                "CONTAINS" => found.contains(from, to, comment),
                "CONTAINED_BY" => found.contains(to, from, comment),
                "OTHER" if comment.starts_with(HOLDS) => found.contains(from, to, comment),
                "OTHER" if comment.starts_with("ownership-by-file-overlap") => found.contains(from, to, comment),
                "OTHER" if comment.starts_with("evident-by") => found.is_evident_by(from, to),
                "DEPENDS_ON" => found.depends_on(from, to, comment),
                "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" => found.depends_on(to, from, comment),
                "GENERATED_FROM" => found.is_generated_from(from, to, comment),
                _ => {}
            }
        }
    }
}

struct Found<'f, 'd, 'a> {
    links: &'f Links<'d, 'a>,
    packages: &'f mut [Package],
    files: &'f mut [File],
}

impl Found<'_, '_, '_> {
    fn package(&mut self, id: &str) -> Option<(usize, &mut Package)> {
        let number = *self.links.packages.get(id)?;
        Some((number, self.packages.get_mut(number)?))
    }

    fn file(&mut self, id: &str) -> Option<&mut File> {
        self.files.get_mut(*self.links.files.get(id)?)
    }

    fn contains(&mut self, holder: &str, held: &str, comment: &str) {
        let number = self.links.packages.get(holder).copied();
        let container = self.links.elements.get(holder).map(|(element, role)| (element.name.as_str(), *role));
        if let Some(file) = self.file(held) {
            match (number, container) {
                (Some(number), _) if !matches!(file.owner, Owner::Package { .. }) => {
                    file.owner = Owner::Package { number, is_conffile: comment.ends_with(CONFFILE) };
                }
                (None, Some((_, Role::Image))) if file.owner == Owner::Unknown => {
                    file.owner = match comment {
                        comment if comment.ends_with(OWN) => Owner::Recipe,
                        comment if comment.ends_with(GENERATED) => Owner::Generated,
                        _ => Owner::Unknown,
                    };
                }
                _ => {}
            }
        } else if let Some((own, package)) = self.package(held) {
            match (number, container) {
                (Some(number), _) if number != own => package.part_of = package.part_of.or(Some(number)),
                // Trivy names these by the path of the file that it found packages in.
                (None, Some((name, Role::Container))) => locate(package, name.as_bytes()),
                _ => {}
            }
        }
    }

    fn is_evident_by(&mut self, package: &str, file: &str) {
        let path = self.file(file).map(|file| file.path.clone());
        if let (Some((_, package)), Some(path)) = (self.package(package), path) {
            locate(package, path.as_bytes());
        }
    }

    fn depends_on(&mut self, needing: &str, needed: &str, comment: &str) {
        let dependency = match self.links.packages.get(needed) {
            Some(number) => Dependency::Package(*number),
            None if needed == NOASSERTION && !comment.is_empty() => Dependency::Missing(comment.to_owned()),
            None => return,
        };
        if let Some((_, package)) = self.package(needing) {
            package.dependencies.push(dependency);
        }
    }

    fn is_generated_from(&mut self, made: &str, origin: &str, comment: &str) {
        let Some((element, Role::Source)) = self.links.elements.get(origin) else { return };
        let Some((_, package)) = self.package(made).filter(|(_, package)| package.kind == PackageKind::Deb) else {
            return;
        };
        let version = said(element.version_info.as_ref()).unwrap_or_default();
        let source = SourcePackage { name: element.name.as_str().to_owned(), version };
        match comment {
            BUILT_USING | STATIC_BUILT_USING => {
                package.built_using.push(BuiltUsing { source, is_static: comment == STATIC_BUILT_USING });
            }
            _ => package.source = Some(source),
        }
    }
}

fn locate(package: &mut Package, path: &[u8]) {
    if let Ok(path) = ImagePath::from_foreign(path)
        && !path.is_root()
    {
        package.locations.push(path);
    }
}
