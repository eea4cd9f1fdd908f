//! Verification through the public API: vectors with known answers, sigstore's conformance cases, and mutations.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what stops a test is its result")]
#![expect(clippy::disallowed_methods, reason = "tests write plain files")]

mod conformance;
mod data;
mod evidence;
mod keyless;
mod layouts;
mod logs;
mod mutation;
mod strictness;
mod thresholds;
mod timestamps;
mod vectors;
