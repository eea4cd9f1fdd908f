//! The packages of an image as a policy sees them.

use distil_policy::facts::PackageFacts;
use distil_sbom::{Contact, Package, PackageKind};
use distil_vulns::matching::is_debians;

/// A package, of an image that is Debian's or not.
pub(crate) fn package(found: &Package, is_debian: bool) -> PackageFacts {
    let version = found.version.clone().unwrap_or_default();
    let (source, mut source_version) = match &found.source {
        Some(source) => (source.name.clone(), source.version.clone()),
        None => (found.name.clone(), version.clone()),
    };
    // A rebuild of the binary package alone bears a number that no source has. Records mostly say so themselves.
    if source_version == version {
        source_version.truncate(without_rebuild(&source_version).len());
    }
    let repository = found.artefact.as_ref().and_then(|artefact| artefact.repository.as_ref()?.origin.clone());
    PackageFacts {
        kind: found.kind.as_str().to_owned(),
        name: found.name.clone(),
        version,
        source,
        source_version,
        architecture: found.architecture.clone(),
        licences: found.licences.concluded.clone().or_else(|| found.licences.declared.clone()),
        has_advisories: is_debian && found.kind == PackageKind::Deb && is_debians_own(found, repository.as_deref()),
        repository,
        candidate: None,
        is_local: false,
        is_partial: false,
        candidate_suite: None,
        candidate_source_version: None,
        security_candidate: None,
    }
}

/// A version without the `+b1` of a rebuild.
fn without_rebuild(version: &str) -> &str {
    match version.rsplit_once("+b") {
        Some((source, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => source,
        _ => version,
    }
}

/// Whether Debian's advisories are about a package: where the build says which repository it came from, that tells.
fn is_debians_own(found: &Package, repository: Option<&str>) -> bool {
    let maintainer = found.maintainer.as_ref().map(|agent| match &agent.contact {
        Some(Contact::Mail(mail)) => mail.as_str(),
        _ => agent.name.as_str(),
    });
    let version = found.version.as_deref().unwrap_or_default();
    repository.map_or_else(|| is_debians(maintainer, version), |origin| origin.starts_with("Debian"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_has_the_version_of_its_source() {
        for (version, expected) in [
            ("1:1.2.13.dfsg-1+b1", "1:1.2.13.dfsg-1"),
            ("1.0.9-2+b12", "1.0.9-2"),
            ("1.0+b", "1.0+b"),
            ("1.0+beta2-1", "1.0+beta2-1"),
            ("2.1-1", "2.1-1"),
        ] {
            assert_eq!(without_rebuild(version), expected);
        }
    }
}
