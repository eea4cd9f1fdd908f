//! Keys that sign.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::elliptic_curve::Generate;
use pkcs8::der::Decode;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::{EncodePrivateKey, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::asn1::{self, Curve, EcPrivateKey};
use super::error::KeyError;
use super::kind::KeyKind;
use super::pem;
use super::public::PublicKey;
use super::sealed::{self, LABEL, OLD_LABEL, Sealed};
use super::signer::{Signer, SignerError};

#[cfg(test)]
mod tests;

/// A private key in this process. What holds it is overwritten when it is dropped, and its [`Debug`](fmt::Debug) shows
/// the kind alone.
pub struct PrivateKey {
    secret: Secret,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// A new key, ECDSA on P-256, from the random bytes of the system.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system gives none.
    pub fn generate() -> Result<Self, KeyError> {
        Self::p256(&p256::SecretKey::try_generate().map_err(|_| KeyError::Random)?)
    }

    /// Reads a key in the clear: one PEM block `EC PRIVATE KEY` ([RFC 5915]), `RSA PRIVATE KEY` ([RFC 8017]) or
    /// `PRIVATE KEY` ([RFC 5208]), of at most [`MAX_PEM`](super::MAX_PEM) bytes.
    ///
    /// # Errors
    /// [`KeyError`] for all but that, with a variant of its own for what people have: files that begin with
    /// `EC PARAMETERS`, encrypted and sealed keys, kinds, curves and sizes that are not supported.
    ///
    /// [RFC 5208]: https://www.rfc-editor.org/rfc/rfc5208
    /// [RFC 5915]: https://www.rfc-editor.org/rfc/rfc5915
    /// [RFC 8017]: https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2
    pub fn import(pem: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(pem)?;
        match block.label {
            "PRIVATE KEY" => Self::from_pkcs8(&block.bytes),
            "EC PRIVATE KEY" => {
                let key = EcPrivateKey::parse(&block.bytes)?;
                Self::ec(Curve::named(key.curve)?, &block.bytes, &key)
            }
            "RSA PRIVATE KEY" => Self::rsa(&block.bytes),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            LABEL | OLD_LABEL => Err(KeyError::Sealed),
            other => Err(KeyError::Label {
                found: other.to_owned(),
                expected: "PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY",
            }),
        }
    }

    /// Opens the file that cosign keeps a key in: one PEM block `ENCRYPTED SIGSTORE PRIVATE KEY`, or as cosign 1 named
    /// it `ENCRYPTED COSIGN PRIVATE KEY`. The empty password is a password.
    ///
    /// It takes 128 MiB at most, and about a tenth of a second: scrypt is made for that.
    ///
    /// # Errors
    /// [`KeyError::Password`] where the password is another or the file was changed, [`KeyError::NotSealed`] for keys in
    /// the clear, and more of [`KeyError`] for what cosign does not write.
    pub fn open(pem: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        SealedKey::read(pem)?.open(password)
    }

    /// Writes the file that cosign keeps a key in, as cosign 2 and 3 write it. With the same password it is another
    /// file each time.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system gives no random bytes.
    pub fn seal(&self, password: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        sealed::seal(&self.pkcs8, password)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let expected = KeyError::Encoding { expected: "PrivateKeyInfo" };
        let Ok(info) = PrivateKeyInfoRef::from_der(der) else { return Err(expected) };
        let key = info.private_key.as_bytes();
        match info.algorithm.oid {
            asn1::EC => {
                let curve = Curve::named(info.algorithm.parameters)?;
                let parsed = EcPrivateKey::parse(key)?;
                if parsed.curve.is_some() && parsed.curve != info.algorithm.parameters {
                    return Err(expected);
                }
                Self::ec(curve, key, &parsed)
            }
            asn1::RSA if info.algorithm == asn1::rsa_algorithm() => Self::rsa(key),
            asn1::ED25519 if info.algorithm == asn1::ed25519_algorithm() => {
                let public = info.public_key.map(|bits| bits.as_bytes().unwrap_or_default());
                Self::ed25519(key, public)
            }
            asn1::RSA | asn1::ED25519 => Err(KeyError::Encoding { expected: "AlgorithmIdentifier" }),
            other => Err(KeyError::Algorithm { oid: other.to_string() }),
        }
    }

    fn ec(curve: Curve, der: &[u8], key: &EcPrivateKey<'_>) -> Result<Self, KeyError> {
        let kind = curve.kind();
        let invalid = KeyError::Invalid { kind };
        let made = match curve {
            Curve::P256 => Self::p256(&p256::SecretKey::from_slice(key.scalar).map_err(|_| invalid)?)?,
            Curve::P384 => Self::p384(&p384::SecretKey::from_slice(key.scalar).map_err(|_| invalid)?)?,
            Curve::P521 => Self::p521(der)?,
        };
        let consistent = key.point.is_none_or(|point| made.public.has_point(point));
        if consistent { Ok(made) } else { Err(KeyError::Inconsistent { kind }) }
    }

    fn p256(key: &p256::SecretKey) -> Result<Self, KeyError> {
        let secret = p256::ecdsa::SigningKey::from(key);
        let point = secret.verifying_key().to_sec1_point(false);
        Self::on_curve(Curve::P256, Secret::P256(secret), key, point.as_bytes())
    }

    fn p384(key: &p384::SecretKey) -> Result<Self, KeyError> {
        let secret = p384::ecdsa::SigningKey::from(key);
        let point = secret.verifying_key().to_sec1_point(false);
        Self::on_curve(Curve::P384, Secret::P384(secret), key, point.as_bytes())
    }

    fn on_curve(curve: Curve, secret: Secret, key: &impl EncodePrivateKey, point: &[u8]) -> Result<Self, KeyError> {
        let document = key.to_pkcs8_der().map_err(|_| KeyError::Unwritable)?;
        let public = PublicKey::from_key(asn1::ec_algorithm(&curve.oid()), point)?;
        Ok(Self { secret, pkcs8: document.to_bytes(), public })
    }

    fn p521(der: &[u8]) -> Result<Self, KeyError> {
        let kind = KeyKind::P521;
        let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P521_SHA512_ASN1_SIGNING, der);
        let key = key.map_err(|_| KeyError::Invalid { kind })?;
        let document = key.to_pkcs8v1().map_err(|_| KeyError::Unwritable)?;
        let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
        let public = PublicKey::from_key(asn1::ec_algorithm(&Curve::P521.oid()), key.public_key().as_ref())?;
        Ok(Self { secret: Secret::P521(key), pkcs8, public })
    }

    fn rsa(der: &[u8]) -> Result<Self, KeyError> {
        // The size is looked at first: the key that is refused for it is still a key.
        let bits = asn1::rsa_private_bits(der)?;
        let kind = match bits {
            2048 => KeyKind::Rsa { bits: 2048 },
            3072 => KeyKind::Rsa { bits: 3072 },
            4096 => KeyKind::Rsa { bits: 4096 },
            bits => return Err(KeyError::RsaSize { bits }),
        };
        let key = RsaKeyPair::from_der(der).map_err(|_| KeyError::Invalid { kind })?;
        let public = PublicKey::from_key(asn1::rsa_algorithm(), key.public_key().as_ref())?;
        let pkcs8 = asn1::private_key_info(asn1::rsa_algorithm(), der)?;
        Ok(Self { secret: Secret::Rsa(key), pkcs8, public })
    }

    /// [RFC 8410], section 7: the seed lies in an octet string of its own.
    ///
    /// [RFC 8410]: https://www.rfc-editor.org/rfc/rfc8410#section-7
    fn ed25519(der: &[u8], point: Option<&[u8]>) -> Result<Self, KeyError> {
        let seed = <&OctetStringRef>::from_der(der).ok().and_then(|seed| seed.as_bytes().try_into().ok());
        let seed = seed.ok_or(KeyError::Encoding { expected: "CurvePrivateKey" })?;
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifying = key.verifying_key();
        if point.is_some_and(|point| point != verifying.as_bytes()) {
            return Err(KeyError::Inconsistent { kind: KeyKind::Ed25519 });
        }
        let public = PublicKey::from_key(asn1::ed25519_algorithm(), verifying.as_bytes())?;
        let pkcs8 = asn1::private_key_info(asn1::ed25519_algorithm(), der)?;
        Ok(Self { secret: Secret::Ed25519(key), pkcs8, public })
    }
}

