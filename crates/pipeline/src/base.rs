//! The image that another one starts from.

mod below;
mod error;

use std::path::Path;

use distil_imgcore::{Descriptor, Image, Platform};

use crate::progress::Progress;
use crate::read::{Choice, Named};
use crate::recipe::{self, Place};

pub(crate) use below::BaseImage;
pub use error::BaseError;

/// A base, with all its platforms.
#[derive(Debug)]
pub(crate) struct Base {
    named: Named,
    reference: String,
    place: Place,
    public_name: Option<String>,
}

impl Base {
    /// Finds the image that a recipe in `dir` names. From here on only its digest counts.
    pub(crate) fn open(stated: &recipe::Base, dir: &Path) -> Result<Self, BaseError> {
        // As the recipe has it, so that messages say the same on every machine.
        let (reference, place) = (stated.image.to_string(), stated.place.clone());
        match Named::open(&stated.image.relative_to(dir)) {
            Ok(named) => Ok(Self { named, reference, place, public_name: stated.public_name.clone() }),
            Err(source) => Err(BaseError::Read { reference, place, source: Box::new(source) }),
        }
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

    /// The image of one platform, with its files and packages.
    pub(crate) fn image(&self, platform: &Platform, progress: &dyn Progress) -> Result<BaseImage, BaseError> {
        let (_, image): (_, Image) =
            self.named.image(Choice::Exactly(platform)).map_err(|source| self.failed(source))?;
        let below = BaseImage::read(image, progress).map_err(|source| self.failed(source))?;
        match below.unreadable() {
            Some(path) => Err(BaseError::Record { path: path.clone() }),
            None => Ok(below),
        }
    }

    fn failed(&self, source: crate::read::ReadError) -> BaseError {
        BaseError::Read { reference: self.reference.clone(), place: self.place.clone(), source: Box::new(source) }
    }
}

#[cfg(test)]
mod tests;
