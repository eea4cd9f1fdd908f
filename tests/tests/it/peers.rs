//! Other tools take what distil makes: podman runs it, skopeo, umoci and crane read it, syft finds its packages.

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry};
use serde_json::Value;

use crate::example::{self, OUTPUT, reference};
use crate::sbom::build_static;

/// Runs an image in a store of its own. Limits are lowered to what small machines grant, and there is no network.
pub(crate) fn podman(image_and_options: &[&str]) -> Ran {
    let (_guard, store) = folder();
    let program = Program::new("podman").arg("--root").arg(store.join("root")).arg("--runroot").arg(store.join("run"));
    let program = program.args(["--runtime", "runc", "run", "--rm", "--network", "none"]);
    let program = program.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
    program.args(image_and_options).run()
}

fn check_output(ran: &Ran) {
    assert!(ran.status.success(), "{ran}");
    let text = ran.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), OUTPUT.len(), "{ran}");
    for (line, expected) in lines.iter().zip(OUTPUT) {
        assert!(line.starts_with(expected), "{line:?} is not {expected:?}");
    }
}

#[test]
fn podman_runs_the_layout() {
    check_output(&podman(&[&reference(&example::built().layout, "latest")]));
}

#[test]
fn podman_runs_the_archive() {
    check_output(&podman(&[&format!("docker-archive:{}", example::built().archive.display())]));
}

#[test]
fn the_program_is_not_root_and_has_a_clean_tree() {
    let image = reference(&example::built().layout, "latest");
    let script = "import os, sys; print(os.getuid() != 0, os.access('/usr', os.W_OK), sys.version_info[:2])";
    let ran = podman(&["--entrypoint", "/usr/bin/python3.11", &image, "-c", script]);
    assert_eq!(ran.text(), "True False (3, 11)\n", "{ran}");
}

#[test]
fn skopeo_reads_and_copies_it() {
    let (_guard, folder) = folder();
    let example = example::built();
    let image = reference(&example.layout, "latest");
    let seen = Program::new("skopeo").args(["inspect", &image]).run().success().json();
    assert_eq!(seen["Os"], "linux");
    // Copying reads every blob and compares it with its digest.
    let copy = format!("oci:{}:copy", folder.join("copy").display());
    let ran = Program::new("skopeo").args(["--insecure-policy", "copy", "--all", &image, &copy]).run();
    assert!(ran.status.success(), "{ran}");
    let archive = format!("docker-archive:{}", example.archive.display());
    let directory = format!("dir:{}", folder.join("dir").display());
    let ran = Program::new("skopeo").args(["--insecure-policy", "copy", &archive, &directory]).run();
    assert!(ran.status.success(), "{ran}");
}

#[test]
fn umoci_unpacks_it() {
    let (_guard, folder) = folder();
    let image = format!("{}:latest", example::built().layout.display());
    let bundle = folder.join("bundle");
    let ran = Program::new("umoci").args(["unpack", "--image", &image]).arg(&bundle).run();
    assert!(ran.status.success(), "{ran}");
    assert!(bundle.join("rootfs/usr/bin/python3.11").is_file());
    assert!(bundle.join("rootfs/app/main.py").is_file());
}

#[test]
fn crane_validates_the_archive() {
    let ran = Program::new("crane").args(["validate", "--tarball"]).arg(&example::built().archive).run();
    assert!(ran.status.success(), "{ran}");
}

#[test]
fn crane_pushes_the_layout_to_a_registry() {
    let registry = Registry::start();
    let name = registry.repository("example:latest");
    let (_guard, folder) = folder();
    // Crane pushes a layout of one entry: where documents are attached, it asks for `--index`, and oras pushes all.
    let layout = folder.join("layout");
    build_static("sbom = []\nprovenance = false\n", &layout);
    let ran = Program::new("crane").arg("push").arg(&layout).arg(&name).run();
    assert!(ran.status.success(), "{ran}");
    let image = reference(&layout, "latest");
    let inspected = Program::distil().args(["inspect", "--json", &image]).run().success().json();
    let digest = Program::new("crane").args(["digest", &name]).run().success().text();
    assert_eq!(digest.trim(), inspected["digest"].as_str().unwrap());
    // What came back is what was pushed, layer by layer.
    let back = folder.join("back");
    let ran = Program::new("crane").args(["pull", "--format", "oci", &name]).arg(&back).run();
    assert!(ran.status.success(), "{ran}");
    let ran = Program::distil().args(["validate", &format!("oci:{}", back.display())]).run();
    assert!(ran.status.success(), "{ran}");
}

#[test]
fn syft_finds_every_package_of_the_layout() {
    // Syft takes a layout whose tag names a manifest, not an index: skopeo picks this machine's platform out of it.
    let (_guard, folder) = folder();
    let copy = folder.join("copy");
    let image = reference(&example::built().layout, "latest");
    let ran = Program::new("skopeo").args(["--insecure-policy", "copy", &image, &reference(&copy, "latest")]).run();
    assert!(ran.status.success(), "{ran}");
    check_syft(&format!("oci-dir:{}", copy.display()));
}

#[test]
fn syft_finds_every_package_of_the_archive() {
    check_syft(&format!("docker-archive:{}", example::built().archive.display()));
}

fn check_syft(image: &str) {
    let (_guard, home) = folder();
    let program = Program::new("syft").args(["scan", image, "-q", "-o", "json"]);
    // Nothing is asked of anybody outside, not even whether there is a newer release.
    let ran = program.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("HOME", &home).run();
    assert!(ran.status.success(), "{ran}");
    let document = ran.json();
    let packages = document["artifacts"].as_array().unwrap().iter().filter(|artifact| artifact["type"] == "deb");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<(String, String)> =
        packages.clone().map(|package| (text(&package["name"]), text(&package["version"]))).collect();
    found.sort();
    assert_eq!(found, example::packages());
    for package in packages {
        let purl = text(&package["purl"]);
        assert!(purl.starts_with("pkg:deb/debian/"), "{purl}");
    }
}
