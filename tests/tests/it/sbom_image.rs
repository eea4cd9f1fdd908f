//! `distil sbom` of images without a description: those of other tools, and ours as if they had none.

use std::collections::BTreeSet;

use distil_tests::program::folder;
use distil_tests::{Program, layout};
use serde_json::Value;

use crate::distroless::{EXAMPLES, layout_of};
use crate::dpkg_root;
use crate::example::reference;

/// What `distil sbom` shows of an image, by what it is made from.
fn shown(image: &str, from: &str) -> Value {
    Program::distil().args(["sbom", "--json", "--from", from, image]).run().success().json()
}

/// The packages of a table with all that an image can tell of them.
fn rows(document: &Value) -> Vec<[String; 6]> {
    let keys = ["type", "name", "version", "architecture", "source", "licence"];
    let packages = document["packages"].as_array().unwrap();
    packages.iter().map(|package| keys.map(|key| package[key].as_str().unwrap().to_owned())).collect()
}

#[test]
fn our_images_tell_what_their_builds_told() {
    for name in EXAMPLES {
        let image = reference(&layout_of(name), "latest");
        let (attached, found) = (shown(&image, "attached"), shown(&image, "image"));
        assert!(rows(&attached).len() >= 5, "{attached:#}");
        assert_eq!(rows(&attached), rows(&found), "{name}");
        assert_eq!(attached["licences"], found["licences"], "{name}");
        // Whose file it is that no package has, only the build knew.
        let own = attached["own-files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap());
        assert_eq!(own.collect::<Vec<_>>(), if name == "python" { &["/app/main.py"][..] } else { &[] }, "{name}");
        assert_eq!(found["own-files"].as_array().map(Vec::len), Some(0), "{name}");
        // What the build said is taken where nothing else is asked for.
        assert_eq!(shown(&image, "best"), attached, "{name}");
    }
}

#[test]
fn a_document_of_an_image_is_valid_and_has_the_same_packages() {
    let image = reference(&layout_of("static"), "latest");
    let author = "Release team <release@example.org>";
    let write = |format: &str, options: &[&str]| {
        let sbom = Program::distil().args(["sbom", "--from", "image", "--format", format, "--author", author]);
        sbom.args(options).arg(&image).run().success().stdout
    };
    let expected = distil_tests::validators::syft_convert(&write("cyclonedx-1.6", &[]));
    assert_eq!(expected.len(), 5);
    distil_tests::validators::cyclonedx(&write("cyclonedx-1.6", &[]));
    for options in [&[][..], &["--no-files"]] {
        let (spdx2, spdx3) = (write("spdx-2.3", options), write("spdx-3.0", options));
        distil_tests::validators::spdx2(&spdx2);
        let found = distil_tests::validators::syft_convert(&spdx2);
        let names = |found: &[distil_tests::validators::SyftPackage]| -> Vec<String> {
            let debs = found.iter().filter(|package| package.kind == "deb");
            debs.map(|package| package.purl.clone()).collect()
        };
        assert_eq!(names(&found), names(&expected));
        let spdx3: Value = serde_json::from_slice(&spdx3).unwrap();
        let files = spdx3["@graph"].as_array().unwrap().iter().filter(|one| one["type"] == "software_File");
        assert_eq!(files.count() > 1000, options.is_empty());
    }
}

#[test]
fn an_image_of_dpkg_and_umoci_is_described() {
    let root = dpkg_root::configured();
    let (_guard, folder) = folder();
    let layout = folder.join("layout");
    let image = format!("{}:latest", layout.display());
    let umoci = |words: &[&str]| {
        let _ran = Program::new("umoci").args(words).run().success();
    };
    umoci(&["init", "--layout", layout.to_str().unwrap()]);
    umoci(&["new", "--image", &image]);
    umoci(&["insert", "--image", &image, root.to_str().unwrap(), "/"]);
    let archive = format!("docker-archive:{}", folder.join("image.tar").display());
    let skopeo = Program::new("skopeo").args(["--insecure-policy", "copy", &reference(&layout, "latest")]);
    let _ran = skopeo.arg(format!("{archive}:example.org/dpkg:latest")).run().success();

    let format = "--showformat=${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\\n";
    let query = Program::new("dpkg-query").arg("--root").arg(root).args(["--show", format]).run().success().text();
    let expected: BTreeSet<[String; 4]> = query.lines().map(expected_row).collect();
    assert!(expected.len() > 60, "{query}");
    for image in [reference(&layout, "latest"), archive] {
        let document = shown(&image, "best");
        let debs = rows(&document).into_iter().filter(|row| row[0] == "deb");
        let debs = debs.map(|[_, name, version, architecture, source, _]| [name, version, architecture, source]);
        let found: Vec<[String; 4]> = debs.collect();
        let set: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(set.len(), found.len());
        assert_eq!(set, expected, "{image}");
        let unknown = rows(&document).into_iter().filter(|row| row[0] == "deb" && row[5].is_empty());
        assert_eq!(unknown.map(|row| row[1].clone()).collect::<Vec<_>>(), Vec::<String>::new());
        let own = document["own-files"].as_array().unwrap();
        assert!(own.iter().all(|file| file["path"] != "/usr/bin/dpkg"), "{own:?}");
    }
    assert!(layout::is_finished(&layout));
}

/// A line of dpkg-query as a row: a source is named where it has another name, with its version where that is another one.
fn expected_row(line: &str) -> [String; 4] {
    let [name, version, architecture, source, source_version] =
        <[&str; 5]>::try_from(line.split(' ').collect::<Vec<_>>()).unwrap();
    let source = match (source == name, source_version == version) {
        (true, true) => String::new(),
        (_, true) => source.to_owned(),
        (_, false) => format!("{source} {source_version}"),
    };
    [name, version, architecture, &source].map(str::to_owned)
}
