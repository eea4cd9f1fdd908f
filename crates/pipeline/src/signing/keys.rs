//! Keys in files: made, imported, opened, told.

mod error;
mod line;
mod token;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use distil_signing::key::{KeyError, MAX_PEM, PrivateKey, PublicKey, SealedKey, Signer};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

pub use error::{KeyFileError, PasswordError};
pub use line::read_password;

use crate::whole_file::Staged;

#[cfg(test)]
mod tests;

/// Knows the passwords of keys, or asks somebody.
pub trait Passwords: fmt::Debug {
    /// The password of a sealed key, asked for once when the key is opened. The empty one is a password.
    ///
    /// # Errors
    /// [`PasswordError`] where there is none to be had; the key stays closed then.
    fn password(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError>;

    /// The password that a new key is to have. Whoever types it does so twice.
    ///
    /// # Errors
    /// [`PasswordError`] where there is none to be had; no file is written then.
    fn new_password(&self, file: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError>;

    /// The PIN of the token with this label, asked for once when a key in it is opened.
    ///
    /// # Errors
    /// [`PasswordError`] where there is none to be had; the key stays closed then.
    fn pin(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError>;
}

/// Where a pair of keys is written, and under which password.
#[derive(Debug)]
pub struct KeyPairRequest<'a> {
    /// What the names of both files begin with: `PREFIX.key` and `PREFIX.pub`.
    pub prefix: &'a Path,
    /// Whether files that are there may go.
    pub replace: bool,
    /// Asked for the new password once.
    pub passwords: &'a dyn Passwords,
}

/// A pair of keys that was written.
#[derive(Debug)]
pub struct KeyPair {
    /// The file with the sealed private key, for its owner alone.
    pub private_key: PathBuf,
    /// The file with the public key, for everybody.
    pub public_key: PathBuf,
    /// The public key.
    pub key: PublicKey,
}

/// The JSON document of `key generate`, `key import` and `key public`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct KeyDocument {
    /// `distil.key/v1`.
    pub schema: String,
    /// The file of the private key, where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// The file of the public key, where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// What kind of key it is: `ECDSA P-256`.
    pub kind: String,
    /// `sha256:` and the SHA-256 of the public key's `SubjectPublicKeyInfo`, by which reports of verification name it.
    pub fingerprint: String,
    /// The public key as PEM.
    pub pem: String,
}

/// Makes a key, ECDSA on P-256, and writes it as cosign does: sealed under a password, beside its public half.
///
/// # Errors
/// [`KeyFileError::Exists`] before anybody is asked for a password, and more of [`KeyFileError`]. Unless an error of the disk
/// comes between the two names, either both files are new or none is.
pub fn generate_key(request: &KeyPairRequest<'_>) -> Result<KeyPair, KeyFileError> {
    let names = Names::new(request)?;
    let key = PrivateKey::generate().map_err(|source| names.unusable(source))?;
    names.write(&key, request)
}

/// Reads a private key in the clear, as OpenSSL and others write it, and writes it as [`generate_key`] does. The file that is
/// read stays as it is.
///
/// # Errors
/// As [`generate_key`], and [`KeyFileError::Key`] for a file that is no such key: see [`PrivateKey::import`].
pub fn import_key(pem: &Path, request: &KeyPairRequest<'_>) -> Result<KeyPair, KeyFileError> {
    let names = Names::new(request)?;
    let key = PrivateKey::import(&read(pem)?).map_err(|source| KeyFileError::key(pem, source))?;
    names.write(&key, request)
}

/// Opens the file that [`generate_key`] or cosign sealed a private key in. What begins with `pkcs11:` is the URI of a key in
/// a token, where this library was built with the feature of that name.
///
/// A file takes 128 MiB and about a tenth of a second, which is what scrypt is for.
///
/// # Errors
/// [`KeyFileError`]. A file that is no sealed key is told before anybody is asked for a password, and so is a token that is
/// not there.
pub fn open_key(key: &Path, passwords: &dyn Passwords) -> Result<Box<dyn Signer>, KeyFileError> {
    if token::is_named(key) {
        return token::open(key, passwords);
    }
    Ok(Box::new(open(&read(key)?, key, passwords)?))
}

/// Reads a public key: PEM, `PUBLIC KEY` or `RSA PUBLIC KEY`.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_public_key(file: &Path) -> Result<PublicKey, KeyFileError> {
    read_public_key_in(Path::new(""), file)
}

