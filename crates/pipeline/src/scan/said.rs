//! A scan in the forms of others.

use distil_imgcore::Visible;
use distil_policy::output::sarif_findings;
use distil_vulns::vex::{self, statements};
use jiff::Timestamp;
use serde::Serialize;

use super::{Scan, ScanDocument, ScanFinding, time};
use crate::machine::Machine;

/// What affects the image as SARIF 2.1.0. `image` is its name without tag and digest, so that the results of two builds are
/// about the same.
#[must_use]
pub fn sarif(document: &ScanDocument, image: &str) -> String {
    let affecting = document.findings.iter().filter(|found| found.counts());
    sarif_findings(affecting.map(|found| (&found.finding, &found.severity)), image)
}

/// What the advisories say of each finding as `OpenVEX`, at the machine's time: of a scan for all, also of what does not affect
/// the image.
#[must_use]
pub fn openvex(scan: &Scan, author: &str, machine: &Machine) -> Vec<u8> {
    let platforms = scan.platforms.values();
    let said: Vec<_> = platforms.flat_map(|found| statements(&found.facts.findings, &found.subject)).collect();
    vex::openvex::write(author, time(machine), &said)
}

/// A scan as the [predicate] of a statement of cosign's type `vuln`, by which admission controllers ask how old a scan is: the
/// document of the scan, as one line, with when it began and ended in seconds since 1970.
///
/// [predicate]: https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "a vector takes all, and all keys are text")]
pub fn cosign_vuln(document: &ScanDocument, began: i64, ended: i64) -> String {
    let time = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
    let predicate = VulnPredicate {
        invocation: Invocation { parameters: None, uri: "", event_id: "", builder_id: "" },
        scanner: Scanner {
            uri: SCANNER,
            version: env!("CARGO_PKG_VERSION"),
            db: Db { uri: "", version: "", last_update: document.database.newest },
            result: document,
        },
        metadata: Metadata { scan_started_on: time(began), scan_finished_on: time(ended) },
    };
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Visible);
    predicate.serialize(&mut serializer).expect("a vector takes all, and all keys are text");
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Who scans.
const SCANNER: &str = "https://git.example.org/distil";

#[derive(Serialize)]
struct VulnPredicate<'a> {
    invocation: Invocation,
    scanner: Scanner<'a>,
    metadata: Metadata,
}

/// How the scan was called, which is nobody's business.
#[derive(Serialize)]
struct Invocation {
    parameters: Option<()>,
    uri: &'static str,
    event_id: &'static str,
    #[serde(rename = "builder.id")]
    builder_id: &'static str,
}

#[derive(Serialize)]
struct Scanner<'a> {
    uri: &'static str,
    version: &'static str,
    db: Db,
    result: &'a ScanDocument,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Db {
    uri: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    scan_started_on: Timestamp,
    scan_finished_on: Timestamp,
}

impl ScanFinding {
    /// Whether it affects the image, as far as is known: not where VEX documents say that it does not.
    #[must_use]
    pub fn counts(&self) -> bool {
        use distil_vulns::Status::{NotAffected, Resolved};
        let notes = &self.finding.vex;
        let excuses = |status: &str| matches!(status, "not-affected" | "fixed");
        let is_excused = !notes.is_empty() && notes.iter().all(|note| excuses(&note.status));
        !is_excused && !matches!(self.finding.status, NotAffected | Resolved)
    }
}
