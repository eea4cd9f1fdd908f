//! The text around keys, [RFC 7468].
//!
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pem_rfc7468::Decoder;
use zeroize::Zeroizing;

use super::error::KeyError;

#[cfg(test)]
mod tests;

/// Bytes of a file that is read as a key. The largest that is made, RSA of 4096 bits sealed, has less than 5000.
pub const MAX_PEM: usize = 16 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";

/// The one block of a file.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Reads the one block of a file. Text before it is allowed, as in the specification; after it there is only white space.
pub(super) fn read(file: &[u8]) -> Result<Block<'_>, KeyError> {
    if file.len() > MAX_PEM {
        return Err(KeyError::TooLarge { limit: MAX_PEM, found: file.len() });
    }
    let file = file.trim_ascii_end();
    let first = after(file, BEGIN).ok_or(KeyError::NoBlock)?;
    if first.starts_with(b"EC PARAMETERS-----") {
        return Err(KeyError::EcParameters);
    }
    if after(first, BEGIN).is_some() {
        return Err(KeyError::SeveralBlocks);
    }
    // What OpenSSL once wrote, RFC 1421: headers in the block, of which this one says what the rest is.
    if after(first, b"\nProc-Type: 4,ENCRYPTED").is_some() {
        return Err(KeyError::Encrypted);
    }
    let mut decoder = Decoder::new_detect_wrap(file).map_err(|_| KeyError::Pem)?;
    let mut bytes = Zeroizing::new(vec![0; decoder.remaining_len()]);
    decoder.decode(&mut bytes).map_err(|_| KeyError::Pem)?;
    if !decoder.is_finished() {
        return Err(KeyError::Pem);
    }
    Ok(Block { label: decoder.type_label(), bytes })
}

/// The block of these bytes: 64 columns, ended by a line feed.
pub(super) fn write(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, c) in STANDARD.encode(bytes).chars().enumerate() {
        if index > 0 && index % pem_rfc7468::BASE64_WRAP_WIDTH == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text + &format!("\n-----END {label}-----\n")
}

fn after<'a>(text: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(what.len()).position(|window| window == what)?;
    text.get(at + what.len()..)
}
