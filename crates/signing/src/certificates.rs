//! The text around certificates, [RFC 7468].
//!
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468

use pem_rfc7468::LineEnding;

/// The certificates of a PEM text, which holds nothing else, as DER.
pub(crate) fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(END).ok_or("what should be a certificate is not PEM")? + END.len();
        let (block, after) = rest.split_at(end);
        let (label, der) = pem_rfc7468::decode_vec(block.as_bytes())
            .map_err(|error| format!("the certificate is not PEM: {error}"))?;
        if label != "CERTIFICATE" {
            return Err(format!("{label:?} is no certificate"));
        }
        found.push(der);
        rest = after.trim_start_matches(['\r', '\n']);
    }
    Ok(found)
}

/// One certificate as a block of 64 columns, ended by a line feed.
pub(crate) fn write(der: &[u8]) -> String {
    pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, der).expect("every certificate fits into memory as text")
}
