//! Why a signature does not count.

use crate::time::Timestamp;

/// A signature that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("signature by {}: {reason}", .issuer.as_deref().unwrap_or("nobody it names"))]
pub struct SignatureFault {
    /// The fingerprint of the key that it names, or where it names none its key id.
    pub issuer: Option<String>,
    /// When it says that it was made.
    pub made: Option<Timestamp>,
    /// What is wrong with it.
    pub reason: SignatureReason,
}

/// What is wrong with a signature, or with the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureReason {
    /// A packet that is not a signature of a version that is known.
    #[error("it cannot be read")]
    Unreadable,
    /// Made for something else than a document: a certificate, a time.
    #[error("it is not a signature of a document")]
    NotOfADocument,
    /// A broken or outdated hash.
    #[error("it is made with the weak hash {hash}")]
    WeakHash {
        /// The hash.
        hash: String,
    },
    /// The keyring does not hold the key, or does not allow it here.
    #[error("the keyring does not hold this key")]
    UnknownKey,
    /// The key is too short, or of a kind that is not used any more.
    #[error("the key is too weak: {algorithm}{}", .bits.map_or(String::new(), |bits| format!(" of {bits} bits")))]
    WeakKey {
        /// Its kind.
        algorithm: String,
        /// Its size, where that is what makes it weak.
        bits: Option<u16>,
    },
    /// The signature is not of these bytes.
    #[error("it is not a signature of these bytes: they were changed")]
    Bad,
    /// The signature has a critical part that is not understood.
    #[error("it demands something that is not understood")]
    DemandsMore,
    /// It says that it was made later than now.
    #[error("it was made at {made}, which is in the future of {at}")]
    FromFuture {
        /// When it says that it was made.
        made: Timestamp,
        /// What the time is.
        at: Timestamp,
    },
    /// The signature has run out.
    #[error("it expired at {since}")]
    Expired {
        /// Since when.
        since: Timestamp,
    },
    /// The key is younger than its signature.
    #[error("it was made before its key")]
    OlderThanKey,
    /// The key had run out when the signature was made, or has by now.
    #[error("the key expired at {since}")]
    KeyExpired {
        /// Since when.
        since: Timestamp,
    },
    /// Its owner revoked the key.
    #[error("the key was revoked at {since}")]
    KeyRevoked {
        /// When.
        since: Timestamp,
    },
    /// The key is for other uses: certifying, encrypting.
    #[error("the key may not sign documents")]
    MayNotSign,
    /// Its owner never said, in a way that can be checked, that this key is theirs.
    #[error("the key is bound by no valid signature of its owner")]
    NotBound,
    /// A subkey that did not sign back: anybody could have put it under their own key.
    #[error("the subkey does not confirm that it belongs to its primary key")]
    NotCrossCertified,
    /// What binds the key is made with a hash that can be forged, so that anybody may have changed it.
    #[error(
        "the key is bound by a {hash} self-signature alone, which is refused because it can be forged; the owner of the repository must renew the key"
    )]
    WeakSelfSignature {
        /// The hash.
        hash: String,
    },
    /// So much was signed so often that this one was not looked at any more.
    #[error("it was not checked, since too many before it were bad")]
    NotTried,
}

impl SignatureReason {
    /// Whether it depends on what the time is, so that a clock that is wrong explains it.
    pub(crate) fn is_about_time(&self) -> bool {
        matches!(self, Self::FromFuture { .. } | Self::Expired { .. } | Self::KeyExpired { .. })
    }
}
