//! Keys that verify.

use std::fmt;

use aws_lc_rs::digest::SHA256;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA512_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Digest;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use pkcs8::der::Decode;
use pkcs8::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::asn1::{self, Curve};
use super::error::{BadSignature, KeyError};
use super::kind::{KeyKind, Scheme};
use super::pem::{self, MAX_PEM};

#[cfg(test)]
mod tests;

/// A key that verifies signatures. Two of them are equal if they are the same key: a key has one encoding, and any other
/// is refused when it is read, so that nobody counts as two by writing his key in two ways.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Vec<u8>,
    verifier: Verifier,
}

#[derive(Clone)]
enum Verifier {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521 { sha512: ParsedPublicKey, sha256: ParsedPublicKey },
    Rsa(ParsedPublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Reads a file of one PEM block, `PUBLIC KEY` ([RFC 7468], section 13) or `RSA PUBLIC KEY` (PKCS#1), of at most
    /// [`MAX_PEM`] bytes.
    ///
    /// # Errors
    /// [`KeyError`] for all but that, for the kinds of keys that [`KeyKind`] lacks, and as [`PublicKey::from_spki`].
    ///
    /// [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468#section-13
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(pem)?;
        match block.label {
            "PUBLIC KEY" => Self::from_spki(&block.bytes),
            "RSA PUBLIC KEY" => Self::from_key(asn1::rsa_algorithm(), &block.bytes),
            other => Err(KeyError::Label { found: other.to_owned(), expected: "PUBLIC KEY or RSA PUBLIC KEY" }),
        }
    }

    /// Reads a `SubjectPublicKeyInfo` in DER ([RFC 5280], section 4.1.2.7): named curves and uncompressed points only,
    /// of RSA sizes those that cosign has.
    ///
    /// # Errors
    /// [`KeyError`] for all but that, also for a key that exists but has no meaning: a point off the curve, or of small
    /// order, under which everybody signs.
    ///
    /// [RFC 5280]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_PEM {
            return Err(KeyError::TooLarge { limit: MAX_PEM, found: der.len() });
        }
        let expected = KeyError::Encoding { expected: "SubjectPublicKeyInfo" };
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Err(expected) };
        let Some(key) = info.subject_public_key.as_bytes() else { return Err(expected) };
        Self::from_key(info.algorithm, key)
    }

    /// The key that an algorithm and the bits of a `SubjectPublicKeyInfo` are.
    pub(super) fn from_key(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Self, KeyError> {
        let (kind, verifier) = match algorithm.oid {
            asn1::EC => {
                let curve = Curve::named(algorithm.parameters)?;
                (curve.kind(), ec(curve, key)?)
            }
            asn1::RSA if algorithm == asn1::rsa_algorithm() => rsa(key)?,
            asn1::ED25519 if algorithm == asn1::ed25519_algorithm() => (KeyKind::Ed25519, ed25519(key)?),
            asn1::RSA | asn1::ED25519 => return Err(KeyError::Encoding { expected: "AlgorithmIdentifier" }),
            other => return Err(KeyError::Algorithm { oid: other.to_string() }),
        };
        // All of it was read in the one encoding that it has, so this is what was read.
        Ok(Self { kind, spki: asn1::public_key_info(algorithm, key)?, verifier })
    }

    /// Whether this is the point of the key, compressed or not: private keys are found with both.
    pub(super) fn has_point(&self, point: &[u8]) -> bool {
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(&self.spki) else { return false };
        let own = info.subject_public_key.raw_bytes();
        let (Some((form, x)), Some((&4, numbers))) = (point.split_first(), own.split_first()) else { return false };
        let (Some(own_x), Some(last)) = (numbers.get(..x.len()), numbers.last()) else { return false };
        point == own || (x.len() * 2 == numbers.len() && *form == 2 + last % 2 && x == own_x)
    }

    /// The key as cosign writes it: one block `PUBLIC KEY`, 64 columns, ended by a line feed.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.spki)
    }

    /// The `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`: who counts keys counts these.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// The fingerprint in base64, as a sigstore bundle names the key that it was signed with.
    #[must_use]
    pub fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.spki))
    }

    /// Verifies a signature over a message, and says how it was made. What each kind of key accepts stands in the
    /// [module's documentation](super); ECDSA signatures must be in DER, in the one encoding that they have there.
    ///
    /// # Errors
    /// [`BadSignature`]: not in the form of this kind of key, or not by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Scheme, BadSignature> {
        let form = BadSignature::Form { kind: self.kind };
        let good = match &self.verifier {
            Verifier::P256(_) | Verifier::Rsa(_) => {
                return self.verify_sha256(&Sha256::digest(message).into(), signature);
            }
            Verifier::P384(key) => {
                let parsed = p384::ecdsa::Signature::from_der(signature).map_err(|_| form)?;
                if key.verify_prehash(&Sha384::digest(message), &parsed).is_err() {
                    return self.verify_sha256(&Sha256::digest(message).into(), signature);
                }
                Some(Scheme::EcdsaP384Sha384)
            }
            Verifier::P521 { sha512, .. } => {
                if !asn1::is_ecdsa_signature(signature) {
                    return Err(form);
                }
                if sha512.verify_sig(message, signature).is_err() {
                    return self.verify_sha256(&Sha256::digest(message).into(), signature);
                }
                Some(Scheme::EcdsaP521Sha512)
            }
            Verifier::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| form)?;
                if key.verify_strict(message, &signature).is_ok() {
                    Some(Scheme::Ed25519)
                } else {
                    let message = Sha512::new().chain_update(message);
                    let good = key.verify_prehashed_strict(message, None, &signature).is_ok();
                    good.then_some(Scheme::Ed25519ph)
                }
            }
        };
        good.ok_or(BadSignature::Mismatch { kind: self.kind })
    }

    /// Verifies a signature over a message of which the SHA-256 is at hand: with the schemes over that, which Ed25519 has none
    /// of.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_sha256(&self, digest: &[u8; 32], signature: &[u8]) -> Result<Scheme, BadSignature> {
        let form = BadSignature::Form { kind: self.kind };
        let by_library = |key: &ParsedPublicKey| {
            let digest = aws_lc_rs::digest::Digest::import_less_safe(digest, &SHA256);
            digest.is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok())
        };
        let good = match &self.verifier {
            Verifier::P256(key) => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| form)?;
                key.verify_prehash(digest, &signature).is_ok().then_some(Scheme::EcdsaP256Sha256)
            }
            Verifier::P384(key) => {
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| form)?;
                key.verify_prehash(digest, &signature).is_ok().then_some(Scheme::EcdsaP384Sha256)
            }
            Verifier::P521 { sha256, .. } => {
                if !asn1::is_ecdsa_signature(signature) {
                    return Err(form);
                }
                by_library(sha256).then_some(Scheme::EcdsaP521Sha256)
            }
            Verifier::Rsa(key) => {
                let KeyKind::Rsa { bits } = self.kind else { return Err(form) };
                if signature.len() != usize::from(bits) / 8 {
                    return Err(form);
                }
                by_library(key).then_some(Scheme::RsaPkcs1Sha256)
            }
            Verifier::Ed25519(_) => None,
        };
        good.ok_or(BadSignature::Mismatch { kind: self.kind })
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kind", &self.kind)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

