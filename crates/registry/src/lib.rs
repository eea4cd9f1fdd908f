//! The OCI distribution protocol: a repository in a registry as a [`distil_imgcore::Store`].

mod error;
mod keychain;
mod repository;
mod transport;

pub use error::{RealmRefusal, RegistryError, Said, TokenFault};
pub use keychain::{Keychain, KeychainError, Login, NoKeychain, Secret};
pub use repository::{AnswerError, Options, Repository};
