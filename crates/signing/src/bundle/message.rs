//! Digests of messages.

use aws_lc_rs::digest;

use crate::key::KeyKind;

/// A hash function, by [the numbers] that it has in bundles.
///
/// [the numbers]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_common.proto
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
    /// SHA3-256
    Sha3_256,
    /// SHA3-384
    Sha3_384,
}

/// The digest of a message, by a function that a bundle can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDigest {
    algorithm: HashAlgorithm,
    bytes: Vec<u8>,
}

impl HashAlgorithm {
    const ALL: [Self; 5] = [Self::Sha256, Self::Sha384, Self::Sha512, Self::Sha3_256, Self::Sha3_384];

    /// Its name in bundles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA2_256",
            Self::Sha384 => "SHA2_384",
            Self::Sha512 => "SHA2_512",
            Self::Sha3_256 => "SHA3_256",
            Self::Sha3_384 => "SHA3_384",
        }
    }

    /// Bytes of its digests.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl MessageDigest {
    /// A digest; nothing where the function makes none of this length.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == algorithm.length()).then_some(Self { algorithm, bytes })
    }

    /// SHA-256 of the bytes of a message.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        Self::by(HashAlgorithm::Sha256, message)
    }

    /// A SHA-256.
    #[must_use]
    pub fn of_sha256(digest: [u8; 32]) -> Self {
        Self { algorithm: HashAlgorithm::Sha256, bytes: digest.to_vec() }
    }

    /// The digest of the bytes of a message by this function.
    #[must_use]
    pub fn by(algorithm: HashAlgorithm, message: &[u8]) -> Self {
        let function = match algorithm {
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha384 => &digest::SHA384,
            HashAlgorithm::Sha512 => &digest::SHA512,
            HashAlgorithm::Sha3_256 => &digest::SHA3_256,
            HashAlgorithm::Sha3_384 => &digest::SHA3_384,
        };
        Self { algorithm, bytes: digest::digest(function, message).as_ref().to_vec() }
    }

    /// The digest of a message that is signed with such a key, as cosign 3 has it in bundles: by the function that the key
    /// signs with, and by SHA-256 where it signs without one.
    #[must_use]
    pub fn for_key(kind: KeyKind, message: &[u8]) -> Self {
        let algorithm = match kind {
            KeyKind::P384 => HashAlgorithm::Sha384,
            KeyKind::P521 => HashAlgorithm::Sha512,
            KeyKind::P256 | KeyKind::Rsa { .. } | KeyKind::Ed25519 => HashAlgorithm::Sha256,
        };
        Self::by(algorithm, message)
    }

    /// The function.
    #[must_use]
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The bytes, as many as [`HashAlgorithm::length`] says.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
