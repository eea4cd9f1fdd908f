//! Certificates over keys that live for minutes.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::json;
use serde::Serialize;
use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info};
use sigstore_verify::types::DerCertificate;
use zeroize::Zeroizing;

use super::MAX_ANSWER;
use super::error::AnswerError;
use super::token::Token;
use crate::certificates;
use crate::key::{self, KeyKind, PublicKey, Signer, SignerError};
use crate::object::Object;
use crate::verify::SignedBy;
use crate::wire;

/// Certificates above one that are read.
const MAX_CHAIN: usize = 16;

/// A certificate that says whose a key is, with those above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    leaf: Vec<u8>,
    chain: Vec<Vec<u8>>,
    signer: SignedBy,
    validity: RangeInclusive<i64>,
}

/// What a certificate authority is asked with: a body for `POST /api/v2/signingCert`. The key signs the name in the token, which
/// shows that it is at hand.
///
/// # Errors
/// As [`key::sign`].
pub fn certificate_request(token: &Token, signer: &dyn Signer) -> Result<Zeroizing<Vec<u8>>, SignerError> {
    let proof = key::sign(signer, token.subject().as_bytes())?;
    let algorithm = match signer.public_key().kind() {
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => "ECDSA",
        KeyKind::Rsa { .. } => "RSA_PSS",
        KeyKind::Ed25519 => "ED25519",
    };
    Ok(Zeroizing::new(wire::proto(&Request {
        credentials: Credentials { oidc_identity_token: token.reveal() },
        public_key_request: KeyRequest {
            public_key: Key { algorithm, content: signer.public_key().to_pem() },
            proof_of_possession: STANDARD.encode(proof),
        },
    })))
}

impl Certificate {
    /// Reads the answer to [`certificate_request`]: a certificate for this key, which names somebody and whoever vouches for
    /// the name. Its authority is not judged.
    ///
    /// # Errors
    /// [`AnswerError`]
    pub fn read(answer: &[u8], key: &PublicKey) -> Result<Self, AnswerError> {
        let value = json::parse(answer, MAX_ANSWER).map_err(AnswerError::Json)?;
        let answer = Object::of(&value, "the answer")?;
        if answer.get("signedCertificateDetachedSct").is_some() {
            return Err(AnswerError::Detached);
        }
        let embedded = answer.object("signedCertificateEmbeddedSct", "the certificate with its timestamp")?;
        let embedded = answer.require("signedCertificateEmbeddedSct", embedded)?;
        let chain = embedded.require("chain", embedded.object("chain", "the chain of certificates")?)?;
        let items = chain.list("certificates", MAX_CHAIN)?;
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            let text = item.as_str().ok_or_else(|| chain.wrong("certificates", "a list of texts"))?;
            all.extend(certificates::read(text.trim()).map_err(AnswerError::Certificate)?);
        }
        let mut all = all.into_iter();
        let leaf = all.next().ok_or_else(|| chain.missing("certificates"))?;
        Self::of(leaf, all.collect(), key)
    }

    fn of(leaf: Vec<u8>, chain: Vec<Vec<u8>>, key: &PublicKey) -> Result<Self, AnswerError> {
        let info = parse_certificate_info(&DerCertificate::new(leaf.clone()));
        let info = info.map_err(|error| AnswerError::Certificate(error.to_string()))?;
        if info.public_key.as_bytes() != key.spki() {
            return Err(AnswerError::OtherKey);
        }
        let validity = info.not_before.as_second()..=info.not_after.as_second();
        Ok(Self { leaf, chain, signer: named(&info)?, validity })
    }

    /// The certificate, as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.leaf
    }

    /// The certificate, as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        certificates::write(&self.leaf)
    }

    /// Those above it, as PEM, the lowest first.
    #[must_use]
    pub fn chain_to_pem(&self) -> String {
        self.chain.iter().map(|der| certificates::write(der)).collect()
    }

    /// Whom it names, and who vouches for the name. That is what it says, and nothing that was verified.
    #[must_use]
    pub fn signer(&self) -> &SignedBy {
        &self.signer
    }

    /// Whether it is valid at this time, in seconds since 1970.
    pub(super) fn is_valid_at(&self, time: u64) -> bool {
        i64::try_from(time).is_ok_and(|time| self.validity.contains(&time))
    }

    /// Whether this PEM is the certificate, however its lines are broken.
    pub(super) fn is_pem(&self, pem: &[u8]) -> bool {
        let found = std::str::from_utf8(pem).ok().and_then(|text| certificates::read(text).ok());
        found.is_some_and(|found| matches!(found.as_slice(), [one] if *one == self.leaf))
    }
}

fn named(info: &CertificateInfo) -> Result<SignedBy, AnswerError> {
    let subject = info.identity.as_ref().ok_or(AnswerError::Unnamed("whose it is"))?;
    let issuer = info.issuer.clone().ok_or(AnswerError::Unnamed("who vouches for the name"))?;
    Ok(SignedBy::Identity { subject: subject.as_str().to_owned(), issuer })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    credentials: Credentials<'a>,
    public_key_request: KeyRequest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    oidc_identity_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyRequest {
    public_key: Key,
    proof_of_possession: String,
}

#[derive(Serialize)]
struct Key {
    algorithm: &'static str,
    content: String,
}
