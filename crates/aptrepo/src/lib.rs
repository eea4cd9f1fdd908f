//! Signed apt repositories, from the signature to a verified package.

mod armor;
mod clearsign;
mod fingerprint;
pub mod host_sources;
mod index;
mod keyring;
pub mod lock;
mod release;
mod request;
mod resolver;
mod time;

pub use armor::ArmorError;
pub use clearsign::ClearsignError;
pub use fingerprint::{Fingerprint, FingerprintError, KeyPin};
pub use index::{Candidate, Index, IndexError, Stanza, StanzaError, StoredIndexError};
pub use keyring::{
    Keyring, KeyringError, MAX_SIGNATURES, PacketError, SignatureFault, SignatureReason, Signer, VerifyError,
};
pub use release::{Expected, Release, ReleaseError, ReleaseFile, Signed};
pub use request::{Request, RequestError, RequestErrorKind};
pub use resolver::{
    Barred, Because, Chain, Chosen, DeadEnd, Link, Offer, Offered, Origin, Reason, Resolution, Universe, Unresolvable,
    Wanted, resolve,
};
pub use time::{Snapshot, Timestamp, TimestampError};
