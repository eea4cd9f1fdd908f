//! Kinds of keys, and the schemes that they sign with.

use std::fmt;

/// What kind of key it is. There are no others: all that differs from these is refused when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on the curve P-256, the only one that every release of cosign verifies as it comes.
    P256,
    /// ECDSA on the curve P-384.
    P384,
    /// ECDSA on the curve P-521.
    P521,
    /// RSA.
    Rsa {
        /// Bits of the modulus: 2048, 3072 or 4096.
        bits: u16,
    },
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// The scheme that keys of this kind sign with.
    ///
    /// cosign 3.1 verifies the curve's own hash only when it is told to, and SHA-256 by default; later ones take the
    /// hash of the curve. So P-384 and P-521 are for those who know their verifiers.
    #[must_use]
    pub fn scheme(self) -> Scheme {
        match self {
            Self::P256 => Scheme::EcdsaP256Sha256,
            Self::P384 => Scheme::EcdsaP384Sha384,
            Self::P521 => Scheme::EcdsaP521Sha512,
            Self::Rsa { .. } => Scheme::RsaPkcs1Sha256,
            Self::Ed25519 => Scheme::Ed25519,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::P521 => f.write_str("ECDSA P-521"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// ECDSA on P-256 over SHA-256, in DER.
    EcdsaP256Sha256,
    /// ECDSA on P-384 over SHA-384, in DER.
    EcdsaP384Sha384,
    /// ECDSA on P-384 over SHA-256, in DER: what cosign 2 made.
    EcdsaP384Sha256,
    /// ECDSA on P-521 over SHA-512, in DER.
    EcdsaP521Sha512,
    /// ECDSA on P-521 over SHA-256, in DER: what cosign 2 made.
    EcdsaP521Sha256,
    /// RSA PKCS#1 v1.5 over SHA-256 ([RFC 8017], section 8.2).
    ///
    /// [RFC 8017]: https://www.rfc-editor.org/rfc/rfc8017#section-8.2
    RsaPkcs1Sha256,
    /// Ed25519 over the message itself ([RFC 8032], section 5.1).
    ///
    /// [RFC 8032]: https://www.rfc-editor.org/rfc/rfc8032#section-5.1
    Ed25519,
    /// Ed25519 over SHA-512 of the message, with no context: what cosign 3 makes of images.
    Ed25519ph,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256Sha256 => "ECDSA P-256 with SHA-256",
            Self::EcdsaP384Sha384 => "ECDSA P-384 with SHA-384",
            Self::EcdsaP384Sha256 => "ECDSA P-384 with SHA-256",
            Self::EcdsaP521Sha512 => "ECDSA P-521 with SHA-512",
            Self::EcdsaP521Sha256 => "ECDSA P-521 with SHA-256",
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 with SHA-256",
            Self::Ed25519 => "Ed25519",
            Self::Ed25519ph => "Ed25519ph",
        })
    }
}
