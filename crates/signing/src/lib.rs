//! Signatures and attestations of images, as cosign 2 and 3 make and read them, verified more strictly.
//!
//! The crate takes and gives bytes: it opens no files and no sockets, and knows no clock.
//!
//! | what | where |
//! |---|---|
//! | keys, and what signs | [`key`] |
//! | what is signed | [`simple`], [`dsse`], [`predicate`] |
//! | how it is stored | [`bundle`], [`legacy`], [`referrer`] |
//! | how it is verified | [`verify`] |

pub mod bundle;
pub mod dsse;
pub mod key;
pub mod legacy;
mod object;
pub mod predicate;
pub mod referrer;
pub mod simple;
pub mod verify;
mod wire;
mod written;

pub use object::FieldError;
pub use written::{Named, Written};
