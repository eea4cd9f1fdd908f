//! Who somebody is, as an OIDC provider says it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use distil_imgcore::json;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::TokenError;

/// Bytes of a token.
const MAX_TOKEN: usize = 64 << 10;

/// An identity token of [OpenID Connect]: a signed JSON Web Token. Whether its signature is good, and whether it is meant for
/// him, the certificate authority judges; here it is read for the name that has to be signed.
///
/// Whoever has it can get certificates in that name, so it is shown nowhere and overwritten when it is dropped.
///
/// [OpenID Connect]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
pub struct Token {
    text: Zeroizing<String>,
    subject: String,
    expires: Option<i64>,
}

impl Token {
    /// Reads a token. Space around it is passed over.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn parse(text: &[u8]) -> Result<Self, TokenError> {
        let text = std::str::from_utf8(text.trim_ascii()).map_err(|_| TokenError::Form)?;
        let mut parts = text.split('.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Form);
        };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map(Zeroizing::new).map_err(|_| TokenError::Form);
        if text.len() > MAX_TOKEN || decoded(head)?.is_empty() || decoded(signature)?.is_empty() {
            return Err(TokenError::Form);
        }
        let claims = json::parse(&decoded(claims)?, MAX_TOKEN).map_err(|_| TokenError::Form)?;
        let claims = claims.as_object().ok_or(TokenError::Form)?;
        let named = |claim: &str| claims.get(claim).and_then(Value::as_str).filter(|name| !name.is_empty());
        let subject = match (named("email"), named("sub")) {
            // Some providers write it as a text.
            (Some(_), _) if !claims.get("email_verified").is_some_and(|found| *found == true || *found == "true") => {
                return Err(TokenError::Unverified);
            }
            (Some(name), _) | (None, Some(name)) => name.to_owned(),
            (None, None) => return Err(TokenError::Nobody),
        };
        Ok(Self { text: Zeroizing::new(text.to_owned()), subject, expires: claims.get("exp").and_then(Value::as_i64) })
    }

    /// The name that the certificate authority wants to have signed: the address, or else the subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Until when it is valid, in seconds since 1970, where it says so.
    #[must_use]
    pub fn expires(&self) -> Option<i64> {
        self.expires
    }

    /// The token itself.
    pub(super) fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}
