//! How to get a certificate after all.

use distil_pipeline::signing::{KeylessError, PasswordError, ServiceError};

use super::signing::trust_advice;

pub(super) fn advice(error: &KeylessError) -> Option<String> {
    let advice = match error {
        KeylessError::NotBuilt => "build it with `--features keyless`, or sign with a --key",
        KeylessError::Url { .. } => "name it as in https://fulcio.example.org",
        KeylessError::Offline { .. } => "leave --offline out, or sign with a --key",
        KeylessError::NoToken(PasswordError::Missing) => {
            "name the file with --identity-token, or set SIGSTORE_ID_TOKEN, as jobs of GitLab do with `id_tokens`"
        }
        KeylessError::NoToken(PasswordError::Lines { .. }) => "a token is one line",
        KeylessError::Token(_) => "it is the id_token of an OIDC provider, as the certificate authority accepts them",
        KeylessError::Expired(_) => "tokens live for minutes: get a new one, right before signing",
        KeylessError::Certificate(ServiceError::Status { status: 400..=403, .. }) => {
            "the token has to be for the audience of the authority, mostly `sigstore`, and from an issuer that it knows"
        }
        KeylessError::Trust(error) => return trust_advice(error),
        _ => return None,
    };
    Some(advice.to_owned())
}
