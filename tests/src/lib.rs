//! A test kit that speaks bytes, never the types of the crates it tests, so that every crate may use it.
//!
//! It makes inputs by hand ([`ar`], [`tar`], [`deb`], [`apt`]), each with a way to break exactly one thing; runs real
//! programs under a time limit ([`program`], [`registry`]); and reads images with those programs' eyes ([`layout`],
//! [`listing`]). It checks nothing itself: what is right is said in the tests.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what stops a test is its result")]
#![expect(clippy::missing_panics_doc, reason = "every function here panics where a test has to stop")]
#![expect(clippy::disallowed_methods, reason = "tests write plain files and learn from the environment what to run")]

pub mod apt;
pub mod ar;
pub mod authority;
pub mod breaking;
pub mod deb;
pub mod der;
pub mod encoding;
pub mod http;
pub mod layout;
mod listener;
pub mod listing;
pub mod loopback;
pub mod lying_registry;
pub mod place;
pub mod program;
pub mod random;
pub mod registry;
pub mod sigstore;
pub mod tar;
pub mod terminal;
pub mod token_server;
pub mod validators;

pub use apt::{Repository, Signer};
pub use authority::Authority;
pub use breaking::{Breaking, Way};
pub use deb::Deb;
pub use lying_registry::LyingRegistry;
pub use program::Program;
pub use random::Random;
pub use registry::Registry;
pub use sigstore::Sigstore;
pub use terminal::Terminal;
pub use token_server::TokenServer;
