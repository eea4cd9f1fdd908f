//! Signed apt repositories, from the signature to a verified package.

mod armor;
mod clearsign;
mod fingerprint;
mod time;

pub use armor::ArmorError;
pub use clearsign::ClearsignError;
pub use fingerprint::{Fingerprint, FingerprintError, KeyPin};
pub use time::{Snapshot, Timestamp, TimestampError};
