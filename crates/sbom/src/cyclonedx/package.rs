//! Packages as components.

use std::borrow::Cow;

use super::address;
use super::bom::{
    Attachment, Component, Entity, Evidence, Hash, Identity, Licence, LicenceChoice, Method, Occurrence, Pedigree,
    Person, Properties, Reference,
};
use super::facts::Facts;
use super::files::{FileComponents, location};
use super::property;
use crate::expression;
use crate::inventory::{Agent, Contact, Dependency, Package, PackageKind, SourcePackage};
use crate::licence::Licences;
use crate::purl::Purl;

/// The longest version that the schema allows. One that is longer stands in the package URL alone.
const MAX_VERSION: usize = 1024;

/// What other tools call a kind of packages.
struct Names {
    trivy: &'static str,
    syft: &'static str,
    syft_metadata: &'static str,
    language: Option<&'static str>,
    technique: &'static str,
}

/// One package.
pub(super) fn component<'a>(facts: &'a Facts<'a>, number: usize, package: &'a Package) -> Component<'a> {
    let purl = facts.refs.purls.get(number).map(String::as_str);
    let (group, name) = group_and_name(package);
    Component {
        kind: "library",
        bom_ref: facts.refs.packages.get(number).map(|text| Cow::Borrowed(text.as_str())),
        supplier: package.supplier.as_ref().map(Entity::of),
        manufacturer: package.maintainer.as_ref().map(Entity::of),
        authors: package.maintainer.iter().filter(|agent| agent.is_person).map(Person::of).collect(),
        publisher: package.maintainer.as_ref().map(address_line),
        group,
        name,
        version: package.version.as_deref().and_then(version),
        description: description(package),
        scope: Some("required"),
        hashes: package.artefact.iter().flat_map(|artefact| Hash::all(&artefact.digests)).collect(),
        licenses: licences(&package.licences),
        copyright: Some(package.licences.copyright.join("\n")).filter(|text| !text.is_empty()),
        purl: purl.map(Cow::Borrowed),
        pedigree: pedigree(facts, package),
        external_references: references(package, purl),
        components: facts.files.get(number).and_then(|files| FileComponents::of(facts, files)),
        evidence: Some(evidence(facts, number, package, purl)),
        properties: properties(facts, package),
        ..Component::default()
    }
}

/// A version that the schema allows.
pub(super) fn version(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty() && text.chars().count() <= MAX_VERSION).then_some(Cow::Borrowed(text))
}

/// Groups are Maven's and npm's. Of a Debian package there is none: Trivy and Syft would take `debian/hello` for its name.
/// Go modules are known by their whole path.
fn group_and_name(package: &Package) -> (Option<&str>, Cow<'_, str>) {
    let name = Cow::Borrowed(package.name.as_str());
    match (&package.kind, package.namespace.as_deref()) {
        (PackageKind::Deb, _) | (_, None | Some("")) => (None, name),
        (PackageKind::Golang, Some(namespace)) => (None, format!("{namespace}/{name}").into()),
        (_, Some(namespace)) => (Some(namespace), name),
    }
}

fn address_line(agent: &Agent) -> String {
    match &agent.contact {
        Some(Contact::Mail(mail)) => format!("{} <{mail}>", agent.name),
        _ => agent.name.clone(),
    }
}

/// The first line, and the others after it.
fn description(package: &Package) -> Option<Cow<'_, str>> {
    match (package.summary.as_deref(), package.description.as_deref()) {
        (summary, None) => summary.map(Cow::Borrowed),
        (summary, Some(rest)) => Some(format!("{}\n{rest}", summary.unwrap_or_default()).into()),
    }
}

/// A component has one expression, which is what holds for it; what its authors say stands in a property. What a document
/// had in the place of an expression is a name.
fn licences(licences: &Licences) -> Vec<LicenceChoice<'_>> {
    let known = licences.concluded.as_deref().map(|text| (text, "concluded"));
    let known = known.or_else(|| licences.declared.as_deref().map(|text| (text, "declared")));
    let choice = |(text, acknowledgement)| {
        if expression::is_valid(text) {
            return LicenceChoice::Expression { expression: text, acknowledgement };
        }
        let license = Licence { name: Some(text), acknowledgement: Some(acknowledgement), ..Licence::default() };
        LicenceChoice::Named { license }
    };
    known.map(choice).into_iter().collect()
}

