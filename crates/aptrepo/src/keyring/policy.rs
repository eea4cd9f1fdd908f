//! What a signature must be like before anything it says is believed. The library that does the arithmetic has no
//! opinion of its own: it verifies SHA-1 and keys of 512 bits alike.

use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{PacketHeader, Signature, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, PublicParams, Tag};

use super::fault::SignatureReason;
use crate::time::Timestamp;

/// Shortest RSA key that is accepted, in bits. Debian's are of 4096, those of others may have 2048.
const MIN_RSA: u16 = 2048;

/// Reads the content of a signature packet; `None` where it is none, or has bytes left over.
pub(super) fn read_signature(body: &[u8]) -> Option<Signature> {
    let header = PacketHeader::new_fixed(Tag::Signature, u32::try_from(body.len()).ok()?);
    let mut rest = body;
    let signature = Signature::try_from_reader(header, &mut rest).ok()?;
    rest.is_empty().then_some(signature)
}

/// The name of the hash where forging a second message with the same hash is within reach, or may be soon.
pub(super) fn weak_hash(signature: &Signature) -> Option<String> {
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => None,
        Some(HashAlgorithm::Sha1) => Some("SHA-1".to_owned()),
        Some(HashAlgorithm::Other(number)) => Some(format!("number {number}")),
        Some(other) => Some(other.to_string()),
        None => Some("none".to_owned()),
    }
}

/// Whether the signer demands that something is understood that is not understood here. Every notation is such a thing.
pub(super) fn demands_more(signature: &Signature) -> bool {
    let known = |data: &SubpacketData| {
        !matches!(
            data,
            SubpacketData::Notation(_)
                | SubpacketData::Experimental(..)
                | SubpacketData::Other(..)
                | SubpacketData::TrustSignature(..)
                | SubpacketData::RegularExpression(_)
                | SubpacketData::IntendedRecipientFingerprint(_)
                | SubpacketData::SignatureTarget(..)
        )
    };
    let config = signature.config();
    config.is_some_and(|config| config.hashed_subpackets().any(|part| part.is_critical && !known(&part.data)))
}

/// When a signature was made and until when it holds, as the signed part of it says.
pub(super) fn times(signature: &Signature) -> Option<(Timestamp, Option<Timestamp>)> {
    let made = i64::from(signature.created()?.as_secs());
    let lasts = signature.signature_expiration_time().map(|duration| i64::from(duration.as_secs()));
    // No duration and a duration of nothing both mean for ever.
    let until = lasts.filter(|seconds| *seconds > 0).map(|seconds| Timestamp::from_seconds(made + seconds));
    Some((Timestamp::from_seconds(made), until))
}

/// Refuses keys that are too weak, and such as cannot sign at all.
pub(super) fn check_key(key: &impl KeyDetails) -> Result<(), SignatureReason> {
    let weak = |bits| SignatureReason::WeakKey { algorithm: format!("{:?}", key.algorithm()), bits };
    match key.public_params() {
        PublicParams::RSA(params) if key.algorithm() != PublicKeyAlgorithm::RSAEncrypt => {
            // The modulus comes first, after its length in bits, which serialising states without leading zeros.
            let bytes = params.to_bytes().unwrap_or_default();
            let bits = bytes.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
            if bits < MIN_RSA { Err(weak(Some(bits))) } else { Ok(()) }
        }
        PublicParams::ECDSA(_) | PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) | PublicParams::Ed448(_) => {
            Ok(())
        }
        PublicParams::DSA(_) => Err(weak(None)),
        _ => Err(SignatureReason::MayNotSign),
    }
}
