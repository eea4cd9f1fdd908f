//! The verbs of distil as a library: what a recipe says, and what is built, read, compared and copied for it.

mod build;
mod contents;
pub mod copy;
pub mod files;
pub mod init;
pub mod inputs;
pub mod inspect;
mod packages;
mod progress;
mod read;
pub mod recipe;
pub mod schema;
mod spool;
pub mod stores;
pub mod validate;
mod written;

pub use build::{BuildError, BuildRequest, Built, BuiltImage, BuiltPlatform, Warning, What, build};
pub use copy::{CopyError, copy};
pub use distil_imgcore::{DiffId, Digest, Escaped, ImagePath, PathError, Platform, PlatformError, Reference, ReferenceError};
pub use files::{FileList, files};
pub use init::{InitError, init};
pub use inspect::{Inspection, inspect};
pub use progress::{Phase, Progress, Silent};
pub use read::ReadError;
pub use validate::{Validation, validate};
pub use written::WrittenDocument;
