//! What distil keeps on disk beside its results: one directory, shared by concurrent processes.
//!
//! So far these are *spools*: files that a build writes once and reads a few times, and that are gone when it ends.
//! Nothing here is trusted by another process, and nothing is a result.
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

mod error;
mod session;
mod spool;

pub use error::CacheError;
pub use session::Session;
pub use spool::{Spool, SpoolWriter};
