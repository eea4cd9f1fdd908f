//! A signature or statement as a bundle that refers to the image.

use distil_imgcore::{Descriptor, Digest, Document, Manifest};
use distil_signing::Written;
use distil_signing::bundle::{Bundle, Content};
use distil_signing::dsse::Envelope;
use distil_signing::referrer;

use super::Beside;
use crate::signing::error::SignError;

/// A bundle around an envelope that is to be among the referrers of an image.
#[derive(Debug)]
pub(super) struct Bundled<'a> {
    image: &'a Descriptor,
    envelope: Envelope,
    bundle: Vec<u8>,
    predicate_type: String,
    /// What was written.
    written: Option<Digest>,
}

impl<'a> Bundled<'a> {
    pub(super) fn new(image: &'a Descriptor, envelope: Envelope, bundle: Vec<u8>, predicate_type: &str) -> Self {
        Self { image, envelope, bundle, predicate_type: predicate_type.to_owned(), written: None }
    }

    /// Writes the bundle, unless it is there; gives the digest of its manifest then.
    pub(super) fn put(&mut self, to: &Beside<'_>) -> Result<Option<Digest>, SignError> {
        let referrers = to.store.referrers(self.image.digest())?;
        match &self.written {
            Some(written) if referrers.iter().any(|found| found.digest() == written) => return Ok(None),
            Some(_) => {}
            None => {
                for referrer in &referrers {
                    if self.is_in(referrer, to)? {
                        return Ok(None);
                    }
                }
            }
        }
        let written = self.manifest(to)?;
        to.keep(&written)?;
        let manifest = &written.manifest;
        let listed = Manifest::parse(manifest.bytes.clone(), manifest.descriptor.media_type());
        let listed = listed.map(|found| Document::Manifest(Box::new(found)).as_referrer(&manifest.descriptor));
        to.store.tag(None, listed.as_ref().unwrap_or(&manifest.descriptor))?;
        self.written = Some(manifest.descriptor.digest().clone());
        Ok(self.written.clone())
    }

    fn manifest(&self, to: &Beside<'_>) -> Result<Written, SignError> {
        let failed = |source| SignError::Referrer { digest: self.image.digest().clone(), source };
        referrer::manifest(self.bundle.clone(), &self.image.bare(), &self.predicate_type, to.created).map_err(failed)
    }

    /// Whether a referrer says the same, by the same key.
    fn is_in(&self, referrer: &Descriptor, to: &Beside<'_>) -> Result<bool, SignError> {
        // The annotation decides nothing but whether it is worth a look.
        let stated = referrer.annotations().get(referrer::PREDICATE_TYPE);
        if stated.is_some_and(|stated| *stated != self.predicate_type) {
            return Ok(false);
        }
        let manifest = match to.store.document(&referrer.bare()) {
            Ok(Document::Manifest(manifest)) => manifest,
            Err(error) if error.is_io() => return Err(error.into()),
            Ok(Document::Index(_)) | Err(_) => return Ok(false),
        };
        let Ok(layer) = referrer::bundle(&manifest) else { return Ok(false) };
        let Some(bytes) = to.likely(&layer.bare(), &self.envelope.payload)? else { return Ok(false) };
        let Ok(bundle) = Bundle::parse(&bytes) else { return Ok(false) };
        Ok(matches!(&bundle.content, Content::Envelope(found) if to.is_repeated(found, &self.envelope.payload)))
    }
}
