//! How to get out of what is wrong with keys.

use distil_pipeline::signing::{KeyError, KeyFileError, PasswordError};
#[cfg(feature = "pkcs11")]
use distil_pipeline::signing::{TokenError, UriError};

/// The labels of private keys, sealed by any version of cosign or in the clear, end so.
const PRIVATE: &str = "PRIVATE KEY";

pub(super) fn advice(error: &KeyFileError) -> Option<String> {
    let advice = match error {
        KeyFileError::Exists { .. } => "choose another --output-key-prefix, or replace both files with --force",
        KeyFileError::Password { source, .. } => match source {
            PasswordError::Missing => {
                "set COSIGN_PASSWORD, to nothing where the password is empty, or name a file with --password-file or an open \
                 descriptor with --password-fd"
            }
            PasswordError::Lines { .. } => "only the end of its one line is not part of the password",
            _ => return None,
        },
        KeyFileError::NoTokens => "build it with `--features pkcs11`, or name a file: ./pkcs11:… where it is called so",
        KeyFileError::NoFile => "write it to one: `distil key public --key URI > FILE`",
        KeyFileError::Pin { source: PasswordError::Missing, .. } => {
            "set COSIGN_PKCS11_PIN, or name a file with --password-file, or with pin-source=file:/PATH in the URI"
        }
        #[cfg(feature = "pkcs11")]
        KeyFileError::Uri { source } => return Some(uri_advice(source).to_owned()),
        #[cfg(feature = "pkcs11")]
        KeyFileError::Token(error) => token_advice(error)?,
        KeyFileError::Key { source, .. } => match source {
            KeyError::Password => {
                "the password is that of --password-file or --password-fd, or else that of COSIGN_PASSWORD, or else what is typed"
            }
            KeyError::NotSealed => "`distil key import` seals it under a password",
            KeyError::Sealed => "it can be used as it is",
            KeyError::Encrypted => "take its password away first: `openssl pkey -in KEY -out PLAIN`",
            KeyError::EcParameters => "leave that block out, as `openssl ecparam -genkey -noout` does",
            KeyError::Label { found, .. } if found.ends_with(PRIVATE) => "`distil key public` prints its public half",
            KeyError::Label { found, .. } if found == "PUBLIC KEY" => "that is the public half: name the private key",
            _ => return None,
        },
        _ => return None,
    };
    Some(advice.to_owned())
}

#[cfg(feature = "pkcs11")]
fn uri_advice(error: &UriError) -> &'static str {
    match error {
        UriError::Query => "a & or a ? in a PIN is written %26 or %3F",
        UriError::TwoPins => "leave one of them out",
        UriError::Repeated { .. } => "leave out all but one of them",
        UriError::Attribute { .. } => {
            "a token is named by token, serial, manufacturer, model or slot-id, a key by object or id; module-path, pin-source and \
             pin-value follow a ?"
        }
        _ => "write it as in pkcs11:token=release;object=2026?module-path=/usr/lib/softhsm/libsofthsm2.so",
    }
}

#[cfg(feature = "pkcs11")]
fn token_advice(error: &TokenError) -> Option<&'static str> {
    let advice = match error {
        TokenError::Module { .. } => "module-path is the library that came with the token, for this kind of machine",
        TokenError::NoToken { .. } => {
            "see whether it is plugged in, and whether the module is the one that belongs to it"
        }
        TokenError::SeveralTokens { .. } => "tell them apart with serial or slot-id",
        TokenError::Pin { .. } => {
            "the PIN is that of pin-source or pin-value, or else of --password-file or --password-fd, or else that of \
             COSIGN_PKCS11_PIN, or else what is typed; a token counts the wrong ones"
        }
        TokenError::Locked { .. } => "the security officer of the token gives it a new one",
        TokenError::SeveralKeys { .. } => "tell them apart with id: each byte as %XX",
        TokenError::NoPublicKey { .. } => {
            "write the public key, or a certificate for it, into the token under the id of the private key"
        }
        _ => return None,
    };
    Some(advice)
}