fn ec(curve: Curve, point: &[u8]) -> Result<Verifier, KeyError> {
    // The other forms hold half of the point, or say twice which half it is (SEC 1, section 2.3.3).
    if point.first() != Some(&4) {
        return Err(KeyError::Encoding { expected: "an uncompressed point" });
    }
    let invalid = KeyError::Invalid { kind: curve.kind() };
    let verifier = match curve {
        Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Verifier::P256),
        Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Verifier::P384),
        Curve::P521 => parsed(&ECDSA_P521_SHA512_ASN1, point)
            .zip(parsed(&ECDSA_P521_SHA256_ASN1, point))
            .map(|(sha512, sha256)| Verifier::P521 { sha512, sha256 }),
    };
    verifier.ok_or(invalid)
}

fn rsa(key: &[u8]) -> Result<(KeyKind, Verifier), KeyError> {
    let bits = match asn1::rsa_bits(key)? {
        2048 => 2048,
        3072 => 3072,
        4096 => 4096,
        bits => return Err(KeyError::RsaSize { bits }),
    };
    let kind = KeyKind::Rsa { bits };
    let verifier = parsed(&RSA_PKCS1_2048_8192_SHA256, key).map(Verifier::Rsa);
    Ok((kind, verifier.ok_or(KeyError::Invalid { kind })?))
}

fn ed25519(key: &[u8]) -> Result<Verifier, KeyError> {
    let bytes = key.try_into().map_err(|_| KeyError::Encoding { expected: "an Ed25519 public key" })?;
    let invalid = KeyError::Invalid { kind: KeyKind::Ed25519 };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(bytes) else { return Err(invalid) };
    // A coordinate may be written as itself or, if it is small, with the field's prime added.
    if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
        return Err(invalid);
    }
    Ok(Verifier::Ed25519(key))
}

fn parsed(algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, key).ok()
}
