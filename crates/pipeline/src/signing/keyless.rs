//! Signing without a key that is kept: whoever signs shows who he is, and services vouch for it.
//!
//! [`distil_signing::keyless`] has what is sent and how answers are read; here it meets the network.

mod error;
#[cfg(feature = "keyless")]
mod services;

use std::fmt;
use std::path::Path;

use distil_signing::key::Signer;
use zeroize::Zeroizing;

use super::PasswordError;
use crate::machine::Machine;

pub use error::{KeylessError, ServiceError};

/// Knows an OIDC token of whoever signs, or gets one: from a file, from a variable, from the platform that runs a job.
///
/// It is asked once, before anything is asked of a service. The certificate authority is sent what it gives, and nobody else.
pub trait IdentityToken: fmt::Debug {
    /// The token: a JSON Web Token for the audience that the certificate authority expects, which is mostly `sigstore`.
    ///
    /// # Errors
    /// [`PasswordError`] where there is none to be had; nothing is signed then.
    fn token(&self) -> Result<Zeroizing<Vec<u8>>, PasswordError>;
}

/// Who signs, and which services vouch for it.
#[derive(Debug)]
pub struct KeylessRequest<'a> {
    /// Says who signs.
    pub identity: &'a dyn IdentityToken,
    /// The URL of a certificate authority with the interface of Fulcio.
    pub fulcio: &'a str,
    /// The URL of a log with the interface of Rekor, version 1.
    pub rekor: &'a str,
    /// The URL at which an authority makes timestamps by RFC 3161.
    pub stamps: Option<&'a str>,
    /// The file of a trusted root. With it everything is verified before anything is written, as others will verify it.
    pub trusted_root: Option<&'a Path>,
    /// The machine and the network.
    pub machine: &'a Machine,
}

/// Gets a certificate for a new key, which signs until it is dropped, and as long as the certificate lasts: ten minutes, mostly.
/// It is in no file. Each signature with it is sent to the log, and stays there for everybody to see.
///
/// Services are asked once, over TLS or on loopback, and no redirect is followed. The certificate has to be for this key, and
/// each log entry about the very signature and certificate, at a time at which that is valid.
///
/// # Errors
/// [`KeylessError`]; [`KeylessError::NotBuilt`] where this library was built without the feature `keyless`.
pub fn open_keyless(request: &KeylessRequest<'_>) -> Result<Box<dyn Signer>, KeylessError> {
    #[cfg(feature = "keyless")]
    return services::open(request);
    #[cfg(not(feature = "keyless"))]
    {
        let _ = request;
        Err(KeylessError::NotBuilt)
    }
}