/// The same of a file that is named from a directory.
pub(super) fn read_public_key_in(dir: &Path, file: &Path) -> Result<PublicKey, KeyFileError> {
    if token::is_named(file) {
        return Err(KeyFileError::NoFile);
    }
    let file = dir.join(file);
    PublicKey::from_pem(&read(&file)?).map_err(|source| KeyFileError::key(&file, source))
}

/// The public key that a file holds, or that belongs to the sealed private key that it holds, or to the one in a token.
///
/// # Errors
/// As [`open_key`].
pub fn public_key(file: &Path, passwords: &dyn Passwords) -> Result<PublicKey, KeyFileError> {
    if token::is_named(file) {
        return Ok(token::open(file, passwords)?.public_key().clone());
    }
    let pem = read(file)?;
    match PublicKey::from_pem(&pem) {
        Ok(key) => Ok(key),
        // Another block than that of a public key.
        Err(KeyError::Label { .. }) => Ok(open(&pem, file, passwords)?.public_key().clone()),
        Err(source) => Err(KeyFileError::key(file, source)),
    }
}

impl KeyDocument {
    /// The document about a pair of keys that was written.
    #[must_use]
    pub fn of_pair(pair: &KeyPair) -> Self {
        let shown = |path: &Path| Some(path.to_string_lossy().into_owned());
        Self { private_key: shown(&pair.private_key), public_key: shown(&pair.public_key), ..Self::of_key(&pair.key) }
    }

    /// The document about a public key.
    #[must_use]
    pub fn of_key(key: &PublicKey) -> Self {
        Self {
            schema: "distil.key/v1".to_owned(),
            private_key: None,
            public_key: None,
            kind: key.kind().to_string(),
            fingerprint: key.fingerprint().to_string(),
            pem: key.to_pem(),
        }
    }
}

fn open(pem: &[u8], file: &Path, passwords: &dyn Passwords) -> Result<PrivateKey, KeyFileError> {
    let sealed = SealedKey::read(pem).map_err(|source| KeyFileError::key(file, source))?;
    let password = passwords.password(file);
    let password = password.map_err(|source| KeyFileError::Password { path: file.to_owned(), source })?;
    sealed.open(&password).map_err(|source| KeyFileError::key(file, source))
}

/// Reads a file as far as a key can go. A pipe will do: password managers give keys through one.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // As much as is read, so that no piece of a key stays where the bytes grew out of.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PEM + 1));
    let found = File::open(path).and_then(|file| file.take(MAX_PEM as u64 + 1).read_to_end(&mut bytes));
    found.map_err(|source| KeyFileError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// The two files of a pair.
struct Names {
    private: PathBuf,
    public: PathBuf,
}

impl Names {
    fn new(request: &KeyPairRequest<'_>) -> Result<Self, KeyFileError> {
        let with = |suffix: &str| {
            let mut name = OsString::from(request.prefix);
            name.push(suffix);
            PathBuf::from(name)
        };
        let names = Self { private: with(".key"), public: with(".pub") };
        let taken = [&names.private, &names.public].into_iter().find(|path| fs::symlink_metadata(path).is_ok());
        match taken {
            Some(path) if !request.replace => Err(KeyFileError::Exists { path: path.clone() }),
            _ => Ok(names),
        }
    }

    fn write(self, key: &PrivateKey, request: &KeyPairRequest<'_>) -> Result<KeyPair, KeyFileError> {
        let Self { private, public } = &self;
        let password = request.passwords.new_password(private);
        let password = password.map_err(|source| KeyFileError::Password { path: private.clone(), source })?;
        let sealed = key.seal(&password).map_err(|source| self.unusable(source))?;
        let pem = key.public_key().to_pem();
        let staged = |path, content: &str, mode| {
            Staged::write(path, &mut content.as_bytes(), mode).map_err(|source| unwritten(path, source))
        };
        let secret = staged(private, &sealed, 0o600)?;
        let open = staged(public, &pem, 0o644)?;
        if request.replace {
            secret.replace().map_err(|source| unwritten(private, source))?;
            open.replace().map_err(|source| unwritten(public, source))?;
        } else {
            secret.create().map_err(|source| unwritten(private, source))?;
            open.create().map_err(|source| {
                // It was made just now, and half of a pair is none.
                let _ = fs::remove_file(private);
                unwritten(public, source)
            })?;
        }
        Ok(KeyPair { key: key.public_key().clone(), private_key: self.private, public_key: self.public })
    }

    fn unusable(&self, source: KeyError) -> KeyFileError {
        KeyFileError::key(&self.private, source)
    }
}

fn unwritten(path: &Path, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path },
        _ => KeyFileError::Write { path, source },
    }
}
