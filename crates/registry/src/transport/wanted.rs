//! What a registry wants of those who ask.

use distil_net::Response;

use super::challenge;
use crate::error::RegistryError;

/// What a registry wants of those who ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing, as far as is known.
    Nothing,
    /// Name and password.
    Basic,
    /// A [token] from a token server.
    ///
    /// [token]: https://distribution.github.io/distribution/spec/auth/token/
    Bearer {
        /// The token server, as the registry names it.
        realm: String,
        /// The registry's name for itself.
        service: Option<String>,
    },
}

impl Wanted {
    /// What an answer with status 401 says. Tokens come first where both would do: they are worth less than a password.
    pub(super) fn of(place: &str, answer: &Response) -> Result<Self, RegistryError> {
        let unknown = |schemes: String| RegistryError::Challenge { place: place.to_owned(), schemes };
        let fields = || answer.headers("www-authenticate");
        let Ok(challenges) = challenge::parse(fields()) else {
            let words: Vec<&str> = fields().collect();
            return Err(unknown(words.join(", ").chars().take(400).collect()));
        };
        for challenge in &challenges {
            if challenge.scheme == "bearer"
                && let Some(realm) = challenge.params.get("realm")
            {
                return Ok(Self::Bearer { realm: realm.clone(), service: challenge.params.get("service").cloned() });
            }
        }
        let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        match schemes.as_slice() {
            [] => Ok(Self::Nothing),
            schemes if schemes.contains(&"basic") => Ok(Self::Basic),
            schemes => Err(unknown(schemes.join(", "))),
        }
    }
}
