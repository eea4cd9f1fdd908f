//! A package of a finding, and whether a statement means it.

use std::collections::BTreeSet;

use distil_sbom::purl::Purl;

use super::{Placed, Subject};
use crate::finding::Finding;
use crate::vex::product::{ImageName, repository};
use crate::vex::{Identifier, Product};

/// A binary package with the vulnerability; of a finding that names none it is the source package.
pub(super) struct Target<'a> {
    finding: &'a Finding,
    subject: &'a Subject,
    images: BTreeSet<Image>,
    binary: Option<(&'a str, &'a str)>,
}

/// A name of the image, parsed.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Image {
    repository: String,
    name: String,
    tag: Option<String>,
}

impl<'a> Target<'a> {
    pub(super) fn of(finding: &'a Finding, subject: &'a Subject) -> Vec<Self> {
        let images: BTreeSet<Image> = subject.references.iter().filter_map(|text| Image::of(text)).collect();
        let target = |binary| Self { finding, subject, images: images.clone(), binary };
        if finding.packages.is_empty() {
            return vec![target(None)];
        }
        finding.packages.iter().map(|(name, version)| target(Some((name, version)))).collect()
    }

    pub(super) fn name(&self) -> String {
        let name = self.binary.map_or(self.finding.source.as_str(), |(name, _)| name);
        distil_imgcore::Escaped(name.as_bytes()).to_string()
    }

    /// Whether a statement is about the package.
    pub(super) fn is_meant(&self, placed: &Placed<'_>) -> bool {
        placed.statement.products.iter().any(|product| self.is_product(product))
    }

    fn is_product(&self, product: &Product) -> bool {
        if product.identifiers.iter().any(|identifier| self.is_image(identifier)) {
            let is_package = |identifier: &Identifier| self.is_package(identifier);
            return product.subcomponents.is_empty() || product.subcomponents.iter().flatten().any(is_package);
        }
        product.subcomponents.is_empty() && product.identifiers.iter().any(|identifier| self.is_package(identifier))
    }

    fn is_image(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Digest(digest) => self.subject.digests.contains(&digest.to_string()),
            Identifier::Reference(meant) => match &meant.digest {
                Some(digest) => self.subject.digests.contains(digest),
                None => self.images.iter().any(|image| {
                    meant.repository == image.repository && (meant.tag.is_none() || meant.tag == image.tag)
                }),
            },
            Identifier::Purl(purl) if purl.kind() == "oci" => self.is_image_url(purl),
            Identifier::Purl(_) | Identifier::Other(_) => false,
        }
    }

    /// A digest says what the image is, wherever it lies; without one it has to lie where the URL says.
    fn is_image_url(&self, purl: &Purl) -> bool {
        let is_known_architecture = |wanted: &str| self.subject.architecture.as_deref() == Some(wanted);
        if !purl.qualifier("arch").is_none_or(is_known_architecture) {
            return false;
        }
        if let Some(digest) = purl.version() {
            return self.subject.digests.contains(digest);
        }
        let place = purl.qualifier("repository_url");
        let tag = purl.qualifier("tag");
        let by_name = place.is_none() && tag.is_none() && self.subject.name.as_deref() == Some(purl.name());
        by_name
            || self.images.iter().any(|image| {
                image.name == purl.name()
                    && place.is_none_or(|place| image.is_at(place))
                    && tag.is_none_or(|tag| image.tag.as_deref() == Some(tag))
            })
    }

    /// A URL without a version is about all versions, and one without qualifiers about any; what it has must be so.
    fn is_package(&self, identifier: &Identifier) -> bool {
        let Identifier::Purl(purl) = identifier else { return false };
        if !identifier.is_package_of(Some(self.subject.vendor())) {
            return false;
        }
        if !purl.qualifier("distro").is_none_or(|distro| self.is_distro(distro)) {
            return false;
        }
        let is_version = |version: &str| purl.version().is_none_or(|wanted| wanted == version);
        let is_source = purl.name() == self.finding.source && is_version(&self.finding.source_version);
        match purl.qualifier("arch") {
            Some("source") => is_source,
            arch => {
                let is_here =
                    arch.is_none_or(|arch| arch == "all" || self.subject.architecture.as_deref() == Some(arch));
                let is_binary = self.binary.is_some_and(|(name, version)| {
                    purl.name() == name && is_version(version) && self.is_upstream(purl.qualifier("upstream"))
                });
                // Where no binary package is known, the source package is all there is to name.
                is_here && (is_binary || self.binary.is_none() && is_source)
            }
        }
    }

    /// Scanners write `debian-12`, `debian-12.4` and `bookworm` for one release.
    fn is_distro(&self, wanted: &str) -> bool {
        let is_release = |codename: &str| wanted == codename || wanted.strip_prefix("debian-") == Some(codename);
        let without_point = wanted.split_once('.').map_or(wanted, |(release, _)| release);
        self.finding.release.as_deref().is_some_and(is_release)
            || self.subject.distro.as_deref().is_some_and(|distro| distro == without_point)
    }

    fn is_upstream(&self, wanted: Option<&str>) -> bool {
        let Some(wanted) = wanted else { return true };
        match wanted.split_once('@') {
            Some((name, version)) => name == self.finding.source && version == self.finding.source_version,
            None => wanted == self.finding.source,
        }
    }
}

impl Image {
    fn of(text: &str) -> Option<Self> {
        let name = ImageName::of(text)?;
        let last = name.repository.rsplit('/').next()?.to_owned();
        Some(Self { repository: name.repository, name: last, tag: name.tag })
    }

    /// `repository_url` is the whole repository by the specification, and without the last part as scanners write it.
    fn is_at(&self, place: &str) -> bool {
        let place = place.trim_start_matches("https://").trim_end_matches('/');
        let with_name = format!("{place}/{}", self.name);
        [place, &with_name].iter().any(|place| repository(place).as_deref() == Some(&self.repository))
    }
}
