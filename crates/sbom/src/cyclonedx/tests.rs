//! Tests of whole documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use super::{read, write};
use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{Context, Dependency, Inventory, Owner, Package, PackageKind};
use crate::sample;

/// The schemas that the one of documents refers to, by the last part of their names.
struct Local;

impl Retrieve for Local {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let text = match uri.as_str().rsplit('/').next().unwrap() {
            "spdx.schema.json" => include_str!("../../testdata/schemas/cyclonedx-spdx.schema.json"),
            "jsf-0.82.schema.json" => include_str!("../../testdata/schemas/cyclonedx-jsf-0.82.schema.json"),
            _ => return Err(format!("no schema {uri}").into()),
        };
        Ok(serde_json::from_str(text)?)
    }
}

/// The official JSON Schema, with forms of URLs, mail addresses and times.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../testdata/schemas/cyclonedx-bom-1.6.schema.json")).unwrap();
    jsonschema::options().with_retriever(Local).should_validate_formats(true).build(&schema).unwrap()
});

fn written(inventory: &Inventory, about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    write(inventory, about, &mut out).unwrap();
    out
}

/// Writes a document, and checks that it is valid, the same again, without anything that steers a terminal, that no two
/// components share a reference, and that all references lead to one.
fn check(inventory: &Inventory, about: &About) -> Value {
    let out = written(inventory, about);
    assert_eq!(out, written(inventory, about));
    let text = str::from_utf8(&out).unwrap();
    assert!(!text.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)));
    let document: Value = serde_json::from_str(text).unwrap();
    let error = |error: jsonschema::ValidationError<'_>| format!("{error:.300} at {}", error.instance_path());
    assert_eq!(SCHEMA.iter_errors(&document).map(error).collect::<Vec<_>>(), Vec::<String>::new());
    let mut refs = BTreeSet::new();
    for component in components(&document).chain([&document["metadata"]["component"]]) {
        if let Some(name) = component["bom-ref"].as_str() {
            assert!(refs.insert(name), "{name}");
        }
    }
    let mut entries = BTreeSet::new();
    for entry in document["dependencies"].as_array().unwrap() {
        assert!(entries.insert(entry["ref"].as_str().unwrap()));
        assert!(strings(&entry["dependsOn"]).all(|name| refs.contains(name) && name != entry["ref"]));
    }
    let is_listed_file = |name: &&&str| name.starts_with("file:") && !entries.contains(**name);
    assert!(refs.iter().filter(|name| !is_listed_file(name)).eq(&entries));
    document
}

/// All components, those within others included.
fn components(document: &Value) -> impl Iterator<Item = &Value> {
    let top = document["components"].as_array().unwrap();
    top.iter().flat_map(|component| {
        std::iter::once(component).chain(component["components"].as_array().into_iter().flatten())
    })
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap())
}

fn named<'a>(document: &'a Value, name: &str) -> &'a Value {
    components(document).find(|component| component["name"] == name).unwrap()
}

fn needs<'a>(document: &'a Value, component: &Value) -> Vec<&'a str> {
    let entries = document["dependencies"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["ref"] == component["bom-ref"]).unwrap();
    strings(&entry["dependsOn"]).collect()
}

fn properties(component: &Value) -> BTreeMap<&str, &str> {
    let all = component["properties"].as_array().into_iter().flatten();
    all.map(|property| (property["name"].as_str().unwrap(), property["value"].as_str().unwrap())).collect()
}

const LIBRARY: &str = "pkg:deb/debian/libweird%2B%2B1@2:1.0~rc1%2Bdfsg-1%2Bb2?arch=amd64&distro=debian-12&upstream=weird%402:1.0~rc1%2Bdfsg-1";

