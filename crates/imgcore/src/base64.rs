//! The standard alphabet of [RFC 4648] with padding, for data inside descriptors. Small enough to be worth no crate.
//!
//! [RFC 4648]: https://www.rfc-editor.org/rfc/rfc4648#section-4

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// One text for each value: spaces, missing padding and unused bits that are set give `None`.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in chunk {
            let value = ALPHABET.iter().position(|a| a == digit)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let missing = 4 - chunk.len();
        let [_, bytes @ ..] = (bits << (6 * missing)).to_be_bytes();
        let (whole, rest) = bytes.split_at_checked(3 - missing)?;
        if rest.iter().any(|b| *b != 0) {
            return None;
        }
        out.extend_from_slice(whole);
    }
    Some(out)
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |bits, b| bits << 8 | usize::from(*b));
        for i in 0..4 {
            let digit = ALPHABET.get(bits >> (18 - 6 * i) & 63).copied().unwrap_or_default();
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_one_text_stands_for_each_value() {
        assert_eq!(decode("e30="), Some(b"{}".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        for bad in ["e30", "e31=", "e3==", "====", "e===", "e30=e30=", "e3 0", "e30=\n", "e_0="] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_decoded_is_encoded_as_it_was(text in "[A-Za-z0-9+/]{0,12}={0,3}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
