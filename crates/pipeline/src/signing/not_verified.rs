//! Why something is not verified, signature by signature.

use std::fmt;
use std::num::NonZeroUsize;

use distil_imgcore::{Digest, Escaped};
use distil_signing::verify::{Report, StepName};

/// Why an image, a statement or a file is not verified: the answer is no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotVerified {
    /// What was to be verified.
    pub digest: Digest,
    /// How many different signers were asked for.
    pub threshold: NonZeroUsize,
    /// How many of them there are.
    pub signers: usize,
    /// The signatures that are not good, in the order in which they were found.
    pub refused: Vec<Refused>,
}

/// A signature that is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it lies.
    pub place: String,
    /// The step that failed.
    pub step: StepName,
    /// Why.
    pub reason: String,
}

impl NotVerified {
    /// What a report says that is not good enough; nothing for one that is.
    #[must_use]
    pub fn of<V>(report: &Report<V>) -> Option<Self> {
        if report.is_verified() {
            return None;
        }
        Some(Self {
            digest: report.digest().clone(),
            threshold: report.threshold(),
            signers: report.signers(),
            refused: Refused::of(report),
        })
    }

    /// Whether there is nothing at all that could be a signature.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.refused.is_empty() && self.signers == 0
    }
}

impl Refused {
    /// The signatures of a report that are not good, whether or not there are enough others.
    #[must_use]
    pub fn of<V>(report: &Report<V>) -> Vec<Self> {
        let refused = report.verdicts().iter().filter_map(|verdict| {
            let (step, reason) = verdict.failure()?;
            Some(Self { place: verdict.place.clone(), step, reason: reason.to_owned() })
        });
        refused.collect()
    }
}

impl fmt::Display for NotVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, threshold, signers, .. } = self;
        if self.is_unsigned() {
            write!(f, "{digest} has no signature of what is asked for")
        } else if *signers == 0 {
            write!(f, "{digest} has no signature that is good")
        } else {
            write!(f, "{digest} is signed by {signers} of the {threshold} different signers that are asked for")
        }
    }
}

impl std::error::Error for NotVerified {}

/// One line, fit for a terminal.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, reason) = (Escaped(self.place.as_bytes()), Escaped(self.reason.as_bytes()));
        write!(f, "{place}: {}: {reason}", self.step)
    }
}
