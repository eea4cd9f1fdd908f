//! A component as a package.

use std::collections::BTreeMap;

use distil_imgcore::ImagePath;

use super::raw::{Ancestor, Component, Entity, Text};
use super::{image, licence};
use crate::cyclonedx::property;
use crate::inventory::{
    Agent, Artefact, BuiltUsing, Contact, Dependency, Package, PackageKind, Repository, SourcePackage,
};
use crate::purl::Purl;

/// The package that a component stands for. None for what is none: images, source packages, and things that have neither
/// a package URL nor a version.
pub(super) fn of(component: &Component, texts: &mut BTreeMap<String, String>) -> Option<Package> {
    let purl: Option<Purl> = component.purl.known().and_then(|text| text.parse().ok());
    let is_source = |purl: &Purl| purl.kind() == "deb" && purl.qualifier("arch") == Some("source");
    let is_image = |purl: &Purl| matches!(purl.kind(), "oci" | "docker");
    if purl.as_ref().is_some_and(|purl| is_source(purl) || is_image(purl)) {
        return None;
    }
    let known = match &purl {
        Some(purl) => with_spelling(purl.to_package(), component),
        None => without_purl(component)?,
    };
    let description = component.description.known().map(|text| text.split_once('\n').unwrap_or((text, "")));
    let (summary, description) = description.unwrap_or_default();
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let property = |name| component.properties.first(name).map(str::to_owned);
    let website = component.external_references.0.iter().find(|reference| reference.kind.0 == "website");
    let locations = locations(component);
    let package = Package {
        version: known.version.clone().or_else(|| component.version.kept()),
        maintainer: maintainer(component),
        supplier: component.supplier.0.iter().find_map(agent),
        homepage: website.and_then(|reference| reference.url.kept()),
        summary: some(summary),
        description: some(description),
        section: property(property::SECTION),
        priority: property(property::PRIORITY),
        licences: licence::of(component, texts),
        dependencies: missing(component),
        locations,
        ..known
    };
    let artefact = artefact(component, &package);
    Some(with_source(Package { artefact, ..package }, component))
}

/// The diff id of the layer that a component says it is in, by Trivy or by Syft.
pub(super) fn layer(component: &Component) -> Option<&str> {
    let properties = &component.properties;
    properties.first(property::TRIVY_LAYER).or_else(|| properties.first(property::SYFT_LAYER))
}

/// Package URLs have one spelling of a name, which for some kinds is not the package's own: that of the component is taken
/// where it stands for the same package.
fn with_spelling(package: Package, component: &Component) -> Package {
    let group = component.group.known();
    let Some(name) = component.name.known() else { return package };
    let (namespace, name) = match package.kind {
        PackageKind::Golang => {
            let path = group.map_or_else(|| name.to_owned(), |group| format!("{group}/{name}"));
            match path.rsplit_once('/') {
                Some((before, last)) => (Some(before.to_owned()), last.to_owned()),
                None => (None, path),
            }
        }
        PackageKind::Deb => (package.namespace.clone(), name.to_owned()),
        _ => (group.map(str::to_owned).or_else(|| package.namespace.clone()), name.to_owned()),
    };
    let candidate = Package { namespace, name, ..package.clone() };
    if Purl::of(&candidate, None).to_string() == Purl::of(&package, None).to_string() { candidate } else { package }
}

/// Kinds that Syft knows by names of its own; another component is a package of no kind if it has a version and is not one
/// of the files that Trivy calls applications.
fn without_purl(component: &Component) -> Option<Package> {
    let is_software = matches!(component.kind.0.as_str(), "library" | "framework" | "application" | "firmware");
    let is_place = component.properties.first(property::TRIVY_CLASS).is_some();
    if !is_software || is_place {
        return None;
    }
    let kind = match component.properties.first(property::SYFT_TYPE) {
        Some("deb") => PackageKind::Deb,
        Some("go-module") => PackageKind::Golang,
        Some("rust-crate") => PackageKind::Cargo,
        Some("python") => PackageKind::Pypi,
        Some("java-archive" | "jenkins-plugin") => PackageKind::Maven,
        Some("npm") => PackageKind::Npm,
        _ => PackageKind::of("generic"),
    };
    let version = component.version.kept()?;
    let package = Package::new(kind, component.name.known()?, Some(version));
    Some(match package.kind {
        PackageKind::Deb | PackageKind::Golang => with_path(package),
        _ => Package { namespace: component.group.kept(), ..package },
    })
}

/// Modules of Go are named by a path.
fn with_path(package: Package) -> Package {
    match package.name.rsplit_once('/') {
        Some((before, last)) if package.kind == PackageKind::Golang => {
            Package { namespace: Some(before.to_owned()), name: last.to_owned(), ..package }
        }
        _ => package,
    }
}

/// Who made it, by the field of 1.6, by Syft's or by that of old documents.
fn maintainer(component: &Component) -> Option<Agent> {
    let parsed = || Agent::parse(component.publisher.known().or_else(|| component.author.known())?);
    let agent = component.manufacturer.0.iter().find_map(agent).or_else(parsed)?;
    let is_person = component.authors.0.iter().any(|person| person.name.0 == agent.name);
    Some(Agent { is_person, ..agent })
}

