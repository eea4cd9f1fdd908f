//! A key that signs in its token.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::types::RawAuthPin;
use distil_imgcore::Escaped;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::der;
use super::error::TokenError;
use super::object::Object;
use super::token::Token;
use super::uri::Uri;
use crate::key::{KeyKind, PublicKey, Signer, SignerError};

/// A private key in a token, which never leaves it. Several threads take turns.
pub struct TokenKey {
    uri: Uri,
    token: String,
    session: Mutex<Session>,
    handle: ObjectHandle,
    public: PublicKey,
    /// Where the token wants it for each signature.
    login: Login,
}

enum Login {
    Once,
    Always(Option<RawAuthPin>),
}

impl TokenKey {
    pub(super) fn new(
        token: &Token,
        session: Session,
        private: &Object,
        public: PublicKey,
        pin: Option<RawAuthPin>,
    ) -> Self {
        Self {
            uri: token.uri().clone(),
            token: token.label().to_owned(),
            session: Mutex::new(session),
            handle: private.handle,
            public,
            login: if private.always_authenticate { Login::Always(pin) } else { Login::Once },
        }
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// How the token signs. One that wants its PIN in the middle hashes by itself: the call that takes the message in one
    /// piece has no middle.
    pub(super) fn mechanism(&self) -> Mechanism<'static> {
        match (self.kind(), &self.login) {
            (KeyKind::P256 | KeyKind::P384 | KeyKind::P521, Login::Once) => Mechanism::Ecdsa,
            (KeyKind::P256, Login::Always(_)) => Mechanism::EcdsaSha256,
            (KeyKind::P384, Login::Always(_)) => Mechanism::EcdsaSha384,
            (KeyKind::P521, Login::Always(_)) => Mechanism::EcdsaSha512,
            (KeyKind::Rsa { .. }, _) => Mechanism::Sha256RsaPkcs,
            (KeyKind::Ed25519, _) => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
        }
    }

    fn made(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mechanism = self.mechanism();
        let Login::Always(pin) = &self.login else {
            return match self.kind() {
                KeyKind::P256 => session.sign(&mechanism, self.handle, &Sha256::digest(message)),
                KeyKind::P384 => session.sign(&mechanism, self.handle, &Sha384::digest(message)),
                KeyKind::P521 => session.sign(&mechanism, self.handle, &Sha512::digest(message)),
                KeyKind::Rsa { .. } | KeyKind::Ed25519 => session.sign(&mechanism, self.handle, message),
            };
        };
        session.sign_init(&mechanism, self.handle)?;
        match pin {
            Some(pin) => session.login_with_raw(UserType::ContextSpecific, pin)?,
            None => session.login(UserType::ContextSpecific, None)?,
        }
        session.sign_update(message)?;
        session.sign_final()
    }
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let made = self.made(message).map_err(|source| {
            let subject = format!("{} in the token {}", self.uri, Escaped(self.token.as_bytes()));
            TokenError::Call { module: self.uri.module().to_owned(), subject, source }
        });
        let signature = made.map_err(|error| SignerError::Device(Box::new(error)))?;
        match self.kind() {
            // PKCS#11 writes the two numbers one after the other, both as long as the curve.
            kind @ (KeyKind::P256 | KeyKind::P384 | KeyKind::P521) => {
                der::ecdsa_signature(&signature).ok_or(SignerError::Unverified { kind })
            }
            KeyKind::Rsa { .. } | KeyKind::Ed25519 => Ok(signature),
        }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TokenKey");
        shown.field("uri", &self.uri).field("kind", &self.kind()).finish_non_exhaustive()
    }
}
