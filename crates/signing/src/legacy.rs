//! Signatures and attestations as layers of a manifest under a tag of their own.
