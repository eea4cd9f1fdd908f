//! Tokens: fetched from a token server, kept as long as they are valid, and shared by all threads.
//!
//! Specifications: [token authentication] with a password or none, and [OAuth2] with an identity token.
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/
//! [OAuth2]: https://distribution.github.io/distribution/spec/auth/oauth/

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use distil_net::{Body, Method, Request, shown};
use serde::Deserialize;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::proof::basic;
use super::realm::Realm;
use super::refusal::{self, MAX_WORDS, Refusing};
use crate::error::{RegistryError, Said, TokenFault};
use crate::keychain::{Login, Secret};
use crate::repository::Options;

/// How long a token is valid that does not say it, by the specification.
const USUAL_LIFE: u64 = 60;
/// Who asks, for the logs of token servers.
const CLIENT_ID: &str = "distil";

/// What a token is asked for, and of whom.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// For messages.
    pub(super) place: &'a str,
    pub(super) realm: &'a Realm,
    pub(super) service: Option<&'a str>,
    pub(super) scopes: &'a [String],
    /// A password or an identity token, if there is one.
    pub(super) login: Option<&'a Login>,
}

/// What a token was asked for, and of whom.
pub(super) type TokenKey = String;

/// All tokens of one repository, each for its token server and scopes alone.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    slots: Mutex<BTreeMap<TokenKey, Slot>>,
}

/// Locked while its token is fetched, so that others wait for it in place of fetching their own.
type Slot = Arc<Mutex<Option<Token>>>;

#[derive(Debug)]
struct Token {
    value: Secret,
    since: Instant,
    life: Duration,
}

impl Question<'_> {
    fn key(&self) -> TokenKey {
        format!("{} {} {}", self.realm.url, self.service.unwrap_or_default(), self.scopes.join(" "))
    }
}

impl Tokens {
    /// A valid token: one from before, or a new one.
    pub(super) fn token(
        &self,
        question: &Question<'_>,
        options: &Options,
    ) -> Result<(TokenKey, Secret), RegistryError> {
        let key = question.key();
        let slot = self.slot(&key);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = slot.as_ref()
            && token.since.elapsed() < token.life
        {
            return Ok((key, token.value.clone()));
        }
        *slot = None;
        Ok((key, slot.insert(fetch(question, options)?).value.clone()))
    }

    /// Forgets a token that a registry did not take. One that another thread has fetched since is kept.
    pub(super) fn forget(&self, key: &TokenKey, value: &Secret) {
        let slot = self.slot(key);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|token| token.value == *value) {
            *slot = None;
        }
    }

    fn slot(&self, key: &TokenKey) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key.clone()).or_default())
    }
}

fn fetch(question: &Question<'_>, options: &Options) -> Result<Token, RegistryError> {
    let Question { place, realm, service, scopes, login } = question;
    let since = Instant::now();
    let service = service.map(|service| ("service", service));
    let mut url = realm.url.clone();
    let mut headers = Vec::new();
    let mut form = None;
    if let Some(Login::Identity(token)) = login {
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        let scope = scopes.join(" ");
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.append_pair("grant_type", "refresh_token").extend_pairs(service).append_pair("client_id", CLIENT_ID);
        fields.append_pair("scope", &scope).append_pair("refresh_token", token.reveal());
        form = Some(Secret::new(fields.finish()));
    } else {
        let scopes = scopes.iter().map(|scope| ("scope", scope.as_str()));
        url.query_pairs_mut().extend_pairs(service).extend_pairs(scopes);
        if let Some(Login::Password { user, password }) = login {
            headers.push(("authorization", basic(user, password).reveal().to_owned()));
        }
    }
    let (method, body) = match &form {
        Some(form) => (Method::Post, Body::Bytes(form.reveal().as_bytes())),
        None => (Method::Get, Body::Empty),
    };
    let request = Request { method, url, headers, body, reach: realm.reach() };
    let answer = options.client.send(request, &options.watch)?;
    let (server, status) = (shown(&realm.url), answer.status());
    match status {
        200 => {
            let bytes = Zeroizing::new(answer.bytes(MAX_WORDS)?);
            let (value, life) = read(&bytes).map_err(|fault| without_words(server, fault))?;
            Ok(Token { value, since, life })
        }
        401 | 403 => {
            Err(refusal::refused(Refusing { place, server: &server, login: login.is_some() }, "a token", answer))
        }
        _ => {
            let retry_after = answer.retry_after();
            let said = refusal::said(answer);
            Err(RegistryError::Token { realm: server, fault: TokenFault::Status(status), said, retry_after })
        }
    }
}

fn without_words(realm: String, fault: TokenFault) -> RegistryError {
    RegistryError::Token { realm, fault, said: Said::default(), retry_after: None }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<serde_json::Value>,
}

/// A token and how long to use it.
fn read(bytes: &[u8]) -> Result<(Secret, Duration), TokenFault> {
    // What the parser would say could quote the token.
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| TokenFault::Missing)?;
    let given = |token: &Secret| !token.reveal().is_empty();
    let token = answer.token.filter(given).or_else(|| answer.access_token.filter(given)).ok_or(TokenFault::Missing)?;
    if !token.reveal().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenFault::Unusable);
    }
    let seconds = answer.expires_in.and_then(|seconds| seconds.as_u64()).unwrap_or(USUAL_LIFE);
    // A request that starts with it has some time left to arrive.
    Ok((token, Duration::from_secs(seconds - seconds / 10)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str) -> Result<(String, u64), TokenFault> {
        read(body.as_bytes()).map(|(token, life)| (token.reveal().to_owned(), life.as_secs()))
    }

    #[test]
    fn tokens_have_two_names_and_a_life() {
        assert_eq!(check(r#"{"token":"t","expires_in":300,"x":[1.5]}"#), Ok(("t".to_owned(), 270)));
        assert_eq!(check(r#"{"access_token":"t"}"#), Ok(("t".to_owned(), 54)));
        assert_eq!(check(r#"{"token":"","access_token":"t","expires_in":-1}"#), Ok(("t".to_owned(), 54)));
        assert_eq!(check(r#"{"token":"t","access_token":"u","expires_in":"x"}"#), Ok(("t".to_owned(), 54)));
        let longest = format!(r#"{{"token":"t","expires_in":{}}}"#, u64::MAX);
        assert!(check(&longest).is_ok());
    }

    #[test]
    fn an_answer_without_a_usable_token_is_none() {
        for body in
            ["", "{}", "[]", "null", r#"{"token":5}"#, r#"{"token":""}"#, r#"{"token":"a","token":"b"}"#, "<html>"]
        {
            assert_eq!(check(body), Err(TokenFault::Missing), "{body}");
        }
        for body in [r#"{"token":"a\r\nX: y"}"#, r#"{"token":"a b"}"#, r#"{"token":"ä"}"#] {
            assert_eq!(check(body), Err(TokenFault::Unusable), "{body}");
        }
    }

    proptest! {
        #[test]
        fn tokens_fit_into_a_header(token in "\\PC{0,20}|[\\x00-\\x7f]{0,20}") {
            let body = serde_json::json!({"token": token}).to_string();
            let fits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
            prop_assert_eq!(check(&body).is_ok(), fits);
        }
    }
}
