//! Other tools read what distil says about its images, and find the same packages in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use distil_tests::program::folder;
use distil_tests::validators::{self, SyftPackage};
use distil_tests::{Program, Registry, layout};
use serde_json::Value;

use crate::attestations::discovered;
use crate::distroless::{EXAMPLES, layout_of};
use crate::example::reference;
use crate::sbom::{Documents, build_static};

/// A Debian package: name, version, and the source package with its version.
type Deb = (String, String, String, String);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The packages that `distil inspect` lists.
fn inspected(layout: &Path) -> Vec<Deb> {
    let image = reference(layout, "latest");
    let document = Program::distil().args(["inspect", "--json", &image]).run().success().json();
    let packages = document["packages"].as_array().unwrap();
    let keys = ["name", "version", "source", "source-version"];
    let mut found: Vec<Deb> = packages.iter().map(|package| keys.map(|key| text(&package[key])).into()).collect();
    found.sort();
    found
}

/// The Debian packages of what syft found, with their sources spelled out.
fn debs(packages: &[SyftPackage]) -> Vec<Deb> {
    let or = |text: &String, other: &String| if text.is_empty() { other.clone() } else { text.clone() };
    let debs = packages.iter().filter(|package| package.kind == "deb");
    let debs = debs.map(|package| {
        let (source, version) = &package.source;
        let source = (or(source, &package.name), or(version, &package.version));
        (package.name.clone(), package.version.clone(), source.0, source.1)
    });
    debs.collect()
}

/// What an SPDX 2.3 document concludes on the licences of its packages, by their package URLs.
fn concluded(document: &[u8]) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_slice(document).unwrap();
    let mut found = BTreeMap::new();
    for package in document["packages"].as_array().unwrap() {
        let references = package["externalRefs"].as_array().into_iter().flatten();
        for purl in references.filter(|one| one["referenceCategory"] == "PACKAGE-MANAGER") {
            let _ = found.insert(text(&purl["referenceLocator"]), text(&package["licenseConcluded"]));
        }
    }
    found
}

#[test]
fn syft_reads_the_same_packages_sources_and_licences() {
    // Syft 1.18 takes this off the beginning of an expression in SPDX, and leaves it alone in the middle and in CycloneDX.
    let plain = |licence: &String| licence.trim_start_matches("LicenseRef-").to_owned();
    for name in EXAMPLES {
        let documents = Documents::of(&layout_of(name), "latest");
        let expected = inspected(&layout_of(name));
        let licences = concluded(&documents.spdx2);
        for document in [&documents.spdx2, &documents.cyclonedx] {
            let found = validators::syft_convert(document);
            assert_eq!(debs(&found), expected, "{name}");
            for package in found.iter().filter(|package| package.kind == "deb") {
                let licence = &licences[&package.purl];
                assert_ne!(licence, "NOASSERTION", "{name}: {package:?}");
                assert_eq!(
                    package.licences.iter().map(plain).collect::<Vec<_>>(),
                    [plain(licence)],
                    "{name}: {package:?}"
                );
            }
        }
    }
}

/// What syft finds in an image of one platform by itself.
fn scanned(image: &str) -> Vec<SyftPackage> {
    let (_guard, home) = folder();
    let syft = Program::new("syft").args(["scan", image, "--quiet", "--output", "syft-json"]);
    let syft = syft.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("HOME", &home);
    validators::packages(&syft.run().success().json())
}

#[test]
fn syft_finds_the_same_packages_by_itself() {
    for name in EXAMPLES {
        // Syft takes a layout whose tag names a manifest, not an index.
        let (_guard, folder) = folder();
        let copy = reference(&folder.join("copy"), "latest");
        let skopeo = Program::new("skopeo").args(["--insecure-policy", "copy", &reference(&layout_of(name), "latest")]);
        let _ran = skopeo.arg(&copy).run().success();
        let found = scanned(&format!("oci-dir:{}", folder.join("copy").display()));
        let read = validators::syft_convert(&Documents::of(&layout_of(name), "latest").spdx2);
        assert_eq!(debs(&found), debs(&read), "{name}");
        // Packages of all types that have a package URL, which those that only stand for sources, layers and the system lack.
        let all = |packages: &[SyftPackage]| -> BTreeSet<(String, String, String)> {
            let typed = packages.iter().filter(|package| !package.kind.is_empty() && package.kind != "binary");
            typed.map(|package| (package.kind.clone(), package.name.clone(), package.version.clone())).collect()
        };
        let (by_itself, told) = (all(&found), all(&read));
        assert!(by_itself.is_subset(&told), "{name}: {:?}", by_itself.difference(&told));
    }
}

#[test]
fn referrers_and_statements_are_found_in_a_registry() {
    let (_guard, folder) = folder();
    let layout = folder.join("layout");
    build_static("in-index = true\nauthor = \"Release team <release@example.org>\"\n", &layout);
    let image = layout::image(&layout, "latest");
    let documents = Documents::of(&layout, "latest");
    let registry = Registry::start();
    let pushed = registry.repository("static:latest");
    let source = format!("{}:latest", layout.display());
    let copied = Program::new("oras").args(["cp", "--recursive", "--from-oci-layout", "--to-plain-http", &source]);
    let _ran = copied.arg(&pushed).run().success();
    let find = |digest: &str| discovered(&["--plain-http", &format!("{}@{digest}", registry.repository("static"))]);
    let (spdx, cyclonedx) = ("application/spdx+json", "application/vnd.cyclonedx+json");
    let (inside, in_toto) = ("application/vnd.docker.attestation.manifest.v1+json", "application/vnd.in-toto+json");
    assert_eq!(find(&image.root), [spdx, cyclonedx, in_toto, in_toto]);
    assert_eq!(find(&image.digest), [spdx, cyclonedx, inside, in_toto, in_toto]);

    let value = |document: &[u8]| serde_json::from_slice::<Value>(document).unwrap();
    let (sbom, provenance) = (value(&documents.spdx2), value(&documents.provenance)["predicate"].clone());
    for (field, key, expected) in [("SBOM", "SPDX", sbom), ("Provenance", "SLSA", provenance)] {
        let inspect = Program::new("docker-buildx").env("BUILDX_CONFIG", folder.join("buildx"));
        let inspect = inspect.args(["imagetools", "inspect", "--format", &format!("{{{{json .{field}}}}}"), &pushed]);
        let seen = inspect.run().success().json();
        // With one platform there is no other level.
        let seen = if seen[key].is_null() { &seen["linux/amd64"][key] } else { &seen[key] };
        assert!(*seen == expected, "{field}: {:.2000}", seen.to_string());
    }
    // Whoever wants an image gets the image.
    let digest = Program::new("crane").args(["digest", "--platform=linux/amd64", &pushed]).run().success().text();
    assert_eq!(digest.trim(), image.digest);
}
