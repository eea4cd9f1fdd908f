//! Why a registry did not do what it was asked to.

use std::time::Duration;

use distil_imgcore::Escaped;
use distil_net::{NetError, Passing};

use crate::keychain::KeychainError;
use crate::repository::AnswerError;

/// Why a registry did not do what it was asked to. Places are `HOST/REPOSITORY`, as in references; messages leave them out,
/// since the errors around these name them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No answer came.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The login is not to be had.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// An answer came that is not what it should be.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The registry or its token server does not let us: status 401 or 403.
    #[error("{server} denies access{said}")]
    Denied {
        /// Where.
        place: String,
        /// The host of the registry, or its token server as it may be shown.
        server: String,
        /// Whether there is a login for it. Registries deny what does not exist, too, to those who have none.
        login: bool,
        /// What the server said.
        said: Said,
    },
    /// Not there: status 404.
    #[error("no {what}{said}")]
    Missing {
        /// Where.
        place: String,
        /// What was asked for.
        what: String,
        /// What the server said.
        said: Said,
    },
    /// Another status than one that answers the question.
    #[error("status {status} for {what}{said}")]
    Refused {
        /// Where.
        place: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// What the server said.
        said: Said,
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// A 401 for what was sent only once, as a stream. There is a new token now, so that it may be sent again.
    #[error("the token for {what} is not valid any more")]
    Renewed {
        /// Where.
        place: String,
        /// What was asked for.
        what: String,
    },
    /// A registry that asks for a login in a way that is not known here, or in words that are not in order.
    #[error("the registry asks for a login by {}", Escaped(.schemes.as_bytes()))]
    Challenge {
        /// Where.
        place: String,
        /// The schemes it names, or what it says where they cannot be read.
        schemes: String,
    },
    /// A token server that is not asked.
    #[error("the registry sends to the token server {}, {refusal}", Escaped(.realm.as_bytes()))]
    Realm {
        /// Where.
        place: String,
        /// The token server, as it may be shown.
        realm: String,
        /// Why it is not asked.
        refusal: RealmRefusal,
    },
    /// A token server that gives no token.
    #[error("the token server {realm} gives no token: {fault}{said}")]
    Token {
        /// The token server, as it may be shown.
        realm: String,
        /// What it gives.
        fault: TokenFault,
        /// What it said.
        said: Said,
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// A `Location` or `Link` that leads away from the registry.
    #[error("the registry leads to {found}, which is not at {expected}")]
    Elsewhere {
        /// Where.
        place: String,
        /// Scheme, host and port of the registry.
        expected: String,
        /// Where it leads, as it may be shown.
        found: String,
    },
    /// A registry without TLS, which nobody allowed.
    #[error("{host} does not speak TLS")]
    Plain {
        /// The registry.
        host: String,
        /// What came instead.
        source: NetError,
    },
    /// A host that leads nowhere.
    #[error("\"{}\" is not a host", Escaped(.host.as_bytes()))]
    Host {
        /// The host.
        host: String,
    },
}

/// Why a token server is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RealmRefusal {
    /// No URL, one of another scheme, or one with a user name.
    #[error("which is no usable URL")]
    Url,
    /// Without TLS, which the registry itself has.
    #[error("which is not asked without TLS")]
    Plain,
    /// On another host than the registry, and not among the servers that may have the login.
    #[error("which is another host that must not have the login")]
    Login,
}

/// What a token server gives in place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// This status. A redirect is one, too.
    #[error("status {0}")]
    Status(u16),
    /// Something else than a JSON object with a token in it.
    #[error("the answer holds none")]
    Missing,
    /// A token with characters that no header field can hold.
    #[error("the answer holds an unusable one")]
    Unusable,
}

/// The words of a server about its refusal; shown escaped, and no more than 400 characters of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

impl Said {
    /// The code of the [distribution specification], such as `MANIFEST_UNKNOWN`, or whatever stands in its place.
    ///
    /// [distribution specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

/// What follows the rest of a message.
impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.code, &self.message) {
            (_, Some(message)) => write!(f, ": {}", Escaped(message.as_bytes())),
            (Some(code), None) => write!(f, ": {}", Escaped(code.as_bytes())),
            (None, None) => Ok(()),
        }
    }
}

/// Statuses that another attempt may change.
pub(crate) const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

impl Passing for RegistryError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Net(error) => error.may_retry(),
            Self::Refused { status, .. } | Self::Token { fault: TokenFault::Status(status), .. } => {
                PASSING.contains(status)
            }
            Self::Renewed { .. } => true,
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Token { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
