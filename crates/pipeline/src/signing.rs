//! Signatures and statements of images and files: keys in files, what is put beside an image, what is verified of it.
//!
//! The formats and the procedure are those of [`distil_signing`]; here they meet files, registries and layouts.

pub(crate) mod attached;
pub(crate) mod attest;
pub(crate) mod beside;
mod blob;
mod document;
mod error;
mod keyless;
mod keys;
pub(crate) mod name;
mod not_verified;
mod promote;
mod refresh;
mod room;
mod service_url;
mod sign;
mod trust;
mod verification;
mod verify;
mod vouched;

pub use attest::{AttestRequest, attest};
pub use beside::{Added, AddedForm, Form, Formats};
pub use blob::{
    Blob, BlobBundle, BlobError, MAX_BYTES, SignatureFile, SignedBlob, SignedBlobDocument, Subject, sign_blob,
    verify_blob, verify_bundle,
};
#[cfg(feature = "pkcs11")]
pub use distil_signing::key::pkcs11::{TokenError, UriError};
pub use distil_signing::key::{KeyError, PublicKey, Signer};
pub use distil_signing::predicate::{PredicateType, UnknownPredicateType};
pub use distil_signing::verify::{
    Format, Pattern, Report, Requirements, SignedBy, Step, StepName, Trust, TrustedRoot, Verdict, VerifiedBlob,
    VerifiedSignature, VerifiedStatement,
};
pub use document::{FormDocument, SignedDocument, SignedManifestDocument};
pub use error::SignError;
pub use keyless::{IdentityToken, KeylessError, KeylessRequest, ServiceError, open_keyless};
pub use keys::{
    KeyDocument, KeyFileError, KeyPair, KeyPairRequest, PasswordError, Passwords, generate_key, import_key, open_key,
    public_key, read_password, read_public_key,
};
pub use not_verified::{NotVerified, Refused};
pub use promote::{
    Because, LeftBehind, LogEntry, LogError, PROMOTION, PlaceKind, PolicyVerdict, PromoteError, PromoteRequest,
    Promoted, PromotedDocument, Promoter, Promotion, PromotionVerdict, SignerDocument, Trace, promote,
};
pub use refresh::{RefreshError, RefreshRequest, RefreshedDocument, SIGSTORE_MIRROR, refresh_trusted_root};
pub use sign::{SignRequest, Signed, sign};
pub use trust::{TrustError, TrustOptions};
pub use verification::{SignatureDocument, StepDocument, VerificationDocument};
pub(crate) use verify::attestation_in;
pub use verify::{VerifyError, VerifyRequest, predicate, verify, verify_attestation};
pub use vouched::VouchError;
pub use zeroize::Zeroizing;
