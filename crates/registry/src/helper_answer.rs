//! What a credential helper says: the answer of `docker-credential-NAME get` ([protocol]).
//!
//! [protocol]: https://github.com/docker/docker-credential-helpers#development

use distil_imgcore::Escaped;
use serde::Deserialize;

use crate::keychain::{Login, Secret};

/// What a helper says that has no login for a server. It also fails then, as it does for any other reason.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The name of users who have a token that is to be exchanged.
const TOKEN_USER: &str = "<token>";
/// Characters of a helper's own words that are shown.
const MAX_SHOWN: usize = 400;

/// Why the answer of a helper is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelperFault {
    /// It ended with a failure.
    #[error("it failed: {}", Escaped(.said.as_bytes()))]
    Failed {
        /// What it said in place of an answer, 400 characters at most.
        said: String,
    },
    /// Not a JSON object with a name and a secret.
    #[error("its answer is not a name and a secret in JSON")]
    Shape,
}

/// Reads what a helper wrote to its standard output, of which the caller has read no more than makes sense: some KiB.
/// `succeeded` is whether it ended without a failure. There is no login where it knows none for the server.
///
/// # Errors
/// [`HelperFault`], in which nothing is a secret.
pub fn read_helper_answer(succeeded: bool, output: &[u8]) -> Result<Option<Login>, HelperFault> {
    if !succeeded {
        let said = String::from_utf8_lossy(output);
        let said = said.trim();
        let none = said == NOT_FOUND;
        return if none { Ok(None) } else { Err(HelperFault::Failed { said: said.chars().take(MAX_SHOWN).collect() }) };
    }
    // The parser's own message could quote the secret.
    let answer: Answer = serde_json::from_slice(output).map_err(|_| HelperFault::Shape)?;
    let Answer { user, secret } = answer;
    match (user.as_str(), secret.reveal()) {
        ("", "") => Ok(None),
        ("", _) | (_, "") => Err(HelperFault::Shape),
        (TOKEN_USER, _) => Ok(Some(Login::Identity(secret))),
        (user, _) if user.contains(':') => Err(HelperFault::Shape),
        _ => Ok(Some(Login::Password { user, password: secret })),
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: Secret,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn helpers_answer_with_a_login_or_that_they_have_none() {
        let read = |text: &str| read_helper_answer(true, text.as_bytes());
        let secret = || Secret::new("s".to_owned());
        let password = Login::Password { user: "u".to_owned(), password: secret() };
        assert_eq!(read(r#"{"ServerURL":"https://a.example","Username":"u","Secret":"s"}"#), Ok(Some(password)));
        assert_eq!(read(r#"{"Username":"<token>","Secret":"s"}"#), Ok(Some(Login::Identity(secret()))));
        assert_eq!(read(r#"{"Username":"","Secret":""}"#), Ok(None));
        for text in [
            "",
            "{}",
            "[]",
            r#"{"Username":"u"}"#,
            r#"{"Username":"u","Secret":""}"#,
            r#"{"Username":"a:b","Secret":"s"}"#,
        ] {
            assert_eq!(read(text), Err(HelperFault::Shape), "{text}");
        }
        assert_eq!(read_helper_answer(false, b"credentials not found in native keychain\n"), Ok(None));
        let locked = read_helper_answer(false, b"\x1b[31mthe keychain is locked\n").unwrap_err();
        assert_eq!(locked.to_string(), r"it failed: \x1b[31mthe keychain is locked");
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(succeeded: bool, output in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read_helper_answer(succeeded, &output);
        }
    }
}
