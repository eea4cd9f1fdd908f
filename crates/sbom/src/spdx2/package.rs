//! The elements of a document that are called packages: the image and its parts, and the packages in it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use distil_imgcore::Escaped;

use super::details;
use super::element::{Annotation, Checksum, Element, ExternalRef, VerificationCode, actor, author, is_page};
use super::expression::Expressions;
use super::file::Codes;
use super::found::full_name;
use super::identifier::{self, Identifiers};
use super::{CODENAME, LAYER_DIFF_ID, PACKAGE_TYPE, PLATFORM, SOURCE_INFO};
use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{
    Agent, Artefact, BaseImage, Context, ImageFacts, Inventory, LayerFacts, Package, PackageKind, SourcePackage, System,
};
use crate::purl::Purl;
use crate::time;

const LICENCES: &str = "org.opencontainers.image.licenses";
const VENDOR: &str = "org.opencontainers.image.vendor";

/// What elements are made from.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) about: &'a About,
    pub(super) ids: &'a Identifiers,
    pub(super) expressions: &'a Expressions<'a>,
    pub(super) codes: &'a Codes,
    /// The time of the document.
    pub(super) created: &'a str,
    /// The tool that made it.
    pub(super) tool: &'a str,
}

impl<'a> Packages<'a> {
    /// All of them, the image first.
    pub(super) fn all(&'a self) -> impl Iterator<Item = Element<'a>> {
        let (image, ids) = (&self.inventory.image, self.ids);
        let system = self.inventory.system.iter().zip(&ids.system).map(|(system, id)| of_system(system, id));
        let layers = image.layers.iter().zip(&ids.layers).map(|(layer, id)| self.of_layer(layer, id));
        let base = image.base.iter().zip(&ids.base).map(|(base, id)| of_base(base, id));
        let packages = self.inventory.packages.iter().zip(&ids.packages).zip(&self.codes.packages);
        let packages = packages.map(|((package, id), code)| self.of_package(package, id, *code));
        let sources = self.sources().into_iter().map(|(source, supplier)| self.of_source(source, supplier));
        std::iter::once(self.of_image(image)).chain(system).chain(layers).chain(base).chain(packages).chain(sources)
    }

    fn of_image(&self, image: &'a ImageFacts) -> Element<'a> {
        let mut digests = Digests { sha512: image.sha512, ..Digests::default() };
        digests.sha256 = image.digest.as_ref().and_then(|digest| digest.as_sha256().copied());
        let version = image.digest.as_ref().map(ToString::to_string);
        Element {
            version_info: version.map(Cow::Owned),
            primary_package_purpose: Some("CONTAINER"),
            supplier: self.image_supplier(),
            files_analyzed: self.codes.image.is_some(),
            package_verification_code: self.codes.image.map(|value| VerificationCode { value }),
            checksums: Checksum::all(&digests),
            built_date: image.created.and_then(time::text),
            license_declared: self.expressions.checked(image.annotations.get(LICENCES).map(String::as_str)),
            comment: image.platform.as_ref().map(|platform| format!("{PLATFORM}{platform}").into()),
            external_refs: vec![ExternalRef::installed(&Purl::of_image(image))],
            ..Element::new(&self.ids.image, &image.name)
        }
    }

    fn of_layer(&self, layer: &'a LayerFacts, id: &'a str) -> Element<'a> {
        let stored = layer.digest.as_ref().and_then(|digest| digest.as_sha256().copied());
        let diff_id = layer.diff_id.to_string();
        Element {
            name: diff_id.clone().into(),
            version_info: Some(diff_id.into()),
            primary_package_purpose: Some("ARCHIVE"),
            supplier: self.image_supplier(),
            checksums: Checksum::all(&Digests { sha256: stored, ..Digests::default() }),
            comment: layer.created_by.as_deref().map(Cow::Borrowed),
            ..Element::new(id, "")
        }
    }

    fn of_package(&self, package: &'a Package, id: &'a str, code: Option<[u8; 20]>) -> Element<'a> {
        let licences = &package.licences;
        let artefact = package.artefact.as_ref();
        let joined = |lines: &[String]| (!lines.is_empty()).then(|| lines.join("\n"));
        let mut element = Element::new(id, &package.name);
        if package.kind != PackageKind::Deb && !package.name.is_empty() {
            element.name = full_name(package);
        }
        if let Some(text) = joined(&licences.copyright) {
            element.copyright_text = text.into();
        }
        if let Some(url) = artefact.and_then(Artefact::snapshot) {
            element.download_location = url.into();
        }
        if let Some(supplier) = self.supplier(package) {
            element.supplier = actor(supplier).into();
        }
        let source = package.source.as_ref();
        let mut external_refs = vec![ExternalRef::installed(&Purl::of(package, self.inventory.system.as_ref()))];
        external_refs
            .extend(source.filter(|_| is_debian(package)).map(|source| ExternalRef::advisory(source.advisories())));
        Element {
            version_info: package.version.as_deref().filter(|version| !version.is_empty()).map(Cow::Borrowed),
            package_file_name: artefact.map(|of| of.file_name.as_str()).filter(|name| !name.is_empty()),
            originator: package.maintainer.as_ref().map(actor),
            files_analyzed: code.is_some(),
            package_verification_code: code.map(|value| VerificationCode { value }),
            checksums: artefact.map(|artefact| Checksum::all(&artefact.digests)).unwrap_or_default(),
            homepage: package.homepage.as_deref().filter(|url| is_page(url)),
            source_info: source.map(source_info),
            license_concluded: self.expressions.checked(licences.concluded.as_deref()),
            license_declared: self.expressions.checked(licences.declared.as_deref()),
            license_comments: joined(&licences.remarks),
            summary: package.summary.as_deref(),
            description: package.description.as_deref(),
            external_refs,
            annotations: self.annotations(package),
            ..element
        }
    }

