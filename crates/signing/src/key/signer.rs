//! The joint for keys that live elsewhere.

use std::error::Error;
use std::fmt::Debug;

use super::kind::KeyKind;
use super::public::PublicKey;

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
    let key = signer.public_key();
    let signature = signer.sign(message)?;
    match key.verify(message, &signature) {
        Ok(scheme) if scheme == key.kind().scheme() => Ok(signature),
        _ => Err(SignerError::Unverified { kind: key.kind() }),
    }
}
