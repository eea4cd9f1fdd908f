//! The lock `distil.lock`: which packages a recipe stands for, on what evidence, and what image they give.
//!
//! Text in, text out: [`Lock::parse`] is strict, [`Lock::to_toml`] always writes the same for the same lock, and what
//! one writes the other reads as it was. No mirror is named anywhere, so that a lock made through one mirror fits every
//! other.

mod asked;
mod changes;
mod error;
mod evidence;
mod read;
mod table;
mod write;

use std::collections::BTreeMap;

use distil_debunpack::{Architecture, PackageName, Source, Version};
use distil_imgcore::{DiffId, Digest, Platform};

use crate::{Fingerprint, Snapshot, Timestamp};

pub use asked::{Asked, AskedLayers, AskedSource, AskedSources, AskedVariant, Difference};
pub use changes::Change;
pub use error::{LockError, LockFault};
pub use evidence::{EvidenceFault, EvidenceFiles, EvidenceFinding, EvidenceReport, KeptIndex};

/// The format that this version reads and writes. It pins all that decides the bytes of an image.
pub const FORMAT_VERSION: u32 = 3;

/// The longest lock that is read, in bytes.
pub const MAX_LOCK: usize = 64 << 20;

/// The packages of a recipe and of its variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What the recipe asks for.
    pub asked: Asked,
    /// The time that images state as that of their creation, in seconds since 1970.
    pub epoch: i64,
    /// What was verified of each suite, in the order of the sources.
    pub repositories: Vec<RepositoryEvidence>,
    /// The image that is started from.
    pub base: Option<LockedBase>,
    /// What the recipe without a variant stands for.
    pub main: Locked,
    /// What each variant stands for: all of it, not only the difference.
    pub variants: BTreeMap<String, Locked>,
}

/// What was verified of one suite of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryEvidence {
    /// The suite as the recipe names it.
    pub suite: String,
    /// What the signed file calls its suite's code name.
    pub codename: Option<String>,
    /// Who publishes it, as the signed file says.
    pub origin: Option<String>,
    /// What the signed file calls the repository.
    pub label: Option<String>,
    /// The version of the release, as the signed file says.
    pub version: Option<String>,
    /// The signed file.
    pub signed: SignedFile,
    /// The fingerprint of the certificate.
    pub primary_key: Fingerprint,
    /// The fingerprint of the key in it that signed; the same where that is the primary key.
    pub key: Fingerprint,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The time that the signed file states.
    pub date: Timestamp,
    /// Until when the signed file may be used.
    pub valid_until: Option<Timestamp>,
    /// The time at which the repository was looked at, where the recipe says one.
    pub snapshot: Option<Snapshot>,
    /// The indices that were read, in the order of their paths.
    pub indices: Vec<IndexEvidence>,
}

/// The digests of what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedFile {
    /// `InRelease`, which holds its signature.
    Inline {
        /// The digest of the file.
        digest: Digest,
    },
    /// `Release` with its signature beside it.
    Detached {
        /// The digest of `Release`.
        release: Digest,
        /// The digest of `Release.gpg`.
        signature: Digest,
    },
}

/// An index that a signed file vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEvidence {
    /// Its path below the suite, as in `main/binary-amd64/Packages.xz`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// The image that is started from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockedBase {
    /// The digest of what the recipe names: the index of all platforms, or the only manifest. None in locks of versions that
    /// did not write it down.
    pub digest: Option<Digest>,
    /// The digest of its manifest for each platform.
    pub platforms: BTreeMap<Platform, Digest>,
}

/// What a recipe or one of its variants stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locked {
    /// The packages of each platform.
    pub platforms: BTreeMap<Platform, LockedPlatform>,
    /// The image that came out of it, where that was recorded.
    pub result: Option<LockedResult>,
}

/// The packages of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockedPlatform {
    packages: Vec<LockedPackage>,
    layers: Vec<Vec<PackageName>>,
}