    fn of_source(&self, source: &'a SourcePackage, supplier: Option<&'a Agent>) -> Element<'a> {
        Element {
            version_info: Some(source.version.as_str().into()),
            primary_package_purpose: Some("SOURCE"),
            supplier: supplier.map_or(identifier::NOASSERTION.into(), |supplier| actor(supplier).into()),
            external_refs: vec![ExternalRef::elsewhere(&Purl::of_source(source, self.inventory.system.as_ref()))],
            ..Element::new(identifier::of_source(source), &source.name)
        }
    }

    /// Every source package once, with who supplied the first package of it.
    fn sources(&self) -> BTreeMap<&'a SourcePackage, Option<&'a Agent>> {
        let mut all = BTreeMap::new();
        for package in &self.inventory.packages {
            let built_using = package.built_using.iter().map(|built| &built.source);
            for source in package.source.iter().chain(built_using) {
                all.entry(source).or_insert(self.supplier(package));
            }
        }
        all
    }

    /// Who supplied a package: what lies in the files of another one came with that, and whoever makes a package supplies it
    /// where no distribution does.
    fn supplier(&self, package: &'a Package) -> Option<&'a Agent> {
        let holder = || self.inventory.packages.get(package.part_of?)?.supplier.as_ref();
        package.supplier.as_ref().or_else(holder).or(package.maintainer.as_ref())
    }

    /// Who supplied the image: whom it names, or whoever builds it and answers for this document too.
    fn image_supplier(&self) -> Cow<'a, str> {
        let image = &self.inventory.image;
        let vendor = image.annotations.get(VENDOR).and_then(|vendor| Agent::parse(vendor));
        match (vendor, image.context) {
            (Some(vendor), _) => actor(&vendor).into(),
            (None, Context::Build) => author(self.about).into(),
            (None, Context::Analysis) => identifier::NOASSERTION.into(),
        }
    }

    /// `KEY: VALUE` as Trivy has them, one each, and after them what only distil knows, all in one.
    fn annotations(&self, package: &Package) -> Vec<Annotation<'a>> {
        let system = self.inventory.system.as_ref().map_or("debian", |system| system.id.as_str());
        let layer = package.layer.and_then(|layer| self.inventory.image.layers.get(layer));
        let comments = [
            package_type(&package.kind, system).map(|kind| format!("{PACKAGE_TYPE}{}", Escaped(kind.as_bytes()))),
            layer.map(|layer| format!("{LAYER_DIFF_ID}{}", layer.diff_id)),
            Some(details::write(package)).filter(|text| !text.is_empty()),
        ];
        let annotation = |comment| Annotation { date: self.created, kind: "OTHER", annotator: self.tool, comment };
        comments.into_iter().flatten().map(annotation).collect()
    }
}