/// Source packages are ancestors and no components: a `library` with the package URL of a source package would be counted as
/// installed.
fn pedigree<'a>(facts: &'a Facts<'a>, package: &'a Package) -> Option<Pedigree<'a>> {
    let ancestor = |source: &'a SourcePackage, kind: Option<&'static str>| {
        let mut properties = Properties::default();
        properties.add_known(property::BUILT_USING, kind);
        Component {
            kind: "library",
            name: Cow::Borrowed(source.name.as_str()),
            version: version(&source.version),
            purl: Some(Purl::of_source(source, facts.inventory.system.as_ref()).to_string().into()),
            properties: properties.0,
            ..Component::default()
        }
    };
    let source = package.source.iter().map(|source| ancestor(source, None));
    let others = package.built_using.iter().map(|built| {
        let kind = if built.is_static { "Static-Built-Using" } else { "Built-Using" };
        ancestor(&built.source, Some(kind))
    });
    let ancestors: Vec<Component<'a>> = source.chain(others).collect();
    (!ancestors.is_empty()).then_some(Pedigree { ancestors })
}

fn references<'a>(package: &'a Package, purl: Option<&str>) -> Vec<Reference<'a>> {
    let mut all = Vec::new();
    let mut add = |kind, url, hashes| all.push(Reference { url, kind, hashes });
    if let Some(artefact) = &package.artefact {
        // A repository that is not Debian's may be nobody else's business; the digests name the file all the same.
        if let Some(url) = artefact.snapshot().or_else(|| purl.map(str::to_owned)) {
            add("distribution", url, Hash::all(&artefact.digests));
        }
        if let Some(source) = package.source.as_ref().filter(|_| artefact.is_of_debian()) {
            add("source-distribution", source.snapshot(), Vec::new());
            add("issue-tracker", source.bugs(), Vec::new());
            add("advisories", source.advisories(), Vec::new());
        }
    }
    if let Some(url) = package.homepage.as_deref().and_then(address::url) {
        add("website", url, Vec::new());
    }
    all
}

fn evidence<'a>(facts: &'a Facts<'a>, number: usize, package: &'a Package, purl: Option<&'a str>) -> Evidence<'a> {
    let technique = names(&package.kind).map_or("other", |names| names.technique);
    let text = |content| Attachment { content_type: "text/plain", content };
    let licence = |(name, content)| LicenceChoice::Named {
        license: Licence { name: Some(name), text: Some(text(content)), ..Licence::default() },
    };
    Evidence {
        identity: Some(Identity {
            field: "purl",
            confidence: 1,
            methods: [Method { technique, confidence: 1, value: purl }],
        }),
        occurrences: package.locations.iter().map(|path| Occurrence { location: location(path) }).collect(),
        licenses: facts.texts_of(number).map(licence).collect(),
    }
}

fn properties<'a>(facts: &'a Facts<'a>, package: &'a Package) -> Vec<super::bom::Property<'a>> {
    let mut all = Properties::default();
    let is_archive = package.artefact.is_some() || package.kind == PackageKind::Maven;
    all.add_known(property::FILE_NAME, package.artefact.as_ref().map(|artefact| artefact.file_name.as_str()));
    all.add(property::EXECUTABLE, "non-executable");
    all.add(property::ARCHIVE, if is_archive { "archive" } else { "no archive" });
    all.add(property::STRUCTURED, if is_archive { "structured" } else { "unstructured" });
    // Where the expression leaves a choice, it is that of whoever uses the image.
    let concluded = package.licences.concluded.as_deref().filter(|text| !text.contains(" OR "));
    for name in property::EFFECTIVE_LICENCE {
        all.add_known(name, concluded);
    }
    add_names(&mut all, facts, package);
    all.add_known(property::SECTION, package.section.as_deref());
    all.add_known(property::PRIORITY, package.priority.as_deref());
    if let Some(artefact) = &package.artefact {
        all.add_known(property::SIZE, artefact.size.map(|size| size.to_string()));
        all.add_known(property::PATH, artefact.path.as_deref());
        if let Some(repository) = &artefact.repository {
            all.add_known(property::ORIGIN, repository.origin.as_deref());
            all.add(property::SUITE, repository.suite.as_str());
        }
    }
    all.add_known(property::DECLARED, package.licences.declared.as_deref());
    for remark in &package.licences.remarks {
        all.add(property::REMARK, remark.as_str());
    }
    for dependency in &package.dependencies {
        if let Dependency::Missing(relation) = dependency {
            all.add(property::MISSING, relation.as_str());
        }
    }
    all.0
}

