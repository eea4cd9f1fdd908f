//! A place that an image is written to.

use distil_imgcore::{
    ArchiveWriter, Descriptor, Digest, DockerArchiveWriter, Error, Layout, RefName, Reference, Selector, Store,
};
use distil_registry::Repository;

use crate::places::{StoreError, Taken};

/// Refuses a destination that names a digest for any other image.
pub(crate) fn check_digest(destination: &Reference, image: &Digest) -> Result<(), StoreError> {
    let wanted = match destination {
        Reference::Layout(at) | Reference::Archive(at) => match at.selector() {
            Selector::Digest(wanted) => Some(wanted),
            Selector::Name(_) | Selector::Only => None,
        },
        Reference::DockerArchive(_) => None,
        Reference::Registry(name) => name.digest(),
    };
    if wanted.is_some_and(|wanted| wanted != image) {
        return Err(StoreError::OtherDigest { reference: destination.to_string(), found: image.clone() });
    }
    Ok(())
}

/// What becomes of names that another image has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// They come to mean the new one.
    Move,
    /// They stay, and the new image is not written. Files of archives are always made anew, with all names in them.
    Stay,
}

impl Names {
    /// What somebody wants who may ask for names that stay.
    pub(crate) fn of(immutable: bool) -> Self {
        if immutable { Self::Stay } else { Self::Move }
    }
}

/// A place that an image is being written to. Dropped without [`Destination::finish`], it is as it was before.
#[derive(Debug)]
pub(crate) struct Destination {
    kind: Kind,
    name: Option<RefName>,
}

/// What takes the blobs.
#[derive(Debug)]
pub(crate) enum Kind {
    Layout(Layout),
    Archive(ArchiveWriter),
    DockerArchive(Box<DockerArchiveWriter>),
    Repository(Box<Repository>),
}

impl Destination {
    /// A place that was opened, for an image of this name where it has one.
    pub(crate) fn new(kind: Kind, name: Option<RefName>) -> Self {
        Self { kind, name }
    }

    /// Takes the blobs.
    pub(crate) fn store(&self) -> &dyn Store {
        match &self.kind {
            Kind::Layout(store) => store,
            Kind::Archive(store) => store,
            Kind::DockerArchive(store) => store.as_ref(),
            Kind::Repository(store) => store.as_ref(),
        }
    }

    /// Whether what is about an image has to be named to the place although an index names it, too.
    pub(crate) fn wants_all_referrers(&self) -> bool {
        matches!(self.kind, Kind::Repository(_))
    }

    /// Refuses to write an image under the name of another one, where names stay. To be asked before anything is sent.
    ///
    /// # Errors
    /// [`StoreError::Taken`], and where the place cannot be asked.
    pub(crate) fn check(&self, image: &Digest, names: Names) -> Result<(), StoreError> {
        if names == Names::Stay { self.stays(self.named()?, image) } else { Ok(()) }
    }

    /// Whether the name means the image already.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    pub(crate) fn means(&self, image: &Digest) -> Result<bool, StoreError> {
        Ok(self.named()?.as_ref() == Some(image))
    }

    fn stays(&self, found: Option<Digest>, image: &Digest) -> Result<(), StoreError> {
        match (&self.name, found) {
            (Some(name), Some(found)) if found != *image => {
                let (name, place, wanted) = (name.clone(), self.store().place(), image.clone());
                Err(StoreError::Taken(Box::new(Taken { name, place, found, wanted })))
            }
            _ => Ok(()),
        }
    }

    /// Names the image and makes findable what is said `about` it, after all their blobs were put, and completes the place.
    /// What comes back is what readers find there: `root`, or the manifest that they make for a docker archive, which holds
    /// none.
    ///
    /// # Errors
    /// As [`Destination::check`]; [`Error::Moved`] where the name means another image right afterwards.
    pub(crate) fn finish(
        self,
        root: &Descriptor,
        about: &[Descriptor],
        names: Names,
    ) -> Result<Descriptor, StoreError> {
        // What cannot be read is no reason to keep it, unless somebody wants to be sure.
        let before = match names {
            Names::Move => self.named().unwrap_or_default(),
            Names::Stay => self.named()?,
        };
        // Registries that let no tag move may refuse to write one that is right already.
        let is_tagged = matches!(self.kind, Kind::Repository(_)) && before.as_ref() == Some(root.digest());
        if names == Names::Stay {
            // Much may have happened since it was asked the first time.
            self.stays(before, root.digest())?;
        }
        self.store().publish(self.name.as_ref().filter(|_| !is_tagged), root, about)?;
        if let (Kind::Layout(_) | Kind::Repository(_), Some(name)) = (&self.kind, &self.name) {
            let found = self.named()?;
            if found.as_ref() != Some(root.digest()) {
                return Err(Error::Moved { name: name.clone(), found, place: self.store().place() }.into());
            }
        }
        match self.kind {
            Kind::Layout(_) | Kind::Repository(_) => Ok(root.clone()),
            Kind::Archive(writer) => Ok(writer.finish().map(|()| root.clone())?),
            Kind::DockerArchive(writer) => Ok(writer.finish()?),
        }
    }

    /// The image that has the name now, in a place that lasts.
    fn named(&self) -> Result<Option<Digest>, Error> {
        let (Kind::Layout(_) | Kind::Repository(_), Some(name)) = (&self.kind, &self.name) else { return Ok(None) };
        match self.store().resolve(&Selector::Name(name.clone())) {
            Ok(found) => Ok(Some(found.digest().clone())),
            Err(Error::NoImage { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
