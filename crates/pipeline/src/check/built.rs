//! Where packages came from, as the build says in the provenance that is attached to an image.
//!
//! What an authority of the policy signed counts alone, where there is such a statement. What nobody signed is what somebody
//! says; it still tells honest builders of what they took from beside a repository. Which advisories are about a package is
//! never decided by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use distil_imgcore::{Artifact, Descriptor, Digest, Error, Store};
use distil_policy::facts::{PackageFacts, PlatformFacts};
use distil_sbom::provenance::{PREDICATE_TYPE, Provenance};
use distil_sbom::purl::Purl;
use distil_signing::predicate::PredicateType;

use super::signed::Authorities;
use crate::read::ReadError;
use crate::signing::attached::{Found, claims};
use crate::signing::{attestation_in, predicate};

/// A statement that can be read, with the authorities that signed it.
struct Statement {
    digest: Digest,
    verified: BTreeSet<String>,
    provenance: Provenance,
}

/// Adds what the statements of the build say of the packages of an image. Without any, nothing is known.
///
/// # Errors
/// Where the place cannot be asked.
pub(super) fn add(
    platform: &mut PlatformFacts,
    store: &Arc<dyn Store>,
    manifest: &Descriptor,
    authorities: &Authorities,
) -> Result<(), ReadError> {
    let mut statements = verified(store.as_ref(), manifest, authorities)?;
    if statements.is_empty() {
        statements = unsigned(store, manifest)?;
    }
    for statement in statements {
        say(platform, &statement);
    }
    Ok(())
}

fn say(platform: &mut PlatformFacts, statement: &Statement) {
    let Provenance { packages, releases, base, .. } = &statement.provenance;
    let origins: BTreeMap<&str, &str> = releases
        .iter()
        .map(|release| (release.suite.as_str(), release.origin.as_deref().unwrap_or(&release.suite)))
        .collect();
    let mut said: BTreeMap<(String, String), Option<&str>> = BTreeMap::new();
    for package in packages {
        let Ok(purl) = package.purl.parse::<Purl>() else { continue };
        let (name, version) = (purl.name().to_owned(), purl.version().unwrap_or_default().to_owned());
        // A suite that nothing vouches for is none.
        let origin = package.origin.as_ref().and_then(|origin| origins.get(origin.suite.as_str()).copied());
        said.insert((name, version), origin);
    }
    for package in platform.packages.iter_mut().filter(|package| package.kind == "deb") {
        let PackageFacts { name, version, .. } = &*package;
        match said.get(&(name.clone(), version.clone())) {
            Some(Some(origin)) => package.repository = Some((*origin).to_owned()),
            Some(None) => package.is_local = true,
            None => {}
        }
    }
    let built = platform.built.get_or_insert_default();
    built.statements.insert(statement.digest.to_string());
    built.verified.extend(statement.verified.iter().cloned());
    built.on_base |= base.is_some();
}

fn verified(store: &dyn Store, about: &Descriptor, authorities: &Authorities) -> Result<Vec<Statement>, Error> {
    let Ok(kind) = PREDICATE_TYPE.parse::<PredicateType>() else { return Ok(Vec::new()) };
    let mut found: BTreeMap<Digest, Statement> = BTreeMap::new();
    for (name, wanted) in authorities.known() {
        let report = attestation_in(store, about, &kind, wanted)?;
        if !report.is_verified() {
            continue;
        }
        for statement in report.verified() {
            let digest = Digest::of(statement.payload());
            let read = || Provenance::read(predicate(statement)?.as_bytes()).ok();
            let statement = match found.remove(&digest) {
                Some(known) => known,
                None => match read() {
                    Some(provenance) => Statement { digest: digest.clone(), verified: BTreeSet::new(), provenance },
                    // Another builder's.
                    None => continue,
                },
            };
            let mut verified = statement.verified.clone();
            verified.insert(name.clone());
            found.insert(digest, Statement { verified, ..statement });
        }
    }
    Ok(found.into_values().collect())
}

/// Statements that are attached as they are. Whoever may write beside an image may attach anything: what cannot be read says
/// nothing.
fn unsigned(store: &Arc<dyn Store>, about: &Descriptor) -> Result<Vec<Statement>, Error> {
    let mut found = Vec::new();
    for referrer in store.referrers(about.digest())? {
        let artifact = match Artifact::read(store, &referrer) {
            Ok(artifact) => artifact,
            Err(error) if error.is_io() => return Err(error),
            Err(_) => continue,
        };
        let Ok(Found::Claims(claims)) = claims(&artifact, &[about.digest()]) else { continue };
        for claim in claims.into_iter().filter(|claim| claim.kind.uri() == PREDICATE_TYPE) {
            let Ok(provenance) = Provenance::read(claim.predicate.as_bytes()) else { continue };
            found.push(Statement { digest: artifact.digest().clone(), verified: BTreeSet::new(), provenance });
        }
    }
    Ok(found)
}
