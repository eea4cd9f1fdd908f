//! Whose source packages a report's binary packages are built from, by what the image itself says.

use std::collections::{BTreeMap, BTreeSet};

use super::{DEB, Report, ReportSystem, shown};
use crate::advisory::Advisory;
use crate::canonical::{canonical_ids, cve_of};
use crate::finding::{Finding, Origin};

/// A binary package of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BinaryPackage {
    /// Its version.
    pub version: String,
    /// The source package.
    pub source: String,
    /// The version of the source package.
    pub source_version: String,
}

/// The findings of a report about an image, and what a reader should know of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// With their releases, source packages and all binary packages of these.
    pub findings: Vec<Finding>,
    /// What does not fit the image.
    pub notes: Vec<String>,
}

/// Puts the findings of a report in the image's own terms: the source packages of binary ones are those that the image says, at
/// the versions that it says, and packages of Debian get the release of the image. `name` is the report's file.
///
/// What the report finds in a package or version that the image does not have stays, as the report has it, and is told: the
/// report may be about another build.
#[must_use]
pub fn resolve(
    report: &Report,
    name: &str,
    packages: &BTreeMap<String, BinaryPackage>,
    release: Option<(&str, Option<&str>)>,
) -> Resolved {
    let mut resolved = Resolved::default();
    let other = report.system.as_ref().filter(|system| !fits(system, release));
    if let Some(system) = other {
        let of = format!("{} {}", shown(&system.family), shown(&system.version));
        resolved.notes.push(format!("it is about another release: {of}"));
    }
    let codename = release.filter(|_| other.is_none()).map(|(codename, _)| codename);
    let mut strangers = BTreeSet::new();
    resolved.findings.reserve_exact(report.findings.len());
    for reported in &report.findings {
        let mut finding = reported.finding.clone();
        let installed = finding.packages.values().next().unwrap_or(&finding.source_version).clone();
        let is_same = |p: &&BinaryPackage| p.version == installed || p.source_version == installed;
        let named = finding.packages.keys().next().and_then(|name| packages.get(name));
        // osv-scanner names the source package, with the version of the binary one.
        let built = || packages.values().filter(|p| p.source == finding.source).find(is_same);
        let named = named.or_else(|| if reported.names_source { built() } else { None });
        let is_deb = match reported.kind.as_deref() {
            Some(kind) => kind == DEB,
            // A name alone may be that of a library in another language.
            None => named.is_some_and(|package| package.version == installed),
        };
        if is_deb {
            finding.release = codename.map(str::to_owned);
            if let Some(package) = named.filter(is_same) {
                finding.source.clone_from(&package.source);
                finding.source_version.clone_from(&package.source_version);
            }
            let built = packages.iter().filter(|(_, package)| {
                package.source == finding.source && package.source_version == finding.source_version
            });
            let built: BTreeMap<String, String> =
                built.map(|(name, package)| (name.clone(), package.version.clone())).collect();
            if built.is_empty() {
                strangers.insert(format!("{} {}", shown(&finding.source), shown(&finding.source_version)));
            } else {
                finding.packages = built;
            }
        }
        let id = canonical_ids(&finding.id, std::iter::empty()).swap_remove(0);
        if id != finding.id {
            finding.aliases.insert(std::mem::replace(&mut finding.id, id));
        }
        let here = |origin: Origin| Origin { report: Some(name.to_owned()), ..origin };
        finding.origins = finding.origins.into_iter().map(here).collect();
        resolved.findings.push(finding);
    }
    if let Some(first) = strangers.first() {
        let count = strangers.len();
        resolved.notes.push(format!("{count} of its source packages are not in the image at that version, as {first}"));
    }
    resolved
}

/// Gives a finding that is known by the name of an advisory alone the CVEs that the advisory is about, as far as these advisories
/// about its source package tell. So are those in SARIF of osv-scanner.
pub fn name_cves(finding: &mut Finding, advisories: &[Advisory]) {
    let known = std::iter::once(&finding.id).chain(&finding.aliases);
    if known.into_iter().any(|id| cve_of(id).is_some()) {
        return;
    }
    let is_it = |advisory: &&Advisory| advisory.id == finding.id && advisory.source == finding.source;
    let others = advisories.iter().filter(is_it).flat_map(|advisory| &advisory.aliases);
    let cves: Vec<String> = others.filter(|other| cve_of(other).is_some()).cloned().collect();
    finding.aliases.extend(cves);
}

/// Whether a report's distribution is the image's, as far as both say. Trivy knows the point release, the image often does
/// not.
fn fits(system: &ReportSystem, release: Option<(&str, Option<&str>)>) -> bool {
    let Some((codename, version)) = release else { return true };
    let major = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
    let is_version = version.is_none_or(|version| major(version) == major(&system.version));
    system.family == "debian" && (system.version.is_empty() || system.version == codename || is_version)
}
