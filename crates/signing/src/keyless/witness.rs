//! What vouches for a signature whose key nobody keeps.

use std::error::Error;
use std::fmt::Debug;

use super::certificate::Certificate;
use super::log::Logged;
use crate::bundle::LogEntry;
use crate::verify::{Identity, Pattern, PatternError, Requirements, SignedBy, Trust, TrustedRoot};

/// What lies beside a signature, so that it can be verified when its key is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Whose the key was.
    pub certificate: Certificate,
    /// What a log says of the signature.
    pub entry: LogEntry,
    /// A timestamp over the signature, or in cosign's attestations over the layer: the DER of a `TimeStampResp`.
    pub timestamp: Option<Vec<u8>>,
}

/// The services behind a key that lives for minutes.
///
/// Whoever signs with such a key asks for an entry of each signature, once, from any thread, and for a timestamp of each form
/// in which it is stored; what they are asked for is published by them. After an error nothing is stored.
pub trait Witness: Send + Sync + Debug {
    /// Whose the key is.
    fn certificate(&self) -> &Certificate;

    /// Has a signature logged.
    ///
    /// # Errors
    /// [`WitnessError`] where there is no entry, or one that is about something else.
    fn entry(&self, signed: Logged<'_>) -> Result<LogEntry, WitnessError>;

    /// Has bytes stamped, where that is wanted.
    ///
    /// # Errors
    /// [`WitnessError`] where there is no timestamp.
    fn stamp(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, WitnessError>;

    /// Which authorities and logs have to be behind it, where that is known.
    fn trusted_root(&self) -> Option<&TrustedRoot>;
}

/// Why nobody vouches for a signature.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WitnessError(#[from] Box<dyn Error + Send + Sync>);

impl WitnessError {
    /// For this reason.
    pub fn new(reason: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(reason))
    }
}

/// What whoever verifies has to ask for, to find a signature of this witness good: its trusted root, and the very names of
/// its certificate. Nothing where it has no trusted root.
///
/// # Errors
/// [`PatternError`] for names that nobody can ask for.
pub fn requirements(witness: &dyn Witness, stamped: bool) -> Result<Option<Requirements>, PatternError> {
    let (Some(root), SignedBy::Identity { subject, issuer }) = (witness.trusted_root(), witness.certificate().signer())
    else {
        return Ok(None);
    };
    let identity = Identity::new(Pattern::exact(subject)?, Pattern::exact(issuer)?);
    Ok(Some(Requirements {
        trusted_root: Some(root.clone()),
        use_signed_timestamps: stamped,
        ..Requirements::new(Trust::Identity(identity))
    }))
}
