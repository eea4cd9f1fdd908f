//! Keys in tokens behind [PKCS#11]: named by a URI ([RFC 7512]), reached through the module that comes with the token.
//!
//! ```no_run
//! use distil_signing::key::pkcs11::{Token, Uri};
//! use distil_signing::key::{Signer, sign};
//!
//! let uri: Uri = "pkcs11:token=release;object=2026?module-path=/usr/lib/softhsm/libsofthsm2.so".parse()?;
//! let token = Token::find(&uri)?;
//! let pin = token.wants_pin().then_some(b"1234".as_slice());
//! let key = token.key(pin)?;
//! let signature = sign(&key, b"what is signed")?;
//! key.public_key().verify(b"what is signed", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A module is code of its maker that runs in this process. It is loaded once, and stays until the process ends: some of
//! them have threads of their own, which outlive all that they were loaded for.
//!
//! Keys are ECDSA on P-256, P-384 and P-521, RSA of 2048, 3072 and 4096 bits, and Ed25519 where the module has it. The
//! message goes to the token whole, but for ECDSA, which gets its hash.
//!
//! [PKCS#11]: https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/pkcs11-spec-v3.1.html
//! [RFC 7512]: https://www.rfc-editor.org/rfc/rfc7512

mod der;
mod error;
mod key;
mod module;
mod object;
mod token;
mod uri;

pub use error::{TokenError, UriError};
pub use key::TokenKey;
pub use token::Token;
pub use uri::{Pin, Uri};
