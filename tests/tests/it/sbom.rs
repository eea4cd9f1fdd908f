//! What builds say about their images passes the schemas and the programs of those who defined the formats, is the same
//! wherever it is written, and tells nothing of that place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use distil_tests::program::folder;
use distil_tests::validators::{self, Compliance};
use distil_tests::{Program, layout, place};
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::distroless::{EXAMPLES, layout_of};
use crate::example::reference;
use crate::project::{Project, repository};

/// The documents about an image.
pub(crate) struct Documents {
    pub(crate) spdx2: Vec<u8>,
    pub(crate) spdx3: Vec<u8>,
    pub(crate) cyclonedx: Vec<u8>,
    pub(crate) provenance: Vec<u8>,
}

impl Documents {
    /// What is attached to the first image under a tag, and to its index no less.
    pub(crate) fn of(folder: &Path, tag: &str) -> Self {
        let image = layout::image(folder, tag);
        let attached = layout::attached(folder, &image.digest);
        assert_eq!(layout::attached(folder, &image.root), attached);
        let attached: Vec<(&str, &str, Vec<u8>)> =
            attached.iter().map(|one| (&*one.title, &*one.artifact_type, one.content.clone())).collect();
        let [
            ("provenance.intoto.json", "application/vnd.in-toto+json", provenance),
            ("sbom.cdx.json", "application/vnd.cyclonedx+json", cyclonedx),
            ("sbom.spdx.json", "application/spdx+json", spdx2),
            ("spdx-3.0.intoto.json", "application/vnd.in-toto+json", statement),
        ] = <[_; 4]>::try_from(attached).unwrap()
        else {
            panic!("other documents are attached");
        };
        validators::statement(&statement);
        let statement: Value = serde_json::from_slice(&statement).unwrap();
        assert_eq!(statement["subject"][0]["digest"]["sha256"], image.digest.trim_start_matches("sha256:"));
        assert_eq!(statement["predicateType"], "https://spdx.dev/Document/v3");
        let spdx3 = statement["predicate"].to_string().into_bytes();
        Self { spdx2, spdx3, cyclonedx, provenance }
    }

    /// Every program that knows a format has nothing against the document in it.
    pub(crate) fn check(&self) {
        for (schema, document) in [
            ("spdx-2.3", &self.spdx2),
            ("spdx-2.3.1", &self.spdx2),
            ("spdx-3.0.1", &self.spdx3),
            ("cyclonedx-bom-1.6", &self.cyclonedx),
        ] {
            let document = serde_json::from_slice(document).unwrap();
            let against = SCHEMAS[schema].iter_errors(&document).map(|error| format!("{error:.300}"));
            assert_eq!(against.collect::<Vec<_>>(), Vec::<String>::new(), "{schema}");
        }
        validators::spdx2(&self.spdx2);
        validators::spdx3(&self.spdx3);
        validators::sbomcheck(&self.spdx2, Compliance::Ntia);
        for rules in [Compliance::Ntia, Compliance::Fsct3, Compliance::Bsi] {
            validators::sbomcheck(&self.spdx3, rules);
        }
        validators::cyclonedx(&self.cyclonedx);
        validators::statement(&self.provenance);
    }
}

/// The official JSON Schemas, by name.
static SCHEMAS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let names = ["spdx-2.3", "spdx-2.3.1", "spdx-3.0.1", "cyclonedx-bom-1.6"];
    let options = || jsonschema::options().with_retriever(Local).should_validate_formats(true);
    names.into_iter().map(|name| (name, options().build(&Local::schema(name)).unwrap())).collect()
});

/// The schemas that lie in the workspace.
struct Local;

impl Local {
    fn schema(name: &str) -> Value {
        let file = place::root().join("crates/sbom/testdata/schemas").join(format!("{name}.schema.json"));
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }
}

impl Retrieve for Local {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        match uri.as_str().rsplit('/').next().unwrap() {
            "spdx.schema.json" => Ok(Self::schema("cyclonedx-spdx")),
            "jsf-0.82.schema.json" => Ok(Self::schema("cyclonedx-jsf-0.82")),
            _ => Err(format!("no schema {uri}").into()),
        }
    }
}

fn check_example(name: &str) {
    Documents::of(&layout_of(name), "latest").check();
}

#[test]
fn documents_of_base_are_valid() {
    check_example("base");
}

#[test]
fn documents_of_cc_are_valid() {
    check_example("cc");
}

#[test]
fn documents_of_java_are_valid() {
    check_example("java");
}

#[test]
fn documents_of_python_are_valid() {
    check_example("python");
}

#[test]
fn documents_of_static_are_valid() {
    check_example("static");
}

