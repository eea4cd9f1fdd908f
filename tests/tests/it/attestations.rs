//! What is said about an image: other tools find it as referrers, and inside the index as BuildKit has it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use distil_imgcore::{Artifact, Attestation, Blob, Image, ImageBuilder, Index, Layout, MediaType, Store};
use distil_tests::program::folder;
use distil_tests::{Program, Registry};
use serde_json::{Value, json};

const SPDX: &str = "https://spdx.dev/Document";
const SLSA: &str = "https://slsa.dev/provenance/v1";

fn image(platform: &str) -> Image {
    ImageBuilder::new(platform.parse().unwrap(), 0).finish().unwrap()
}

fn predicate(name: &str) -> Value {
    json!({"spdxVersion": "SPDX-2.3", "name": name, "packages": [{"name": "hello"}]})
}

/// A statement about an image.
fn statement(image: &Image, predicate_type: &str) -> Blob {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "_", "digest": {image.digest().algorithm(): image.digest().hex()}}],
        "predicateType": predicate_type, "predicate": predicate(&image.platform().to_string()),
    });
    Blob::of(statement.to_string().into_bytes())
}

/// Two platforms with statements in the index, an SBOM beside the first platform's image, and provenance beside the index.
fn write(layout: &Path) -> (Index, Vec<Image>) {
    let images = vec![image("linux/amd64"), image("linux/arm64")];
    let about = |image| {
        let statements = [SPDX, SLSA].map(|predicate_type| (predicate_type, statement(image, predicate_type)));
        Attestation::new(image, statements.into()).unwrap()
    };
    let index = Index::new(images.clone(), &BTreeMap::new()).unwrap();
    let index = index.with_attestations(images.iter().map(about).collect()).unwrap();
    let layout = Layout::create(layout, Duration::ZERO).unwrap();
    let root = index.write_to(&layout, &mut |_| {}).unwrap();
    layout.tag(Some(&"latest".parse().unwrap()), &root).unwrap();
    let spdx: MediaType = MediaType::SPDX_JSON.parse().unwrap();
    let in_toto: MediaType = MediaType::IN_TOTO.parse().unwrap();
    let sbom = Blob::of(predicate("sbom").to_string().into_bytes());
    let sbom = sbom.with_annotation("org.opencontainers.image.title", "sbom.spdx.json");
    let beside = [
        Artifact::new(&spdx, sbom, &images[0].descriptor(), &BTreeMap::new()).unwrap(),
        Artifact::new(&in_toto, statement(&images[0], SLSA), &root, &BTreeMap::new()).unwrap(),
    ];
    for artifact in beside {
        let artifact = artifact.write_to(&layout, &mut |_| {}).unwrap();
        layout.tag(None, &artifact).unwrap();
    }
    (index, images)
}

/// The types of what oras finds about an image, sorted.
pub(crate) fn discovered(arguments: &[&str]) -> Vec<String> {
    let found = Program::new("oras").args(["discover", "--format", "json"]).args(arguments).run().success().json();
    // Newer releases say `referrers` where older ones said `manifests`.
    let list = found["referrers"].as_array().or(found["manifests"].as_array()).unwrap();
    let mut types: Vec<String> = list.iter().map(|one| one["artifactType"].as_str().unwrap().to_owned()).collect();
    types.sort();
    types
}

#[test]
fn other_tools_find_what_is_said_about_an_image() {
    let (_guard, folder) = folder();
    let layout = folder.join("layout");
    let (index, images) = write(&layout);
    let registry = Registry::start();
    let pushed = registry.repository("app:latest");
    let source = format!("{}:latest", layout.display());
    let copied =
        Program::new("oras").args(["cp", "--recursive", "--from-oci-layout", "--to-plain-http", &source, &pushed]);
    let _ran = copied.run().success();
    let found = Program::new("crane").args(["digest", &pushed]).run().success().text();
    assert_eq!(found.trim(), index.digest().to_string());

    let find = |image: &str| discovered(&["--plain-http", &format!("{}@{image}", registry.repository("app"))]);
    assert_eq!(find(&index.digest().to_string()), [MediaType::IN_TOTO]);
    let amd64 = find(&images[0].digest().to_string());
    assert_eq!(amd64, [MediaType::SPDX_JSON, MediaType::ATTESTATION_MANIFEST]);
    assert_eq!(find(&images[1].digest().to_string()), [MediaType::ATTESTATION_MANIFEST]);
    // In a layout, oras takes only what `index.json` names.
    assert_eq!(discovered(&["--oci-layout", &source]), [MediaType::IN_TOTO]);

    for (field, key) in [("SBOM", "SPDX"), ("Provenance", "SLSA")] {
        let inspect = Program::new("docker-buildx").env("BUILDX_CONFIG", folder.join("buildx"));
        let inspect = inspect.args(["imagetools", "inspect", "--format", &format!("{{{{json .{field}}}}}"), &pushed]);
        let seen = inspect.run().success().json();
        for image in &images {
            let platform = image.platform().to_string();
            assert_eq!(seen[&platform][key], predicate(&platform), "{seen:#}");
        }
    }
    // Whoever asks for a platform gets its image.
    for image in &images {
        let platform = format!("--platform={}", image.platform());
        let digest = Program::new("crane").args(["digest", &platform, &pushed]).run().success().text();
        assert_eq!(digest.trim(), image.digest().to_string());
    }
}
