//! What servers say about their refusals.
//!
//! The [distribution specification] gives registries a form, `{"errors": [{"code", "message", "detail"}]}`; token servers
//! have others. What is none of these, such as a page of a proxy, is left out.
//!
//! [distribution specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes

use distil_net::Response;
use serde_json::Value;

use crate::error::{RegistryError, Said};

/// Bytes of an answer that are read.
pub(super) const MAX_WORDS: u64 = 64 << 10;
/// Characters that are shown.
const MAX_SHOWN: usize = 400;

/// Reads the words behind a status. That they cannot be read changes nothing about the refusal.
pub(super) fn said(answer: Response) -> Said {
    answer.bytes(MAX_WORDS).map_or_else(|_| Said::default(), |bytes| parse(&bytes))
}

/// Who refuses, and to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusing<'a> {
    /// The repository.
    pub(super) place: &'a str,
    /// The registry or its token server.
    pub(super) server: &'a str,
    /// Whether there is a login.
    pub(super) login: bool,
}

/// The error that a status stands for.
pub(super) fn refused(refusing: Refusing<'_>, what: &str, answer: Response) -> RegistryError {
    let (place, what, status) = (refusing.place.to_owned(), what.to_owned(), answer.status());
    let retry_after = answer.retry_after();
    let said = said(answer);
    match status {
        401 | 403 => RegistryError::Denied { place, server: refusing.server.to_owned(), login: refusing.login, said },
        404 => RegistryError::Missing { place, what, said },
        _ => RegistryError::Refused { place, what, status, said, retry_after },
    }
}

fn parse(bytes: &[u8]) -> Said {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return Said::default() };
    let first = document.get("errors").and_then(|errors| errors.get(0)).unwrap_or(&document);
    let text = |keys: &[&str]| {
        let text = keys.iter().find_map(|key| first.get(key)?.as_str())?.trim();
        (!text.is_empty()).then(|| text.chars().take(MAX_SHOWN).collect())
    };
    Said { code: text(&["code", "error"]), message: text(&["message", "error_description", "details"]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_error_is_shown_escaped_and_cut() {
        let (long, cut) = ("a".repeat(1000), "a".repeat(MAX_SHOWN));
        let cases = [
            (
                r#"{"errors":[{"code":"DENIED","message":"no\u001b[31m","detail":{"x":1}},{"code":"B"}]}"#,
                r": no\x1b[31m",
            ),
            (r#"{"errors":[{"code":"DENIED","message":" "}]}"#, ": DENIED"),
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, ": expired"),
            (r#"{"details":"incorrect username or password"}"#, ": incorrect username or password"),
            (r#"{"errors":[]}"#, ""),
            (r#"{"errors":[{"message":5}]}"#, ""),
            ("[1]", ""),
            ("<html>", ""),
            ("", ""),
            (&format!(r#"{{"message":"{long}"}}"#), &format!(": {cut}")),
        ];
        for (body, expected) in cases {
            assert_eq!(parse(body.as_bytes()).to_string(), expected, "{body}");
        }
        assert_eq!(parse(br#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#).code(), Some("NAME_UNKNOWN"));
    }

    proptest! {
        #[test]
        fn no_words_steer_a_terminal(message in "\\PC{0,20}[\\x00-\\x1f\u{80}-\u{9f}\u{202e}]\\PC{0,20}") {
            let body = serde_json::json!({"errors": [{"message": message}]}).to_string();
            let shown = parse(body.as_bytes()).to_string();
            prop_assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
        }
    }
}
