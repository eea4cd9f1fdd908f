//! Timestamps of an authority: [RFC 3161].
//!
//! [RFC 3161]: https://www.rfc-editor.org/rfc/rfc3161

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode, Reader, SliceReader};
use sha2::{Digest as _, Sha256};

use super::error::AnswerError;

/// A `TimeStampReq` up to its digest: version 1, and a `MessageImprint` by SHA-256.
const BEGIN: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
    0x01, 0x05, 0x00, 0x04, 0x20,
];
/// What comes after the digest: `certReq` is true, since there are verifiers that do not have the certificate.
const END: [u8; 3] = [0x01, 0x01, 0xff];
/// `granted` and `grantedWithMods`.
const GRANTED: [u8; 2] = [0, 1];

/// What an authority is asked with for a timestamp over these bytes: a `TimeStampReq` over their SHA-256. It is sent as
/// `application/timestamp-query`.
#[must_use]
pub fn stamp_request(stamped: &[u8]) -> Vec<u8> {
    [&BEGIN, Sha256::digest(stamped).as_slice(), &END].concat()
}

/// Reads the answer to [`stamp_request`], a `TimeStampResp`: one with a timestamp in it. Neither the authority nor what it
/// stamped is judged, which takes a trusted root.
///
/// # Errors
/// [`AnswerError::NoStamp`]
pub fn read_stamp(answer: Vec<u8>) -> Result<Vec<u8>, AnswerError> {
    match is_granted(&answer) {
        Ok(true) => Ok(answer),
        Ok(false) => Err(AnswerError::NoStamp("the authority refuses it".to_owned())),
        Err(error) => Err(AnswerError::NoStamp(format!("the answer is none of RFC 3161: {error}"))),
    }
}

fn is_granted(answer: &[u8]) -> pkcs8::der::Result<bool> {
    let mut reader = SliceReader::new(answer)?;
    let granted = reader.sequence(|fields| {
        let status = fields.sequence(|status| {
            let code = u8::decode(status)?;
            while !status.is_finished() {
                AnyRef::decode(status)?;
            }
            Ok::<_, pkcs8::der::Error>(code)
        })?;
        let has_token = !fields.is_finished();
        while !fields.is_finished() {
            AnyRef::decode(fields)?;
        }
        Ok::<_, pkcs8::der::Error>(GRANTED.contains(&status) && has_token)
    })?;
    reader.finish()?;
    Ok(granted)
}
