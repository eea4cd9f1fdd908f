//! The members of a file of logins.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::keychain::{Login, Secret};

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) auths: Option<BTreeMap<String, Entry>>,
    #[serde(rename = "credHelpers")]
    pub(super) cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    pub(super) creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

/// An entry that is neither empty nor a login.
pub(super) struct NotALogin;

impl Entry {
    /// The login; none for an entry that only says that a helper has it.
    pub(super) fn login(self) -> Result<Option<Login>, NotALogin> {
        let given = |secret: Option<Secret>| secret.filter(|secret| !secret.reveal().is_empty());
        if let Some(token) = given(self.registrytoken) {
            return Ok(Some(Login::Token(token)));
        }
        if let Some(token) = given(self.identitytoken) {
            return Ok(Some(Login::Identity(token)));
        }
        if let Some(auth) = given(self.auth) {
            return pair(&auth).map(Some).ok_or(NotALogin);
        }
        match (self.username.filter(|user| !user.is_empty()), given(self.password)) {
            (None, None) => Ok(None),
            // It would come out of base64 as another name.
            (Some(user), Some(password)) if !user.contains(':') => Ok(Some(Login::Password { user, password })),
            _ => Err(NotALogin),
        }
    }
}

/// `USER:PASSWORD` in base64.
fn pair(auth: &Secret) -> Option<Login> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(auth.reveal().trim()).ok()?);
    let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    // Older versions of docker filled the password up with these.
    let password = password.trim_end_matches('\0');
    let fits = !user.is_empty() && !user.contains('\0') && !password.is_empty();
    fits.then(|| Login::Password { user: user.to_owned(), password: Secret::new(password.to_owned()) })
}
