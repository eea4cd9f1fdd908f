//! What distil keeps on disk beside its results: one directory, shared by concurrent processes.
//!
//! A file is complete or absent: it is written in a session and renamed. A process that is killed leaves parts in its
//! session alone, which the next one removes. Nobody waits for another for ever, and damage on disk is found when it is
//! read.
//!
//! Nothing here is a result, nor the only copy of anything: whoever removes the directory loses time, and what was
//! remembered of repositories. The crate knows no formats and fetches nothing; keys and digests are the caller's, and
//! bytes that do not fit the digest they were announced with get no name.
//!
//! ```
//! use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let session = distil_cache::Session::start(dir.path())?;
//! let mut writer = session.spool()?;
//! writer.write_all(b"parts of a layer")?;
//! let spool = writer.finish()?;
//! let mut back = String::new();
//! spool.open()?.read_to_string(&mut back)?;
//! assert_eq!(back, "parts of a layer");
//! # Ok(())
//! # }
//! ```
//!
//! | type | for |
//! |---|---|
//! | [`Session`], [`Spool`] | files that a build writes once and reads a few times, and that are gone when it ends |
//! | [`Content`], [`ContentWriter`] | files under their SHA-256, such as packages that were downloaded |
//! | [`DerivedWriter`] | the same for files that can be made again: cheaper to write |
//! | [`CachedFile`], [`VerifyingFile`] | one of these; reading it to the end checks it again |
//! | [`KeyLock`] | one process at a time that makes the same file |
//! | [`Values`] | what was derived, under a key that says from what; what is remembered of others |
//! | [`Usage`], [`prune()`] | what is there, and what is used least removed |

mod area;
mod content;
mod content_writer;
mod error;
mod folder;
mod gate;
mod key;
mod key_lock;
mod kind;
mod new_file;
mod prune;
mod session;
mod spool;
mod usage;
mod used;
mod values;
mod walk;

pub use area::Area;
pub use content::{CachedFile, Content, VerifyingFile};
pub use content_writer::{ContentWriter, DerivedWriter, Expected};
pub use error::{CacheError, ContentError};
pub use key::{ContentKey, ContentKeyError};
pub use key_lock::KeyLock;
pub use kind::Kind;
pub use prune::{Pruned, prune, would_prune};
pub use session::Session;
pub use spool::{Spool, SpoolWriter};
pub use usage::{Tally, Usage};
pub use values::Values;
