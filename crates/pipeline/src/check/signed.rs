//! Who signed an image, and what is attached to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use distil_imgcore::{Descriptor, Digest, Error, Store};
use distil_policy::document::{Authority, Signatures};
use distil_policy::facts::{AttachedFacts, SignatureFacts};
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{Requirements, VerifiedStatement};
use jiff::Timestamp;

use super::CheckError;
use crate::read::{Named, ReadError};
use crate::signing::{NotVerified, TrustOptions, predicate};
use crate::signing::{attestation_in, verify_in};

/// The authorities of a policy with their keys.
pub(super) struct Authorities {
    known: Vec<(String, Requirements)>,
    /// What cannot be asked: a line each.
    pub(super) gaps: Vec<String>,
}

impl Authorities {
    /// Reads the files that a policy in this folder names.
    ///
    /// # Errors
    /// [`CheckError::Authority`] where somebody wrote what cannot be, or a key cannot be read.
    pub(super) fn read(rules: &Signatures, folder: &Path) -> Result<Self, CheckError> {
        let mut read = Self { known: Vec::new(), gaps: Vec::new() };
        for authority in &rules.authorities {
            let name = authority.name.clone();
            match options(authority).requirements(folder) {
                Ok(wanted) => read.known.push((name, wanted)),
                Err(error) if error.is_undecided() => read.gaps.push(format!("the authority {name}: {error}")),
                Err(source) => return Err(CheckError::Authority { name, source: Box::new(source) }),
            }
        }
        Ok(read)
    }

    /// Those whose keys are known, by name, with what they must have signed with.
    pub(super) fn known(&self) -> &[(String, Requirements)] {
        &self.known
    }

    /// Who of them signed the image.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    pub(super) fn signatures(&self, named: &Named) -> Result<SignatureFacts, ReadError> {
        let mut facts = SignatureFacts::default();
        for (name, wanted) in &self.known {
            let report = verify_in(named.store.as_ref(), &named.root, wanted)?;
            match NotVerified::of(&report) {
                None => drop(facts.verified.insert(name.clone())),
                Some(found) => facts.refused.push(refused(name, &found)),
            }
        }
        Ok(facts)
    }

    /// What is attached to the image as a whole, and to those of its platforms that are judged. Statements of the types that
    /// are asked for are verified.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    pub(super) fn attached(
        &self,
        named: &Named,
        platforms: &BTreeMap<String, Descriptor>,
        kinds: &[PredicateType],
    ) -> Result<Vec<AttachedFacts>, ReadError> {
        let store = named.store.as_ref();
        let mut found = Vec::new();
        let of_platforms = platforms.iter().map(|(name, manifest)| (Some(name.clone()), manifest));
        for (platform, manifest) in of_platforms.chain([(None, &named.root)]) {
            if platform.is_some() && manifest.digest() == named.root.digest() {
                continue;
            }
            found.extend(referrers(store, manifest, platform.as_deref())?);
            for kind in kinds {
                found.extend(self.statements(store, manifest, kind, platform.as_deref())?);
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The statements of a type that one of the authorities signed.
    fn statements(
        &self,
        store: &dyn Store,
        about: &Descriptor,
        kind: &PredicateType,
        platform: Option<&str>,
    ) -> Result<Vec<AttachedFacts>, Error> {
        let mut by_digest: BTreeMap<String, AttachedFacts> = BTreeMap::new();
        for (name, wanted) in &self.known {
            let report = attestation_in(store, about, kind, wanted)?;
            if !report.is_verified() {
                continue;
            }
            for statement in report.verified() {
                let digest = Digest::of(statement.payload()).to_string();
                let entry = by_digest.entry(digest.clone()).or_insert_with(|| AttachedFacts {
                    digest,
                    kind: statement.predicate_type().to_owned(),
                    verified: BTreeSet::new(),
                    platform: platform.map(str::to_owned),
                    made: made(statement),
                });
                entry.verified.insert(name.clone());
            }
        }
        Ok(by_digest.into_values().collect())
    }
}

fn options(authority: &Authority) -> TrustOptions {
    TrustOptions {
        keys: authority.keys.clone(),
        certificate_identity: authority.certificate_identity.clone(),
        certificate_identity_regexp: authority.certificate_identity_regexp.clone(),
        certificate_oidc_issuer: authority.certificate_oidc_issuer.clone(),
        certificate_oidc_issuer_regexp: authority.certificate_oidc_issuer_regexp.clone(),
        trusted_root: authority.trusted_root.clone(),
        threshold: authority.threshold,
        require_tlog: authority.require_tlog,
        use_signed_timestamps: authority.use_signed_timestamps,
        ..TrustOptions::default()
    }
}

fn refused(name: &str, found: &NotVerified) -> String {
    let reasons: BTreeSet<String> =
        found.refused.iter().map(|refused| format!("{}: {}", refused.step.as_str(), refused.reason)).collect();
    if reasons.is_empty() {
        return format!("{name}: {} of {} signers", found.signers, found.threshold);
    }
    format!("{name}: {}", reasons.into_iter().collect::<Vec<_>>().join("; "))
}

/// What refers to a manifest, by the type that it gives itself. Nothing of it is verified.
fn referrers(store: &dyn Store, about: &Descriptor, platform: Option<&str>) -> Result<Vec<AttachedFacts>, Error> {
    let facts = |referrer: &Descriptor| {
        Some(AttachedFacts {
            digest: referrer.digest().to_string(),
            kind: referrer.artifact_type()?.as_str().to_owned(),
            verified: BTreeSet::new(),
            platform: platform.map(str::to_owned),
            made: None,
        })
    };
    Ok(store.referrers(about.digest())?.iter().filter_map(facts).collect())
}

/// Where statements of the usual types say when they were made: provenance, scans, VEX, SPDX 2, and verdicts of this program.
const TIMES: &[&str] = &[
    "/runDetails/metadata/finishedOn",
    "/metadata/buildFinishedOn",
    "/metadata/scanFinishedOn",
    "/timeVerified",
    "/creationInfo/created",
    "/metadata/timestamp",
    "/timestamp",
    "/when",
    "/now",
];

fn made(statement: &VerifiedStatement) -> Option<Timestamp> {
    let predicate: serde_json::Value = serde_json::from_str(predicate(statement)?).ok()?;
    TIMES.iter().find_map(|place| predicate.pointer(place)?.as_str()?.parse().ok())
}
