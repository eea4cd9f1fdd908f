//! Why a file is no key that is used, and bytes no signature.

use std::fmt;

use distil_imgcore::Escaped;
use distil_imgcore::json::JsonError;

use super::kind::KeyKind;

/// Why bytes are no key, or a key cannot be made or kept. No variant holds anything of a private key or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Larger than any key.
    #[error("{found} bytes where a key has at most {limit}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size.
        found: usize,
    },
    /// No line starts a block of PEM.
    #[error("there is no PEM block")]
    NoBlock,
    /// More than one block: readers differ in which one they take.
    #[error("there is more than one PEM block")]
    SeveralBlocks,
    /// A block that is not what [RFC 7468] has.
    ///
    /// [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468#section-3
    #[error("the PEM block is malformed")]
    Pem,
    /// A block of another label.
    #[error("the PEM block is {found} where {expected} is expected")]
    Label {
        /// Its label.
        found: String,
        /// The labels that could be there.
        expected: &'static str,
    },
    /// A file as `openssl ecparam -genkey` writes it, which cosign refuses.
    #[error("the file begins with EC PARAMETERS: only the block EC PRIVATE KEY may be in it")]
    EcParameters,
    /// A private key under a password, but not in cosign's form.
    #[error("the private key is encrypted, and not as cosign does it")]
    Encrypted,
    /// A sealed key where one in the clear is expected.
    #[error("the private key is sealed already")]
    Sealed,
    /// A private key in the clear where a sealed one is expected.
    #[error("the private key is not sealed under a password: it can only be imported")]
    NotSealed,
    /// Bytes that are not the one DER encoding of what they should be.
    #[error("the key is not in the form of {expected}")]
    Encoding {
        /// The structure, by the name that its specification has for it.
        expected: &'static str,
    },
    /// A kind of key that is not in [`KeyKind`].
    #[error("keys of the algorithm {} are not supported", Named(.oid))]
    Algorithm {
        /// Its object identifier.
        oid: String,
    },
    /// A curve that is not in [`KeyKind`].
    #[error("keys on the curve {} are not supported", Named(.oid))]
    Curve {
        /// Its object identifier.
        oid: String,
    },
    /// An RSA key of another size than 2048, 3072 or 4096 bits.
    #[error("RSA keys of {bits} bits are not supported, only those of 2048, 3072 and 4096")]
    RsaSize {
        /// Bits of its modulus.
        bits: usize,
    },
    /// Well-formed, but there is no such key: a point off the curve or of small order, a number out of range.
    #[error("there is no such {kind} key")]
    Invalid {
        /// The kind that it claims to be.
        kind: KeyKind,
    },
    /// The halves of a private key that do not belong together.
    #[error("the public half in the private {kind} key is not that of its private half")]
    Inconsistent {
        /// The kind of the key.
        kind: KeyKind,
    },
    /// What lies in the block of a sealed key is not JSON with one meaning.
    #[error("the sealed key holds no JSON with one meaning")]
    Json(#[source] JsonError),
    /// The JSON of a sealed key has other members than cosign's.
    #[error("the sealed key has not the members of cosign's: {}", Escaped(.detail.as_bytes()))]
    Members {
        /// What the reader found.
        detail: String,
    },
    /// Another key derivation than scrypt.
    #[error("the key derivation of the sealed key is not scrypt")]
    Derivation,
    /// Costs of scrypt that no version of cosign writes: high ones would take all memory.
    #[error("scrypt with N {n}, r {r} and p {p} is not supported")]
    Cost {
        /// Cost of processor and memory.
        n: u64,
        /// Size of blocks.
        r: u64,
        /// Parallel runs.
        p: u64,
    },
    /// Another cipher than secretbox.
    #[error("the cipher of the sealed key is not nacl/secretbox")]
    Cipher,
    /// Salt, nonce or ciphertext that is not base64, or not of the length it must have.
    #[error("the {member} of the sealed key is not {expected} in base64")]
    Member {
        /// The member's name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The seal does not open: which of the two it is cannot be told.
    #[error("the password is wrong, or the sealed key was changed")]
    Password,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// A library could not write a key that it holds.
    #[error("the key cannot be written")]
    Unwritable,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// Not in the form that signatures of this kind of key have: no DER of two numbers in range, or another length.
    #[error("the signature is not in the form of {kind}")]
    Form {
        /// The kind of the key that it was verified with.
        kind: KeyKind,
    },
    /// In the right form, but not made with this key over these bytes.
    #[error("the signature is not by this {kind} key over these bytes")]
    Mismatch {
        /// The kind of the key that it was verified with.
        kind: KeyKind,
    },
}

/// An object identifier, with the name that people know it by.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            "1.2.840.113549.1.1.10" => "RSA-PSS",
            "1.2.840.113549.1.3.1" => "Diffie-Hellman",
            "1.2.840.10040.4.1" => "DSA",
            "1.3.101.110" => "X25519",
            "1.3.101.111" => "X448",
            "1.3.101.113" => "Ed448",
            "1.3.132.0.10" => "secp256k1",
            "1.3.132.0.33" => "P-224",
            "1.2.840.10045.3.1.1" => "P-192",
            other => return f.write_str(other),
        };
        write!(f, "{name} ({})", self.0)
    }
}
