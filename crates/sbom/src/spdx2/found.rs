//! One package of an inventory from its element.

use std::borrow::Cow;
use std::collections::HashMap;

use distil_imgcore::{DiffId, ImagePath};

use super::document::{Checksum, Element, List, Text};
use super::identifier::{NOASSERTION, NONE};
use super::{LAYER_DIFF_ID, SOURCE_INFO, details};
use crate::digests::Digests;
use crate::expression;
use crate::inventory::{Agent, Artefact, Contact, LayerFacts, Package, PackageKind, SourcePackage};
use crate::licence::Licences;
use crate::purl::Purl;

/// What Syft has before the files that a package was found by.
const FOUND_BY: &str = "acquired package info from ";

/// The numbers of layers, which each file may ask for.
#[derive(Debug)]
pub(super) struct Layers(HashMap<DiffId, usize>);

impl Layers {
    pub(super) fn of(layers: &[LayerFacts]) -> Self {
        // The lowest of layers that are alike comes last here and stays.
        Self(layers.iter().enumerate().rev().map(|(number, layer)| (layer.diff_id.clone(), number)).collect())
    }

    pub(super) fn number(&self, diff_id: &str) -> Option<usize> {
        self.0.get(&diff_id.trim().parse().ok()?).copied()
    }
}

/// Reads an element that stands for a package.
pub(super) fn package(element: &Element<'_>, purl: Option<&Purl>, layers: &Layers) -> Package {
    let name = element.name.as_str();
    let mut package = match purl {
        Some(purl) => purl.to_package(),
        None => Package::new(PackageKind::Other("generic".into()), name, None),
    };
    respell(&mut package, name);
    package.version = package.version.or_else(|| said(element.version_info.as_ref()));
    package.maintainer = element.originator.as_ref().and_then(|text| agent(text.as_str()));
    package.supplier = element.supplier.as_ref().and_then(|text| agent(text.as_str()));
    package.homepage = said(element.homepage.as_ref());
    package.summary = said(element.summary.as_ref());
    package.description = said(element.description.as_ref());
    package.licences = licences(element);
    let file_name = said(element.package_file_name.as_ref());
    let digests = digests(&element.checksums);
    if file_name.is_some() || digests != Digests::default() {
        let file_name = file_name.unwrap_or_default();
        package.artefact = Some(Artefact { file_name, digests, ..Artefact::default() });
    }
    take_source(&mut package, element);
    for line in annotations(element) {
        if let Some(id) = line.strip_prefix(LAYER_DIFF_ID) {
            package.layer = layers.number(id);
        }
    }
    for annotation in element.annotations.iter().filter(|of| of.annotator.as_str().starts_with("Tool: distil-")) {
        details::read(annotation.comment.as_str(), &mut package);
    }
    package
}

/// `KEY: VALUE` of an element.
pub(super) fn annotations<'e>(element: &'e Element<'_>) -> impl Iterator<Item = &'e str> {
    let annotations = element.annotations.iter().map(|annotation| annotation.comment.as_str());
    annotations.chain(element.attribution_texts.iter().map(Text::as_str))
}

/// A text that says something.
pub(super) fn said(text: Option<&Text<'_>>) -> Option<String> {
    let text = text?.as_str();
    (!text.is_empty() && !is_nothing(text)).then(|| text.to_owned())
}

pub(super) fn digests<const MOST: usize>(checksums: &List<Checksum<'_>, MOST>) -> Digests {
    let mut digests = Digests::default();
    for checksum in checksums.iter() {
        let value = checksum.checksum_value.as_str();
        // Syft writes a digest of zeros where it has none, since SPDX asks for one.
        if value.bytes().any(|b| b != b'0') {
            digests.insert(checksum.algorithm.as_str(), value);
        }
    }
    digests
}

/// `Organization: NAME (MAIL)`. Trivy and others leave the brackets empty.
pub(super) fn agent(text: &str) -> Option<Agent> {
    let (kind, name) = text.split_once(':')?;
    let name = name.trim();
    let in_brackets = name.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let (name, contact) = match in_brackets {
        Some((name, mail)) if mail.contains('@') => (name, Some(Contact::Mail(mail.trim().to_owned()))),
        Some((name, "")) => (name, None),
        _ => (name, None),
    };
    let is_person = kind.trim() == "Person";
    let name = name.trim();
    let is_known = (is_person || kind.trim() == "Organization") && !name.is_empty() && !is_nothing(name);
    is_known.then(|| Agent { name: name.to_owned(), contact, is_person })
}

