//! The document as a whole.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use sha1::Digest as _;
use uuid::Uuid;

use super::bom::{Component, Entity, Hash, Licence, LicenceChoice, Pedigree, Person, Properties, Reference, Swid};
use super::facts::{self, Facts};
use super::{files, package, property, refs};
use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{BaseImage, Context, Dependency, ImageFacts, Inventory, System};
use crate::json::{self, Streamed};
use crate::purl::Purl;
use crate::time;

/// Writes an inventory as a document of [`CycloneDX` 1.6](https://cyclonedx.org/docs/1.6/json/) in compact JSON.
///
/// Packages of all kinds are components at the top, their files, where they are listed, components within them. Own files
/// of the recipe are always listed.
///
/// # Errors
/// Those of `out`.
pub fn write(inventory: &Inventory, about: &About, out: &mut dyn Write) -> io::Result<()> {
    let facts = Facts::of(inventory, about);
    let image = Digests { sha256: sha256(&inventory.image), sha512: sha512(&inventory.image), ..Digests::default() };
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(&facts),
        version: 1,
        metadata: metadata(&facts, &image),
        components: Streamed(|| components(&facts)),
        dependencies: Streamed(|| dependencies(&facts)),
        compositions: compositions(&facts),
    };
    json::write(&bom, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a, C: Serialize, D: Serialize> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u8,
    metadata: Metadata<'a>,
    components: C,
    dependencies: D,
    compositions: Vec<Composition<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    lifecycles: [Lifecycle; 1],
    tools: Tools<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    component: Component<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<Entity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Entity<'a>>,
    licenses: [LicenceChoice<'a>; 1],
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Component<'a>; 1],
}

/// What something needs. What needs nothing has an entry without a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Needs<'a> {
    #[serde(rename = "ref")]
    bom_ref: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Cow<'a, str>>,
}

/// How much of something the document knows.
#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Cow<'a, str>>,
}

/// Version 5 of [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.5), of the image's digest: the same image gives
/// the same document. Without one, of what is known of the image.
fn serial_number(facts: &Facts<'_>) -> String {
    let mut hash = sha1::Sha1::new();
    hash.update(Uuid::NAMESPACE_URL.as_bytes());
    hash.update(facts.refs.image.as_bytes());
    if facts.inventory.image.digest.is_none() {
        facts.refs.packages.iter().for_each(|package| hash.update(package.as_bytes()));
        facts.inventory.files.iter().for_each(|file| hash.update(file.path.as_bytes()));
    }
    let bytes: [u8; 20] = hash.finalize().into();
    let [first @ .., _, _, _, _] = bytes;
    uuid::Builder::from_sha1_bytes(first).into_uuid().urn().to_string()
}

fn metadata<'a>(facts: &'a Facts<'a>, image: &'a Digests) -> Metadata<'a> {
    let about = facts.about;
    let is_built = facts.inventory.image.context == Context::Build;
    let tool = Component {
        kind: "application",
        name: "distil".into(),
        version: package::version(&about.version),
        ..Component::default()
    };
    let author = about.author.as_ref();
    Metadata {
        timestamp: facts.created.as_deref(),
        lifecycles: [Lifecycle { phase: if is_built { "build" } else { "post-build" } }],
        tools: Tools { components: [tool] },
        authors: author.into_iter().map(Person::of).collect(),
        component: image_component(facts, image),
        manufacturer: author.map(Entity::of),
        supplier: author.filter(|_| is_built).map(Entity::of),
        licenses: [LicenceChoice::Named { license: Licence { id: Some("CC0-1.0"), ..Licence::default() } }],
    }
}

fn image_component<'a>(facts: &'a Facts<'a>, digests: &'a Digests) -> Component<'a> {
    let image = &facts.inventory.image;
    let maker = facts.about.author.as_ref().filter(|_| image.context == Context::Build);
    let purl = Purl::of_image(image).to_string();
    let digest = image.digest.as_ref().map(ToString::to_string);
    let base = image.base.iter().map(base_component).collect::<Vec<_>>();
    Component {
        kind: "container",
        bom_ref: Some(Cow::Borrowed(&facts.refs.image)),
        supplier: maker.map(Entity::of),
        manufacturer: maker.map(Entity::of),
        name: Cow::Borrowed(&image.name),
        version: digest.map(Cow::Owned),
        hashes: Hash::all(digests),
        purl: Some(purl.clone().into()),
        pedigree: (!base.is_empty()).then_some(Pedigree { ancestors: base }),
        external_references: vec![Reference { url: purl, kind: "distribution", hashes: Hash::all(digests) }],
        properties: image_properties(image).0,
        ..Component::default()
    }
}

