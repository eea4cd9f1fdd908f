//! The verbs of distil as a library: what a recipe says, and what is built, read, checked and copied for it.
//!
//! Each verb is a function that takes everything it needs as arguments and gives data: [`build()`], [`lock()`],
//! [`why()`], [`inspect()`], [`files()`], [`validate()`], [`tags()`], [`copy()`], [`init()`], [`cache_status()`],
//! [`cache_prune()`]. The formats are those of the crates below; here they only meet.
//!
//! Nothing here reads the environment, the clock or the terminal, advises a user, or runs anything out of a package. What
//! was asked for wrongly is told from what failed by the errors, and how far a long operation is goes to a [`Progress`].
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::sync::Arc;
//!
//! use distil_pipeline::recipe::Recipe;
//! use distil_pipeline::{BuildRequest, Choice, Machine, Reference, Silent, What, build, files};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let image: Reference = format!("oci:{}:latest", dir.join("image").display()).parse()?;
//! let recipe = Recipe::parse("files.'/usr/bin/app' = { symlink = '/opt/app/app' }")?;
//! let machine = Machine::new(1_800_000_000);
//! let request = BuildRequest {
//!     what: What::Recipe { recipe: Box::new(recipe), variant: None, dir: dir.into(), lock: None },
//!     platforms: vec!["linux/amd64".parse()?],
//!     host: "linux/amd64".parse()?,
//!     outputs: vec![image.clone()],
//!     immutable: false,
//!     epoch: Some(1_600_000_000),
//!     jobs: NonZeroUsize::MIN,
//!     cache_dir: dir.join("cache"),
//!     machine: machine.clone(),
//!     signing: None,
//!     cancelled: &Arc::default(),
//! };
//! build(&request, &Silent)?;
//! let list = files(&image, Choice::First, &[], &machine, &Silent)?;
//! assert!(list.files.iter().any(|file| file.path == "/usr/bin/app"));
//! # Ok(())
//! # }
//! ```

pub mod advisories;
mod base;
mod build;
mod cache;
pub mod check;
mod contents;
pub mod copy;
mod describe;
mod destination;
mod file_pattern;
pub mod files;
pub mod harden;
pub mod init;
pub mod inputs;
pub mod inspect;
mod layer_view;
mod lock;
mod machine;
mod observed;
mod obstacle;
mod package;
mod packages;
mod parallel;
mod places;
mod progress;
mod provision;
mod public;
mod read;
pub mod recipe;
mod records;
mod regular_file;
mod sbom;
pub mod scan;
pub mod schema;
mod shelf;
pub mod signing;
mod sources;
mod spool;
mod tags;
#[cfg(test)]
mod testimage;
pub mod validate;
pub mod whole_file;
mod why;
mod written;

pub use base::BaseError;
pub use build::{
    BuildError, BuildRequest, BuildSigning, Built, BuiltImage, BuiltPlatform, ResultDifference, Warning, What, build,
};
pub use cache::{CachePruned, CacheStatus, KindDocument, PruneMode, TallyDocument, cache_prune, cache_status};
pub use copy::{Copied, CopyError, CopyRequest, copy};
pub use distil_cache::CacheError;
pub use distil_debunpack::PackageName;
pub use distil_imgcore::{
    DiffId, Digest, Escaped, ImagePath, PathError, Platform, PlatformError, Reference, ReferenceError,
};
pub use distil_policy as policy;
pub use distil_registry::{
    AuthFile, AuthFileError, HelperFault, Keychain, KeychainError, Login, MAX_AUTH_FILE, NoKeychain, RegistryError,
    Secret, Source as LoginSource, read_helper_answer,
};
pub use distil_sbom::{Agent, Format as SbomFormat, table};
pub use files::{FileList, files};
pub use init::{InitError, init};
pub use inspect::{Inspection, inspect};
pub use jiff::Timestamp;
pub use lock::{
    BaseChange, Change, Difference, LockAction, LockDocument, LockError, LockRequest, LockUse, LockWarning, Locking,
    Proof, StaleReason, lock, lock_path,
};
pub use machine::{Authorities, Machine, MachineError};
pub use obstacle::Obstacle;
pub use places::{StoreError, Taken};
pub use progress::{Phase, Progress, Silent};
pub use read::{Choice, ReadError};
pub use recipe::author;
pub use sbom::{SbomDocument, SbomForm, SbomRequest, SbomSource, sbom};
pub use sources::SourcesError;
pub use tags::{TagList, TagSummary, TagsError, TagsRequest, tags};
pub use validate::{Validation, validate};
pub use why::{LinkDocument, Presence, WhyAnswer, WhyRequest, why};
pub use written::WrittenDocument;
