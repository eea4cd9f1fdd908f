//! What is below the images of a build: nothing, or the images of a base.

use std::collections::{BTreeMap, BTreeSet};

use distil_debunpack::records::Database;
use distil_imgcore::document::MAX_LAYERS;
use distil_imgcore::{Digest, Platform};

use super::error::BuildError;
use super::supply::{Set, Supply};
use crate::base::{Base, BaseError, BaseImage};
use crate::progress::Progress;
use crate::recipe::Layers;

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
    /// Reads the images of a base for these platforms, on which packages are to be recorded in the form `database`.
    pub(super) fn read<'a>(
        base: Base,
        platforms: impl IntoIterator<Item = &'a Platform>,
        database: Option<Database>,
        progress: &dyn Progress,
    ) -> Result<Self, BaseError> {
        let mut images = BTreeMap::new();
        for platform in platforms {
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

    /// When the newest image of the base was made, in seconds since 1970. Platforms that are left out count, so that each
    /// image is the same with and without the others.
    pub(super) fn created<'a>(&'a self, stated: &'a [Platform]) -> Option<i64> {
        self.base.as_ref()?.created(self.images.keys().chain(stated))
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
        let name = self.base.as_ref().and_then(Base::public_name);
        let stated = [(BASE_DIGEST, digest.map(ToString::to_string)), (BASE_NAME, name.map(str::to_owned))];
        let mut annotations = own.clone();
        annotations.extend(stated.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        annotations
    }

    /// The rules for layers on top of what the image of a platform starts from, whose layers count, too.
    pub(super) fn layers(&self, platform: &Platform, layers: Layers) -> Result<Layers, BaseError> {
        let found = self.of(platform).map_or(0, |below| below.image().layers().len());
        // One for packages and one for own files.
        let room = MAX_LAYERS.checked_sub(found).filter(|room| *room > 1);
        let room = room.ok_or(BaseError::Layers { found, max: MAX_LAYERS })?;
        Ok(Layers { max: u8::try_from(room).map_or(layers.max, |room| layers.max.min(room)), ..layers })
    }
}

impl Supply {
    /// These packages without those that the bases have already.
    pub(super) fn on(self, bases: &Bases) -> Result<Self, BuildError> {
        let Self { packages, sets, newest } = self;
        let mut lacking = Vec::new();
        for Set { platform, members } in sets {
            let mut kept = Vec::new();
            for i in members {
                let package = packages.get(i).zip(bases.of(&platform));
                let there = package.map_or(Ok(false), |(package, below)| below.has(package.control()))?;
                kept.extend((!there).then_some(i));
            }
            lacking.push(Set { platform, members: kept });
        }
        let used: BTreeSet<usize> = lacking.iter().flat_map(|set| set.members.iter().copied()).collect();
        let places: BTreeMap<usize, usize> = used.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        for set in &mut lacking {
            set.members = set.members.iter().filter_map(|old| places.get(old).copied()).collect();
        }
        let packages = packages.into_iter().enumerate().filter(|(i, _)| used.contains(i)).map(|(_, package)| package);
        Ok(Self { packages: packages.collect(), sets: lacking, newest })
    }
}
