//! SHA-256 part of the way.

use std::fmt;

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// The SHA-256 of bytes to which others will be added. It can be kept and gone on with, by another process too, so that
/// bytes that were hashed once as the start of something need not be hashed again.
#[derive(Clone, Default)]
pub(crate) struct RunningSha256 {
    state: Sha256,
    length: u64,
}

impl RunningSha256 {
    /// Of no bytes yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were added.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all of them.
    pub(crate) fn finish(self) -> Digest {
        Digest::from_sha256(self.state.finalize().into())
    }

    /// A form to be kept: the length, then the state of the hash.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.length.to_le_bytes()[..], &self.state.serialize()].concat()
    }

    /// What [`RunningSha256::to_bytes`] gave, if it is that.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (length, state) = bytes.split_first_chunk()?;
        let state = SerializedState::<Sha256>::try_from(state).ok()?;
        Some(Self { state: Sha256::deserialize(&state).ok()?, length: u64::from_le_bytes(*length) })
    }
}

impl fmt::Debug for RunningSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningSha256").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_goes_on_where_it_was_kept(left in proptest::collection::vec(any::<u8>(), 0..300), right in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut running = RunningSha256::new();
            running.update(&left);
            let mut again = RunningSha256::from_bytes(&running.to_bytes()).unwrap();
            again.update(&right);
            prop_assert_eq!(again.length(), (left.len() + right.len()) as u64);
            prop_assert_eq!(again.finish(), Digest::of(&[left, right].concat()));
        }
    }

    #[test]
    fn other_bytes_are_no_state() {
        let whole = RunningSha256::new().to_bytes();
        assert!(RunningSha256::from_bytes(&whole[1..]).is_none() && RunningSha256::from_bytes(&[]).is_none());
    }
}
