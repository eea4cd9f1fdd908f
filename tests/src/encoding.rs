//! Base64, which credentials and tokens are written in, and the escapes of URLs.

const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding, RFC 4648, section 4.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            let used = digit <= group.len();
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(if used { char::from(PLAIN[index as usize]) } else { '=' });
        }
    }
    text
}

/// For URLs and without padding, RFC 4648, section 5.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The bytes behind the standard alphabet, with padding or without; none where it is wrong.
#[must_use]
pub fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            bits = bits << 6 | u32::try_from(PLAIN.iter().position(|plain| plain == digit)?).ok()?;
        }
        let padded = (bits << (6 * (4 - group.len()))).to_be_bytes();
        bytes.extend(padded.get(1..group.len())?);
    }
    Some(bytes)
}

/// Two digits for each byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The text behind the escapes of a URL; none where they are wrong.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard() {
        for (plain, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), expected);
            assert_eq!(base64_decoded(expected).unwrap(), plain.as_bytes());
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!((base64_decoded("a$"), hex(&[0, 0xfe])), (None, "00fe".to_owned()));
    }
}
