//! Debian formats, read strictly: packages, their control data, versions and relations, and the records of packages that
//! an image keeps.
//!
//! Everything here takes bytes and readers. Nothing is opened, nothing is written, and nothing of a package ever runs.
//! What two real readers (dpkg, dpkg-deb, libapt) would understand differently is refused, and every bound that is
//! reached is an error.
//!
//! ```
//! use distil_debunpack::{Deb, Integrity, Limits, RelationField};
//!
//! let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/hello.deb"));
//! let deb = Deb::open(file.as_slice(), Limits::default())?;
//! let control = deb.control_archive().control();
//! assert_eq!(control.package().as_str(), "distil-hello");
//! assert!(*control.version() > "1.0~rc1".parse()?);
//! assert_eq!(control.relations(RelationField::Depends)?.to_string(), "libc6 (>= 2.36)");
//!
//! let mut data = deb.into_data(Integrity::Unverified)?;
//! let mut files = Vec::new();
//! while let Some(entry) = data.next_entry()? {
//!     files.push(entry.path.to_string());
//! }
//! // Only now the whole file was read, and every checksum in it was right.
//! let unpacked = data.finish()?;
//! assert_eq!(files, ["/", "/etc", "/etc/hello.conf", "/usr", "/usr/bin", "/usr/bin/hello"]);
//! assert_eq!(unpacked.conffile_sums.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module or type | for |
//! |---|---|
//! | [`Deb`], [`ControlArchive`], [`DataReader`] | a package: container, control data, files |
//! | [`ar`], [`decompress`] | the container and its compressions |
//! | [`deb822`], [`Control`], [`Relations`] | paragraphs of fields, and what those of a package mean |
//! | [`Version`], [`PackageName`], [`Architecture`] | values, in dpkg's grammar and order |
//! | [`conffiles`], [`md5sums`] | lists of files that a package carries |
//! | [`copyright`] | copyright files, read tolerantly |
//! | [`records`] | what an image says about the packages in it |

pub mod ar;
mod architecture;
pub mod conffiles;
mod control;
mod control_archive;
pub mod copyright;
mod data;
mod deb;
pub mod deb822;
pub mod decompress;
mod error;
mod integrity;
pub mod md5sums;
mod package_name;
pub mod records;
mod relation;
mod version;

pub use architecture::{Architecture, ArchitectureError};
pub use control::{Control, ControlError, MultiArch, RelationField, Source, ValueError};
pub use control_archive::ControlArchive;
pub use copyright::Copyright;
pub use data::{DataReader, Unpacked};
pub use deb::{Deb, Limits};
pub use error::DebError;
pub use integrity::Integrity;
pub use md5sums::{Md5Sum, Md5sums};
pub use package_name::{PackageName, PackageNameError};
pub use relation::{
    Group, Operator, Qualifier, Relation, RelationError, RelationErrorKind, Relations, Term, VersionConstraint,
};
pub use version::{Version, VersionError, VersionErrorKind};

#[cfg(test)]
mod testdeb;
