//! How far a layer was hashed.

use crate::digest::Digest;
use crate::fragment::LayerHash;
use crate::running::RunningSha256;

/// The hashes of a layer up to the end of one of its fragments. They can be kept, for a layer that starts with the same
/// fragments.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Names all fragments up to here.
    pub(crate) prefix: Digest,
    pub(crate) hash: LayerHash,
}

/// Lengths of the pieces of a checkpoint as it is kept: the name, and each state with its own length.
const NAME: usize = 32;

impl Checkpoint {
    /// A form of several checkpoints to be kept. Whoever keeps it also keeps the version of the program that made it.
    #[must_use]
    pub fn list_to_bytes(list: &[Self]) -> Vec<u8> {
        let mut out = Vec::new();
        for Self { prefix, hash } in list {
            out.extend_from_slice(prefix.as_sha256().map(<[u8; NAME]>::as_slice).unwrap_or_default());
            out.extend(hash.plain.to_bytes());
            out.extend(hash.packed.to_bytes());
        }
        out
    }

    /// What [`Checkpoint::list_to_bytes`] gave, if it is that.
    #[must_use]
    pub fn list_from_bytes(bytes: &[u8]) -> Option<Vec<Self>> {
        let state = RunningSha256::new().to_bytes().len();
        let chunks = bytes.chunks_exact(NAME + 2 * state);
        if !chunks.remainder().is_empty() {
            return None;
        }
        let checkpoint = |chunk: &[u8]| {
            let (name, states) = chunk.split_first_chunk::<NAME>()?;
            let (plain, packed) = states.split_at_checked(state)?;
            let hash =
                LayerHash { plain: RunningSha256::from_bytes(plain)?, packed: RunningSha256::from_bytes(packed)? };
            Some(Self { prefix: Digest::from_sha256(*name), hash })
        };
        chunks.map(checkpoint).collect()
    }
}
