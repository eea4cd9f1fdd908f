//! Why a registry did not do what it was asked to.

use distil_net::{NetError, Passing};

use crate::keychain::KeychainError;

/// Why a registry did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No answer came.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The login is not to be had.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
}

impl Passing for RegistryError {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Net(error) if error.may_retry())
    }
}
