//! Sigstore bundles: a signature with all that is needed to verify it.
