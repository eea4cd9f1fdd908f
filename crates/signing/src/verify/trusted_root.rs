//! Whom certificates, logs and timestamps are trusted from.

use std::fmt;
use std::sync::Arc;

use distil_imgcore::json::{self, JsonError};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::trust_root::{CertificateAuthority, TrustedRoot as Parsed};
use sigstore_verify::tsa::verify_timestamp_for_authority;
use sigstore_verify::types::{SignatureBytes, TimestampToken};
use sigstore_verify::{Error, Verifier};

use super::trail::told;

/// Bytes of a trusted root: certificates and keys of a few services.
const MAX_ROOT: usize = 1 << 20;

/// How the media type of every version starts.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// A [trusted root]: certificate authorities, transparency logs and timestamp authorities, each with the time in which it
/// counts. All keys and certificates in it were read.
///
/// [trusted root]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
#[derive(Clone)]
pub struct TrustedRoot {
    parsed: Arc<Parsed>,
    verifier: Arc<Verifier>,
}

/// Why bytes are no trusted root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedRootError {
    /// Not JSON with one meaning.
    #[error("the trusted root is not JSON with one meaning")]
    Json(#[from] JsonError),
    /// Another document.
    #[error("{0:?} is not the media type of a trusted root")]
    MediaType(String),
    /// Not of the form that the specification gives.
    #[error("the trusted root is not of the form that the specification gives")]
    Form(#[source] sigstore_trust_root::Error),
    /// A key or certificate in it cannot be used.
    #[error("the trusted root names what cannot be used")]
    Unusable(#[source] Error),
}

impl TrustedRoot {
    /// Reads the JSON of a trusted root.
    ///
    /// # Errors
    /// [`TrustedRootError`]: one key or certificate that cannot be used is enough.
    pub fn from_json(text: &[u8]) -> Result<Self, TrustedRootError> {
        json::check(text, MAX_ROOT)?;
        let parsed = Parsed::from_json(&String::from_utf8_lossy(text)).map_err(TrustedRootError::Form)?;
        if !parsed.media_type.starts_with(MEDIA_TYPE) {
            return Err(TrustedRootError::MediaType(parsed.media_type));
        }
        let verifier = Verifier::new(&parsed).map_err(TrustedRootError::Unusable)?;
        Ok(Self { parsed: Arc::new(parsed), verifier: Arc::new(verifier) })
    }

    /// That of the public instance of Sigstore, as it was when this program was built. Keys of its services change; whoever
    /// can asks its TUF repository for the present one.
    ///
    /// # Errors
    /// [`TrustedRootError`]; a test shows that there are none.
    pub fn public_good() -> Result<Self, TrustedRootError> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// That of the staging instance of Sigstore, where anybody may try things out: for sigstore's client protocol, which asks for
    /// it by name.
    ///
    /// # Errors
    /// [`TrustedRootError`]; a test shows that there are none.
    pub fn staging() -> Result<Self, TrustedRootError> {
        Self::from_json(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes())
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A verifier that trusts only authorities whose certificates, up to the root, were all valid at these times (seconds
    /// since 1970). Nothing where that is all of them.
    ///
    /// The verifier of the crate takes each certificate of a trusted root for an anchor, and an anchor has no end: an
    /// intermediate that had expired would still vouch for what it signed (CVE-2026-24122 in cosign).
    pub(super) fn valid_at(&self, times: &[i64]) -> Result<Option<Verifier>, String> {
        let valid = |authority: &CertificateAuthority| {
            authority.cert_chain.certificates.iter().all(|certificate| {
                parse_certificate_info(&certificate.raw_bytes).is_ok_and(|info| {
                    let validity = info.not_before.as_second()..=info.not_after.as_second();
                    times.iter().all(|time| validity.contains(time))
                })
            })
        };
        if self.parsed.certificate_authorities.iter().all(valid) {
            return Ok(None);
        }
        let mut rest = Parsed::clone(&self.parsed);
        rest.certificate_authorities.retain(valid);
        Verifier::new(&rest).map(Some).map_err(|error| told(&error))
    }

    /// The time in an RFC 3161 timestamp over these bytes, in seconds since 1970.
    pub(super) fn stamped(&self, token: &[u8], signed: &[u8]) -> Result<i64, String> {
        let token = TimestampToken::from_bytes(token);
        let signed = SignatureBytes::from_bytes(signed);
        let mut why = "the trusted root names no timestamp authority".to_owned();
        for authority in self.parsed.tsa_authorities() {
            match verify_timestamp_for_authority(&token, &signed, &authority) {
                Ok(time) => return Ok(time.as_second()),
                Err(error) => why = told(&error),
            }
        }
        Err(why)
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedRoot")
            .field("authorities", &self.parsed.certificate_authorities.len())
            .field("logs", &self.parsed.tlogs.len())
            .field("timestamp_authorities", &self.parsed.timestamp_authorities.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_root_can_be_used() {
        assert!(TrustedRoot::staging().is_ok());
        let root = TrustedRoot::public_good().unwrap();
        // 2024: every authority of it is still valid, so nothing is taken away.
        assert!(root.valid_at(&[1_704_067_200]).unwrap().is_none());
        // 2060: none is.
        assert!(root.valid_at(&[2_840_140_800]).unwrap().is_some());
    }

    #[test]
    fn what_is_no_trusted_root_is_refused() {
        let check = |text: &str| TrustedRoot::from_json(text.as_bytes()).unwrap_err();
        assert!(matches!(check("{"), TrustedRootError::Json(_)));
        assert!(matches!(check(r#"{"mediaType":"a","mediaType":"a"}"#), TrustedRootError::Json(_)));
        assert!(matches!(check(r#"{"mediaType":"application/x"}"#), TrustedRootError::MediaType(_)));
        assert!(matches!(check(r#"{"tlogs":1}"#), TrustedRootError::Form(_)));
        let empty = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
        assert!(TrustedRoot::from_json(empty.as_bytes()).unwrap().stamped(b"", b"").is_err());
    }
}
