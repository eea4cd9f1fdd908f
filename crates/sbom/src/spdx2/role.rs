//! What the packages of a document stand for. SPDX 2 calls everything a package that is not a file.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use distil_imgcore::{DiffId, Digest};

use super::document::{Document, Element, Text};
use super::identifier::DOCUMENT;
use crate::purl::Purl;

/// What an element stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// The image that the document is about.
    Image,
    /// What that image starts from.
    Base(Digest),
    /// Its operating system.
    System,
    /// One of its layers.
    Layer(DiffId),
    /// A source package, which is not in the image itself.
    Source,
    /// A program or a lock file in which Trivy found packages.
    Container,
    /// A package that is installed.
    Package(Option<Box<Purl>>),
    /// Something else: a folder that was scanned, a configuration.
    Other,
}

impl Role {
    /// The roles of all elements, in their order.
    pub(super) fn all(document: &Document<'_>) -> Vec<Self> {
        let named = Named::of(document);
        let image = image(document, &named);
        let one = |element: &Element<'_>| match image {
            Some(image) if std::ptr::eq(image, element) => Self::Image,
            _ => Self::of(element, &named),
        };
        document.packages.iter().map(one).collect()
    }

    fn of(element: &Element<'_>, named: &Named<'_>) -> Self {
        let id = element.id.as_str();
        let purpose = element.primary_package_purpose.as_ref().map_or("", Text::as_str);
        let purl = purl(element, true);
        let version = element.version_info.as_ref().map_or("", Text::as_str);
        if matches!(purpose, "OPERATING_SYSTEM" | "OPERATING-SYSTEM") || id.starts_with("SPDXRef-OperatingSystem") {
            return Self::System;
        }
        if named.ancestors.contains(id) {
            return Digest::from_str(version).map_or(Self::Other, Self::Base);
        }
        if is_image(element, purl.as_ref()) || id.starts_with("SPDXRef-DocumentRoot-") || purpose == "FILE" {
            return Self::Other;
        }
        if let Ok(diff_id) = element.name.as_str().parse() {
            return if purpose == "ARCHIVE" { Self::Layer(diff_id) } else { Self::Other };
        }
        let arch = purl.as_ref().and_then(|purl| purl.qualifier("arch"));
        if purpose == "SOURCE" || arch == Some("source") || named.origins.contains(id) {
            return Self::Source;
        }
        if purl.is_none() && (purpose == "APPLICATION" || id.starts_with("SPDXRef-Application-")) {
            return Self::Container;
        }
        Self::Package(purl.map(Box::new))
    }
}

/// The package URL of an element; of what is installed, only the one that says so.
pub(super) fn purl(element: &Element<'_>, installed: bool) -> Option<Purl> {
    let refs = element.external_refs.iter().filter(|one| {
        let category = one.category.as_str();
        one.kind.as_str() == "purl" && (!installed || matches!(category, "PACKAGE-MANAGER" | "PACKAGE_MANAGER"))
    });
    refs.map(|one| one.locator.as_str().trim().parse()).find_map(Result::ok)
}

/// The elements that relationships give a role to.
struct Named<'a> {
    described: Vec<&'a str>,
    ancestors: BTreeSet<&'a str>,
    /// What packages were made from, or by which configuration: apko gives both package URLs of their own.
    origins: BTreeSet<&'a str>,
}

impl<'a> Named<'a> {
    fn of(document: &'a Document<'_>) -> Self {
        let described = document.describes.iter().map(Text::as_str).collect();
        let mut named = Self { described, ancestors: BTreeSet::new(), origins: BTreeSet::new() };
        for one in document.relationships.iter() {
            let (from, to) = (one.from.as_str(), one.to.as_str());
            match one.kind.as_str() {
                "DESCRIBES" if from == DOCUMENT => named.described.push(to),
                "DESCRIBED_BY" if to == DOCUMENT => named.described.push(from),
                "DESCENDANT_OF" => {
                    named.ancestors.insert(to);
                }
                "DESCRIBED_BY" | "GENERATED_FROM" => {
                    named.origins.insert(to);
                }
                _ => {}
            }
        }
        named
    }
}

/// The first image that the document says it is about, or else the first image that no other one starts from.
fn image<'d, 'a>(document: &'d Document<'a>, named: &Named<'_>) -> Option<&'d Element<'a>> {
    let described: BTreeSet<&str> = named.described.iter().copied().collect();
    let images = || document.packages.iter().filter(|element| is_image(element, purl(element, false).as_ref()));
    let of_document = images().find(|element| described.contains(element.id.as_str()));
    of_document.or_else(|| images().find(|element| !named.ancestors.contains(element.id.as_str())))
}

fn is_image(element: &Element<'_>, purl: Option<&Purl>) -> bool {
    let purpose = element.primary_package_purpose.as_ref().map(Text::as_str);
    let starts = ["SPDXRef-ContainerImage", "SPDXRef-DocumentRoot-Image"];
    purpose == Some("CONTAINER")
        || purl.is_some_and(|purl| matches!(purl.kind(), "oci" | "docker"))
        || starts.iter().any(|start| element.id.as_str().starts_with(start))
}
