//! Who vouches for the bytes of a package.

/// Whether somebody else finds out if the bytes of a package were changed.
///
/// A package has checks of its own: the MD5 sums that it states for its files, and the check that xz keeps for each of
/// its blocks. They tell of mistakes, and take time for every byte. A SHA-256 of the whole file that comes from elsewhere
/// tells all that they do and more, so that they are left out where there is one.
///
/// What is left out is no matter of form: the structure of every container, compression and archive is always checked,
/// and so are sizes and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Integrity {
    /// Nobody does: the package's own checks are all there is, and each of them is made.
    #[default]
    Unverified,
    /// The reader compares the whole file with a digest, and fails where it would otherwise report its end.
    ///
    /// Nothing that was read may be relied on before the end was seen, as by [`DataReader::finish`]: until then changed
    /// bytes can decode to anything.
    ///
    /// [`DataReader::finish`]: crate::DataReader::finish
    Verified,
}
