//! Whether the image that another one starts from is signed by those whom its recipe names.

use std::collections::BTreeMap;
use std::path::Path;

use distil_cache::{Session, Values};
use distil_imgcore::{Descriptor, Store};
use distil_sbom::provenance::BaseSigners;
use distil_signing::verify::{self, Candidate, Report, Requirements, Stored, Trust, VerifiedSignature, gather};
use serde::{Deserialize, Serialize};

use super::error::{BaseError, Name};
use crate::read::ReadError;
use crate::recipe::BaseTrust;
use crate::signing::NotVerified;

/// The form in which good signatures of bases are kept. It changes with the form.
const SIGNATURES: &str = "base-signatures-1";

/// Verifies the signatures of a base, before anything is made of it. Those that are good are kept: they are verified again each
/// time, and a registry is asked only where they are not enough. So neither the cache nor the lock is believed, and a build
/// without network starts from no base whose signatures it does not have.
///
/// # Errors
/// [`BaseError::NotVerified`] where it is not signed by enough of those who are asked for; [`BaseError::Unverifiable`] where only
/// a registry can tell that may not be asked.
pub(super) fn check(
    trust: &BaseTrust,
    dir: &Path,
    (store, image): (&dyn Store, &Descriptor),
    of_registry: Option<(&Session, bool)>,
    name: &Name,
) -> Result<BaseSigners, BaseError> {
    let wanted = trust.options.requirements(dir);
    let wanted = wanted.map_err(|source| BaseError::Trust { place: trust.place.clone(), source: Box::new(source) })?;
    let kept = of_registry.map(|(session, _)| Kept::open(session, image)).transpose()?;
    if let Some(kept) = &kept
        && verify::image(image.digest(), &kept.candidates(), &wanted).is_verified()
    {
        return Ok(signers(&wanted));
    }
    if of_registry.is_some_and(|(_, offline)| offline) {
        let (reference, place) = (name.reference.clone(), trust.place.clone());
        return Err(BaseError::Unverifiable { reference, place, digest: image.digest().clone() });
    }
    let found = gather(store, image).map_err(|source| name.unreadable(ReadError::from(source)))?;
    let report = verify::image(image.digest(), &found, &wanted);
    if let Some(source) = NotVerified::of(&report) {
        let (reference, place) = (name.reference.clone(), trust.place.clone());
        return Err(BaseError::NotVerified { reference, place, source: Box::new(source) });
    }
    if let Some(kept) = kept {
        kept.keep(&found, &report)?;
    }
    Ok(signers(&wanted))
}

/// Who must have signed, and so has: not who else did, which may change from one day to the next.
fn signers(wanted: &Requirements) -> BaseSigners {
    let names = match &wanted.trust {
        Trust::Keys(keys) => keys.iter().map(|key| key.fingerprint().to_string()).collect(),
        Trust::Identity(identity) => vec![format!("{} by {}", identity.subject(), identity.issuer())],
    };
    BaseSigners { names, threshold: wanted.threshold.get() }
}

/// The good signatures of an image of a registry, in the cache.
struct Kept {
    values: Values,
    key: String,
}

/// A signature as it is kept. It is text in all its forms.
#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    place: String,
    text: String,
    /// Those of the descriptor, where it is a simple signature; none where it is a bundle.
    annotations: Option<BTreeMap<String, String>>,
}

impl Kept {
    fn open(session: &Session, image: &Descriptor) -> Result<Self, BaseError> {
        Ok(Self { values: Values::in_session(session)?, key: image.digest().to_string() })
    }

    /// What is there. A cache that cannot be read is one that has nothing.
    fn candidates(&self) -> Vec<Candidate> {
        let bytes = self.values.get(SIGNATURES, &self.key).ok().flatten().unwrap_or_default();
        let kept: Vec<Signature> = serde_json::from_slice(&bytes).unwrap_or_default();
        kept.into_iter().map(Signature::into_candidate).collect()
    }

    fn keep(&self, found: &[Candidate], report: &Report<VerifiedSignature>) -> Result<(), BaseError> {
        let good = |candidate: &&Candidate| {
            report.verdicts().iter().any(|verdict| verdict.is_good() && verdict.place == candidate.place)
        };
        let good: Vec<Signature> = found.iter().filter(good).filter_map(Signature::of).collect();
        let Ok(bytes) = serde_json::to_vec(&good) else { return Ok(()) };
        Ok(self.values.put(SIGNATURES, &self.key, &bytes)?)
    }
}

impl Signature {
    fn of(candidate: &Candidate) -> Option<Self> {
        let (bytes, annotations) = match &candidate.stored {
            Stored::Simple { payload, annotations } => (payload, Some(annotations.clone())),
            Stored::Bundle(bytes) => (bytes, None),
            Stored::Envelope { .. } | Stored::Unreadable { .. } => return None,
        };
        let text = String::from_utf8(bytes.clone()).ok()?;
        Some(Self { place: candidate.place.clone(), text, annotations })
    }

    fn into_candidate(self) -> Candidate {
        let bytes = self.text.into_bytes();
        let stored = match self.annotations {
            Some(annotations) => Stored::Simple { payload: bytes, annotations },
            None => Stored::Bundle(bytes),
        };
        Candidate { place: self.place, stored }
    }
}
