//! The structures in which tokens have keys, and signatures are wanted from them.

use pkcs8::der::asn1::{AnyRef, ContextSpecific, OctetStringRef, PrintableStringRef, UintRef};
use pkcs8::der::{Decode, Encode, Reader, Tag, TagNumber};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use crate::key::KeyError;
use crate::key::asn1::{EC, ED25519, whole};

/// The algorithm of a curve as `ECParameters` in DER name it.
pub(super) fn ec_algorithm(parameters: &[u8]) -> Result<AlgorithmIdentifierRef<'_>, KeyError> {
    let parameters = AnyRef::from_der(parameters).map_err(|_| KeyError::Encoding { expected: "ECParameters" })?;
    Ok(AlgorithmIdentifierRef { oid: EC, parameters: Some(parameters) })
}

/// Whether these are the `ECParameters` of Ed25519 in PKCS#11, which allows the name of the curve and the object identifier
/// of the key ([version 3.1], section 6.3.3).
///
/// [version 3.1]: https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/pkcs11-spec-v3.1.html
pub(super) fn is_edwards25519(parameters: &[u8]) -> bool {
    let Ok(parameters) = AnyRef::from_der(parameters) else { return false };
    let named = PrintableStringRef::try_from(parameters).is_ok_and(|name| name.as_str() == "edwards25519");
    named || ObjectIdentifier::try_from(parameters).is_ok_and(|oid| oid == ED25519)
}

/// The bytes of a point, which lie in an octet string in PKCS#11; some modules leave that out.
pub(super) fn unwrapped(point: &[u8]) -> &[u8] {
    <&OctetStringRef>::from_der(point).map_or(point, OctetStringRef::as_bytes)
}

/// `RSAPublicKey`, [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1), of two numbers in big endian.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, KeyError> {
    two_numbers(modulus, exponent).ok_or(KeyError::Encoding { expected: "RSAPublicKey" })
}

/// `ECDSA-Sig-Value`, [RFC 5480](https://www.rfc-editor.org/rfc/rfc5480#appendix-A), of two numbers that lie side by side
/// and are equally long.
pub(super) fn ecdsa_signature(numbers: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = numbers.split_at_checked(numbers.len() / 2)?;
    if r.len() == s.len() { two_numbers(r, s) } else { None }
}

/// The `SubjectPublicKeyInfo` of a certificate, [RFC 5280](https://www.rfc-editor.org/rfc/rfc5280#section-4.1). Nothing
/// else of it is looked at: who holds the private key is asked, and not who vouches for it.
pub(super) fn certificate_key(certificate: &[u8]) -> Result<&[u8], KeyError> {
    let key = whole(certificate, |reader| {
        reader.sequence(|fields| {
            let key = fields.sequence(|body| {
                ContextSpecific::<AnyRef<'_>>::decode_explicit(body, TagNumber(0))?;
                for _serial_signature_issuer_validity_subject in 0..5 {
                    AnyRef::decode(body)?;
                }
                let key = body.tlv_bytes()?;
                body.read_slice(body.remaining_len())?;
                Ok::<_, pkcs8::der::Error>(key)
            })?;
            fields.read_slice(fields.remaining_len())?;
            Ok(key)
        })
    });
    key.ok_or(KeyError::Encoding { expected: "Certificate" })
}

/// A sequence of two numbers, given in big endian.
fn two_numbers(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let mut numbers = UintRef::new(first).ok()?.to_der().ok()?;
    numbers.extend(UintRef::new(second).ok()?.to_der().ok()?);
    AnyRef::new(Tag::Sequence, &numbers).ok()?.to_der().ok()
}