/// Trivy writes name and mail address of a maintainer as the name of an organisation.
fn agent(entity: &Entity) -> Option<Agent> {
    let mail = entity.contact.0.iter().find_map(|person| person.email.kept()).map(Contact::Mail);
    let url = || entity.url.0.iter().find_map(Text::kept).map(Contact::Url);
    match mail.or_else(url) {
        Some(contact) => Some(Agent { name: entity.name.kept()?, contact: Some(contact), is_person: false }),
        None => Agent::parse(entity.name.known()?),
    }
}

fn locations(component: &Component) -> Vec<ImagePath> {
    let properties = &component.properties;
    let occurrences = component.evidence.0.iter().flat_map(|evidence| &evidence.occurrences.0);
    let found = occurrences.map(|occurrence| occurrence.location.0.as_str());
    let of_syft = properties
        .0
        .iter()
        .filter(|property| property.name.0.starts_with(property::SYFT_LOCATION) && property.name.0.ends_with(":path"));
    let of_syft = of_syft.map(|property| property.value.0.as_str());
    let all = found.chain(of_syft).chain(properties.first(property::TRIVY_FILE_PATH));
    let paths = all.filter_map(|text| ImagePath::from_foreign(text.as_bytes()).ok()).filter(|path| !path.is_root());
    let mut seen = std::collections::BTreeSet::new();
    paths.filter(|path| seen.insert(path.clone())).collect()
}

fn missing(component: &Component) -> Vec<Dependency> {
    component.properties.all(property::MISSING).map(|relation| Dependency::Missing(relation.to_owned())).collect()
}

/// The file that a package came from: by its name, or by digests that only such a file has.
fn artefact(component: &Component, package: &Package) -> Option<Artefact> {
    let properties = &component.properties;
    let digests = image::digests(component);
    let has_digests = digests.named().next().is_some();
    let of_deb = || {
        // Names of .deb files leave the epoch out.
        let version = package.version.as_deref()?;
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        Some(format!("{}_{version}_{}.deb", package.name, package.architecture.as_deref()?))
    };
    let of_location = || {
        let base = package.locations.first()?.components().next_back()?;
        Some(String::from_utf8_lossy(base).into_owned())
    };
    let file_name = properties.first(property::FILE_NAME).map(str::to_owned).or_else(|| match package.kind {
        _ if !has_digests => None,
        PackageKind::Deb => of_deb(),
        _ => of_location(),
    })?;
    let suite = properties.first(property::SUITE).map(str::to_owned);
    let origin = properties.first(property::ORIGIN).map(str::to_owned);
    Some(Artefact {
        file_name,
        size: properties.first(property::SIZE).and_then(|size| size.parse().ok()),
        digests,
        path: properties.first(property::PATH).map(str::to_owned),
        repository: suite.map(|suite| Repository { origin, suite }),
    })
}

/// The source package by the pedigree, by Syft, by Trivy, or by what the package URL says.
fn with_source(package: Package, component: &Component) -> Package {
    if package.kind != PackageKind::Deb {
        return package;
    }
    let ancestors = component.pedigree.0.iter().flat_map(|pedigree| &pedigree.ancestors.0);
    let mut source = None;
    let mut built_using = Vec::new();
    for ancestor in ancestors {
        let Some(found) = source_of(ancestor) else { continue };
        match ancestor.properties.first(property::BUILT_USING) {
            Some(kind) => built_using.push(BuiltUsing { source: found, is_static: kind.starts_with("Static") }),
            None => source = source.or(Some(found)),
        }
    }
    let properties = &component.properties;
    let syft = || {
        // Syft leaves out what is as the package's own.
        let is_syft = properties.first(property::SYFT_TYPE) == Some("deb");
        let name = properties.first(property::SYFT_SOURCE_NAME).unwrap_or(&package.name);
        let version = properties.first(property::SYFT_SOURCE_VERSION).or(package.version.as_deref())?;
        is_syft.then(|| SourcePackage { name: name.to_owned(), version: version.to_owned() })
    };
    let trivy = || {
        let name = properties.first(property::TRIVY_SOURCE_NAME)?;
        let mut version = properties.first(property::TRIVY_SOURCE_VERSION)?.to_owned();
        if let Some(release) = properties.first(property::TRIVY_SOURCE_RELEASE) {
            version = format!("{version}-{release}");
        }
        if let Some(epoch) = properties.first(property::TRIVY_SOURCE_EPOCH).filter(|epoch| *epoch != "0") {
            version = format!("{epoch}:{version}");
        }
        Some(SourcePackage { name: name.to_owned(), version })
    };
    // Syft writes the version of the source package only into the URL.
    let of_purl = package.source.clone();
    let source = source.or_else(trivy).or(of_purl).or_else(syft);
    Package { source, built_using, ..package }
}

fn source_of(ancestor: &Ancestor) -> Option<SourcePackage> {
    let purl: Option<Purl> = ancestor.purl.known().and_then(|text| text.parse().ok());
    let of_purl = |part: fn(&Purl) -> Option<&str>| purl.as_ref().and_then(part).map(str::to_owned);
    let name = ancestor.name.kept().or_else(|| of_purl(|purl| Some(purl.name())))?;
    let version = ancestor.version.kept().or_else(|| of_purl(Purl::version))?;
    (ancestor.kind.0 != "container").then_some(SourcePackage { name, version })
}
