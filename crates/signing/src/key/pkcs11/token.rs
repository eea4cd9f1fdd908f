//! One token of a module.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;

use distil_imgcore::Escaped;

use super::error::TokenError;
use super::key::TokenKey;
use super::module;
use super::object::{self, Object};
use super::uri::Uri;

/// The token that a URI names. Nothing but its own description was asked for yet.
#[derive(Debug)]
pub struct Token {
    uri: Uri,
    context: Pkcs11,
    slot: Slot,
    info: TokenInfo,
}

impl Token {
    /// Loads the module and finds the token.
    ///
    /// # Errors
    /// [`TokenError`] where the module cannot be loaded, or not exactly one of its tokens is the one that the URI names.
    pub fn find(uri: &Uri) -> Result<Self, TokenError> {
        let context = module::load(uri.module())?;
        let failed = |source| TokenError::Call { module: uri.module().to_owned(), subject: uri.to_string(), source };
        let mut tokens = Vec::new();
        for slot in context.get_slots_with_initialized_token().map_err(failed)? {
            // A token that was taken out since is no token.
            if let Ok(info) = context.get_token_info(slot) {
                tokens.push((slot, info));
            }
        }
        let labels = tokens.iter().map(|(_, info)| info.label().to_owned()).collect();
        tokens.retain(|(slot, info)| is(uri, *slot, info));
        let count = tokens.len();
        let (module, text) = (uri.module().to_owned(), uri.to_string());
        match tokens.pop() {
            Some((slot, info)) if count == 1 => Ok(Self { uri: uri.clone(), context, slot, info }),
            Some(_) => Err(TokenError::SeveralTokens { module, uri: text, count }),
            None => Err(TokenError::NoToken { module, uri: text, found: labels }),
        }
    }

    /// What the token is called.
    #[must_use]
    pub fn label(&self) -> &str {
        self.info.label()
    }

    /// Whether its keys can only be used with a PIN that this process has to give; other tokens want none, or ask for it
    /// on a keyboard of their own.
    #[must_use]
    pub fn wants_pin(&self) -> bool {
        self.info.login_required() && !self.info.protected_authentication_path()
    }

    /// The private key that the URI names. It is held until the key is dropped; a PIN that the token wants again for every
    /// signature is held as long.
    ///
    /// # Errors
    /// [`TokenError`] where the token does not take the PIN, has not exactly one such key, has no public half to it, or cannot
    /// sign with it.
    pub fn key(self, pin: Option<&[u8]>) -> Result<TokenKey, TokenError> {
        let session = self.context.open_ro_session(self.slot).map_err(|source| self.failed(source))?;
        let pin = pin.map(|pin| RawAuthPin::new(Box::new(pin.to_vec())));
        if self.info.login_required() {
            self.login(&session, pin.as_ref())?;
        }
        let private = Object::new(&session, self.private_key(&session)?).map_err(|source| self.failed(source))?;
        let public = object::public_key(&session, &private).map_err(|source| self.failed(source))?;
        let (token, uri) = (self.label().to_owned(), self.uri.to_string());
        let public = match public {
            Some(Ok(public)) => public,
            Some(Err(source)) => return Err(TokenError::Key { token, uri, source }),
            None => return Err(TokenError::NoPublicKey { token, uri }),
        };
        let has = self.context.get_mechanism_list(self.slot).map_err(|source| self.failed(source))?;
        let key = TokenKey::new(&self, session, &private, public, pin);
        match key.mechanism().mechanism_type() {
            mechanism if has.contains(&mechanism) => Ok(key),
            mechanism => Err(TokenError::Mechanism { token, kind: key.kind(), mechanism: mechanism.to_string() }),
        }
    }

    fn login(&self, session: &Session, pin: Option<&RawAuthPin>) -> Result<(), TokenError> {
        let token = self.label().to_owned();
        let result = match pin {
            Some(pin) => session.login_with_raw(UserType::User, pin),
            None if self.wants_pin() => return Err(TokenError::NoPin { token }),
            None => session.login(UserType::User, None),
        };
        match result {
            // Another key of this process is in the same token.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::Locked { token }),
            Err(source) => Err(TokenError::Pin { token, source }),
        }
    }

    fn private_key(&self, session: &Session) -> Result<ObjectHandle, TokenError> {
        let class = Attribute::Class(ObjectClass::PRIVATE_KEY);
        let label = self.uri.object.as_ref().map(|label| Attribute::Label(label.as_bytes().to_vec()));
        let id = self.uri.id.clone().map(Attribute::Id);
        let wanted: Vec<Attribute> = [Some(class.clone()), label, id].into_iter().flatten().collect();
        let keys = session.find_objects(&wanted).map_err(|source| self.failed(source))?;
        let (token, uri) = (self.label().to_owned(), self.uri.to_string());
        match keys.as_slice() {
            [key] => Ok(*key),
            [] => {
                let all = session.find_objects(&[class]).map_err(|source| self.failed(source))?;
                let labels = all.into_iter().filter_map(|key| object::label(session, key).ok().flatten());
                Err(TokenError::NoKey { token, uri, found: labels.collect() })
            }
            keys => Err(TokenError::SeveralKeys { token, uri, count: keys.len() }),
        }
    }

    /// What the module refused, told of this key.
    pub(super) fn failed(&self, source: Error) -> TokenError {
        let subject = format!("{} in the token {}", self.uri, Escaped(self.label().as_bytes()));
        TokenError::Call { module: self.uri.module().to_owned(), subject, source }
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

fn is(uri: &Uri, slot: Slot, info: &TokenInfo) -> bool {
    let same = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    same(&uri.label, info.label())
        && same(&uri.serial, info.serial_number())
        && same(&uri.manufacturer, info.manufacturer_id())
        && same(&uri.model, info.model())
        && uri.slot.is_none_or(|wanted| wanted == slot.id())
}
