//! Digests and times as they are written.

use distil_imgcore::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use sha2::Digest as _;

/// Digests of one thing.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct DigestSet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Hex<32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha512: Option<Hex<64>>,
}

/// Bytes in hexadecimal.
#[derive(Clone, Copy)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

/// Seconds since 1970, as RFC 3339 has them.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) i64);

pub(super) fn sha256(text: &str) -> [u8; 32] {
    sha2::Sha256::digest(text).into()
}

impl DigestSet {
    pub(super) fn of(sha256: [u8; 32]) -> Self {
        Self { sha256: Some(Hex(sha256)), sha512: None }
    }

    pub(super) fn with_sha512(self, sha512: Option<[u8; 64]>) -> Self {
        Self { sha512: sha512.map(Hex), ..self }
    }

    /// The digest of a manifest.
    pub(super) fn of_image(digest: &Digest) -> Self {
        let mut set = Self::default();
        let hex = digest.hex();
        match digest.algorithm() {
            "sha512" => set.sha512 = Hex::parse(&hex).ok(),
            _ => set.sha256 = Hex::parse(&hex).ok(),
        }
        set
    }

    pub(super) fn into_image(self) -> Option<Digest> {
        match (self.sha256, self.sha512) {
            (Some(sha256), _) => Some(Digest::from_sha256(sha256.0)),
            (None, Some(sha512)) => format!("sha512:{}", hex::encode(sha512.0)).parse().ok(),
            (None, None) => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sha256.is_none() && self.sha512.is_none()
    }
}

impl<const N: usize> Hex<N> {
    fn parse(text: &str) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::json::Hex(&self.0).serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Timestamp::from_second(self.0).map_err(ser::Error::custom)?.to_string().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time: Timestamp = String::deserialize(deserializer)?.parse().map_err(de::Error::custom)?;
        Ok(Self(time.as_second()))
    }
}
