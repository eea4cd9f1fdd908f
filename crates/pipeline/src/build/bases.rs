//! What is below the images of a build: nothing, or the images of a base.

use std::collections::BTreeMap;

use distil_aptrepo::lock::LockedBase;
use distil_debunpack::records::Database;
use distil_imgcore::{Digest, Platform};
use distil_sbom::provenance::BaseSigners;

use crate::base::{Base, BaseError, BaseImage};
use crate::progress::Progress;

/// The annotations that say what an image was built on, see the [image specification].
///
/// [image specification]: https://github.com/opencontainers/image-spec/blob/main/annotations.md
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// What is below the images of a build.
#[derive(Debug, Default)]
pub(super) struct Bases {
    base: Option<Base>,
    images: BTreeMap<Platform, BaseImage>,
}

impl Bases {
    /// Reads the images of a base for these platforms, which are those of the lock where there is one, and on which packages are
    /// to be recorded in the form `database`.
    pub(super) fn read<'a>(
        base: Base,
        platforms: impl IntoIterator<Item = &'a Platform>,
        locked: Option<&LockedBase>,
        database: Option<Database>,
        progress: &dyn Progress,
    ) -> Result<Self, BaseError> {
        let mut images = BTreeMap::new();
        for platform in platforms {
            if let Some(locked) = locked {
                base.check(locked, platform)?;
            }
            let image = base.image(platform, progress)?;
            image.records(database)?;
            images.insert(platform.clone(), image);
        }
        Ok(Self { base: Some(base), images })
    }

    /// What the image of a platform starts from.
    pub(super) fn of(&self, platform: &Platform) -> Option<&BaseImage> {
        self.images.get(platform)
    }

    /// What documents may call the base.
    pub(super) fn public_name(&self) -> Option<&str> {
        self.base.as_ref().and_then(Base::public_name)
    }

    /// Who must have signed the base, which was verified.
    pub(super) fn signers(&self) -> Option<&BaseSigners> {
        self.base.as_ref().and_then(Base::signers)
    }

    /// The annotations of the manifest for a platform.
    pub(super) fn of_manifest(&self, platform: &Platform, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.annotated(own, self.of(platform).map(|below| below.image().digest()))
    }

    /// The annotations of the index.
    pub(super) fn of_index(&self, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.annotated(own, self.base.as_ref().map(|base| base.descriptor().digest()))
    }

    fn annotated(&self, own: &BTreeMap<String, String>, digest: Option<&Digest>) -> BTreeMap<String, String> {
        let name = self.public_name();
        let stated = [(BASE_DIGEST, digest.map(ToString::to_string)), (BASE_NAME, name.map(str::to_owned))];
        let mut annotations = own.clone();
        annotations.extend(stated.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        annotations
    }
}