#[test]
fn a_package_says_all_that_is_asked_of_it() {
    let document = check(&sample::inventory(), &sample::about());
    let library = named(&document, "libweird++1");
    assert_eq!(library["purl"], LIBRARY);
    assert_eq!(library["group"], Value::Null);
    assert_eq!(library["supplier"]["url"][0], "https://www.debian.org/");
    assert_eq!(library["manufacturer"]["contact"][0]["email"], "weird@example.org");
    assert_eq!(library["publisher"], "Weird Team (unofficial) <weird@example.org>");
    let algorithms: Vec<&str> =
        library["hashes"].as_array().unwrap().iter().map(|h| h["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["MD5", "SHA-1", "SHA-256", "SHA-512"]);
    assert_eq!(library["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(library["licenses"][0]["acknowledgement"], "concluded");
    assert!(library["copyright"].as_str().unwrap().contains("Zoë Ünïcode"));
    assert_eq!(library["evidence"]["identity"]["field"], "purl");
    assert_eq!(library["evidence"]["licenses"][0]["license"]["name"], sample::LICENCE_REF);
    assert_eq!(library["evidence"]["occurrences"][1]["location"], "/var/lib/dpkg/status.d/libweird++1");
    assert_eq!(library["pedigree"]["ancestors"][0]["name"], "weird");
    let references: Vec<&str> =
        library["externalReferences"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(references, ["distribution", "source-distribution", "issue-tracker", "advisories"]);
    assert_eq!(library["externalReferences"][0]["hashes"], library["hashes"]);
    let properties = properties(library);
    for (name, value) in [
        ("bsi:component:filename", "libweird++1_1.0~rc1+dfsg-1+b2_amd64.deb"),
        ("bsi:component:archive", "archive"),
        ("aquasecurity:trivy:SrcName", "weird"),
        ("aquasecurity:trivy:SrcEpoch", "2"),
        ("aquasecurity:trivy:SrcVersion", "1.0~rc1+dfsg"),
        ("aquasecurity:trivy:SrcRelease", "1"),
        ("syft:package:metadataType", "dpkg-db-entry"),
        ("syft:metadata:source", "weird"),
        ("distil:deb:section", "libs"),
    ] {
        assert_eq!(properties.get(name), Some(&value), "{name}");
    }
}

#[test]
fn what_needs_what_is_told_from_the_image_down() {
    let document = check(&sample::inventory(), &sample::about());
    let image = &document["metadata"]["component"];
    let (system, program) = (named(&document, "debian"), named(&document, "webtool"));
    assert_eq!(system["type"], "operating-system");
    let own = ["file:///srv/app/data.json", "file:///srv/app/run.sh"];
    assert_eq!(needs(&document, image), [&["operating-system:debian-12"][..], &own].concat());
    let program_purl = program["purl"].as_str().unwrap();
    assert_eq!(needs(&document, system), [LIBRARY, program_purl]);
    let held = ["pkg:golang/github.com/example/mod@v1.2.3", "pkg:pypi/sampledist@0.9"];
    assert_eq!(needs(&document, program), [&[LIBRARY][..], &held].concat());
    assert!(needs(&document, named(&document, "libweird++1")).is_empty());
    let aggregates: Vec<(&str, Vec<&str>)> = document["compositions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["aggregate"].as_str().unwrap(), strings(&one["dependencies"]).collect()))
        .collect();
    let image_ref = image["bom-ref"].as_str().unwrap();
    let unknown = [&held[..], &own].concat();
    let expected = [
        ("complete", vec![image_ref]),
        ("complete", vec![LIBRARY]),
        ("incomplete", vec![program_purl]),
        ("unknown", unknown),
    ];
    assert_eq!(aggregates, expected);
}

#[test]
fn the_document_says_who_made_it_and_of_what() {
    let document = check(&sample::inventory(), &sample::about());
    let metadata = &document["metadata"];
    assert_eq!(metadata["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(metadata["lifecycles"][0]["phase"], "build");
    assert_eq!(metadata["tools"]["components"][0]["name"], "distil");
    assert_eq!(metadata["authors"][0]["email"], "images@example.org");
    assert_eq!(metadata["manufacturer"]["contact"][0]["email"], "images@example.org");
    let image = &metadata["component"];
    assert_eq!((&image["type"], &image["hashes"][1]["alg"]), (&"container".into(), &"SHA-512".into()));
    assert_eq!(image["pedigree"]["ancestors"][0]["name"], "docker.io/library/debian:12");
    // As Python's uuid5 computes it from the package URL of the image.
    assert_eq!(document["serialNumber"], "urn:uuid:d201754d-c1f0-5209-8634-13f380bbbbd7");
    let other = Inventory { image: crate::inventory::ImageFacts::default(), ..sample::inventory() };
    assert_ne!(check(&other, &sample::about())["serialNumber"], document["serialNumber"]);
    let found = Inventory {
        image: crate::inventory::ImageFacts { context: Context::Analysis, ..sample::inventory().image },
        ..sample::inventory()
    };
    let found = check(&found, &About { author: None, ..sample::about() });
    assert_eq!(found["metadata"]["lifecycles"][0]["phase"], "post-build");
    assert_eq!(found["metadata"]["manufacturer"], Value::Null);
    assert_eq!(found["compositions"][0]["aggregate"], "unknown");
}

#[test]
fn files_are_listed_on_demand_and_own_ones_always() {
    let names = |files| {
        let document = check(&sample::inventory(), &About { files, ..sample::about() });
        let files = components(&document).filter(|component| component["type"] == "file");
        files.map(|file| file["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(false), ["/srv/app/data.json", "/srv/app/run.sh"]);
    assert_eq!(names(true).len(), sample::inventory().files.len());
    let document = check(&sample::inventory(), &sample::about());
    assert_eq!(named(&document, "webtool")["components"][0]["name"], "/etc/webtool.conf");
    let own = named(&document, "/srv/app/run.sh");
    assert_eq!(own["hashes"].as_array().unwrap().len(), 4);
    assert_eq!(own["manufacturer"]["name"], "Image Team");
    assert_eq!(properties(own)["bsi:component:executable"], "executable");
    assert_eq!(properties(own)["bsi:component:filename"], "run.sh");
}

/// Where a repository is, and whether it is anybody's business, a document does not tell. Of Debian's everybody knows.
#[test]
fn no_host_is_named_but_public_ones() {
    let mut inventory = sample::inventory();
    let artefact = inventory.packages[1].artefact.as_mut().unwrap();
    artefact.repository.as_mut().unwrap().origin = Some("Our own".into());
    let text = String::from_utf8(written(&inventory, &sample::about())).unwrap();
    let hosts: BTreeSet<&str> =
        text.split("://").skip(1).map(|rest| rest.split(['/', '"', '\\']).next().unwrap()).collect();
    let public = ["", "bugs.debian.org", "cyclonedx.org", "security-tracker.debian.org", "snapshot.debian.org"];
    let known = ["webtool.example.org", "www.debian.org"];
    assert_eq!(hosts.into_iter().collect::<Vec<_>>(), [&public[..], &known].concat());
    let document = check(&inventory, &sample::about());
    let program = named(&document, "webtool");
    assert_eq!(program["externalReferences"][0]["url"], program["purl"]);
}

/// What is read back says the same, except that a document is no build.
#[test]
fn what_is_written_is_read_as_the_same() {
    let mut expected = sample::inventory();
    expected.image.context = Context::Analysis;
    assert_eq!(read(&written(&expected, &sample::about())).unwrap(), expected);
    let again = read(&written(&expected, &About { files: false, ..sample::about() })).unwrap();
    assert!(again.files.iter().all(|file| file.owner == Owner::Recipe));
    assert_eq!(again.packages, expected.packages);
}

#[test]
fn hostile_texts_are_escaped_and_come_back() {
    let inventory = sample::hostile();
    let document = check(&inventory, &sample::about());
    let emails =
        components(&document).filter_map(|component| component["manufacturer"]["contact"][0]["email"].as_str());
    assert_eq!(emails.collect::<BTreeSet<_>>(), BTreeSet::from(["images@example.org"]));
    let found = read(&written(&inventory, &sample::about())).unwrap();
    assert_eq!(found.packages.len(), inventory.packages.len());
    let debs = |all: &Inventory| {
        let debs = all.packages.iter().filter(|package| package.kind == PackageKind::Deb);
        debs.map(|package| (package.name.clone(), package.version.clone())).collect::<Vec<_>>()
    };
    assert_eq!(debs(&found), debs(&inventory));
    assert_eq!(found.files, inventory.files);
    assert_eq!(found.image.annotations, inventory.image.annotations);
}

/// A version longer than the schema allows stands in the package URL, from where it is read.
#[test]
fn long_versions_are_kept() {
    let version = "1".repeat(5000);
    let package = Package::new(PackageKind::Cargo, "long", Some(version.clone()));
    let inventory = Inventory { packages: vec![package], ..Inventory::default() };
    assert_eq!(check(&inventory, &sample::about())["components"][0]["version"], Value::Null);
    assert_eq!(read(&written(&inventory, &sample::about())).unwrap().packages[0].version, Some(version));
}

#[test]
fn numbers_of_nothing_are_passed_over() {
    let mut inventory = sample::inventory();
    inventory.packages[0].dependencies = vec![Dependency::Package(77), Dependency::Package(0)];
    inventory.packages[1].part_of = Some(78);
    inventory.packages[1].layer = Some(79);
    inventory.files[0].owner = Owner::Package { number: 80, is_conffile: false };
    inventory.files[1].digests = Digests::default();
    check(&inventory, &sample::about());
    check(&Inventory::default(), &About { created: i64::MAX, author: None, version: String::new(), files: true });
}
