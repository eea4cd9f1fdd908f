//! Who signed an image, and what is attached to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use distil_imgcore::{Descriptor, Digest};
use distil_policy::document::{Authority, Vex};
use distil_policy::facts::{AttachedFacts, SignatureFacts};
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{self, Candidate, Requirements};

use super::CheckError;
use super::attested::attested;
use super::vex::AttachedVex;
use crate::read::{Named, ReadError};
use crate::signing::{NotVerified, TrustOptions};

/// The authorities of a policy with their keys.
pub(super) struct Authorities {
    known: Vec<(String, Requirements)>,
    /// What cannot be asked: a line each.
    pub(super) gaps: Vec<String>,
}

/// What lies beside an image.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Who of the authorities signed the image.
    pub(super) signatures: SignatureFacts,
    /// What is attached to the image as a whole, and to those of its platforms that are judged.
    pub(super) attached: Vec<AttachedFacts>,
    /// VEX documents.
    pub(super) vex: AttachedVex,
}

impl Authorities {
    /// Reads the files that a policy in this folder names.
    ///
    /// # Errors
    /// [`CheckError::Authority`] where somebody wrote what cannot be, or a key cannot be read.
    pub(super) fn read<'a>(wanted: impl IntoIterator<Item = &'a Authority>, folder: &Path) -> Result<Self, CheckError> {
        let mut read = Self { known: Vec::new(), gaps: Vec::new() };
        let mut names = BTreeSet::new();
        // Whoever is trusted in several sections is the same in all.
        for authority in wanted.into_iter().filter(|authority| names.insert(&authority.name)) {
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

    /// Reads what lies beside the image as a whole, and beside those of its platforms that are judged. Statements of the types
    /// that the policy asks for are verified, and so are VEX documents of those who are believed, where it wants to have them
    /// looked for.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    pub(super) fn beside(
        &self,
        named: &Named,
        platforms: &BTreeMap<String, Descriptor>,
        kinds: &[PredicateType],
        (rules, believed): (&Vex, &Self),
    ) -> Result<Beside, ReadError> {
        let store = named.store.as_ref();
        let mut beside = Beside::default();
        let of_platforms = platforms.iter().map(|(name, manifest)| (Some(name.as_str()), manifest));
        for (platform, manifest) in of_platforms.chain([(None, &named.root)]) {
            if platform.is_some() && manifest.digest() == named.root.digest() {
                continue;
            }
            let referrers = store.referrers(manifest.digest())?;
            beside.attached.extend(referrers.iter().filter_map(|referrer| facts(referrer, platform)));
            if self.known.is_empty() {
                continue;
            }
            let candidates = verify::gather(store, manifest)?;
            if platform.is_none() {
                beside.signatures = self.signatures(manifest.digest(), &candidates);
            }
            for kind in kinds {
                let found = attested(self, manifest.digest(), &candidates, kind).statements;
                beside.attached.extend(found.iter().map(|statement| statement.facts(platform)));
            }
            if rules.discover_referrers {
                let found = attested(believed, manifest.digest(), &candidates, &PredicateType::OPENVEX);
                beside.attached.extend(found.statements.iter().map(|statement| statement.facts(platform)));
                beside.vex.add(manifest.digest(), &found, (&candidates, &referrers), rules);
            }
        }
        beside.attached.sort();
        beside.attached.dedup();
        Ok(beside)
    }

    /// Who of them signed the image.
    fn signatures(&self, image: &Digest, candidates: &[Candidate]) -> SignatureFacts {
        let mut facts = SignatureFacts::default();
        for (name, wanted) in &self.known {
            match NotVerified::of(&verify::image(image, candidates, wanted)) {
                None => drop(facts.verified.insert(name.clone())),
                Some(found) => facts.refused.push(refused(name, &found)),
            }
        }
        facts
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
fn facts(referrer: &Descriptor, platform: Option<&str>) -> Option<AttachedFacts> {
    Some(AttachedFacts {
        digest: referrer.digest().to_string(),
        kind: referrer.artifact_type()?.as_str().to_owned(),
        verified: BTreeSet::new(),
        platform: platform.map(str::to_owned),
        made: None,
        passed: None,
    })
}