fn image_properties(image: &ImageFacts) -> Properties<'_> {
    let mut all = Properties::default();
    all.add(property::EXECUTABLE, "non-executable");
    all.add(property::ARCHIVE, "archive");
    all.add(property::STRUCTURED, "structured");
    for layer in &image.layers {
        all.add(property::TRIVY_DIFF_ID, layer.diff_id.to_string());
    }
    for (number, layer) in image.layers.iter().enumerate() {
        if let Some(digest) = &layer.digest {
            all.add(format!("{}{number}:digest", property::LAYER), digest.to_string());
        }
        if let Some(text) = &layer.created_by {
            all.add(format!("{}{number}:createdBy", property::LAYER), text.as_str());
        }
    }
    all.add_known(property::PLATFORM, image.platform.as_ref().map(ToString::to_string));
    all.add_known(property::CREATED, image.created.and_then(time::text));
    for (key, value) in &image.annotations {
        all.add(format!("{}{key}", property::ANNOTATION), value.as_str());
    }
    all
}

/// The image that this one was made from is its ancestor.
fn base_component(base: &BaseImage) -> Component<'_> {
    let name = base.name.as_deref().unwrap_or(property::UNKNOWN);
    let digest = base.digest.to_string();
    let purl = Purl::of_image(&ImageFacts {
        name: base.name.as_deref().map(last_part).unwrap_or_default().to_owned(),
        digest: Some(base.digest.clone()),
        ..ImageFacts::default()
    });
    Component {
        kind: "container",
        name: name.into(),
        version: Some(digest.into()),
        purl: Some(purl.to_string().into()),
        ..Component::default()
    }
}

/// `debian` of `docker.io/library/debian:12`.
fn last_part(reference: &str) -> &str {
    let name = reference.rsplit('/').next().unwrap_or_default();
    name.split([':', '@']).next().unwrap_or_default()
}

fn components<'a>(facts: &'a Facts<'a>) -> impl Iterator<Item = Component<'a>> {
    let system = facts.inventory.system.iter().map(|system| system_component(facts, system));
    let packages = facts.inventory.packages.iter().enumerate();
    let packages = packages.map(|(number, package)| package::component(facts, number, package));
    let files = facts.other_files.iter().filter_map(|number| facts.inventory.files.get(*number));
    system.chain(packages).chain(files.map(|file| files::component(facts, file)))
}

/// Trivy and Syft take the distribution from this one.
fn system_component<'a>(facts: &'a Facts<'a>, system: &'a System) -> Component<'a> {
    let release = system.version_id.as_deref().or(system.codename.as_deref());
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = system.version_id.as_deref().filter(is_number);
    let cpe =
        number.filter(|_| system.id == "debian").map(|n| format!("cpe:2.3:o:debian:debian_linux:{n}:*:*:*:*:*:*:*"));
    let mut properties = Properties::default();
    properties.add(property::TRIVY_CLASS, "os-pkgs");
    properties.add(property::TRIVY_TYPE, system.id.as_str());
    properties.add(property::SYFT_SYSTEM_ID, system.id.as_str());
    properties.add_known(property::SYFT_SYSTEM_NAME, system.pretty_name.as_deref());
    properties.add_known(property::SYFT_SYSTEM_CODENAME, system.codename.as_deref());
    properties.add_known(property::SYFT_SYSTEM_VERSION, system.version_id.as_deref());
    Component {
        kind: "operating-system",
        bom_ref: facts.refs.system.as_deref().map(Cow::Borrowed),
        name: Cow::Borrowed(&system.id),
        version: release.and_then(package::version),
        description: system.pretty_name.as_deref().map(Cow::Borrowed),
        cpe,
        swid: Some(Swid { tag_id: &system.id, name: &system.id, version: release }),
        properties: properties.0,
        ..Component::default()
    }
}

