//! Packages, advisories and reports together.

use std::collections::BTreeMap;

use distil_imgcore::Escaped;
use distil_policy::facts::{PackageFacts, PlatformFacts};
use distil_vulns::matching::{Installed, find};
use distil_vulns::report::{BinaryPackage, name_cves, resolve};
use distil_vulns::{Finding, merge};

use super::ReportFile;
use super::suites::{Asked, available};
use crate::advisories::{Database, DatabaseError};

/// What was found for one platform.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Found {
    /// Sorted, each once, whoever found it.
    pub(crate) findings: Vec<Finding>,
    /// Why these may not be all.
    pub(crate) undecided: Vec<String>,
    /// What a reader should know of the reports.
    pub(crate) notes: Vec<String>,
}

/// Looks up the packages of an image of a release with this number, and joins what is found with reports about it. With
/// `all`, what does not affect the image is found too.
pub(crate) fn findings(
    facts: &PlatformFacts,
    version: Option<&str>,
    database: Option<&Database>,
    reports: &[&ReportFile],
    all: bool,
) -> Result<Found, DatabaseError> {
    let mut found = Found::default();
    let debs: Vec<&PackageFacts> = facts.packages.iter().filter(|package| package.kind == DEB).collect();
    if let Some(database) = database {
        found.undecided = obstacles(facts, debs.is_empty(), database)?;
        if let Some(release) = &facts.release {
            let asked = Asked::of(facts, database);
            for installed in sources(&debs, release) {
                let newest = asked.map(|asked| asked.source(&installed.source)).transpose()?.flatten();
                let available = available(asked, newest.as_deref());
                let advisories = database.about(release, &installed.source)?;
                let mut failure = None;
                let mut cve = |id: &str| {
                    database.cve(id).unwrap_or_else(|error| {
                        failure = Some(error);
                        None
                    })
                };
                found.findings.extend(find(&installed, &advisories, &mut cve, available, all));
                failure.map_or(Ok(()), Err)?;
            }
        }
    }
    let binary = |package: &&PackageFacts| {
        let PackageFacts { version, source, source_version, .. } = (*package).clone();
        (package.name.clone(), BinaryPackage { version, source, source_version })
    };
    let packages: BTreeMap<String, BinaryPackage> = debs.iter().map(binary).collect();
    for file in reports {
        let name = Escaped(file.source.name.as_bytes()).to_string();
        let release = facts.release.as_deref().map(|release| (release, version));
        let resolved = resolve(&file.report, &file.source.name, &packages, release);
        let notes = file.report.notes.iter().chain(&resolved.notes);
        found.notes.extend(notes.map(|note| format!("{name}: {note}")));
        for mut finding in resolved.findings.into_iter().filter(|finding| all || is_there(finding)) {
            let release = finding.release.clone().filter(|_| !finding.id.starts_with("CVE-"));
            if let (Some(database), Some(release)) = (database, release) {
                let advisories = database.about(&release, &finding.source)?;
                name_cves(&mut finding, &advisories);
            }
            found.findings.push(finding);
        }
    }
    found.findings = merge(found.findings);
    Ok(found)
}

/// The type of package URLs of Debian packages.
pub(super) const DEB: &str = "deb";

/// Whether somebody says that it may affect the image.
fn is_there(finding: &Finding) -> bool {
    use distil_vulns::Status::{NotAffected, Resolved};
    !matches!(finding.status, NotAffected | Resolved)
}

/// Why the database cannot tell everything of an image.
fn obstacles(facts: &PlatformFacts, is_empty: bool, database: &Database) -> Result<Vec<String>, DatabaseError> {
    let mut obstacles = Vec::new();
    match (facts.system.as_deref(), facts.release.as_deref()) {
        (None, _) => obstacles.push("the image does not say which distribution it is".to_owned()),
        (Some("debian"), None) => obstacles.push("the image does not say which release of Debian it is".to_owned()),
        (Some(system), None) => {
            obstacles.push(format!("there are no advisories about the distribution {}", Escaped(system.as_bytes())));
        }
        (Some(_), Some(release)) if !database.knows(release)? => {
            obstacles.push(format!("the database has no advisories about {release}"));
        }
        (Some(_), Some(_)) => {}
    }
    if is_empty && facts.unreadable.is_empty() {
        obstacles.push("the image has no records of packages".to_owned());
    }
    obstacles.extend(facts.unreadable.iter().map(|path| format!("the record of packages {path} is broken")));
    Ok(obstacles)
}

/// The source packages that advisories of the release may be about.
fn sources(packages: &[&PackageFacts], release: &str) -> Vec<Installed> {
    let mut sources: BTreeMap<(&str, &str), BTreeMap<String, String>> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.has_advisories) {
        let source = (package.source.as_str(), package.source_version.as_str());
        sources.entry(source).or_default().insert(package.name.clone(), package.version.clone());
    }
    let installed = |((source, version), packages): ((&str, &str), BTreeMap<String, String>)| Installed {
        release: release.to_owned(),
        source: source.to_owned(),
        source_version: version.to_owned(),
        packages,
    };
    sources.into_iter().map(installed).collect()
}
