//! Names of contents.

use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a content. Written as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentKey([u8; 32]);

/// Text that is not 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the 64 hexadecimal digits of a SHA-256")]
#[non_exhaustive]
pub struct ContentKeyError;

impl ContentKey {
    /// The key with these bytes.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for ContentKey {
    type Err = ContentKeyError;

    fn from_str(text: &str) -> Result<Self, ContentKeyError> {
        let digit = |b: u8| match b {
            b'0'..=b'9' => Ok(b - b'0'),
            b'a'..=b'f' => Ok(b - b'a' + 10),
            _ => Err(ContentKeyError),
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| ContentKeyError)?;
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_key() {
        let text = "00ff0123456789abcdef".repeat(4).split_off(16);
        let key: ContentKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        for bad in [text.to_uppercase(), text.replace('f', "g"), format!("{text}0"), String::new(), "é".repeat(32)] {
            assert_eq!(bad.parse::<ContentKey>(), Err(ContentKeyError), "{bad}");
        }
    }
}
