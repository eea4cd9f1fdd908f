//! The inventory of an image, and the documents about it that other tools read.
//!
//! An [`Inventory`] is what is in an image of one platform: packages, files, licences, layers. It comes from what a build
//! knows, from the files of any image, or from a document. Everything here takes bytes and values and gives bytes and
//! values: nothing is opened, nothing is fetched, and the clock is not read, so that the same image gives the same document.

pub mod catalog;
pub mod cyclonedx;
pub mod debian;
mod digests;
mod document;
mod inventory;
mod json;
pub mod licence;
mod pieces;
pub mod provenance;
pub mod purl;
mod read;
#[cfg(test)]
mod sample;
pub mod spdx2;
pub mod spdx3;
pub mod statement;
pub mod table;

pub use digests::{Digesting, Digests};
pub use document::{About, Format, UnknownFormat};
pub use inventory::{
    Agent, Artefact, BaseImage, BuiltUsing, Contact, Context, Dependency, File, ImageFacts, Inventory, LayerFacts,
    Owner, Package, PackageKind, Repository, SourcePackage, System,
};
pub use licence::Licences;
pub use read::{ReadError, read};
