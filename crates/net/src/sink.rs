//! Where a download goes, and who looks on.

use std::io;

/// Takes the bytes of one download as they come.
///
/// The client calls [`Sink::write`] with each piece, in order. When a connection breaks and the server cannot go on
/// where it stopped, it calls [`Sink::restart`], and the next piece is the first one again. An error of either ends the
/// download.
pub trait Sink {
    /// Takes the next piece.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Forgets all pieces so far.
    ///
    /// # Errors
    /// Where they cannot be forgotten.
    fn restart(&mut self) -> io::Result<()>;
}

/// For small files.
impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}

/// Looks on while files come, from several threads at once, and may end it.
pub trait Watch: Sync {
    /// So many more bytes of a file have come. `what` is its URL as messages show it.
    fn advanced(&self, what: &str, bytes: u64);

    /// Whether to stop. Asked several times a second, also while nothing comes.
    fn cancelled(&self) -> bool;
}

/// Looks at nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn advanced(&self, _what: &str, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
