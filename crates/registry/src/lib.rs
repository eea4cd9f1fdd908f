//! The OCI distribution protocol: a repository in a registry as a [`distil_imgcore::Store`].

mod auth_file;
mod error;
mod helper_answer;
mod keychain;
mod repository;
mod transport;

pub use auth_file::{AuthFile, AuthFileError, AuthFileProblem, MAX_AUTH_FILE, Source};
pub use error::{RealmRefusal, RegistryError, Said, TokenFault};
pub use helper_answer::{HelperFault, read_helper_answer};
pub use keychain::{Keychain, KeychainError, Login, NoKeychain, Secret};
pub use repository::{AnswerError, Options, Repository};