fn of_system<'a>(system: &'a System, id: &'a str) -> Element<'a> {
    let release = system.version_id.as_deref().or(system.codename.as_deref());
    let is_debian = system.id == "debian";
    let number = system.version_id.as_deref().filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
    let cpe =
        number.filter(|_| is_debian).map(|number| format!("cpe:2.3:o:debian:debian_linux:{number}:*:*:*:*:*:*:*"));
    Element {
        version_info: release.map(Cow::Borrowed),
        // With an underscore: the hyphen that Trivy and pyspdxtools write is not in the schema.
        primary_package_purpose: Some("OPERATING_SYSTEM"),
        supplier: if is_debian { "Organization: Debian" } else { identifier::NOASSERTION }.into(),
        description: system.pretty_name.as_deref(),
        comment: system.codename.as_ref().map(|name| format!("{CODENAME}{name}").into()),
        external_refs: cpe.into_iter().map(ExternalRef::cpe).collect(),
        ..Element::new(id, &system.id)
    }
}

fn of_base<'a>(base: &'a BaseImage, id: &'a str) -> Element<'a> {
    let digest = base.digest.to_string();
    let name = base.name.as_deref().unwrap_or(&digest);
    let sha256 = base.digest.as_sha256().copied();
    let repository = name.split_once('@').map_or(name, |(before, _)| before);
    let (repository, tag) = match repository.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => (before, Some(tag)),
        _ => (repository, None),
    };
    let facts = ImageFacts { name: repository.to_owned(), digest: Some(base.digest.clone()), ..ImageFacts::default() };
    let purl = Purl::of_image(&facts).with_qualifier("tag", tag.unwrap_or_default());
    // Whoever runs the repository is whom the image was had from.
    let supplier = base.name.as_ref().and_then(|_| repository.rsplit_once('/')).map(|(before, _)| before);
    let supplier = supplier.map(|name| format!("Organization: {}", Escaped(name.as_bytes())));
    let mut element = Element::new(id, "");
    element.name = name.to_owned().into();
    Element {
        version_info: Some(digest.into()),
        primary_package_purpose: Some("CONTAINER"),
        supplier: supplier.map_or(identifier::NOASSERTION.into(), Cow::Owned),
        checksums: Checksum::all(&Digests { sha256, ..Digests::default() }),
        external_refs: vec![ExternalRef::elsewhere(&purl)],
        ..element
    }
}

fn source_info(source: &SourcePackage) -> String {
    format!("{SOURCE_INFO}{} {}", Escaped(source.name.as_bytes()), Escaped(source.version.as_bytes()))
}

fn is_debian(package: &Package) -> bool {
    package.kind == PackageKind::Deb && package.namespace.as_deref().is_none_or(|vendor| vendor == "debian")
}

/// The names that Trivy has for kinds of packages: that of a distribution for those of a system.
fn package_type<'a>(kind: &PackageKind, system: &'a str) -> Option<&'a str> {
    match kind {
        PackageKind::Deb => Some(system),
        PackageKind::Golang => Some("gobinary"),
        PackageKind::Cargo => Some("rustbinary"),
        PackageKind::Pypi => Some("python-pkg"),
        PackageKind::Maven => Some("jar"),
        PackageKind::Npm => Some("node-pkg"),
        PackageKind::Other(_) => None,
    }
}
