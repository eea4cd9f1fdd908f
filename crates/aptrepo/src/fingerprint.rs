//! Names of keys.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::Escaped;

/// The fingerprint of an OpenPGP key: 20 bytes for version 4, 32 for version 6. Written in upper case; read in any case,
/// with the spaces that people put between groups and with `0x` before it. A key id (8 bytes) is not accepted: anyone can
/// make a key with a given id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Value);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    V4([u8; 20]),
    V6([u8; 32]),
}

/// Which key may sign: a fingerprint, as `Signed-By` names it. That of a certificate's primary key stands for all of its
/// signing subkeys too, unless a `!` follows it: then only the very key itself is meant. That of a subkey means that
/// subkey alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPin {
    /// The key.
    pub fingerprint: Fingerprint,
    /// Whether the subkeys of a primary key are left out.
    pub exact: bool,
}

/// Text that is not the fingerprint of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a fingerprint of 40 or 64 hexadecimal digits", Escaped(.text.as_bytes()))]
pub struct FingerprintError {
    /// The text, at most its first 128 characters.
    pub text: String,
}

impl Fingerprint {
    /// From the bytes of a fingerprint; `None` for other lengths than 20 and 32.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let v4 = || bytes.try_into().ok().map(Value::V4);
        let v6 = || bytes.try_into().ok().map(Value::V6);
        v4().or_else(v6).map(Self)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Value::V4(bytes) => bytes,
            Value::V6(bytes) => bytes,
        }
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let trimmed = text.trim_matches(' ');
        let digits = trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X")).unwrap_or(trimmed);
        let bad = || FingerprintError { text: text.chars().take(128).collect() };
        let nibbles = digits.bytes().filter(|b| *b != b' ').map(|b| char::from(b).to_digit(16));
        // The longest has 64 digits; one more is enough to know that there are too many.
        let nibbles: Vec<u32> = nibbles.take(65).collect::<Option<_>>().ok_or_else(bad)?;
        let pair =
            |pair: &[u32]| u8::try_from(pair.iter().fold(0, |value, digit| value << 4 | digit)).unwrap_or_default();
        let bytes: Vec<u8> = nibbles.chunks(2).map(pair).collect();
        Self::from_bytes(&bytes).filter(|_| nibbles.len().is_multiple_of(2)).ok_or_else(bad)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl From<Fingerprint> for KeyPin {
    fn from(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, exact: false }
    }
}

impl FromStr for KeyPin {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (digits, exact) = text.strip_suffix('!').map_or((text, false), |digits| (digits, true));
        Ok(Self { fingerprint: digits.parse()?, exact })
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.fingerprint, if self.exact { "!" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fingerprints_are_written_in_many_ways() {
        let written = "53A65CBF74459B82B76F60D2DF691D7754600519";
        for text in [
            written,
            "53a65cbf74459b82b76f60d2df691d7754600519",
            "0x53A65CBF74459B82B76F60D2DF691D7754600519",
            "53A6 5CBF 7445 9B82 B76F  60D2 DF69 1D77 5460 0519",
        ] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), written);
        }
        let exact: KeyPin = format!("{written}!").parse().unwrap();
        assert!(exact.exact && exact.to_string() == format!("{written}!"));
        assert!(!written.parse::<KeyPin>().unwrap().exact);
        assert_eq!("0a".repeat(32).parse::<Fingerprint>().unwrap().as_bytes(), [10; 32]);
        for bad in ["", "DF691D7754600519", &"0".repeat(39), &"0".repeat(41), &"0".repeat(65), &"0g".repeat(20), "0x"] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in any::<[u8; 32]>(), text in "[0-9a-fA-Fx !]{0,70}") {
            let fingerprint = Fingerprint::from_bytes(&bytes).unwrap();
            prop_assert_eq!(fingerprint.to_string().parse::<Fingerprint>().unwrap(), fingerprint);
            if let Ok(read) = text.parse::<KeyPin>() {
                prop_assert_eq!(read.to_string().parse::<KeyPin>().unwrap(), read);
            }
        }
    }
}
