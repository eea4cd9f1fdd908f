//! `[signatures]`: who must have signed, and what must be attached.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use jiff::SignedDuration;

/// Who must have signed, and what must be attached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signatures {
    /// Those who are trusted to sign; each alone is enough.
    pub authorities: Vec<Authority>,
    /// Whether one of them must have signed the image.
    pub require_signature: bool,
    /// The predicate types of statements that must be attached, signed by one of them.
    pub require_attestations: Vec<String>,
    /// Whether an SBOM must be attached, in any form.
    pub require_sbom: bool,
    /// Older statements of these types do not count.
    pub max_attestation_age: Option<SignedDuration>,
}

/// Who is trusted to sign: holders of keys, or names in certificates. It has keys or names, never both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authority {
    /// How messages name it; no other one has this name.
    pub name: String,
    /// Files of public keys in PEM, relative to the policy's folder.
    pub keys: Vec<PathBuf>,
    /// The name that a certificate must have.
    pub certificate_identity: Option<String>,
    /// In place of that, an expression that matches the whole name.
    pub certificate_identity_regexp: Option<String>,
    /// The issuer of that name.
    pub certificate_oidc_issuer: Option<String>,
    /// In place of that, an expression that matches the whole URL.
    pub certificate_oidc_issuer_regexp: Option<String>,
    /// The file of the trusted root, relative to the policy's folder.
    pub trusted_root: Option<PathBuf>,
    /// How many different signers there must be; one where it is left out.
    pub threshold: Option<NonZeroUsize>,
    /// Whether signatures by keys must be in a log, too.
    pub require_tlog: bool,
    /// Whether there must be an RFC 3161 timestamp.
    pub use_signed_timestamps: bool,
}
