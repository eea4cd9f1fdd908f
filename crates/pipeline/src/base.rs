//! The image that another one starts from.

mod below;
mod error;

use std::path::Path;

use distil_imgcore::{Descriptor, Digest, Platform};

use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named};
use crate::recipe::{self, Layers, Strategy};

pub(crate) use below::{BaseImage, check_version};
pub use error::BaseError;
use error::Name;

/// A base, with all its platforms.
#[derive(Debug)]
pub(crate) struct Base {
    named: Named,
    name: Name,
    public_name: Option<String>,
}

impl Base {
    /// Finds the image that a recipe in `dir` names. From here on only its digest counts.
    pub(crate) fn open(stated: &recipe::Base, dir: &Path, places: &Places<'_>) -> Result<Self, BaseError> {
        let name = Name { reference: stated.image.to_string(), place: stated.place.clone() };
        let named = Named::open(&stated.image.relative_to(dir), places).map_err(|source| name.unreadable(source))?;
        Ok(Self { named, name, public_name: stated.public_name.clone() })
    }

    /// The index of all platforms, or the only manifest.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.named.root
    }

    /// What annotations may call it.
    pub(crate) fn public_name(&self) -> Option<&str> {
        self.public_name.as_deref()
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

    /// The image of one platform, with its files and packages.
    pub(crate) fn image(&self, platform: &Platform, progress: &dyn Progress) -> Result<BaseImage, BaseError> {
        let found = self.named.image(Choice::Exactly(platform));
        let (_, image) = found.map_err(|source| self.name.unreadable(source))?;
        BaseImage::read(image, self.name.clone(), progress)
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