/// What other tools read.
fn add_names<'a>(all: &mut Properties<'a>, facts: &'a Facts<'a>, package: &'a Package) {
    let identity = package.version.as_deref().map(|version| format!("{}@{version}", package.name));
    all.add_known(property::TRIVY_PACKAGE_ID, identity);
    let names = names(&package.kind);
    all.add_known(property::TRIVY_PACKAGE_TYPE, names.as_ref().map(|names| names.trivy));
    if let Some(source) = &package.source {
        let (epoch, version, release) = parts(&source.version);
        all.add(property::TRIVY_SOURCE_NAME, source.name.as_str());
        all.add(property::TRIVY_SOURCE_VERSION, version);
        all.add_known(property::TRIVY_SOURCE_RELEASE, release);
        all.add_known(property::TRIVY_SOURCE_EPOCH, epoch);
    }
    let layer = facts.diff_id(package.layer);
    all.add_known(property::TRIVY_LAYER, layer);
    if let Some(names) = &names {
        all.add(property::SYFT_FOUND_BY, "distil");
        all.add_known(property::SYFT_LANGUAGE, names.language);
        all.add(property::SYFT_TYPE, names.syft);
        all.add(property::SYFT_METADATA_TYPE, names.syft_metadata);
    }
    if package.kind != PackageKind::Deb {
        all.add_known(property::TRIVY_FILE_PATH, package.locations.first().map(location));
    }
    all.add_known(property::SYFT_LAYER, layer);
    for (number, path) in package.locations.iter().enumerate() {
        all.add(format!("{}{number}:path", property::SYFT_LOCATION), location(path));
    }
    // Syft itself leaves out what the package's own name and version say.
    let source = package.source.as_ref();
    let name = source.map(|source| source.name.as_str()).filter(|name| *name != package.name);
    let version = source.map(|source| source.version.as_str());
    all.add_known(property::SYFT_SOURCE_NAME, name);
    all.add_known(
        property::SYFT_SOURCE_VERSION,
        version.filter(|version| package.version.as_deref() != Some(*version)),
    );
}

/// Epoch, upstream version and revision of a Debian version.
///
/// See [Debian policy, 5.6.12](https://www.debian.org/doc/debian-policy/ch-controlfields.html#version).
fn parts(version: &str) -> (Option<&str>, &str, Option<&str>) {
    let (epoch, rest) = version.split_once(':').map_or((None, version), |(epoch, rest)| (Some(epoch), rest));
    let (upstream, revision) = rest.rsplit_once('-').map_or((rest, None), |(before, after)| (before, Some(after)));
    (epoch, upstream, revision)
}

fn names(kind: &PackageKind) -> Option<Names> {
    let (trivy, syft, syft_metadata, language, technique) = match kind {
        PackageKind::Deb => ("debian", "deb", "dpkg-db-entry", None, "manifest-analysis"),
        PackageKind::Golang => ("gobinary", "go-module", "go-module-buildinfo-entry", Some("go"), "binary-analysis"),
        PackageKind::Cargo => ("rustbinary", "rust-crate", "rust-cargo-audit-entry", Some("rust"), "binary-analysis"),
        PackageKind::Pypi => ("python-pkg", "python", "python-package", Some("python"), "manifest-analysis"),
        PackageKind::Maven => ("jar", "java-archive", "java-archive", Some("java"), "manifest-analysis"),
        PackageKind::Npm => ("node-pkg", "npm", "javascript-npm-package", Some("javascript"), "manifest-analysis"),
        PackageKind::Other(_) => return None,
    };
    Some(Names { trivy, syft, syft_metadata, language, technique })
}