/// Builds the example `static` with these attestations into a layout, from what is locked and cached.
pub(crate) fn build_static(attestations: &str, layout: &Path) {
    let (_guard, folder) = folder();
    let from = place::locked("static");
    fs::copy(from.join("distil.lock"), folder.join("distil.lock")).unwrap();
    let recipe = fs::read_to_string(from.join("distil.toml")).unwrap();
    let author = "author = \"Release team <release@example.org>\"\n";
    assert!(recipe.contains(author), "{recipe}");
    fs::write(folder.join("distil.toml"), recipe.replace(author, attestations)).unwrap();
    let ran = Program::distil().arg("build").arg(folder.join("distil.toml")).args(["--locked", "--offline"]);
    let ran = ran.arg("--cache-dir").arg(place::locked_cache()).arg("-o").arg(reference(layout, "latest"));
    let _ran = ran.run().success();
}

#[test]
fn what_is_said_of_an_image_does_not_change_it() {
    let (_guard, folder) = folder();
    let expected = layout::image(&layout_of("static"), "latest");
    let cases: [(&str, &[&str]); 5] = [
        ("sbom = []\nprovenance = false\n", &[]),
        ("author = \"Somebody <https://example.org/else>\"\nprovenance = false\n", &["cdx", "spdx", "spdx-3"]),
        ("sbom = [\"cyclonedx-1.6\"]\nprovenance = false\n", &["cdx"]),
        ("sbom = [\"spdx-3.0\", \"spdx-2.3\"]\nprovenance = false\nfiles = false\n", &["spdx", "spdx-3"]),
        ("sbom = []\n", &["provenance"]),
    ];
    for (number, (attestations, titles)) in cases.into_iter().enumerate() {
        let layout = folder.join(number.to_string());
        build_static(attestations, &layout);
        let image = layout::image(&layout, "latest");
        assert_eq!((&image.root, &image.digest), (&expected.root, &expected.digest), "{attestations}");
        let attached = layout::attached(&layout, &image.digest);
        let named = |title: &str| title.trim_start_matches("sbom.").split('.').next().unwrap().to_owned();
        let found: Vec<String> = attached.iter().map(|one| named(&one.title)).collect();
        assert_eq!(found, titles, "{attestations}");
    }
}

/// Every blob that refers to an image, and everything in it, as text.
fn told(layout: &Path) -> Vec<(String, String)> {
    let image = layout::image(layout, "latest");
    let attached = layout::attached(layout, &image.digest);
    assert_eq!(attached.len(), 4, "{attached:?}");
    attached.into_iter().map(|one| (one.title, String::from_utf8(one.content).unwrap())).collect()
}

#[test]
fn hosts_and_folders_of_this_machine_are_not_told() {
    let targets = Program::new("apt-get").args(["indextargets", "--format", "$(SITE)"]).run().success().text();
    let hosts: BTreeSet<String> = targets
        .lines()
        .filter_map(|url| Some(url.split('/').nth(2)?.to_owned()))
        .filter(|host| !host.is_empty())
        .collect();
    assert!(!hosts.is_empty(), "no apt sources on this machine");
    let folders = [place::root(), std::env::temp_dir()].map(|folder| format!("{}/", folder.display()));
    for name in EXAMPLES {
        for (title, text) in told(&layout_of(name)) {
            for private in hosts.iter().chain(&folders) {
                assert!(!text.contains(private.as_str()), "{private} is in {title} of {name}");
            }
        }
    }
}

#[test]
fn neither_place_nor_time_nor_threads_show_in_what_is_told() {
    let project = Project::new(&repository());
    let from = |options: &str, words: &[&str]| {
        project.forget();
        let _ = fs::remove_file(project.folder.join("distil.lock"));
        // Another server is at another port.
        let server = project.serve();
        let port = format!("127.0.0.1:{}", server.port());
        project.recipe(&[&format!("http://{port}")], &["app", "other"]);
        let line = format!("{options} \"$distil\" \"$@\"");
        let shell =
            Program::new("sh").args(["-c", &line, "sh", "build", "-o", &reference(&project.layout(), "latest")]);
        let shell = shell.arg("--cache-dir").arg(project.cache()).args(words);
        let _ran = shell.env("distil", place::distil()).current_dir(&project.folder).run().success();
        let all = told(&project.layout());
        for (title, text) in &all {
            for private in [&port, "127.0.0.1", project.folder.to_str().unwrap()] {
                assert!(!text.contains(private), "{private} is in {title}: {text}");
            }
        }
        all
    };
    let expected = from("TZ=UTC", &[]);
    assert!(from("TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8", &["--jobs", "1"]) == expected);
    assert!(from("faketime '2031-02-03 04:05:06'", &["--jobs", "7"]) == expected);
    let provenance = &expected.iter().find(|(title, _)| title == "provenance.intoto.json").unwrap().1;
    let provenance: Value = serde_json::from_str(provenance).unwrap();
    let inputs = provenance["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let named = |ending: &str| inputs.iter().filter(|one| one.to_string().contains(ending)).count();
    assert_eq!(named(".deb"), 3, "{provenance:#}");
    assert!(named("InRelease") > 0 && named("Packages") > 0, "{provenance:#}");
}
