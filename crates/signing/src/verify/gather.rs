//! Finds what may be a signature of an image, wherever it lies in a store.

use std::collections::BTreeSet;
use std::io::Read as _;

use distil_imgcore::document::MAX_ATTESTATIONS;
use distil_imgcore::statement::MAX_STATEMENT;
use distil_imgcore::{Attachment, AttachmentKind, Descriptor, Digest, Document, Error, MediaType, Selector, Store};

use super::candidate::{Candidate, Stored};
use super::trail::told;
use crate::bundle::MEDIA_TYPE_PREFIX;
use crate::legacy::MAX_LAYER;

/// Signatures of an image that are looked at: cosign's bound for one manifest, since CVE-2023-46737.
const MAX_CANDIDATES: usize = MAX_ATTESTATIONS;

/// Bytes of one blob: cosign's bound, since CVE-2024-29902.
const MAX_BLOB: u64 = MAX_LAYER as u64;

/// Bytes of all blobs, which are in memory at once: as many as the largest statement.
const MAX_ALL: u64 = MAX_STATEMENT as u64;

/// Reads everything in a store that may be a signature of an image or index, or a statement about it: under cosign's
/// names `sha256-….sig` and `.att`, in the entries of `cosign save`, and among the referrers (of a registry that keeps none,
/// the fallback tag's). Each blob was compared with its digest and size, the image's manifest first of all.
///
/// Referrers are taken for what their layers are: what is said of their type elsewhere is not always so. Those that are no
/// signatures are passed over; what cannot be read, or is too much, is a candidate that says so.
///
/// # Errors
/// Where the store cannot be asked, or the image is not in it, or not what its digest says.
pub fn gather(store: &dyn Store, image: &Descriptor) -> Result<Vec<Candidate>, Error> {
    store.document(image)?;
    let mut found = Gathered { store, candidates: Vec::new(), seen: BTreeSet::new(), bytes: 0 };
    for name in Attachment::names_for(image.digest()) {
        let Some(kind) = Attachment::named(&name).map(|attachment| attachment.kind()) else { continue };
        match store.resolve(&Selector::Name(name.clone())) {
            Ok(manifest) => found.attached(name.as_str(), kind, &manifest)?,
            Err(Error::NoImage { .. }) => {}
            Err(error) => found.unreadable(name.as_str(), error)?,
        }
    }
    for (kind, manifest) in store.unnamed_attachments()? {
        found.attached(&manifest.digest().to_string(), kind, &manifest)?;
    }
    for referrer in store.referrers(image.digest())? {
        if found.is_full() {
            break;
        }
        found.referrer(&referrer, image.digest())?;
    }
    Ok(found.candidates)
}

struct Gathered<'a> {
    store: &'a dyn Store,
    candidates: Vec<Candidate>,
    /// Manifests that were read.
    seen: BTreeSet<Digest>,
    bytes: u64,
}

impl Gathered<'_> {
    fn push(&mut self, place: &str, stored: Stored) {
        self.candidates.push(Candidate { place: place.to_owned(), stored });
    }

    /// Says once that there is more than is looked at.
    fn is_full(&mut self) -> bool {
        if self.candidates.len() == MAX_CANDIDATES {
            let reason = format!("there are more than {MAX_CANDIDATES} signatures, and the rest was not looked at");
            let place = self.store.place();
            self.push(&place, Stored::Unreadable { reason });
        }
        self.candidates.len() > MAX_CANDIDATES
    }

    /// Goes on where the content is wrong, and gives up where the place did not answer: then nobody knows what is there.
    fn unreadable(&mut self, place: &str, error: Error) -> Result<(), Error> {
        if error.is_io() {
            return Err(error);
        }
        self.push(place, Stored::Unreadable { reason: told(&error) });
        Ok(())
    }

    /// What lies under a name of cosign's: each layer is a signature or an envelope.
    fn attached(&mut self, place: &str, kind: AttachmentKind, manifest: &Descriptor) -> Result<(), Error> {
        if kind == AttachmentKind::Sbom || !self.seen.insert(manifest.digest().clone()) {
            return Ok(());
        }
        match self.store.document(manifest) {
            Ok(Document::Manifest(manifest)) => self.layers(place, manifest.layers()),
            Ok(Document::Index(_)) => {
                self.push(place, Stored::Unreadable { reason: "it is an index, which holds no signatures".into() });
                Ok(())
            }
            Err(error) => self.unreadable(place, error),
        }
    }

    /// A referrer, which is a signature or something else altogether.
    fn referrer(&mut self, referrer: &Descriptor, image: &Digest) -> Result<(), Error> {
        if !self.seen.insert(referrer.digest().clone()) {
            return Ok(());
        }
        let place = referrer.digest().to_string();
        let manifest = match self.store.document(referrer) {
            Ok(Document::Manifest(manifest)) => manifest,
            Ok(Document::Index(_)) => return Ok(()),
            Err(error) => return self.unreadable(&place, error),
        };
        // A registry may list what it likes.
        if manifest.subject().is_none_or(|subject| subject.digest() != image) {
            return Ok(());
        }
        let layers = manifest.layers();
        let bundles = layers.iter().filter(|layer| is_bundle(layer)).count();
        if bundles > 0 && layers.len() != 1 {
            let reason = format!("a bundle is the only layer of its manifest, and this one has {}", layers.len());
            self.push(&place, Stored::Unreadable { reason });
            return Ok(());
        }
        self.layers(&place, layers)
    }

    fn layers(&mut self, place: &str, layers: &[Descriptor]) -> Result<(), Error> {
        for (number, layer) in layers.iter().enumerate() {
            if self.is_full() {
                break;
            }
            let media_type = layer.media_type().as_str();
            let annotations = || layer.annotations().clone();
            let make: &dyn Fn(Vec<u8>) -> Stored = match media_type {
                MediaType::SIMPLE_SIGNING => &|payload| Stored::Simple { payload, annotations: annotations() },
                MediaType::DSSE => &|bytes| Stored::Envelope { bytes, annotations: annotations() },
                _ if is_bundle(layer) => &Stored::Bundle,
                _ => continue,
            };
            let place = if layers.len() == 1 { place.to_owned() } else { format!("{place}, layer {}", number + 1) };
            match self.blob(layer) {
                Ok(Ok(bytes)) => self.push(&place, make(bytes)),
                Ok(Err(reason)) => self.push(&place, Stored::Unreadable { reason }),
                Err(error) => self.unreadable(&place, error)?,
            }
        }
        Ok(())
    }

    /// Reads a blob whole, within the bounds. Memory is taken as bytes come, not as a descriptor says.
    fn blob(&mut self, blob: &Descriptor) -> Result<Result<Vec<u8>, String>, Error> {
        if blob.size() > MAX_BLOB {
            return Ok(Err(format!("it has {} bytes, where at most {MAX_BLOB} may be", blob.size())));
        }
        let all = self.bytes.saturating_add(blob.size());
        if all > MAX_ALL {
            return Ok(Err(format!("with it, all signatures have {all} bytes, where at most {MAX_ALL} may be")));
        }
        self.bytes = all;
        let mut bytes = Vec::new();
        let read = self.store.open(blob)?.take(MAX_BLOB + 1).read_to_end(&mut bytes);
        let broken = |source| Error::Blob { digest: blob.digest().clone(), place: self.store.place(), source };
        read.map_err(broken)?;
        Ok(Ok(bytes))
    }
}

fn is_bundle(layer: &Descriptor) -> bool {
    layer.media_type().as_str().starts_with(MEDIA_TYPE_PREFIX)
}

#[cfg(test)]
mod tests;
