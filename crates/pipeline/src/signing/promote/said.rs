//! What is said of a promoted image beside the record: the verdict of the policy, and the ledger that it was made with.

use distil_imgcore::{Descriptor, Error, Store};
use distil_signing::predicate::PredicateType;
use distil_signing::verify::Requirements;
use serde_json::Value;

use crate::check::{Approved, summary_for};
use crate::signing::beside::Beside;
use crate::signing::error::SignError;
use crate::signing::verify::{attestation_in, predicate};

/// A statement that is to be beside the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    kind: PredicateType,
    /// What it says, as JSON.
    pub(super) predicate: String,
}

/// What an approved image's destination is told: the verdict, for the name that is signed, and the ledger where there is one.
pub(super) fn all(approved: &Approved<'_>, signed_name: &str) -> Vec<Said> {
    let verdict = summary_for(approved.checked(), Some(signed_name)).trim_end().to_owned();
    let verdict = Said { kind: PredicateType::VSA, predicate: verdict };
    let ledger = || Said { kind: PredicateType::LEDGER, predicate: approved.checked().ledger.to_predicate() };
    std::iter::once(verdict).chain(approved.has_ledger().then(ledger)).collect()
}

impl Said {
    /// Signs it, and gives what is there now: where an earlier attempt has said the same on the same day, that stays.
    pub(super) fn put(
        self,
        beside: &Beside<'_>,
        store: &dyn Store,
        (root, signed_name): (&Descriptor, &str),
        wanted: &Requirements,
    ) -> Result<Self, SignError> {
        let before = attestation_in(store, root, &self.kind, wanted)?;
        let before = before.verified().iter().filter_map(predicate).find(|before| self.repeats(before));
        let predicate = before.map_or(self.predicate, str::to_owned);
        beside.attest(root, signed_name, &self.kind, &predicate)?;
        Ok(Self { kind: self.kind, predicate })
    }

    /// Whether it is there, and verified.
    pub(super) fn is_in(&self, store: &dyn Store, root: &Descriptor, wanted: &Requirements) -> Result<bool, Error> {
        let there = attestation_in(store, root, &self.kind, wanted)?;
        Ok(there.verified().iter().any(|statement| predicate(statement) == Some(self.predicate.as_str())))
    }

    /// Whether another predicate says the same, but for the time of day.
    fn repeats(&self, other: &str) -> bool {
        match (of_the_day(&self.predicate), of_the_day(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }
}

/// A predicate with the day alone where it has a time.
fn of_the_day(predicate: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(predicate).ok()?;
    if let Some(time) = value.get_mut("timeVerified") {
        let day = time.as_str()?.get(.."2027-01-31".len())?.to_owned();
        *time = day.into();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(predicate: &str) -> Said {
        Said { kind: PredicateType::VSA, predicate: predicate.into() }
    }

    #[test]
    fn the_same_of_the_same_day_is_not_said_again() {
        let one = said(r#"{"timeVerified":"2026-11-23T10:00:00Z","verificationResult":"PASSED"}"#);
        for (other, repeats) in [
            (r#"{"timeVerified":"2026-11-23T23:59:59Z","verificationResult":"PASSED"}"#, true),
            (r#"{"timeVerified":"2026-11-24T00:00:00Z","verificationResult":"PASSED"}"#, false),
            (r#"{"timeVerified":"2026-11-23T10:00:00Z","verificationResult":"FAILED"}"#, false),
            (r#"{"timeVerified":1,"verificationResult":"PASSED"}"#, false),
            (r#"{"verificationResult":"PASSED"}"#, false),
            ("no JSON", false),
        ] {
            assert_eq!(one.repeats(other), repeats, "{other}");
        }
        assert!(said(r#"{"entries":[]}"#).repeats(r#"{"entries": []}"#));
    }
}
