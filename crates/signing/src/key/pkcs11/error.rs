//! Why there is no key behind a URI.

use std::path::PathBuf;

use distil_imgcore::Escaped;

use crate::key::{KeyError, KeyKind};

/// Why a text names no key in a token. No variant holds the value of an attribute, which may be a PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// Another scheme.
    #[error("the URI does not start with pkcs11:")]
    Scheme,
    /// An attribute of the path that is not known, or one without a value.
    #[error("the URI has the attribute \"{}\", which is not supported", Escaped(.name.as_bytes()))]
    Attribute {
        /// Its name.
        name: String,
    },
    /// A query that is not one attribute with its value after the other, with `&` between them.
    #[error("what follows ? in the URI is not NAME=VALUE&NAME=VALUE")]
    Query,
    /// An attribute that is there more than once.
    #[error("the URI has {name} more than once")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// An attribute whose value cannot be one.
    #[error("the value of {name} in the URI is not {expected}")]
    Value {
        /// Its name.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An attribute that must be there.
    #[error("the URI has no {what}")]
    Missing {
        /// The attributes, of which one is enough.
        what: &'static str,
    },
    /// A PIN, and a file with one.
    #[error("the URI has pin-value and pin-source")]
    TwoPins,
}

/// Why a token gives no key. No variant holds a PIN.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No PKCS#11 module lies there, or it does not start.
    #[error("{} cannot be used as a PKCS#11 module", Escaped::path(.module))]
    Module {
        /// Where it lies.
        module: PathBuf,
        /// What the loader or the module says.
        source: cryptoki::error::Error,
    },
    /// The module refused something that it should have done.
    #[error("{} failed for {subject}", Escaped::path(.module))]
    Call {
        /// Where the module lies.
        module: PathBuf,
        /// What it was asked about: a token or a key.
        subject: String,
        /// What it says.
        source: cryptoki::error::Error,
    },
    /// No token is the one that the URI names.
    #[error("{} has no token {uri}; {}", Escaped::path(.module), listed("token", .found))]
    NoToken {
        /// Where the module lies.
        module: PathBuf,
        /// The path of the URI.
        uri: String,
        /// The labels of the tokens that it has.
        found: Vec<String>,
    },
    /// More than one token is.
    #[error("{} has {count} tokens {uri}", Escaped::path(.module))]
    SeveralTokens {
        /// Where the module lies.
        module: PathBuf,
        /// The path of the URI.
        uri: String,
        /// How many.
        count: usize,
    },
    /// The token shows its keys to those alone who have its PIN.
    #[error("the token {} wants its PIN", Escaped(.token.as_bytes()))]
    NoPin {
        /// Its label.
        token: String,
    },
    /// The token does not take the PIN.
    #[error("the token {} refuses the PIN", Escaped(.token.as_bytes()))]
    Pin {
        /// Its label.
        token: String,
        /// What it says.
        source: cryptoki::error::Error,
    },
    /// The token takes no PIN any more: too many were wrong.
    #[error("the PIN of the token {} is locked", Escaped(.token.as_bytes()))]
    Locked {
        /// Its label.
        token: String,
    },
    /// No private key in the token is the one that the URI names.
    #[error("the token {} has no private key {uri}; {}", Escaped(.token.as_bytes()), listed("private key", .found))]
    NoKey {
        /// The token's label.
        token: String,
        /// The path of the URI.
        uri: String,
        /// The labels of the private keys that it has.
        found: Vec<String>,
    },
    /// More than one private key is.
    #[error("the token {} has {count} private keys {uri}", Escaped(.token.as_bytes()))]
    SeveralKeys {
        /// The token's label.
        token: String,
        /// The path of the URI.
        uri: String,
        /// How many.
        count: usize,
    },
    /// The token has neither the public half nor a certificate with the `id` of the private key.
    #[error("the token {} has no public key and no certificate for the private key {uri}", Escaped(.token.as_bytes()))]
    NoPublicKey {
        /// The token's label.
        token: String,
        /// The path of the URI.
        uri: String,
    },
    /// The public half is no key that is used.
    #[error("the public half of {uri} in the token {}", Escaped(.token.as_bytes()))]
    Key {
        /// The token's label.
        token: String,
        /// The path of the URI.
        uri: String,
        /// Why.
        source: KeyError,
    },
    /// The token cannot sign as this kind of key does.
    #[error("the token {} has no {mechanism}, with which {kind} keys sign", Escaped(.token.as_bytes()))]
    Mechanism {
        /// The token's label.
        token: String,
        /// The kind of the key.
        kind: KeyKind,
        /// What is missing.
        mechanism: String,
    },
}

fn listed(what: &str, found: &[String]) -> String {
    match found {
        [] => format!("there is no {what}"),
        found => format!("there is {}", Escaped(found.join(", ").as_bytes())),
    }
}
