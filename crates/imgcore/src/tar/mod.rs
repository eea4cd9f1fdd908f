//! Tar archives: a strict bounded reader and a deterministic writer.
//!
//! The reader gives an archive one meaning or refuses it: whatever dpkg, GNU tar, Go's and Python's readers would
//! understand differently is an error. It reads the formats of [POSIX `pax`], GNU's long names and old V7 headers;
//! sparse files, multi-volume archives and unknown types are refused. Numbers may be octal or base-256.
//!
//! [POSIX `pax`]: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html

mod error;
mod header;
mod pax;
mod reader;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

pub use error::{Fault, TarError};
pub use reader::{Dialect, Limits, TarReader};
pub use writer::TarWriter;

/// Bytes of a header, and what the content of an entry is padded to.
pub const BLOCK: usize = 512;
