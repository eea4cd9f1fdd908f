//! What is timed on a set.

use std::fmt;

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Packing {
    Zstd,
    Gzip,
}

impl Packing {
    pub(super) const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    /// As a recipe says it.
    pub(super) fn stated(self) -> &'static str {
        match self {
            Self::Zstd => "zstd:3",
            Self::Gzip => "gzip:6",
        }
    }

    /// The program that others use for it, at the same level.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Zstd => "zstd -3",
            Self::Gzip => "gzip -6",
        }
    }
}

/// Which packages share a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strategy {
    Package,
    Single,
}

impl Strategy {
    pub(super) const ALL: [Self; 2] = [Self::Package, Self::Single];

    /// As a recipe says it.
    pub(super) fn stated(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Single => "single",
        }
    }
}

/// A row of a set's table. Without another word, layers are by package and in zstd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    Cold(Packing),
    ColdLocal,
    /// With everything that is attached by default, of which the other builds attach nothing.
    ColdDescribed,
    /// An SBOM by looking through a finished image.
    Sbom,
    /// The same by another program.
    Syft,
    Changed(Strategy),
    NewDestination,
    Unchanged,
    Decompress,
    Openssl,
    Shell(Packing),
    Buildah,
    /// The cold build of the set `jre`, beside the large one.
    ColdJre,
}

impl Task {
    /// Whether it is a build of the set by distil.
    pub(super) fn is_ours(self) -> bool {
        !matches!(
            self,
            Self::Decompress | Self::Openssl | Self::Shell(_) | Self::Buildah | Self::ColdJre | Self::Sbom | Self::Syft
        )
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cold(packing) => write!(f, "distil, cold, {}", packing.stated()),
            Self::ColdLocal => f.write_str("distil, cold, local files, zstd:3"),
            Self::ColdDescribed => f.write_str("distil, cold, zstd:3, SBOMs and provenance"),
            Self::Sbom => f.write_str("distil, SBOM of an image"),
            Self::Syft => f.write_str("syft, SBOM of the same image"),
            Self::Changed(strategy) => write!(f, "distil, one package changed, `{}`", strategy.stated()),
            Self::NewDestination => f.write_str("distil, new destination"),
            Self::Unchanged => f.write_str("distil, unchanged"),
            Self::Decompress => f.write_str("decompress"),
            Self::Openssl => f.write_str("openssl"),
            Self::Shell(Packing::Zstd) => f.write_str("shell, zstd"),
            Self::Shell(Packing::Gzip) => f.write_str("shell, pigz"),
            Self::Buildah => f.write_str("buildah"),
            Self::ColdJre => f.write_str("distil, cold, zstd:3, of the set jre"),
        }
    }
}