/// One package. Versions are compared by their text here, for `1.0` and `1.00` are two packages.
#[derive(Debug, Clone)]
pub struct LockedPackage {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub architecture: Architecture,
    /// The source package that it was built from.
    pub source: Source,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Where it is.
    pub origin: PackageOrigin,
}

/// Where a package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageOrigin {
    /// In a repository.
    Repository {
        /// Its number in [`Lock::repositories`].
        repository: usize,
        /// Its path below the repository's URL, as the index has it.
        path: String,
    },
    /// Beside the recipe.
    Local {
        /// Its path, relative to the recipe unless the recipe has it otherwise.
        path: String,
    },
}

/// An image that came out of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedResult {
    /// The digest of the recipe's own files, for which alone the rest holds.
    pub files: Digest,
    /// How layers were compressed.
    pub compression: String,
    /// The digest of the index.
    pub digest: Digest,
    /// What each platform got.
    pub platforms: BTreeMap<Platform, LockedImage>,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedImage {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The diff ids of its layers.
    pub diff_ids: Vec<DiffId>,
}

/// Packages that are no content of a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Two packages of one name.
    #[error("the package {0} is there twice")]
    Twice(PackageName),
    /// A package of the plan that is not there.
    #[error("the layer plan has {0}, which is no package of the platform")]
    Unknown(PackageName),
    /// A package in two layers.
    #[error("two layers have the package {0}")]
    TwoLayers(PackageName),
    /// A package in no layer.
    #[error("no layer has the package {0}")]
    NoLayer(PackageName),
}

impl LockedPlatform {
    /// Packages, in any order, and which of them share a layer, from the lowest layer up.
    ///
    /// # Errors
    /// [`PlanError`] unless every name is there once, and in one layer.
    pub fn new(mut packages: Vec<LockedPackage>, layers: Vec<Vec<PackageName>>) -> Result<Self, PlanError> {
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let mut has_layer: BTreeMap<&PackageName, bool> = BTreeMap::new();
        for package in &packages {
            if has_layer.insert(&package.name, false).is_some() {
                return Err(PlanError::Twice(package.name.clone()));
            }
        }
        for name in layers.iter().flatten() {
            match has_layer.insert(name, true) {
                Some(false) => {}
                Some(true) => return Err(PlanError::TwoLayers(name.clone())),
                None => return Err(PlanError::Unknown(name.clone())),
            }
        }
        let left_out = has_layer.into_iter().find(|(_, placed)| !placed).map(|(name, _)| name.clone());
        left_out.map_or(Ok(Self { packages, layers }), |name| Err(PlanError::NoLayer(name)))
    }

    /// The packages, in the order of their names.
    #[must_use]
    pub fn packages(&self) -> &[LockedPackage] {
        &self.packages
    }

    /// The package of a name.
    #[must_use]
    pub fn package(&self, name: &PackageName) -> Option<&LockedPackage> {
        let at = self.packages.binary_search_by(|package| package.name.cmp(name)).ok()?;
        self.packages.get(at)
    }

    /// The names of the packages in each layer, from the lowest layer up.
    #[must_use]
    pub fn layers(&self) -> &[Vec<PackageName>] {
        &self.layers
    }
}

impl Lock {
    /// The recipe itself, or one of its variants.
    #[must_use]
    pub fn locked(&self, variant: Option<&str>) -> Option<&Locked> {
        variant.map_or(Some(&self.main), |name| self.variants.get(name))
    }

    /// The recipe itself and all its variants.
    fn all(&self) -> impl Iterator<Item = &Locked> {
        std::iter::once(&self.main).chain(self.variants.values())
    }
}

impl PartialEq for LockedPackage {
    fn eq(&self, other: &Self) -> bool {
        fn key(
            p: &LockedPackage,
        ) -> (&PackageName, &str, &Architecture, &PackageName, &str, u64, &Digest, &PackageOrigin) {
            let (version, source) = (p.version.as_str(), p.source.version.as_str());
            (&p.name, version, &p.architecture, &p.source.name, source, p.size, &p.sha256, &p.origin)
        }
        key(self) == key(other)
    }
}

impl Eq for LockedPackage {}

#[cfg(test)]
mod tests;
