//! Tests of whole documents.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::write;
use crate::document::About;
use crate::inventory::{Agent, Context, Inventory, PackageKind};
use crate::sample;

/// The official JSON Schema.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../testdata/schemas/spdx-3.0.1.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

fn written(inventory: &Inventory, about: &About) -> Vec<u8> {
    let mut out = Vec::new();
    write(inventory, about, &mut out).unwrap();
    out
}

/// Writes a document, and checks that it is valid, the same again, without anything that steers a terminal, and that no
/// two elements share a name. Gives the elements by their names without what all names begin with.
fn check(inventory: &Inventory, about: &About) -> BTreeMap<String, Value> {
    let out = written(inventory, about);
    assert_eq!(out, written(inventory, about));
    let text = str::from_utf8(&out).unwrap();
    assert!(!text.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)));
    let mut document: Value = serde_json::from_str(text).unwrap();
    let error = |error: jsonschema::ValidationError<'_>| format!("{error:.300} at {}", error.instance_path());
    assert_eq!(SCHEMA.iter_errors(&document).map(error).collect::<Vec<_>>(), Vec::<String>::new());
    let Value::Array(graph) = document["@graph"].take() else { panic!("no graph") };
    let count = graph.len();
    let name = |element: &Value| element["spdxId"].as_str().or(element["@id"].as_str()).unwrap().to_owned();
    let start = "https://spdx.org/spdxdocs/distil/".len() + 32 + 1 + 8 + 1;
    let short = |name: &str| name.strip_prefix("_:").map_or_else(|| name.chars().skip(start).collect(), str::to_owned);
    let named = |element: Value| (short(&name(&element)), element);
    let all: BTreeMap<String, Value> = graph.into_iter().map(named).collect();
    assert_eq!(all.len(), count);
    all
}

/// What elements are related to another one, as pairs of a kind of relation and an element.
fn related<'a>(all: &'a BTreeMap<String, Value>, from: &str) -> Vec<(&'a str, &'a Value)> {
    let from = &all[from]["spdxId"];
    let relations = all.values().filter(|element| element["from"] == *from);
    let pairs = relations.flat_map(|relation| {
        let to = relation["to"].as_array().unwrap();
        to.iter().map(|to| (relation["relationshipType"].as_str().unwrap(), to))
    });
    let element = |id: &Value| all.values().find(|element| element["spdxId"] == *id);
    pairs.filter_map(|(kind, to)| Some((kind, element(to)?))).collect()
}

fn has_contact(all: &BTreeMap<String, Value>, agent: &Value) -> bool {
    let agent = all.values().find(|element| element["spdxId"] == *agent).unwrap();
    agent["externalIdentifier"][0]["identifier"].is_string()
}

#[test]
fn every_package_has_what_authorities_ask_for() {
    let all = check(&sample::inventory(), &sample::about());
    assert_eq!(all["sbom"]["software_sbomType"][0], "build");
    assert!(has_contact(&all, &all["c"]["createdBy"][0]));
    let packages: Vec<_> = all.iter().filter(|(_, element)| element["type"] == "software_Package").collect();
    assert_eq!(packages.len(), 5);
    for (name, package) in packages {
        assert!(package["name"].is_string() && package["software_packageVersion"].is_string(), "{name}");
        assert!(package["software_packageUrl"].as_str().unwrap().starts_with("pkg:"), "{name}");
        assert!(package["software_copyrightText"].is_string(), "{name}");
        assert!(has_contact(&all, &package["suppliedBy"]) && has_contact(&all, &package["originatedBy"][0]), "{name}");
        let related = related(&all, name);
        let to = |kind: &str| related.iter().find(|(found, _)| *found == kind).map(|(_, element)| *element).unwrap();
        assert!(to("hasConcludedLicense")["simplelicensing_licenseExpression"].is_string(), "{name}");
        assert_eq!(to("other")["spdxId"], to("hasConcludedLicense")["spdxId"], "{name}");
        let file = to("hasDistributionArtifact");
        assert!(file["name"].is_string() && file["software_additionalPurpose"][1] == "container", "{name}");
        let mut digests = file["verifiedUsing"].as_array().unwrap().iter();
        assert!(digests.any(|hash| hash["algorithm"] == "sha512"), "{name}");
    }
}

