//! The JSON document of `scan`.

use std::collections::BTreeMap;

use distil_policy::facts::SourceFacts;
use distil_vulns::{Finding, Severity, SeverityOrder};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Scan, newest};

/// What was found in an image.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScanDocument {
    /// `distil.scan/v1`.
    pub schema: String,
    /// The digest that the reference stood for.
    pub digest: String,
    /// The codename of the release, as in `bookworm`; none where it is not known, or not the same for all platforms.
    pub release: Option<String>,
    /// The platforms that were looked at.
    pub platforms: Vec<ScanPlatform>,
    /// The data that findings come from.
    pub database: ScanDatabase,
    /// Why the findings may not be all; empty where they are all that the data knows.
    pub undecided: Vec<String>,
    /// What a reader should know of the reports.
    pub notes: Vec<String>,
    /// The findings, by source package and identifier.
    pub findings: Vec<ScanFinding>,
}

/// An image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScanPlatform {
    /// The platform.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The codename of its release.
    pub release: Option<String>,
    /// How many packages it has.
    pub packages: u64,
    /// Packages that no advisories are about, with their versions.
    pub without_advisories: BTreeMap<String, String>,
}

/// Feeds and reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScanDatabase {
    /// All of them.
    pub sources: Vec<SourceFacts>,
    /// The newest time in the advisories.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Timestamp>,
}

/// A finding with its severity.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScanFinding {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// How bad it is, and who says so.
    pub severity: Severity,
    /// The platforms that have it.
    pub platforms: Vec<String>,
}

impl ScanDocument {
    /// The document of a scan, with severities after an order.
    #[must_use]
    pub fn new(scan: &Scan, order: &SeverityOrder) -> Self {
        let mut releases: Vec<&Option<String>> = scan.platforms.values().map(|found| &found.facts.release).collect();
        releases.dedup();
        let release = match releases.as_slice() {
            [release] => (*release).clone(),
            _ => None,
        };
        let platform = |(name, found): (&String, &super::ScannedPlatform)| ScanPlatform {
            platform: name.clone(),
            digest: found.facts.digest.clone(),
            release: found.facts.release.clone(),
            packages: found.facts.packages.len() as u64,
            without_advisories: found.foreign.clone(),
        };
        Self {
            schema: "distil.scan/v1".to_owned(),
            digest: scan.digest.to_string(),
            release,
            platforms: scan.platforms.iter().map(platform).collect(),
            database: ScanDatabase { sources: scan.sources.clone(), newest: newest(&scan.sources) },
            undecided: scan.undecided.iter().cloned().collect(),
            notes: scan.notes.iter().chain(&scan.vex_unusable).cloned().collect(),
            findings: findings(scan, order),
        }
    }
}

/// The findings of all platforms, of which those that are the same are one.
fn findings(scan: &Scan, order: &SeverityOrder) -> Vec<ScanFinding> {
    let mut all: BTreeMap<(&str, &str, usize), ScanFinding> = BTreeMap::new();
    for (platform, found) in &scan.platforms {
        for finding in &found.facts.findings {
            // What differs between platforms in anything, as in the binary packages, stands beside each other.
            for number in 0.. {
                let key = (finding.source.as_str(), finding.id.as_str(), number);
                match all.get_mut(&key) {
                    Some(known) if known.finding == *finding => known.platforms.push(platform.clone()),
                    Some(_) => continue,
                    None => {
                        let severity = order.decide(&finding.ratings);
                        let platforms = vec![platform.clone()];
                        all.insert(key, ScanFinding { finding: finding.clone(), severity, platforms });
                    }
                }
                break;
            }
        }
    }
    all.into_values().collect()
}
