//! What a document is about.

use distil_imgcore::{DiffId, Digest, Platform};

use super::raw::Component;
use crate::cyclonedx::property;
use crate::digests::Digests;
use crate::inventory::{BaseImage, Context, ImageFacts, LayerFacts, System};
use crate::purl::Purl;
use crate::time;

/// The image, as far as the document tells.
pub(super) fn of(component: &Component) -> ImageFacts {
    let digests = digests(component);
    let purl: Option<Purl> = component.purl.known().and_then(|text| text.parse().ok());
    let hash = digests.sha256.filter(|_| component.kind.0 == "container").map(Digest::from_sha256);
    let properties = &component.properties;
    let architecture = purl.as_ref().and_then(|purl| purl.qualifier("arch"));
    let of_purl = architecture.and_then(|architecture| Platform::new("linux", architecture, None).ok());
    let annotations = properties.0.iter().filter_map(|property| {
        let key = property.name.0.strip_prefix(property::ANNOTATION)?;
        Some((key.to_owned(), property.value.0.clone()))
    });
    ImageFacts {
        name: component.name.0.clone(),
        digest: digest(&component.version.0, purl.as_ref()).or(hash),
        sha512: digests.sha512,
        platform: properties.first(property::PLATFORM).and_then(|text| text.parse().ok()).or(of_purl),
        layers: layers(component),
        base: base(component),
        created: properties.first(property::CREATED).and_then(time::seconds),
        annotations: annotations.collect(),
        context: Context::Analysis,
    }
}

/// All digests of a component.
pub(super) fn digests(component: &Component) -> Digests {
    let own = component.hashes.0.iter();
    let of_files = component.external_references.0.iter().filter(|reference| reference.kind.0 == "distribution");
    let mut digests = Digests::default();
    for hash in of_files.flat_map(|reference| &reference.hashes.0).chain(own) {
        digests.insert(&hash.alg.0, &hash.content.0);
    }
    digests
}

/// An operating system, by the properties of Syft or by name and version alone.
pub(super) fn system(component: &Component) -> Option<System> {
    let property = |name| component.properties.first(name).map(str::to_owned);
    let id = property(property::SYFT_SYSTEM_ID).or_else(|| component.name.kept())?;
    let codename = property(property::SYFT_SYSTEM_CODENAME);
    let version = component.version.kept().filter(|version| codename.as_ref() != Some(version));
    Some(System {
        id,
        version_id: property(property::SYFT_SYSTEM_VERSION).or(version),
        codename,
        pretty_name: property(property::SYFT_SYSTEM_NAME).or_else(|| component.description.kept()),
    })
}

/// The system that package URLs name: `debian-12`, `debian-sid`.
pub(super) fn system_of_distro(distro: &str) -> Option<System> {
    let (id, release) = distro.rsplit_once('-').filter(|(id, release)| !id.is_empty() && !release.is_empty())?;
    let is_number = release.starts_with(|c: char| c.is_ascii_digit());
    Some(System {
        id: id.to_owned(),
        version_id: is_number.then(|| release.to_owned()),
        codename: (!is_number).then(|| release.to_owned()),
        pretty_name: None,
    })
}

fn digest(version: &str, purl: Option<&Purl>) -> Option<Digest> {
    let of_purl = || purl?.version()?.parse().ok();
    version.parse().ok().or_else(of_purl)
}

fn layers(component: &Component) -> Vec<LayerFacts> {
    let properties = &component.properties;
    let diff_ids = properties.all(property::TRIVY_DIFF_ID).filter_map(|text| text.parse::<DiffId>().ok());
    let mut layers: Vec<LayerFacts> =
        diff_ids.map(|diff_id| LayerFacts { diff_id, digest: None, created_by: None }).collect();
    for property in &properties.0 {
        let of_layer = property.name.0.strip_prefix(property::LAYER).and_then(|rest| rest.split_once(':'));
        let Some((number, fact)) = of_layer else { continue };
        let layer = number.parse::<usize>().ok().and_then(|number| layers.get_mut(number));
        match (layer, fact) {
            (Some(layer), "digest") => layer.digest = property.value.0.parse().ok(),
            (Some(layer), "createdBy") => layer.created_by = Some(property.value.0.clone()),
            _ => {}
        }
    }
    layers
}

fn base(component: &Component) -> Option<BaseImage> {
    let ancestors = component.pedigree.0.iter().flat_map(|pedigree| &pedigree.ancestors.0);
    let mut images = ancestors.filter(|ancestor| ancestor.kind.0 == "container");
    images.find_map(|ancestor| {
        let purl: Option<Purl> = ancestor.purl.known().and_then(|text| text.parse().ok());
        let name = ancestor.name.kept().filter(|name| name != property::UNKNOWN);
        Some(BaseImage { name, digest: digest(&ancestor.version.0, purl.as_ref())? })
    })
}
