//! Variables with a value that is a secret: in the environment, in labels, in files of variables.

use super::credentials::{has_login, is_value};
use super::secrets::in_text;

/// What makes a value a secret, in words that do not give it away.
pub(crate) fn secret(name: &str, value: &str) -> Option<String> {
    if let Some(seen) = in_text(value) {
        return Some(seen);
    }
    if has_login(value) {
        return Some("a URL with a password".to_owned());
    }
    (names_secret(name) && is_value(value) && is_long(value))
        .then(|| format!("a value of {} characters", value.chars().count()))
}

/// Whether a name says that its value is a secret: whole words, so that KEYCLOAK and `TOKENIZER` do not, and neither do public
/// keys, fingerprints, and where something is.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let has = |word: &str| words.contains(&word);
    let pair = |one: &str, two: &str| words.windows(2).any(|pair| pair == [one, two]);
    let is_elsewhere = words.last().is_some_and(|word| NEUTRAL.contains(word));
    let is_public = has("gpg") || has("public") || has("pub") || has("fingerprint") || has("keyring");
    let is_secret =
        ["password", "passwd", "pass", "pwd", "secret", "token", "apikey", "passphrase", "credential", "credentials"]
            .iter()
            .any(|word| has(word))
            || pair("api", "key")
            || pair("access", "key")
            || pair("private", "key")
            || pair("secret", "key")
            || pair("signing", "key")
            || pair("encryption", "key");
    // `PWD` alone is the directory one is in.
    is_secret && !is_elsewhere && !is_public && name != "pwd" && name != "oldpwd"
}

/// Last words of names of what is about a secret, and none.
const NEUTRAL: &[&str] = &[
    "algorithm",
    "audience",
    "backend",
    "dir",
    "enabled",
    "endpoint",
    "engine",
    "expiry",
    "file",
    "fingerprint",
    "header",
    "host",
    "id",
    "issuer",
    "length",
    "lifetime",
    "manager",
    "name",
    "path",
    "policy",
    "prefix",
    "provider",
    "required",
    "store",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
];

/// Whether a value can be a secret at all: not a number, a word for yes or no, or a path.
fn is_long(value: &str) -> bool {
    value.chars().count() >= 4 && !value.starts_with('/') && !value.bytes().all(|b| b.is_ascii_digit())
}
