//! A scan in the forms of others.

use distil_policy::output::sarif_findings;
use distil_vulns::vex::{self, statements};

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
