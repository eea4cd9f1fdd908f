//! Signatures of documents, against a keyring.

use distil_imgcore::Escaped;
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails;

use super::Keyring;
use super::certificate::{Certificate, Component, Subkey};
use super::fault::{SignatureFault, SignatureReason};
use super::packets::{PacketError, Packets, tag};
use super::policy::{check_key, demands_more, read_signature, times, weak_hash};
use super::standing::Moments;
use crate::fingerprint::Fingerprint;
use crate::time::Timestamp;

/// Signatures that one file may have. Debian's have three.
pub const MAX_SIGNATURES: usize = 64;

/// Bytes that are hashed for one file, over all its signatures; a good one is most often the first.
const HASH_BUDGET: usize = 1 << 30;

/// How far in the future a signature may lie, in seconds: clocks differ.
pub(crate) const CLOCK_SKEW: i64 = 600;

/// Who signed a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The primary key of the certificate.
    pub primary: Fingerprint,
    /// The key that made the signature: the same, or a subkey.
    pub key: Fingerprint,
    /// When it was made.
    pub created: Timestamp,
}

/// Why signatures prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a row of packets.
    #[error("the signatures cannot be read")]
    Packets(#[from] PacketError),
    /// Something else among the signatures.
    #[error("a packet of type {tag} among the signatures")]
    NotASignature {
        /// Its type.
        tag: u8,
    },
    /// More than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooMany,
    /// No signature counts.
    #[error("no valid signature by a key of {}: {}", Escaped(.keyring.as_bytes()), list(.faults))]
    NoneValid {
        /// The name of the keyring.
        keyring: String,
        /// What is wrong with each, in their order.
        faults: Vec<SignatureFault>,
    },
}

fn list(faults: &[SignatureFault]) -> String {
    if faults.is_empty() {
        return "there is no signature".to_owned();
    }
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Keyring {
    /// Finds a signature of `document`, among packets of signatures, that a key of this ring made and that is valid as
    /// of `at`. One is enough; where several are valid, the first counts.
    pub(crate) fn verify(&self, signatures: &[u8], document: &[u8], at: Timestamp) -> Result<Signer, VerifyError> {
        let mut bodies = Vec::new();
        for packet in Packets::new(signatures) {
            let packet = packet?;
            if packet.tag != tag::SIGNATURE {
                return Err(VerifyError::NotASignature { tag: packet.tag });
            }
            bodies.push(packet.body);
            if bodies.len() > MAX_SIGNATURES {
                return Err(VerifyError::TooMany);
            }
        }
        let mut attempts = (HASH_BUDGET / document.len().max(1)).clamp(4, 4 * MAX_SIGNATURES);
        let mut faults = Vec::new();
        for body in bodies {
            let signature = read_signature(body);
            let checked = match &signature {
                Some(signature) => self.check(signature, document, at, &mut attempts),
                None => Err(SignatureReason::Unreadable),
            };
            match checked {
                Ok(signer) => return Ok(signer),
                Err(reason) => faults.push(SignatureFault {
                    issuer: signature.as_ref().and_then(issuer),
                    made: signature.as_ref().and_then(times).map(|(made, _)| made),
                    reason,
                }),
            }
        }
        Err(VerifyError::NoneValid { keyring: self.name().to_owned(), faults })
    }

    fn check(
        &self,
        signature: &Signature,
        document: &[u8],
        at: Timestamp,
        attempts: &mut usize,
    ) -> Result<Signer, SignatureReason> {
        if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
            return Err(SignatureReason::NotOfADocument);
        }
        if let Some(hash) = weak_hash(signature) {
            return Err(SignatureReason::WeakHash { hash });
        }
        if demands_more(signature) {
            return Err(SignatureReason::DemandsMore);
        }
        let (made, until) = times(signature).ok_or(SignatureReason::Unreadable)?;
        let moments = Moments { made, at };
        // A key may be there in several copies, of which one knows of its renewal and another of its revocation. The
        // revocation counts, whichever copy comes first.
        let mut outcome = Err(SignatureReason::UnknownKey);
        for (certificate, key) in self.candidates(signature) {
            *attempts = attempts.checked_sub(1).ok_or(SignatureReason::NotTried)?;
            match check_with(certificate, key, signature, document, moments) {
                Ok(()) if outcome.is_err() => {
                    outcome = Ok(Signer {
                        primary: certificate.fingerprint,
                        key: certificate.fingerprint_of(key),
                        created: made,
                    });
                }
                Err(reason @ SignatureReason::KeyRevoked { .. }) => return Err(reason),
                Err(reason) if outcome == Err(SignatureReason::UnknownKey) => outcome = Err(reason),
                Ok(()) | Err(_) => {}
            }
        }
        let signer = outcome?;
        if made.seconds() > at.seconds().saturating_add(CLOCK_SKEW) {
            return Err(SignatureReason::FromFuture { made, at });
        }
        match until {
            Some(since) if since <= at => Err(SignatureReason::Expired { since }),
            _ => Ok(signer),
        }
    }

    /// The keys that may have made this signature, as it says itself. One that names no key has none.
    fn candidates<'a>(&'a self, signature: &Signature) -> impl Iterator<Item = (&'a Certificate, Component<'a>)> {
        let fingerprints: Vec<Vec<u8>> =
            signature.issuer_fingerprint().into_iter().map(|found| found.as_bytes().to_vec()).collect();
        let ids: Vec<_> = signature.issuer_key_id().into_iter().copied().collect();
        let named = move |key: &dyn KeyDetails, fingerprint: Fingerprint| {
            fingerprints.iter().any(|found| found == fingerprint.as_bytes())
                || fingerprints.is_empty() && ids.contains(&key.legacy_key_id())
        };
        self.keys().filter(move |(certificate, key)| {
            let fingerprint = certificate.fingerprint_of(*key);
            match key {
                Component::Primary(key) => named(*key, fingerprint),
                Component::Subkey(subkey) => named(&subkey.key, fingerprint),
            }
        })
    }
}

fn check_with(
    certificate: &Certificate,
    key: Component<'_>,
    signature: &Signature,
    document: &[u8],
    moments: Moments,
) -> Result<(), SignatureReason> {
    let (algorithm, verified) = match key {
        Component::Primary(key) => (check_key(key).map(|()| key.algorithm()), signature.verify(key, document)),
        Component::Subkey(Subkey { key, .. }) => {
            (check_key(key).map(|()| key.algorithm()), signature.verify(key, document))
        }
    };
    if signature.config().map(|config| config.pub_alg) != Some(algorithm?) || verified.is_err() {
        return Err(SignatureReason::Bad);
    }
    certificate.check_signer(key, moments)
}

/// The key that a signature names.
fn issuer(signature: &Signature) -> Option<String> {
    let fingerprint = signature.issuer_fingerprint().first().map(|found| hex(found.as_bytes()));
    fingerprint.or_else(|| signature.issuer_key_id().first().map(|id| hex(id.as_ref())))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default().to_ascii_uppercase();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