/// A sealed key that was read and is still closed, so that nobody is asked for the password of what is none.
#[derive(Debug)]
pub struct SealedKey(Sealed);

impl SealedKey {
    /// Reads the file; it costs nothing yet.
    ///
    /// # Errors
    /// Those of [`PrivateKey::open`], but for the password.
    pub fn read(pem: &[u8]) -> Result<Self, KeyError> {
        Sealed::read(pem).map(Self)
    }

    /// Opens it, at the cost that [`PrivateKey::open`] tells.
    ///
    /// # Errors
    /// [`KeyError::Password`], and more of [`KeyError`] for what cosign does not write.
    pub fn open(&self, password: &[u8]) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_pkcs8(&self.0.open(password)?)
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = match &self.secret {
            Secret::P256(key) => {
                let signature: Option<p256::ecdsa::Signature> = key.try_sign(message).ok();
                signature.map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Secret::P384(key) => {
                let signature: Option<p384::ecdsa::Signature> = key.try_sign(message).ok();
                signature.map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Secret::P521(key) => {
                key.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
            }
            Secret::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let made = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
                made.ok().map(|()| signature)
            }
            Secret::Ed25519(key) => key.try_sign(message).ok().map(|signature| signature.to_vec()),
        };
        signature.ok_or(SignerError::Failed { kind: self.public.kind() })
    }

    fn sign_sha256(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, SignerError> {
        let signature = match &self.secret {
            Secret::P256(key) => {
                let signature: Option<p256::ecdsa::Signature> = key.sign_prehash(digest).ok();
                signature.map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Secret::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let digest = Digest::import_less_safe(digest, &SHA256);
                let made = digest.and_then(|digest| key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature));
                made.ok().map(|()| signature)
            }
            Secret::P384(_) | Secret::P521(_) | Secret::Ed25519(_) => return Ok(None),
        };
        signature.map(Some).ok_or(SignerError::Failed { kind: self.public.kind() })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("kind", &self.public.kind()).finish_non_exhaustive()
    }
}
