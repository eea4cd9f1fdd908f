//! The inventory of an image, and the documents about it that other tools read.
//!
//! An [`Inventory`] is what is in an image of one platform: packages, files, licences, layers. It comes from what a build
//! knows, from the files of any image, or from a document. Everything here takes bytes and values and gives bytes and
//! values: nothing is opened, nothing is fetched, and the clock is not read, so that the same image gives the same document.
//!
//! It refuses to guess. A licence that is not there is not claimed; what SPDX has no name for keeps its text, and what is not
//! known is written as unknown. Documents of others are read as loosely as tools write them, but within bounds, and text from
//! packages comes out as text, whatever it holds.
//!
//! ```
//! use distil_debunpack::Control;
//! use distil_sbom::{About, Format, Inventory, debian, licence};
//!
//! let control = b"Package: hello\nVersion: 2.10-3\nArchitecture: amd64\nMaintainer: Ann <ann@example.org>\n";
//! let copyright = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
//!     Files: *\nCopyright: 1992 Ann\nLicense: GPL-3+\n";
//! let mut package = debian::package(&Control::parse(control)?);
//! package.licences = licence::analyse(copyright, "hello").licences;
//! assert_eq!(package.licences.concluded.as_deref(), Some("GPL-3.0-or-later"));
//!
//! let inventory = Inventory { packages: vec![package], ..Inventory::default() };
//! let about = About { author: None, created: 1_700_000_000, version: "1.0".to_owned(), files: true };
//! let mut document = Vec::new();
//! Format::CycloneDx16.write(&inventory, &about, &mut document)?;
//! let (format, read) = distil_sbom::read(&document)?;
//! assert_eq!((format, read.packages[0].name.as_str()), (Format::CycloneDx16, "hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module or type | for |
//! |---|---|
//! | [`Inventory`], [`Package`], [`File`], [`Digests`] | what is in an image |
//! | [`debian`], [`catalog`] | packages from Debian's control data, and from the files of other ecosystems |
//! | [`licence`] | copyright files and names of licences as SPDX expressions |
//! | [`Format`], [`About`], [`read()`] | a document in any format, written and read |
//! | [`spdx2`], [`spdx3`], [`cyclonedx`] | SPDX 2.3, SPDX 3.0.1, CycloneDX 1.6 |
//! | [`table`] | an inventory for people |
//! | [`purl`] | package URLs |
//! | [`provenance`] | what an image was made from |

pub mod catalog;
pub mod cyclonedx;
pub mod debian;
mod digests;
mod document;
mod expression;
mod inventory;
mod json;
pub mod licence;
mod pages;
pub mod provenance;
pub mod purl;
mod read;
#[cfg(test)]
mod sample;
pub mod spdx2;
pub mod spdx3;
pub mod table;
mod time;

pub use digests::{Digesting, Digests, ShaDigesting};
pub use document::{About, Format, UnknownFormat};
pub use inventory::{
    Agent, Artefact, BaseImage, BuiltUsing, Contact, Context, Dependency, File, ImageFacts, Inventory, LayerFacts,
    Owner, Package, PackageKind, Repository, SourcePackage, System,
};
pub use licence::Licences;
pub use read::{ReadError, read};
