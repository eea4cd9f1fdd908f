//! Keys, and what signs with them.
//!
//! ```
//! use distil_signing::key::{PrivateKey, PublicKey, Signer};
//!
//! let key = PrivateKey::generate()?;
//! let file = key.seal(b"a password")?;
//! let public = PublicKey::from_pem(key.public_key().to_pem().as_bytes())?;
//!
//! let signature = PrivateKey::open(file.as_bytes(), b"a password")?.sign(b"what is signed")?;
//! public.verify(b"what is signed", &signature)?;
//! assert!(public.verify(b"something else", &signature).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | kinds of keys, and the scheme of a signature | [`KeyKind`], [`Scheme`] |
//! | keys that verify | [`PublicKey`] |
//! | keys that sign, imported, or sealed in the file that cosign writes | [`PrivateKey`], [`SealedKey`] |
//! | the joint for keys that live elsewhere | [`Signer`], [`sign`] |
//! | keys in tokens, with the feature `pkcs11` | `pkcs11` |
//!
//! A kind of key has one scheme that it signs with, and one or two that it verifies with:
//!
//! | key | signs | verifies |
//! |---|---|---|
//! | ECDSA P-256 | SHA-256 | SHA-256 |
//! | ECDSA P-384 | SHA-384 | SHA-384, SHA-256 |
//! | ECDSA P-521 | SHA-512 | SHA-512, SHA-256 |
//! | RSA 2048, 3072, 4096 | PKCS#1 v1.5, SHA-256 | PKCS#1 v1.5, SHA-256 |
//! | Ed25519 | pure | pure, pre-hashed |
//!
//! Signatures by ECDSA are in DER. With P-256, P-384, RSA and Ed25519 one key signs one message always the same way
//! ([RFC 6979] for ECDSA); with P-521 it does not.
//!
//! [RFC 6979]: https://www.rfc-editor.org/rfc/rfc6979

mod asn1;
mod error;
mod kind;
mod pem;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
mod private;
mod public;
mod sealed;
mod signer;

pub use error::{BadSignature, KeyError};
pub use kind::{KeyKind, Scheme};
pub use pem::MAX_PEM;
pub use private::{PrivateKey, SealedKey};
pub use public::PublicKey;
pub use signer::{Signer, SignerError, sign, sign_sha256};
