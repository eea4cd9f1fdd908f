//! Signatures and attestations of images, as cosign 2 and 3 make and read them, verified more strictly.
//!
//! It signs and verifies bytes that it is given, and opens no files and no sockets; what is found about an image in a
//! [store](distil_imgcore::Store) it reads from there. Whatever can be read in two ways, is larger than it may be, or is not
//! about the very digest that was asked for, is refused.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use distil_imgcore::Digest;
//! use distil_signing::key::{self, PrivateKey, Signer};
//! use distil_signing::legacy::Layer;
//! use distil_signing::simple::Payload;
//! use distil_signing::verify::{self, Candidate, Requirements, Stored, Trust};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let image = Digest::of(b"the manifest of an image");
//! let reference = "registry.example.org/team/app".to_owned();
//! let payload = Payload { reference, digest: image.clone(), optional: BTreeMap::new() }.to_bytes();
//! let signer = PrivateKey::generate()?;
//! let layer = Layer::signature(payload.clone(), &key::sign(&signer, &payload)?);
//!
//! let stored = Stored::Simple { payload, annotations: layer.annotations().clone() };
//! let found = [Candidate { place: "layer 0".to_owned(), stored }];
//! let wanted = Requirements::new(Trust::Keys(vec![signer.public_key().clone()]));
//! assert_eq!(verify::image(&image, &found, &wanted).verified().len(), 1);
//! let other = Digest::of(b"another manifest");
//! assert!(!verify::image(&other, &found, &wanted).is_verified());
//! # Ok(())
//! # }
//! ```
//!
//! | what | where |
//! |---|---|
//! | keys, and what signs | [`key`] |
//! | what is signed | [`simple`], [`dsse`], [`predicate`], [`distil_imgcore::statement`] |
//! | how it is stored | [`bundle`], [`legacy`], [`referrer`] |
//! | how it is found and verified | [`verify`] |
//! | signing without a key that is kept | [`keyless`] |

pub mod bundle;
mod certificates;
pub mod dsse;
pub mod key;
pub mod keyless;
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
