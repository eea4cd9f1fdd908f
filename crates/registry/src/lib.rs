//! The OCI distribution protocol: a repository in a registry as a [`Store`](distil_imgcore::Store), by the
//! [specification] 1.1.
//!
//! A registry is believed nothing. What it sends is checked against digests, its lists are hints, its words are bounded and
//! shown escaped. A login goes to the registry's own scheme, host and port, and to the token servers that the user or this
//! crate names; a redirect of a blob is followed without one, and into a private network by a registry that is in one alone. Plain HTTP is
//! spoken to loopback and where the user allows it, never because TLS failed. The URLs of foreign layers are not followed,
//! mirrors and the rewriting of names are not known, and nothing is deleted but uploads that were begun.
//!
//! The crate reads neither environment nor files and runs no programs: logins come from a [`Keychain`], and the parsers for
//! those who make one are here.
//!
//! ```
//! use std::sync::Arc;
//!
//! use distil_imgcore::{Selector, Store};
//! use distil_net::{Client, ClientOptions, Retry, Unwatched};
//! use distil_registry::{NoKeychain, Options, Repository};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let retry = Retry { attempts: 1, ..Retry::default() };
//! let options = Options {
//!     client: Arc::new(Client::new(ClientOptions { retry, ..ClientOptions::default() })?),
//!     keychain: Arc::new(NoKeychain),
//!     insecure_http: false,
//!     token_servers: Vec::new(),
//!     watch: Arc::new(Unwatched),
//! };
//! let repository = Repository::open(&"localhost:1/team/app".parse()?, &options)?;
//! assert_eq!(repository.place(), "localhost:1/team/app");
//! // Nobody listens there.
//! assert!(repository.resolve(&Selector::Name("v1".parse()?)).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! | what | where |
//! |---|---|
//! | images | [`Repository`], made with [`Options`] |
//! | logins | [`Keychain`] gives a [`Login`] with its [`Secret`]s |
//! | files of logins | [`AuthFile`], which may lead to a helper, whose answer [`read_helper_answer`] reads |
//! | what went wrong | [`RegistryError`], with what the server [`Said`]; [`AnswerError`] for answers that cannot be |
//!
//! [specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md

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
