//! Bytes that can be read more than once, wherever they lie.

use std::fmt;
use std::io::{self, Read};

/// Bytes that can be opened as often as wanted and are the same each time: memory, a part of a file, several of them
/// in a row.
///
/// Whoever writes a blob to a store opens it once for each store; threads may do so at the same time.
pub trait Content: Send + Sync + fmt::Debug {
    /// Starts reading from the first byte.
    ///
    /// # Errors
    /// What opening a file gives.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl Content for Vec<u8> {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}
