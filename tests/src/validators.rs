//! Programs that others wrote to check SBOMs and statements. Each function gives them a document as bytes and fails the
//! test with what the program says against it; `cargo xtask peers` fetches a program that is missing.

use std::fs;

use serde_json::Value;

use crate::program::{self, Program, Ran};

/// Rules about what an SBOM has to say at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compliance {
    /// The minimum elements of the NTIA of 2021.
    Ntia,
    /// What CISA's framing of 2024 expects at least. Only SPDX 3 can say all of it.
    Fsct3,
    /// BSI TR-03183-2.
    Bsi,
}

/// A package as syft sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyftPackage {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The type: `deb`, `go-module`.
    pub kind: String,
    /// The package URL, or nothing.
    pub purl: String,
    /// The source package of a Debian package, where it has another name, and its version, where that differs.
    pub source: (String, String),
    /// The licences, sorted, each once.
    pub licences: Vec<String>,
}

/// SPDX 2.3, with pyspdxtools.
pub fn spdx2(document: &[u8]) {
    let _fine = give("pyspdxtools", &["--infile"], "document.spdx.json", document).success();
}

/// SPDX 3.0.1, by the shapes of its model.
pub fn spdx3(document: &[u8]) {
    let _fine = give("spdx3-shacl", &[], "document.spdx3.json", document).success();
}

/// `CycloneDX` 1.6, by its strict schema.
pub fn cyclonedx(document: &[u8]) {
    let _fine = give("cyclonedx-validate", &[], "document.cdx.json", document).success();
}

/// An in-toto statement, and provenance in it.
pub fn statement(document: &[u8]) {
    let _fine = give("statement-validate", &[], "statement.json", document).success();
}

/// The rules about SPDX documents, of 2.3 and 3.0, with sbomcheck.
pub fn sbomcheck(document: &[u8], compliance: Compliance) {
    let value: Value = serde_json::from_slice(document).unwrap();
    let version = if value.get("@context").is_some() { "spdx3" } else { "spdx2" };
    let rules = match compliance {
        Compliance::Ntia => "ntia",
        Compliance::Fsct3 => "fsct3-min",
        Compliance::Bsi => "bsi",
    };
    let arguments = ["--quiet", "--sbom-spec", version, "--comply", rules];
    let _fine = give("sbomcheck", &arguments, "document.spdx.json", document).success();
}

/// What syft finds in an SBOM of any format, sorted.
#[must_use]
pub fn syft_convert(document: &[u8]) -> Vec<SyftPackage> {
    let (_folder, path) = program::folder();
    let file = path.join("document.json");
    fs::write(&file, document).unwrap();
    let syft = Program::new("syft").env("SYFT_CHECK_FOR_APP_UPDATE", "false").arg("convert").arg(&file);
    packages(&syft.args(["--quiet", "--output", "syft-json"]).run().success().json())
}

/// The packages of a document in syft's own format, sorted.
#[must_use]
pub fn packages(document: &Value) -> Vec<SyftPackage> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut packages: Vec<SyftPackage> = document["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let mut licences: Vec<String> =
                package["licenses"].as_array().into_iter().flatten().map(|licence| text(&licence["value"])).collect();
            licences.sort();
            // What is declared and what is concluded are often the same.
            licences.dedup();
            SyftPackage {
                name: text(&package["name"]),
                version: text(&package["version"]),
                kind: text(&package["type"]),
                purl: text(&package["purl"]),
                source: (text(&package["metadata"]["source"]), text(&package["metadata"]["sourceVersion"])),
                licences,
            }
        })
        .collect();
    packages.sort();
    packages
}

/// Runs a program on a document in a file, since none of them reads standard input.
fn give(name: &str, arguments: &[&str], file: &str, document: &[u8]) -> Ran {
    let (_folder, path) = program::folder();
    let file = path.join(file);
    fs::write(&file, document).unwrap();
    // Shapes of ten thousands of files take minutes.
    Program::within(name, 900.0).args(arguments).arg(&file).run()
}
