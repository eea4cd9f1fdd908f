//! The structures that keys are written in.

use pkcs8::der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef, UintRef};
use pkcs8::der::{Decode, Encode, Reader, SliceReader, Tag, TagMode, TagNumber};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::error::KeyError;
use super::kind::KeyKind;

/// `id-ecPublicKey`, [RFC 5480](https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1).
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `rsaEncryption`, [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1).
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-Ed25519`, [RFC 8410](https://www.rfc-editor.org/rfc/rfc8410#section-3).
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The curves of [`KeyKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn of(oid: ObjectIdentifier) -> Result<Self, KeyError> {
        match oid {
            P256 => Ok(Self::P256),
            P384 => Ok(Self::P384),
            P521 => Ok(Self::P521),
            other => Err(KeyError::Curve { oid: other.to_string() }),
        }
    }

    /// The curve that `ECParameters` name. Parameters that spell a curve out are refused: that a curve is
    /// the one it looks like was once believed of its base point alone (CVE-2020-0601).
    pub(super) fn named(parameters: Option<AnyRef<'_>>) -> Result<Self, KeyError> {
        let parameters = parameters.ok_or(KeyError::Encoding { expected: "a named curve" })?;
        let oid = ObjectIdentifier::try_from(parameters);
        Self::of(oid.map_err(|_| KeyError::Encoding { expected: "a named curve" })?)
    }

    pub(super) fn kind(self) -> KeyKind {
        match self {
            Self::P256 => KeyKind::P256,
            Self::P384 => KeyKind::P384,
            Self::P521 => KeyKind::P521,
        }
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => P256,
            Self::P384 => P384,
            Self::P521 => P521,
        }
    }
}

/// `ECPrivateKey`, [RFC 5915](https://www.rfc-editor.org/rfc/rfc5915#section-3).
pub(super) struct EcPrivateKey<'a> {
    pub(super) scalar: &'a [u8],
    /// `ECParameters`, to be found out by [`Curve::named`].
    pub(super) curve: Option<AnyRef<'a>>,
    pub(super) point: Option<&'a [u8]>,
}

impl<'a> EcPrivateKey<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, KeyError> {
        whole(der, |reader| {
            reader.sequence(|fields| {
                if u8::decode(fields)? != 1 {
                    return Err(Tag::Integer.value_error().into());
                }
                let scalar = <&OctetStringRef>::decode(fields)?.as_bytes();
                let curve = ContextSpecific::<AnyRef<'_>>::decode_explicit(fields, TagNumber(0))?;
                let point: Option<BitStringRef<'_>> = fields.context_specific(TagNumber(1), TagMode::Explicit)?;
                let point =
                    point.map(|bits| bits.as_bytes().ok_or_else(|| Tag::BitString.value_error())).transpose()?;
                Ok(Self { scalar, curve: curve.map(|field| field.value), point })
            })
        })
        .ok_or(KeyError::Encoding { expected: "ECPrivateKey" })
    }
}

/// The bits of the modulus in an `RSAPublicKey`, [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1). The
/// two numbers are there in their one encoding, and nothing else.
pub(super) fn rsa_bits(public_key: &[u8]) -> Result<usize, KeyError> {
    let numbers =
        whole(public_key, |reader| reader.sequence(|fields| Ok((UintRef::decode(fields)?, UintRef::decode(fields)?))));
    let (modulus, _) = numbers.ok_or(KeyError::Encoding { expected: "RSAPublicKey" })?;
    Ok(bits(&modulus))
}

/// The bits of the modulus in an `RSAPrivateKey`, [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2).
/// What follows it is for those who use it.
pub(super) fn rsa_private_bits(private_key: &[u8]) -> Result<usize, KeyError> {
    let modulus = whole(private_key, |reader| {
        reader.sequence(|fields| {
            let (_version, modulus) = (u8::decode(fields)?, UintRef::decode(fields)?);
            fields.read_slice(fields.remaining_len())?;
            Ok(modulus)
        })
    });
    Ok(bits(&modulus.ok_or(KeyError::Encoding { expected: "RSAPrivateKey" })?))
}

/// Whether a signature is an `ECDSA-Sig-Value` in its one encoding,
/// [RFC 5480](https://www.rfc-editor.org/rfc/rfc5480#appendix-A).
pub(super) fn is_ecdsa_signature(signature: &[u8]) -> bool {
    whole(signature, |reader| reader.sequence(|fields| Ok((UintRef::decode(fields)?, UintRef::decode(fields)?))))
        .is_some()
}

/// `SubjectPublicKeyInfo`, [RFC 5280](https://www.rfc-editor.org/rfc/rfc5280#section-4.1).
pub(super) fn public_key_info(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Vec<u8>, KeyError> {
    let written = BitStringRef::from_bytes(key)
        .and_then(|subject_public_key| SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der());
    written.map_err(|_| KeyError::Encoding { expected: "SubjectPublicKeyInfo" })
}

/// `PrivateKeyInfo` of the first version, [RFC 5208](https://www.rfc-editor.org/rfc/rfc5208#section-5), which is the one
/// that Go writes.
pub(super) fn private_key_info(
    algorithm: AlgorithmIdentifierRef<'_>,
    key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let written = OctetStringRef::new(key).and_then(|key| PrivateKeyInfoRef::new(algorithm, key).to_der());
    written.map(Zeroizing::new).map_err(|_| KeyError::Encoding { expected: "PrivateKeyInfo" })
}

pub(super) fn ec_algorithm(curve: &ObjectIdentifier) -> AlgorithmIdentifierRef<'_> {
    AlgorithmIdentifierRef { oid: EC, parameters: Some(curve.into()) }
}

pub(super) fn rsa_algorithm() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) }
}

pub(super) fn ed25519_algorithm() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef { oid: ED25519, parameters: None }
}

fn bits(number: &UintRef<'_>) -> usize {
    let zeros = number.as_bytes().first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.as_bytes().len() * 8 - zeros
}

/// What `read` finds, if it is all that is there.
pub(super) fn whole<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> pkcs8::der::Result<T>,
) -> Option<T> {
    let mut reader = SliceReader::new(der).ok()?;
    let value = read(&mut reader).ok()?;
    reader.finish().ok()?;
    Some(value)
}
