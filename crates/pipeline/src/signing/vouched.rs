//! What vouches for signatures by keys that nobody keeps.

use distil_signing::bundle::LogEntry;
use distil_signing::key::Signer;
use distil_signing::keyless::{Evidence, Logged, Witness, WitnessError, requirements};
use distil_signing::verify::{PatternError, Report, Requirements, StepName};

/// Why nobody vouches for a signature, or not so that it could be verified. It was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VouchError {
    /// The log has no entry of it.
    #[error("the signature is in no log")]
    Entry(#[source] WitnessError),
    /// There is no timestamp.
    #[error("nobody stamped the signature")]
    Stamp(#[source] WitnessError),
    /// The certificate names somebody whom nobody can ask for.
    #[error("the certificate names nobody who could be asked for")]
    Nobody(#[source] PatternError),
    /// By the trusted root, whoever verifies would refuse it.
    #[error("by the trusted root the signature would be refused: {step}: {why}")]
    Refused {
        /// The step of the procedure that fails.
        step: StepName,
        /// Why.
        why: String,
    },
}

impl VouchError {
    /// Whether the trusted root says no, rather than something failing.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// A signature that was logged.
#[derive(Debug)]
pub(super) struct Vouched<'a> {
    witness: &'a dyn Witness,
    entry: LogEntry,
}

impl<'a> Vouched<'a> {
    /// Has a signature logged. Nothing where the signer has a key that verifiers know.
    pub(super) fn of(signer: &'a dyn Signer, logged: Logged<'_>) -> Result<Option<Self>, VouchError> {
        let Some(witness) = signer.witness() else { return Ok(None) };
        let entry = witness.entry(logged).map_err(VouchError::Entry)?;
        Ok(Some(Self { witness, entry }))
    }

    /// What lies beside the signature where a timestamp is over these bytes.
    pub(super) fn evidence(&self, stamped: &[u8]) -> Result<Evidence, VouchError> {
        let timestamp = self.witness.stamp(stamped).map_err(VouchError::Stamp)?;
        Ok(Evidence { certificate: self.witness.certificate().clone(), entry: self.entry.clone(), timestamp })
    }

    /// Verifies what is about to be written, as others will, where it is known whom they trust.
    pub(super) fn check<V>(
        &self,
        evidence: &Evidence,
        verify: impl FnOnce(&Requirements) -> Report<V>,
    ) -> Result<(), VouchError> {
        let wanted = requirements(self.witness, evidence.timestamp.is_some()).map_err(VouchError::Nobody)?;
        let Some(report) = wanted.map(|wanted| verify(&wanted)).filter(|report| !report.is_verified()) else {
            return Ok(());
        };
        let failed = report.verdicts().iter().find_map(|verdict| verdict.failure());
        let (step, why) = failed.map_or((StepName::Form, String::new()), |(step, why)| (step, why.to_owned()));
        Err(VouchError::Refused { step, why })
    }
}
