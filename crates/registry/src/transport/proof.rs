//! Who we are, shown to a registry as far as it asks for it.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use distil_net::{Response, shown};
use url::Url;
use zeroize::Zeroizing;

use super::home::Home;
use super::realm::Realm;
use super::tokens::{Question, TokenKey, Tokens};
use super::wanted::Wanted;
use super::{Scope, Transport};
use crate::error::RegistryError;
use crate::keychain::{Login, Secret};

/// Who we are, for one repository.
#[derive(Debug, Default)]
pub(super) struct Identity {
    login: Mutex<Asked>,
    tokens: Tokens,
}

/// The keychain is asked from the first time on that the registry wants to know who we are.
#[derive(Debug, Default)]
enum Asked {
    #[default]
    NotYet,
    Answered(Option<Login>),
}

/// What is sent to show who we are.
#[derive(Debug)]
pub(super) struct Proof {
    /// The value of `Authorization`.
    pub(super) header: Secret,
    /// Where it is a token that was fetched: its place among the tokens.
    token: Option<(TokenKey, Secret)>,
}

impl Identity {
    /// Whether the keychain had a login.
    pub(super) fn is_known(&self) -> bool {
        let login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(&*login, Asked::Answered(Some(_)))
    }
}

impl Transport {
    /// What to show to the registry, if it wants anything and we have it.
    pub(super) fn proof(&self, scope: &Scope) -> Result<Option<Proof>, RegistryError> {
        let home = self.home()?;
        if home.wanted == Wanted::Nothing {
            return Ok(None);
        }
        let login = self.login()?;
        let header = match (&login, &home.wanted) {
            (Some(Login::Token(token)), _) => bearer(token),
            (Some(Login::Password { user, password }), Wanted::Basic) => basic(user, password),
            (_, Wanted::Bearer { realm, service }) => {
                let realm = self.realm(&home, realm, login.is_some())?;
                let scopes = self.scopes(scope);
                let service = service.as_deref();
                let place = self.place.as_str();
                let question = Question { place, realm: &realm, service, scopes: &scopes, login: login.as_ref() };
                let (key, token) = self.identity.tokens.token(&question, &self.options)?;
                return Ok(Some(Proof { header: bearer(&token), token: Some((key, token)) }));
            }
            _ => return Ok(None),
        };
        Ok(Some(Proof { header, token: None }))
    }

    fn realm(&self, home: &Home, realm: &str, has_login: bool) -> Result<Realm, RegistryError> {
        let found = Realm::new(realm, &home.base, &self.options.token_servers);
        let found = found.and_then(|realm| if has_login { realm.for_login() } else { Ok(realm) });
        found.map_err(|refusal| {
            let realm = Url::parse(realm).map_or_else(|_| realm.chars().take(400).collect(), |url| shown(&url));
            RegistryError::Realm { place: self.place.clone(), realm, refusal }
        })
    }

    /// Takes what an answer with status 401 says, and tells whether it makes a difference.
    pub(super) fn learn(&self, answer: &Response, proof: Option<&Proof>) -> Result<bool, RegistryError> {
        let wanted = Wanted::of(&self.place, answer)?;
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        let before = home.as_ref().map(|home| &home.wanted);
        let differs = match proof.map(|proof| &proof.token) {
            None => wanted != Wanted::Nothing,
            Some(None) => wanted != Wanted::Nothing && before != Some(&wanted),
            Some(Some((key, token))) => {
                self.identity.tokens.forget(key, token);
                true
            }
        };
        if let Some(home) = home.as_mut().filter(|_| wanted != Wanted::Nothing) {
            home.wanted = wanted;
        }
        Ok(differs)
    }

    fn login(&self) -> Result<Option<Login>, RegistryError> {
        let mut asked = self.identity.login.lock().unwrap_or_else(PoisonError::into_inner);
        if let Asked::Answered(login) = &*asked {
            return Ok(login.clone());
        }
        let login = self.options.keychain.login(&self.address.host, &self.address.repository)?;
        *asked = Asked::Answered(login.clone());
        Ok(login)
    }

    fn scopes(&self, scope: &Scope) -> Vec<String> {
        let own = &self.address.repository;
        match scope {
            Scope::Pull => vec![format!("repository:{own}:pull")],
            Scope::Push => vec![format!("repository:{own}:pull,push")],
            Scope::Mount(from) => {
                vec![format!("repository:{own}:pull,push"), format!("repository:{}:pull", self.repository(from))]
            }
        }
    }
}

/// Name and password for HTTP's own authentication ([RFC 7617]).
///
/// [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617
pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    let pair = Zeroizing::new(format!("{user}:{}", password.reveal()));
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.reveal()))
}
