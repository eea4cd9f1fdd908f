//! Keys in tokens, where this library was built with the feature `pkcs11`.

use std::path::Path;

use distil_signing::key::Signer;
#[cfg(feature = "pkcs11")]
use distil_signing::key::pkcs11::{Pin, Token, Uri};

use super::{KeyFileError, Passwords};

/// Whether this is the URI of a key in a token ([RFC 7512]). A file of such a name is `./pkcs11:…`.
///
/// [RFC 7512]: https://www.rfc-editor.org/rfc/rfc7512
pub(super) fn is_named(key: &Path) -> bool {
    key.as_os_str().as_encoded_bytes().starts_with(b"pkcs11:")
}

#[cfg(feature = "pkcs11")]
pub(super) fn open(key: &Path, passwords: &dyn Passwords) -> Result<Box<dyn Signer>, KeyFileError> {
    // A URI is ASCII, and refused where it is anything else.
    let uri: Uri = key.to_string_lossy().parse().map_err(|source| KeyFileError::Uri { source })?;
    let failed = |source| KeyFileError::Token(Box::new(source));
    let token = Token::find(&uri).map_err(failed)?;
    let pin = match uri.pin() {
        Some(Pin::Value(pin)) => Some(Ok(pin.clone())),
        Some(Pin::File(path)) => Some(super::read_password(path, &path.to_string_lossy())),
        None => token.wants_pin().then(|| passwords.pin(token.label())),
    };
    let pin = pin.transpose().map_err(|source| KeyFileError::Pin { token: token.label().to_owned(), source })?;
    let key = token.key(pin.as_ref().map(|pin| pin.as_slice())).map_err(failed)?;
    Ok(Box::new(key))
}

#[cfg(not(feature = "pkcs11"))]
pub(super) fn open(_key: &Path, _passwords: &dyn Passwords) -> Result<Box<dyn Signer>, KeyFileError> {
    Err(KeyFileError::NoTokens)
}
