//! Statements about an image that the policy's authorities signed.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::Digest;
use distil_policy::facts::AttachedFacts;
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{self, Candidate, SignedBy, VerifiedStatement};
use jiff::Timestamp;
use serde_json::Value;

use super::signed::Authorities;
use crate::signing::predicate;

/// What there is of a type.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The statements that an authority signed, by their digests.
    pub(super) statements: Vec<Attested>,
    /// Where they lie.
    pub(super) places: BTreeSet<String>,
}

/// A statement, and who signed it.
#[derive(Debug)]
pub(super) struct Attested {
    statement: VerifiedStatement,
    by: BTreeSet<String>,
}

/// Finds the statements of a type about an image that one of the authorities signed. Where one wants several signers, all of
/// them must have said the same: of two who each say something, neither has two signers.
pub(super) fn attested(
    authorities: &Authorities,
    image: &Digest,
    candidates: &[Candidate],
    kind: &PredicateType,
) -> Found {
    let mut found = Found::default();
    let mut by_digest: BTreeMap<String, Attested> = BTreeMap::new();
    for (name, wanted) in authorities.known() {
        let report = verify::attestation(image, kind, candidates, wanted);
        found.places.extend(report.verdicts().iter().filter(|verdict| verdict.is_good()).map(|v| v.place.clone()));
        let statements = report.into_verified();
        let mut signers: BTreeMap<Option<&str>, BTreeSet<&SignedBy>> = BTreeMap::new();
        for statement in &statements {
            signers.entry(predicate(statement)).or_default().insert(statement.signer());
        }
        let is_enough = |statement: &&VerifiedStatement| {
            signers.get(&predicate(statement)).is_some_and(|signers| signers.len() >= wanted.threshold.get())
        };
        for statement in statements.iter().filter(is_enough) {
            let digest = Digest::of(statement.payload()).to_string();
            let attested = || Attested { statement: statement.clone(), by: BTreeSet::new() };
            by_digest.entry(digest).or_insert_with(attested).by.insert(name.clone());
        }
    }
    found.statements = by_digest.into_values().collect();
    found
}

impl Attested {
    /// The digest of the statement.
    pub(super) fn digest(&self) -> String {
        Digest::of(self.statement.payload()).to_string()
    }

    /// What it says, as JSON.
    pub(super) fn predicate(&self) -> &str {
        predicate(&self.statement).unwrap_or("null")
    }

    /// What a policy may ask of it.
    pub(super) fn facts(&self, platform: Option<&str>) -> AttachedFacts {
        let predicate: Value = serde_json::from_str(self.predicate()).unwrap_or_default();
        AttachedFacts {
            digest: self.digest(),
            kind: self.statement.predicate_type().to_owned(),
            verified: self.by.clone(),
            platform: platform.map(str::to_owned),
            made: made(&predicate),
            passed: PredicateType::VSA.is(self.statement.predicate_type()).then(|| has_passed(&predicate)),
        }
    }
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

fn made(predicate: &Value) -> Option<Timestamp> {
    TIMES.iter().find_map(|place| predicate.pointer(place)?.as_str()?.parse().ok())
}

/// Whether a summary of a verification says so. One that does not say it does not.
fn has_passed(summary: &Value) -> bool {
    summary.get("verificationResult").and_then(Value::as_str) == Some("PASSED")
}