/// The image needs its system, its own files and the packages that nothing else holds; the system needs its packages, since
/// Trivy finds them only from there.
fn dependencies<'a>(facts: &'a Facts<'a>) -> impl Iterator<Item = Needs<'a>> {
    let packages = &facts.inventory.packages;
    let is_of_system = |number: &usize| {
        let package = packages.get(*number);
        facts.refs.system.is_some() && package.is_some_and(|package| facts::is_of_system(&package.kind))
    };
    let is_held = |number: &usize| packages.get(*number).is_some_and(|package| package.part_of.is_some());
    let (of_system, others): (BTreeSet<usize>, BTreeSet<usize>) = (0..packages.len()).partition(is_of_system);
    let free: BTreeSet<usize> = others.into_iter().filter(|number| !is_held(number)).collect();
    let own = || own_files(facts).map(Cow::Owned);
    let system = facts.refs.system.as_deref();
    let image = Needs {
        bom_ref: Cow::Borrowed(&facts.refs.image),
        depends_on: system.map(Cow::Borrowed).into_iter().chain(references(facts, &free)).chain(own()).collect(),
    };
    let system = system
        .map(|system| Needs { bom_ref: Cow::Borrowed(system), depends_on: references(facts, &of_system).collect() });
    let packages = packages.iter().zip(&facts.refs.packages).zip(&facts.held).enumerate();
    let packages = packages.map(|(number, ((package, bom_ref), held))| {
        let needed = package.dependencies.iter().filter_map(|dependency| match dependency {
            Dependency::Package(number) => Some(*number),
            Dependency::Missing(_) => None,
        });
        let all: BTreeSet<usize> = needed.chain(held.iter().copied()).filter(|needed| *needed != number).collect();
        Needs { bom_ref: Cow::Borrowed(bom_ref), depends_on: references(facts, &all).collect() }
    });
    let files = own().map(|bom_ref| Needs { bom_ref, depends_on: Vec::new() });
    std::iter::once(image).chain(system).chain(packages).chain(files)
}

fn references<'a>(facts: &'a Facts<'a>, numbers: &BTreeSet<usize>) -> impl Iterator<Item = Cow<'a, str>> {
    numbers.iter().filter_map(|number| Some(Cow::Borrowed(facts.refs.packages.get(*number)?.as_str())))
}

fn own_files<'a>(facts: &'a Facts<'a>) -> impl Iterator<Item = String> + 'a {
    facts.inventory.own_files().map(refs::of_file)
}

fn compositions<'a>(facts: &'a Facts<'a>) -> Vec<Composition<'a>> {
    let is_built = facts.inventory.image.context == Context::Build;
    let image = Composition {
        aggregate: if is_built { "complete" } else { "unknown" },
        assemblies: vec![Cow::Borrowed(facts.refs.image.as_str())],
        dependencies: vec![Cow::Borrowed(facts.refs.image.as_str())],
    };
    let of = |aggregate, verdict: Option<bool>| {
        let packages = facts.inventory.packages.iter().zip(&facts.refs.packages);
        let known = packages.filter(move |(package, _)| facts.is_complete(package) == verdict);
        let known = known.map(|(_, bom_ref)| Cow::Borrowed(bom_ref.as_str()));
        // What the recipe's own files need nobody can know but their team.
        let files = verdict.is_none().then(|| own_files(facts).map(Cow::Owned));
        Composition {
            aggregate,
            assemblies: Vec::new(),
            dependencies: known.chain(files.into_iter().flatten()).collect(),
        }
    };
    let packages = [of("complete", Some(true)), of("incomplete", Some(false)), of("unknown", None)];
    std::iter::once(image).chain(packages.into_iter().filter(|part| !part.dependencies.is_empty())).collect()
}

fn sha256(image: &ImageFacts) -> Option<[u8; 32]> {
    image.digest.as_ref()?.as_sha256().copied()
}

/// Known by itself, or since it is what the image is named by.
fn sha512(image: &ImageFacts) -> Option<[u8; 64]> {
    image.sha512.or_else(|| {
        let digest = image.digest.as_ref().filter(|digest| digest.algorithm() == "sha512")?;
        hex::decode(digest.hex()).ok()?.try_into().ok()
    })
}