#[test]
fn a_maker_without_an_address_is_followed_by_somebody_who_has_one() {
    let mut inventory = sample::inventory();
    let module = inventory.packages.iter().position(|package| package.kind == PackageKind::Golang).unwrap();
    let vendor = Agent { name: "Vendor".to_owned(), contact: None, is_person: false };
    inventory.packages[module].maintainer = Some(vendor.clone());
    let all = check(&inventory, &sample::about());
    let makers = all[&format!("p{module}")]["originatedBy"].as_array().unwrap();
    assert_eq!(makers.iter().map(|maker| has_contact(&all, maker)).collect::<Vec<_>>(), [false, true]);
    // Whoever reads the document takes the first for its maker.
    let read = crate::spdx3::read(&written(&inventory, &sample::about())).unwrap();
    let module = read.packages.iter().find(|package| package.kind == PackageKind::Golang).unwrap();
    assert_eq!(module.maintainer, Some(vendor));
}

#[test]
fn relations_say_how_complete_they_are() {
    let all = check(&sample::inventory(), &sample::about());
    let needs = |number: usize| {
        let from = &all[&format!("p{number}")]["spdxId"];
        let mut all = all.values().filter(|element| element["relationshipType"] == "dependsOn");
        let relation = all.find(|relation| relation["from"] == *from).unwrap();
        assert_eq!(relation["scope"], "runtime");
        (relation["completeness"].as_str().unwrap(), relation["to"][0].as_str().unwrap(), relation["comment"].as_str())
    };
    assert_eq!(needs(0), ("complete", "https://spdx.org/rdf/3.0.1/terms/Core/NoneElement", None));
    let missing = Some("not in the image\nnowhere (>= 2) | nothing");
    assert_eq!(needs(1), ("incomplete", all["p0"]["spdxId"].as_str().unwrap(), missing));
    assert_eq!(needs(2), ("noAssertion", "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement", None));
}

#[test]
fn nothing_is_said_that_is_not_known() {
    let (inventory, about) = (sample::inventory(), sample::about());
    let all = check(&inventory, &About { author: None, files: false, ..about.clone() });
    assert_eq!(all["agent"]["type"], "SoftwareAgent");
    assert!(all["image"]["suppliedBy"].is_null());
    let files: Vec<_> = all.keys().filter(|name| name.starts_with('f')).collect();
    assert_eq!(files.len(), inventory.own_files().count());
    let mut looked_into = inventory;
    looked_into.image.context = Context::Analysis;
    let all = check(&looked_into, &about);
    assert_eq!(all["sbom"]["software_sbomType"][0], "analyzed");
    assert!(!all.contains_key("build") && all["image"]["suppliedBy"].is_null());
    let bare = check(&Inventory::default(), &about);
    assert!(bare.values().all(|element| element["type"] != "software_File"));
}

#[test]
fn addresses_are_public_ones() {
    let text = String::from_utf8(written(&sample::inventory(), &sample::about())).unwrap();
    let sha1 = hex::encode(sample::inventory().packages[0].artefact.as_ref().unwrap().digests.sha1.unwrap());
    let deb = format!("https://snapshot.debian.org/file/{sha1}/libweird%2B%2B1_1.0~rc1%2Bdfsg-1%2Bb2_amd64.deb");
    assert!(text.contains(&deb));
    assert!(text.contains("https://snapshot.debian.org/package/weird/2%3A1.0~rc1%2Bdfsg-1/"));
    let mut other = sample::inventory();
    for package in &mut other.packages {
        for repository in package.artefact.iter_mut().flat_map(|artefact| &mut artefact.repository) {
            repository.origin = Some("Own".into());
        }
    }
    let text = String::from_utf8(written(&other, &sample::about())).unwrap();
    assert!(!text.contains("snapshot.debian.org") && !text.contains("bugs.debian.org"));
}

#[test]
fn hostile_texts_come_out_escaped() {
    let (inventory, about) = (sample::hostile(), sample::about());
    let all = check(&inventory, &about);
    assert!(all["p0"]["software_homePage"].is_null());
    assert_eq!(all["p0"]["description"], inventory.packages[0].description.clone().unwrap());
    // A licence that is no expression is not passed off as one, and packages that hold each other are still found.
    assert!(all.values().all(|element| element["simplelicensing_licenseExpression"] != "LicenseRef-"));
    let held = related(&all, "image").into_iter().filter(|(kind, _)| *kind == "contains").map(|(_, to)| to);
    assert!(held.filter(|to| to["type"] == "software_Package").count() >= 3);
    check(&inventory, &About { created: i64::MIN, author: None, ..about });
}
