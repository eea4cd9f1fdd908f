//! The joint for keys that live elsewhere.

use std::error::Error;
use std::fmt::Debug;

use super::error::BadSignature;
use super::kind::{KeyKind, Scheme};
use super::public::PublicKey;
use crate::keyless::Witness;

/// A private key, wherever it lives: in this process ([`PrivateKey`]), in a token behind PKCS#11, in a key management
/// service.
///
/// [`sign`] calls it once for each signature, from any thread. Nobody asks it for the same signature twice, so an
/// implementer that may try again does so itself; an error ends the command, and nothing is published then.
///
/// [`PrivateKey`]: super::PrivateKey
pub trait Signer: Send + Sync + Debug {
    /// The public half. It costs nothing: a device is asked when the signer is made.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message, not its hash, with the scheme that the kind of the key has ([`KeyKind::scheme`]). ECDSA
    /// signatures are in DER.
    ///
    /// # Errors
    /// [`SignerError`] where there is no signature.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;

    /// Signs a message that is too large to be at hand, by its SHA-256. Nothing where the scheme of the kind has another hash
    /// or none, or where whoever keeps the key signs messages alone.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    fn sign_sha256(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, SignerError> {
        let _ = digest;
        Ok(None)
    }

    /// What vouches for its signatures, where the key lives too short for anybody to know it. They are nothing without that.
    fn witness(&self) -> Option<&dyn Witness> {
        None
    }
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// A key of this process failed, by a fault of the library below it.
    #[error("the {kind} key made no signature")]
    Failed {
        /// Its kind.
        kind: KeyKind,
    },
    /// A key elsewhere failed.
    #[error("the device or service made no signature")]
    Device(#[source] Box<dyn Error + Send + Sync>),
    /// What came back does not verify with the key that the signer names.
    #[error("the signature that was made does not verify with its own {kind} key")]
    Unverified {
        /// The kind of the key.
        kind: KeyKind,
    },
}

/// Signs, and verifies what came back, before anybody else sees it: a device with another key in its slot is found here
/// and not by those who verify; and a signature from a computation that went wrong, which can give an RSA key away, is
/// not published.
///
/// # Errors
/// [`SignerError`], also where the signature does not verify, or was made with another scheme than the kind's.
pub fn sign(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    let signature = signer.sign(message)?;
    let verified = signer.public_key().verify(message, &signature);
    checked(signer, signature, verified)
}

/// The same of a message of which the SHA-256 is at hand. Nothing where this key cannot sign it so.
///
/// # Errors
/// As [`sign`].
pub fn sign_sha256(signer: &dyn Signer, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, SignerError> {
    let Some(signature) = signer.sign_sha256(digest)? else { return Ok(None) };
    let verified = signer.public_key().verify_sha256(digest, &signature);
    checked(signer, signature, verified).map(Some)
}

fn checked(
    signer: &dyn Signer,
    signature: Vec<u8>,
    verified: Result<Scheme, BadSignature>,
) -> Result<Vec<u8>, SignerError> {
    let kind = signer.public_key().kind();
    match verified {
        Ok(scheme) if scheme == kind.scheme() => Ok(signature),
        _ => Err(SignerError::Unverified { kind }),
    }
}
