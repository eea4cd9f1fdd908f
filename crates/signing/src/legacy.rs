//! Signatures and attestations as layers of a manifest under a tag of their own.

/// Bytes of one layer: cosign's limit.
pub const MAX_LAYER: usize = 128 << 20;