/// The name with what stands before it, as each ecosystem writes the two.
pub(super) fn full_name(package: &Package) -> Cow<'_, str> {
    match package.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => format!("{namespace}{}{}", separator(package), package.name).into(),
        None => package.name.as_str().into(),
    }
}

/// Package URLs fold case and punctuation in which the name in its own field may differ.
fn respell(package: &mut Package, name: &str) {
    if folds_to(name, &package.name) {
        // The URL of an archive without a group has its name in that place.
        if package.kind == PackageKind::Maven && package.namespace.as_ref() == Some(&package.name) {
            package.namespace = None;
        }
        name.clone_into(&mut package.name);
    } else if folds_to(name, &full_name(package))
        && let Some((namespace, name)) = name.rsplit_once(separator(package))
    {
        package.namespace = Some(namespace.to_owned());
        name.clone_into(&mut package.name);
    }
}

fn folds_to(a: &str, b: &str) -> bool {
    let folded = |c: char| match c {
        '_' | '.' => '-',
        c => c.to_ascii_lowercase(),
    };
    a.chars().map(folded).eq(b.chars().map(folded))
}

fn separator(package: &Package) -> char {
    if package.kind == PackageKind::Maven { ':' } else { '/' }
}

/// The source package from Trivy's line, or from the package URL; a Debian package for which neither has one was built from
/// the source package of its own name and version. Syft has the files that it found a package by in the same field.
fn take_source(package: &mut Package, element: &Element<'_>) {
    let info = element.source_info.as_ref().map_or("", Text::as_str);
    let in_files = info.strip_prefix(FOUND_BY).and_then(|rest| rest.split_once(": "));
    let files = in_files.iter().flat_map(|(_, files)| files.split(", "));
    package.locations.extend(files.filter_map(|file| ImagePath::from_absolute(file.trim().as_bytes()).ok()));
    if package.kind != PackageKind::Deb {
        return;
    }
    let source = |name: &str, version: &str| SourcePackage { name: name.to_owned(), version: version.to_owned() };
    let version = package.version.clone().unwrap_or_default();
    let told = info.strip_prefix(SOURCE_INFO).map(str::trim).filter(|told| !told.is_empty());
    let told =
        told.map(|told| told.split_once(' ').map_or_else(|| source(told, &version), |(n, v)| source(n, v.trim())));
    package.source = told.or_else(|| package.source.take()).or_else(|| Some(source(&package.name, &version)));
}

fn licences(element: &Element<'_>) -> Licences {
    let lines = |text: Option<&Text<'_>>| -> Vec<String> {
        said(text).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
    };
    let mut licences = Licences {
        copyright: lines(element.copyright_text.as_ref()),
        remarks: lines(element.license_comments.as_ref()),
        ..Licences::default()
    };
    let mut take = |text: Option<&Text<'_>>| {
        let expression = said(text)?;
        if expression::is_valid(&expression) {
            return Some(expression);
        }
        licences.remarks.push(format!("the document has no expression, but {expression:?}"));
        None
    };
    let (concluded, declared) = (take(element.license_concluded.as_ref()), take(element.license_declared.as_ref()));
    Licences { declared, concluded, ..licences }
}

fn is_nothing(text: &str) -> bool {
    text == NOASSERTION || text == NONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_without_a_group_gets_none_from_its_url() {
        let check = |purl: &str, name: &str, group: Option<&str>| {
            let mut package = purl.parse::<Purl>().unwrap().to_package();
            respell(&mut package, name);
            assert_eq!((package.namespace.as_deref(), full_name(&package).as_ref()), (group, name));
        };
        check("pkg:maven/jrt-fs/jrt-fs@17", "jrt-fs", None);
        check("pkg:maven/commons-io/commons-io@2", "commons-io:commons-io", Some("commons-io"));
    }

    #[test]
    fn agents_are_read_as_documents_have_them() {
        let read = |text| agent(text).map(|agent| (agent.name, agent.contact, agent.is_person));
        let mail = |mail: &str| Some(Contact::Mail(mail.to_owned()));
        assert_eq!(read("Person: A B (a@b.org)"), Some(("A B".into(), mail("a@b.org"), true)));
        assert_eq!(read("Organization: T (x) (a@b.org)"), Some(("T (x)".into(), mail("a@b.org"), false)));
        assert_eq!(read("Organization: T (x)"), Some(("T (x)".into(), None, false)));
        assert_eq!(read("Organization: T ()"), Some(("T".into(), None, false)));
        for none in ["NOASSERTION", "Tool: x-1", "Organization: ", "Organization: NOASSERTION", "T (a@b.org)"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
