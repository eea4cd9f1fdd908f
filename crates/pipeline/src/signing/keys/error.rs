//! Why a key cannot be used, or was not written.

use std::io;
use std::path::{Path, PathBuf};

use distil_imgcore::Escaped;
use distil_signing::key::KeyError;
#[cfg(feature = "pkcs11")]
use distil_signing::key::pkcs11::{TokenError, UriError};

/// Why a key cannot be used, or was not written. No variant holds anything of a private key or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot read the key {}", Escaped::path(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What the file holds is no key that can be used, or opened with the password; or no key could be made for it.
    #[error("cannot use the key {}", Escaped::path(.path))]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// There is no password.
    #[error("no password for the key {}", Escaped::path(.path))]
    Password {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: PasswordError,
    },
    /// The key is in a token, and this library was built without the feature `pkcs11`.
    #[error("the key is in a token, and this program was built without PKCS#11")]
    NoTokens,
    /// A private key in a token, where the file of a public key is wanted.
    #[error("the key to verify with is in a token, and a file is wanted")]
    NoFile,
    /// The URI names no key.
    #[cfg(feature = "pkcs11")]
    #[error("cannot read the URI of the key")]
    Uri {
        /// Why not.
        source: UriError,
    },
    /// There is no PIN.
    #[error("no PIN for the token {}", Escaped(.token.as_bytes()))]
    Pin {
        /// The token's label.
        token: String,
        /// Why not.
        source: PasswordError,
    },
    /// The token gives no key.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Token(Box<TokenError>),
    /// A file that would have to go for the key, and nobody said so.
    #[error("{} is there already", Escaped::path(.path))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Nobody gave one, and there is nobody to be asked.
    #[error("none is given, and there is no terminal to ask at")]
    Missing,
    /// Where it is said to be cannot be read.
    #[error("cannot read it from {}", Escaped(.from.as_bytes()))]
    Read {
        /// The place.
        from: String,
        /// What the system said.
        source: io::Error,
    },
    /// More than one line, so that nobody can tell whether all of it is meant.
    #[error("{} has more than one line", Escaped(.from.as_bytes()))]
    Lines {
        /// The place.
        from: String,
    },
    /// Longer than any password.
    #[error("{} has more than {limit} bytes", Escaped(.from.as_bytes()))]
    TooLong {
        /// The place.
        from: String,
        /// The limit.
        limit: usize,
    },
    /// The two that were typed.
    #[error("the two are not the same")]
    Different,
    /// Whoever was asked wants to stop.
    #[error("interrupted")]
    Interrupted,
}

impl KeyFileError {
    pub(super) fn key(path: &Path, source: KeyError) -> Self {
        Self::Key { path: path.to_owned(), source }
    }

    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Key { source, .. } => !matches!(source, KeyError::Random | KeyError::Unwritable),
            Self::Password { source, .. } | Self::Pin { source, .. } => {
                !matches!(source, PasswordError::Read { .. } | PasswordError::Interrupted)
            }
            Self::Exists { .. } | Self::NoTokens | Self::NoFile => true,
            #[cfg(feature = "pkcs11")]
            Self::Uri { .. } => true,
            #[cfg(feature = "pkcs11")]
            Self::Token(source) => {
                !matches!(**source, TokenError::Module { .. } | TokenError::Call { .. } | TokenError::Locked { .. })
            }
            Self::Read { .. } | Self::Write { .. } => false,
        }
    }

    /// Whether it was stopped by whoever was asked for a password or a PIN.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        let (Self::Password { source, .. } | Self::Pin { source, .. }) = self else { return false };
        matches!(source, PasswordError::Interrupted)
    }
}
