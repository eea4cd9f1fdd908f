//! A signature or statement as a layer, under cosign's name for them.

use distil_imgcore::{Attachment, AttachmentKind, Descriptor, Digest, Document, Error, MediaType, RefName, Selector};
use distil_signing::dsse::Envelope;
use distil_signing::legacy::{self, Layer, LegacyError, PREDICATE_TYPE};

use super::{ATTEMPTS, Beside};
use crate::signing::error::SignError;

/// A layer that is to be among those about an image.
#[derive(Debug)]
pub(super) struct Layered<'a> {
    image: &'a Descriptor,
    kind: AttachmentKind,
    layer: Layer,
    /// What the layer is an envelope around, where it is one.
    statement: Option<Vec<u8>>,
    /// Whether it was written, and replaces nothing any more.
    written: bool,
}

impl<'a> Layered<'a> {
    pub(super) fn new(image: &'a Descriptor, kind: AttachmentKind, layer: Layer, statement: Option<Vec<u8>>) -> Self {
        Self { image, kind, layer, statement, written: false }
    }

    /// Writes the manifest with this layer, unless it is there; gives its digest then.
    pub(super) fn put(&mut self, to: &Beside<'_>) -> Result<Option<Digest>, SignError> {
        let of_kind = |name: &RefName| Attachment::named(name).is_some_and(|found| found.kind() == self.kind);
        let Some(name) = Attachment::names_for(self.image.digest()).find(of_kind) else { return Ok(None) };
        for _ in 0..ATTEMPTS {
            let found = match to.store.resolve(&Selector::Name(name.clone())) {
                Ok(found) => Some(found),
                Err(Error::NoImage { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            let held = match &found {
                Some(found) => held(to, &name, found)?,
                None => self.unnamed(to, &name)?,
            };
            let Some(layers) = self.added_to(&held, to)? else { return Ok(None) };
            let written = legacy::manifest(&layers).map_err(failed(to, &name))?;
            to.keep(&written)?;
            let manifest = &written.manifest.descriptor;
            if to.store.tag_over(&name, manifest, found.as_ref().map(Descriptor::digest))? {
                self.written = true;
                return Ok(Some(manifest.digest().clone()));
            }
        }
        Err(SignError::Contended { digest: self.image.digest().clone(), place: to.store.place() })
    }

    /// The layers with this one; none where it is there.
    fn added_to(&self, held: &[Layer], to: &Beside<'_>) -> Result<Option<Vec<Layer>>, SignError> {
        let verifies = |message: &[u8], signature: &[u8]| to.verifies(message, signature);
        let Some(statement) = &self.statement else {
            return Ok(legacy::append(held, self.layer.clone(), verifies));
        };
        let replaces = to.replaces && !self.written;
        let kind = |layer: &Layer| layer.annotations().get(PREDICATE_TYPE).cloned();
        let of_type = held.iter().filter(|layer| kind(layer) == kind(&self.layer)).count();
        for layer in held.iter().filter(|layer| layer.descriptor().media_type().as_str() == MediaType::DSSE) {
            let Some(bytes) = to.likely(&layer.descriptor().bare(), statement)? else { continue };
            let repeated = Envelope::parse(&bytes).is_ok_and(|found| to.is_repeated(&found, statement));
            if repeated && (!replaces || of_type == 1) {
                return Ok(None);
            }
        }
        if replaces {
            return Ok(Some(legacy::replace(held, self.layer.clone())));
        }
        Ok(legacy::append(held, self.layer.clone(), verifies))
    }

    /// The layers of a layout that `cosign save` wrote, where they have no name.
    fn unnamed(&self, to: &Beside<'_>, name: &RefName) -> Result<Vec<Layer>, SignError> {
        let mut layers = Vec::new();
        for (kind, manifest) in to.store.unnamed_attachments()? {
            if kind == self.kind {
                layers.extend(held(to, name, &manifest)?);
            }
        }
        Ok(layers)
    }
}

/// The layers of a manifest.
fn held(to: &Beside<'_>, name: &RefName, manifest: &Descriptor) -> Result<Vec<Layer>, SignError> {
    match to.store.document(manifest)? {
        Document::Manifest(manifest) => legacy::layers(&manifest).map_err(failed(to, name)),
        Document::Index(_) => Err(SignError::NoManifest { name: name.clone(), place: to.store.place() }),
    }
}

fn failed(to: &Beside<'_>, name: &RefName) -> impl FnOnce(LegacyError) -> SignError {
    let (name, place) = (name.clone(), to.store.place());
    move |source| SignError::Legacy { name, place, source }
}
