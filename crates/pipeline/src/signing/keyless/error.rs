//! Why nobody vouches for a signature.

use distil_imgcore::Escaped;
use distil_net::NetError;
use distil_signing::key::{KeyError, SignerError};
use distil_signing::keyless::{AnswerError, TokenError};

use crate::machine::MachineError;
use crate::signing::{PasswordError, TrustError};

/// Why there is no certificate to sign with. Nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeylessError {
    /// This library was built without the feature `keyless`.
    #[error("a certificate is to be signed with, and this program was built without keyless signing")]
    NotBuilt,
    /// No URL of a service, or one that would be spoken to without TLS though it is not on this machine.
    #[error("\"{}\" is not the URL of a {service}, with https: or on this machine", Escaped(.url.as_bytes()))]
    Url {
        /// What was given.
        url: String,
        /// What it should be the URL of.
        service: &'static str,
    },
    /// The network may not be used.
    #[error("cannot ask {url} without the network")]
    Offline {
        /// The certificate authority.
        url: String,
    },
    /// There is no token.
    #[error("no identity token")]
    NoToken(#[source] PasswordError),
    /// What should be a token is none.
    #[error("cannot use the identity token")]
    Token(#[source] TokenError),
    /// The token was valid once.
    #[error("the identity token is no longer valid, since {0} (seconds since 1970)")]
    Expired(i64),
    /// The machine does not let itself be used as it describes itself.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The trusted root cannot be read, or is none.
    #[error(transparent)]
    Trust(Box<TrustError>),
    /// No key could be made.
    #[error("cannot make a key")]
    Key(#[source] KeyError),
    /// The key signs nothing.
    #[error("cannot sign with the new key")]
    Signer(#[source] SignerError),
    /// The certificate authority gives no certificate that could be used.
    #[error("no certificate")]
    Certificate(#[source] ServiceError),
}

/// What a service did not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No answer came.
    #[error("cannot ask {url}")]
    Net {
        /// The service.
        url: String,
        /// Why not.
        source: Box<NetError>,
    },
    /// The service answers with something else than was asked for.
    #[error("{url} answers with the status {status}{}", told(.said.as_ref()))]
    Status {
        /// The service.
        url: String,
        /// The status.
        status: u16,
        /// What it says about it.
        said: Option<String>,
    },
    /// The answer is not one to what was asked.
    #[error("the answer of {url} cannot be used")]
    Answer {
        /// The service.
        url: String,
        /// Why not.
        source: AnswerError,
    },
}

fn told(said: Option<&String>) -> String {
    said.map(|said| format!(": {}", Escaped(said.as_bytes()))).unwrap_or_default()
}

impl KeylessError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::NotBuilt | Self::Url { .. } | Self::Token(_) | Self::Expired(_) => true,
            Self::NoToken(error) => !matches!(error, PasswordError::Read { .. }),
            Self::Trust(error) => error.is_mistake(),
            _ => false,
        }
    }

    /// Whether nobody can tell whom to trust.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Trust(error) if error.is_undecided())
    }
}

impl From<TrustError> for KeylessError {
    fn from(error: TrustError) -> Self {
        Self::Trust(Box::new(error))
    }
}
