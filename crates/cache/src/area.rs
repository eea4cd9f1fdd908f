//! What a cached file is for, as far as the cache knows.

/// A part of the cache with keys of its own: a file by its SHA-256 does not say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Files that were fetched.
    Packages,
    /// Packed bytes of fragments, which can be made again from packages.
    Fragments,
    /// Manifests and blobs of images that others start from, which were pulled.
    Images,
}

impl Area {
    pub(crate) const ALL: [Self; 3] = [Self::Packages, Self::Fragments, Self::Images];

    /// The name of its folder.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Packages => "content",
            Self::Fragments => "fragments",
            Self::Images => "images",
        }
    }
}
