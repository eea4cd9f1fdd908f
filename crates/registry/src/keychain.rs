//! Who a registry is told that we are.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A text that is never shown, and overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text to itself.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, to be sent.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What to tell a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A user's name and password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that the token server exchanges for those that are sent: docker's `identitytoken`.
    Identity(Secret),
    /// A token that is sent as it is: `registrytoken`.
    Token(Secret),
}

/// Where logins come from: files, helpers. Asked once for each repository.
pub trait Keychain: fmt::Debug + Send + Sync {
    /// The login for a repository of a registry; none where nobody has one, so that nothing is told.
    ///
    /// `host` is as in references, with the port where one was given; `docker.io` for Docker Hub.
    ///
    /// # Errors
    /// [`KeychainError`] where a file or helper does not answer as it should: then nothing is asked of the registry.
    fn login(&self, host: &str, repository: &str) -> Result<Option<Login>, KeychainError>;
}

/// Why a login cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot find out the login for {host}")]
pub struct KeychainError {
    /// The registry.
    pub host: String,
    /// Why not.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// No logins at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeychain;

impl Keychain for NoKeychain {
    fn login(&self, _host: &str, _repository: &str) -> Result<Option<Login>, KeychainError> {
        Ok(None)
    }
}
