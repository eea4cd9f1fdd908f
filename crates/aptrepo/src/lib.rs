//! Signed apt repositories, from the signature to a verified package.

mod acquire;
mod armor;
mod clearsign;
mod fetch;
mod fingerprint;
pub mod host_sources;
mod index;
mod keyring;
pub mod lock;
mod mirror;
mod mirror_failures;
mod release;
mod request;
mod resolver;
mod source;
mod time;
mod verified_deb;

pub use acquire::{AcquireError, Acquirer, IndexFile, MirrorError, Repository, RepositoryIndex, SignedBytes};
pub use armor::ArmorError;
pub use clearsign::ClearsignError;
pub use fetch::{DebMirrorError, FetchError, FetchFault, Identity, WantedDeb};
pub use fingerprint::{Fingerprint, FingerprintError, KeyPin};
pub use index::{Candidate, Index, IndexError, Stanza, StanzaError, StoredIndexError};
pub use keyring::{
    Keyring, KeyringError, MAX_SIGNATURES, PacketError, SignatureFault, SignatureReason, Signer, VerifyError,
};
pub use mirror_failures::MirrorFailures;
pub use release::{Expected, Release, ReleaseError, ReleaseFile, Signed};
pub use request::{Request, RequestError, RequestErrorKind};
pub use resolver::{
    Barred, Because, Chain, Chosen, DeadEnd, Link, Offer, Offered, Origin, PlatformsError, Reason, Resolution,
    Universe, Unresolvable, Wanted, Why, resolve, resolve_platforms, why,
};
pub use source::Source;
pub use time::{Snapshot, Timestamp, TimestampError};
pub use verified_deb::{DebReader, VerifiedDeb};
