//! The image that another one starts from.

mod below;
mod error;
mod kept;
mod signed;

use std::path::Path;
use std::sync::Arc;

use distil_aptrepo::lock::LockedBase;
use distil_cache::{Session, Values};
use distil_imgcore::{Descriptor, Digest, Image, Platform, Reference, RegistryName};
use distil_sbom::provenance::BaseSigners;

use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};
use crate::recipe::{self, Layers, Strategy};

pub(crate) use below::{BaseImage, check_version};
pub use error::BaseError;
use error::Name;
use kept::Kept;

/// A base, with all its platforms.
#[derive(Debug)]
pub(crate) struct Base {
    named: Named,
    /// Where it is from a registry.
    kept: Option<Arc<Kept>>,
    name: Name,
    public_name: Option<String>,
    signers: Option<BaseSigners>,
    session: Session,
}

impl Base {
    /// Finds the image that a recipe in `dir` names. From here on only its digest counts. Of a registry it is the one of a
    /// lock, where that says which: its tag is not asked again, and may have moved. Where the recipe says who must have signed it,
    /// it is not opened before that is verified.
    pub(crate) fn open(
        stated: &recipe::Base,
        dir: &Path,
        locked: Option<&Digest>,
        places: &Places<'_>,
        session: &Session,
    ) -> Result<Self, BaseError> {
        let name = Name { reference: stated.image.to_string(), place: stated.place.clone() };
        let (named, kept) = match &stated.image {
            Reference::Registry(registry) => {
                let registry = at(registry, locked);
                let kept = Arc::new(Kept::open(&registry, places, session)?);
                (Named::within(Arc::<Kept>::clone(&kept), &registry, places), Some(kept))
            }
            local => (Named::open(&local.relative_to(dir), places), None),
        };
        let named = named.map_err(|source| name.unreadable(source))?;
        let of_registry = kept.as_ref().map(|_| (session, places.machine.offline));
        let check = |trust| signed::check(trust, dir, (named.store.as_ref(), &named.root), of_registry, &name);
        let signers = stated.trust.as_ref().map(check).transpose()?;
        Ok(Self { named, kept, name, public_name: stated.public_name.clone(), signers, session: session.clone() })
    }

    /// The index of all platforms, or the only manifest.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.named.root
    }

    /// What annotations may call it.
    pub(crate) fn public_name(&self) -> Option<&str> {
        self.public_name.as_deref()
    }

    /// Who must have signed it, which was verified.
    pub(crate) fn signers(&self) -> Option<&BaseSigners> {
        self.signers.as_ref()
    }

    /// When the newest of its images for these platforms was made, in seconds since 1970. An image that cannot be read
    /// counts for nothing: whoever needs it reads it again.
    pub(crate) fn created<'a>(&self, platforms: impl IntoIterator<Item = &'a Platform>) -> Option<i64> {
        let created = |platform| self.named.image(Choice::Exactly(platform)).ok()?.1.config().created();
        platforms.into_iter().filter_map(created).max()
    }

    /// The digest of the image of one platform.
    pub(crate) fn digest(&self, platform: &Platform) -> Result<Digest, BaseError> {
        let found = self.named.image(Choice::Exactly(platform));
        Ok(found.map_err(|source| self.name.unreadable(source))?.1.digest().clone())
    }

    /// Its digests, as a lock has them.
    pub(crate) fn to_lock(&self, platforms: &[Platform]) -> Result<LockedBase, BaseError> {
        let digest = |platform: &Platform| Ok((platform.clone(), self.digest(platform)?));
        let platforms = platforms.iter().map(digest).collect::<Result<_, BaseError>>()?;
        Ok(LockedBase { digest: Some(self.descriptor().digest().clone()), platforms })
    }

    /// Refuses to go on with another image than the one of a lock.
    ///
    /// # Errors
    /// [`BaseError::Locked`]
    pub(crate) fn check(&self, locked: &LockedBase, platform: &Platform) -> Result<(), BaseError> {
        let found = self.digest(platform)?;
        match locked.platforms.get(platform) {
            Some(locked) if *locked == found => Ok(()),
            locked => Err(BaseError::Locked {
                platform: Box::new(platform.clone()),
                locked: locked.cloned().map(Box::new),
                found: Box::new(found),
            }),
        }
    }

    /// The image of one platform, with its files and packages.
    pub(crate) fn image(&self, platform: &Platform, progress: &dyn Progress) -> Result<BaseImage, BaseError> {
        let image = self.pulled(platform, progress).map_err(|source| self.name.unreadable(source))?;
        let cache = Values::in_session(&self.session).map_err(BaseError::Cache)?;
        BaseImage::read(image, self.name.clone(), &cache, progress)
    }

    /// The image of one platform, all of whose layers are on this machine.
    fn pulled(&self, platform: &Platform, progress: &dyn Progress) -> Result<Image, ReadError> {
        let (_, image) = self.named.image(Choice::Exactly(platform))?;
        if let Some(kept) = &self.kept {
            kept.pull(&image.manifest().layers().iter().collect::<Vec<_>>(), progress)?;
        }
        Ok(image)
    }
}

/// A name in a registry, for the image of a lock where it states no digest itself.
fn at(name: &RegistryName, locked: Option<&Digest>) -> RegistryName {
    match (name.digest(), locked) {
        (None, Some(locked)) => name.with_digest(locked.clone()),
        _ => name.clone(),
    }
}

/// The rules for layers on top of a base with `found` layers, which count like all others.
pub(crate) fn layers_on(stated: &recipe::Base, found: usize, layers: Layers) -> Result<Layers, BaseError> {
    // One for packages and one for own files.
    let needed = if layers.strategy == Strategy::Single { 1 } else { 2 };
    let room = u8::try_from(found).ok().and_then(|found| layers.max.checked_sub(found));
    match room.filter(|room| *room >= needed) {
        Some(max) => Ok(Layers { max, ..layers }),
        None => Err(BaseError::Layers {
            reference: stated.image.to_string(),
            place: stated.place.clone(),
            found,
            max: layers.max.into(),
        }),
    }
}

#[cfg(test)]
mod tests;
