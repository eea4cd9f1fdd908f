//! What tokens hold: private keys, and the public keys and certificates that belong to them.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, CertificateType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::der;
use crate::key::asn1::{ed25519_algorithm, rsa_algorithm};
use crate::key::{KeyError, PublicKey};

/// A private key.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) handle: ObjectHandle,
    /// Whether the token wants its PIN for each signature.
    pub(super) always_authenticate: bool,
    id: Vec<u8>,
}

impl Object {
    pub(super) fn new(session: &Session, handle: ObjectHandle) -> Result<Self, Error> {
        let mut found = Self { handle, always_authenticate: false, id: Vec::new() };
        for attribute in session.get_attributes(handle, &[AttributeType::Id, AttributeType::AlwaysAuthenticate])? {
            match attribute {
                Attribute::Id(id) => found.id = id,
                Attribute::AlwaysAuthenticate(always) => found.always_authenticate = always,
                _ => {}
            }
        }
        Ok(found)
    }
}

pub(super) fn label(session: &Session, handle: ObjectHandle) -> Result<Option<String>, Error> {
    let attributes = session.get_attributes(handle, &[AttributeType::Label])?;
    Ok(attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::Label(label) => Some(String::from_utf8_lossy(&label).into_owned()),
        _ => None,
    }))
}

/// The public half of a private key: the public key with the same `CKA_ID`, or the one in the certificate with it, which is
/// how PKCS#11 wants them to be found ([version 3.1], section 4.7). Cards often hold a certificate alone.
///
/// [version 3.1]: https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/pkcs11-spec-v3.1.html
pub(super) fn public_key(session: &Session, private: &Object) -> Result<Option<Result<PublicKey, KeyError>>, Error> {
    let with_id = |class| [Attribute::Class(class), Attribute::Id(private.id.clone())];
    if let [key, ..] = session.find_objects(&with_id(ObjectClass::PUBLIC_KEY))?.as_slice() {
        return Ok(Some(from_attributes(&Attributes::of(session, *key)?)));
    }
    let [class, id] = with_id(ObjectClass::CERTIFICATE);
    let certificates = [class, id, Attribute::CertificateType(CertificateType::X_509)];
    let Some(certificate) = session.find_objects(&certificates)?.into_iter().next() else { return Ok(None) };
    let value = session.get_attributes(certificate, &[AttributeType::Value])?;
    Ok(value.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(der) => Some(der::certificate_key(&der).and_then(PublicKey::from_spki)),
        _ => None,
    }))
}

#[derive(Debug, Default)]
struct Attributes {
    key_type: Option<KeyType>,
    curve: Vec<u8>,
    point: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Attributes {
    fn of(session: &Session, key: ObjectHandle) -> Result<Self, Error> {
        let wanted = [
            AttributeType::KeyType,
            AttributeType::EcParams,
            AttributeType::EcPoint,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
        ];
        let mut found = Self::default();
        for attribute in session.get_attributes(key, &wanted)? {
            match attribute {
                Attribute::KeyType(key_type) => found.key_type = Some(key_type),
                Attribute::EcParams(curve) => found.curve = curve,
                Attribute::EcPoint(point) => found.point = point,
                Attribute::Modulus(modulus) => found.modulus = modulus,
                Attribute::PublicExponent(exponent) => found.exponent = exponent,
                _ => {}
            }
        }
        Ok(found)
    }
}

fn from_attributes(key: &Attributes) -> Result<PublicKey, KeyError> {
    match key.key_type {
        Some(KeyType::EC) => {
            let algorithm = der::ec_algorithm(&key.curve)?;
            PublicKey::from_key(algorithm, der::unwrapped(&key.point))
        }
        Some(KeyType::EC_EDWARDS) if der::is_edwards25519(&key.curve) => {
            PublicKey::from_key(ed25519_algorithm(), der::unwrapped(&key.point))
        }
        Some(KeyType::EC_EDWARDS) => Err(KeyError::Curve { oid: hex::encode(&key.curve) }),
        Some(KeyType::RSA) => PublicKey::from_key(rsa_algorithm(), &der::rsa_public_key(&key.modulus, &key.exponent)?),
        other => Err(KeyError::Algorithm { oid: other.map_or_else(String::new, |other| other.to_string()) }),
    }
}
