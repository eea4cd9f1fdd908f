//! Copying an image with all that belongs to it from one store to another.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::content::Content;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{MAX_DESCRIPTORS, MAX_INDEX_DEPTH};
use crate::error::Error;
use crate::media_type::MediaKind;
use crate::store::Store;

/// What a copy is doing, for whoever shows it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The destination has this blob already.
    Present(&'a Descriptor),
    /// This blob is being copied.
    Started(&'a Descriptor),
    /// So many more bytes of it were read.
    Bytes(u64),
    /// It is complete.
    Finished(&'a Descriptor),
}

/// Whether the signatures, statements and other artifacts about an image travel with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referrers {
    /// They do, and those about them too.
    Copy,
    /// They stay.
    Leave,
}

/// Blobs of one image with all its platforms and referrers.
const MAX_BLOBS: usize = 100_000;

/// Copies what `root` names, children before the documents that name them, and leaves out what is there already. No name
/// is given: that is for the caller to do, last. Referrers are made findable in the destination.
///
/// # Errors
/// Those of both stores, with the place in them. The destination may hold some blobs then, but nothing names them.
pub fn copy_graph(
    source: &dyn Store,
    destination: &dyn Store,
    root: &Descriptor,
    referrers: Referrers,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    let mut copy = Copy { source, destination, seen: BTreeSet::new(), documents: Vec::new(), progress };
    copy.tree(root, 0)?;
    // Referrers are documents themselves, and may have referrers: a signature over a statement.
    while let Some(subject) = copy.documents.pop() {
        if referrers == Referrers::Leave {
            continue;
        }
        for referrer in source.referrers(&subject)? {
            if !copy.seen.contains(referrer.digest()) {
                copy.tree(&referrer, 0)?;
                destination.tag(None, &referrer)?;
            }
        }
    }
    Ok(())
}

struct Copy<'a> {
    source: &'a dyn Store,
    destination: &'a dyn Store,
    seen: BTreeSet<Digest>,
    /// Documents that were copied and not yet asked for their referrers.
    documents: Vec<Digest>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Copy<'_> {
    fn tree(&mut self, blob: &Descriptor, depth: usize) -> Result<(), Error> {
        if !self.seen.insert(blob.digest().clone()) {
            return Ok(());
        }
        let too_many = |what, limit| Error::TooMany { what, limit, place: self.source.place() };
        if self.seen.len() > MAX_BLOBS {
            return Err(too_many("blobs", MAX_BLOBS));
        }
        if !blob.media_type().is_index_or_manifest() {
            let open = || self.source.open(blob).map(|reader| reader as Box<dyn Read + Send>);
            return transfer(self.destination, blob, open, self.progress);
        }
        let index = blob.kind() == MediaKind::Index;
        if index && depth >= MAX_INDEX_DEPTH {
            return Err(too_many("levels of indexes", MAX_INDEX_DEPTH));
        }
        // A document is read even where the destination has it: it may lack something that the document names.
        let document = self.source.document(blob)?;
        let children = document.children();
        if children.len() > MAX_DESCRIPTORS {
            return Err(too_many("descriptors", MAX_DESCRIPTORS));
        }
        for child in children {
            self.tree(child, depth + usize::from(index))?;
        }
        self.documents.push(blob.digest().clone());
        transfer(self.destination, blob, || Ok(Box::new(document.bytes())), self.progress)
    }
}

/// Puts several blobs where they are not there yet, as many at once as the destination takes. Where one fails, those after
/// it are left.
pub(crate) fn transfer_all(
    destination: &dyn Store,
    blobs: &[(&Descriptor, &dyn Content)],
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(progress);
    let work = || {
        let mut report = |what: Progress<'_>| progress.lock().unwrap_or_else(PoisonError::into_inner)(what);
        while let Some((blob, content)) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let open = || content.open().map_err(|source| destination.bad_blob(blob, source));
            if let Err(error) = transfer(destination, blob, open, &mut report) {
                next.store(blobs.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads = destination.puts_at_once().get().min(blobs.len());
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            // A panic goes on to whoever waits for the scope.
            result = result.and(other.join().unwrap_or(Ok(())));
        }
        result
    })
}

/// Puts one blob where it is not there yet.
pub(crate) fn transfer<'a>(
    destination: &dyn Store,
    blob: &Descriptor,
    open: impl FnOnce() -> Result<Box<dyn Read + Send + 'a>, Error>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    if destination.has(blob)? {
        progress(Progress::Present(blob));
        return Ok(());
    }
    progress(Progress::Started(blob));
    destination.put(blob, &mut Counted { inner: open()?, progress })?;
    progress(Progress::Finished(blob));
    Ok(())
}

struct Counted<'a, 'p> {
    inner: Box<dyn Read + Send + 'a>,
    progress: &'p mut dyn FnMut(Progress<'_>),
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        (self.progress)(Progress::Bytes(n as u64));
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::index::IndexDocument;
    use crate::manifest::Manifest;
    use crate::media_type::MediaType;
    use crate::{Memory, Selector};

    fn put(store: &dyn Store, media_type: &'static str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::known(media_type), bytes);
        store.put(&descriptor, &mut &*bytes).unwrap();
        descriptor
    }

    fn manifest(store: &dyn Store, config: &Descriptor) -> Descriptor {
        let layer = put(store, MediaType::LAYER, b"layer");
        put(store, MediaType::MANIFEST, Manifest::new(config, &[layer], &BTreeMap::new()).unwrap().bytes())
    }

    fn index(store: &dyn Store, children: &[Descriptor]) -> Descriptor {
        put(store, MediaType::INDEX, IndexDocument::new(children, &BTreeMap::new()).unwrap().bytes())
    }

    fn referrer(store: &dyn Store, subject: &Descriptor) -> Descriptor {
        let empty = put(store, MediaType::EMPTY, b"{}").to_json();
        let document = json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
            "config": empty, "layers": [empty], "subject": subject.to_json(),
        });
        let referrer = put(store, MediaType::MANIFEST, &crate::json::to_canonical(&document));
        store.tag(None, &referrer).unwrap();
        referrer
    }

    fn copy(source: &Memory, root: &Descriptor, referrers: Referrers) -> Result<(Memory, usize), Error> {
        let destination = Memory::new();
        let mut copied = 0;
        copy_graph(source, &destination, root, referrers, &mut |p| {
            copied += usize::from(matches!(p, Progress::Finished(_)));
        })?;
        Ok((destination, copied))
    }

    #[test]
    fn everything_is_copied_once() {
        let source = Memory::new();
        let config = put(&source, MediaType::CONFIG, b"config");
        let image = manifest(&source, &config);
        let root = index(&source, &[image.clone(), image.clone()]);
        let (destination, copied) = copy(&source, &root, Referrers::Copy).unwrap();
        assert_eq!(copied, 4);
        for blob in [&config, &image, &root] {
            assert!(destination.has(blob).unwrap());
        }
        assert!(destination.resolve(&Selector::Only).unwrap_err().is_not_found());
    }

    #[test]
    fn referrers_travel_with_the_referrers_about_them() {
        let source = Memory::new();
        let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
        let statement = referrer(&source, &image);
        let signature = referrer(&source, &statement);
        let (destination, _) = copy(&source, &image, Referrers::Copy).unwrap();
        assert_eq!(destination.referrers(image.digest()).unwrap()[0].digest(), statement.digest());
        assert_eq!(destination.referrers(statement.digest()).unwrap()[0].digest(), signature.digest());
        let (destination, _) = copy(&source, &image, Referrers::Leave).unwrap();
        assert!(!destination.has(&statement).unwrap());
    }

    #[test]
    fn what_is_there_is_not_copied_again() {
        let source = Memory::new();
        let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
        let destination = Memory::new();
        put(&destination, MediaType::LAYER, b"layer");
        let mut present = Vec::new();
        copy_graph(&source, &destination, &image, Referrers::Copy, &mut |p| {
            if let Progress::Present(blob) = p {
                present.push(blob.media_type().clone());
            }
        })
        .unwrap();
        assert_eq!(present, [MediaType::known(MediaType::LAYER)]);
    }

    #[test]
    fn a_missing_blob_stops_the_copy_before_its_manifest() {
        let source = Memory::new();
        let missing = Descriptor::of(MediaType::known(MediaType::CONFIG), b"missing");
        let image = manifest(&source, &missing);
        let destination = Memory::new();
        let error = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::NoBlob { digest, .. } if digest == *missing.digest()));
        assert!(!destination.has(&image).unwrap());
    }

    #[test]
    fn depth_is_bounded() {
        let source = Memory::new();
        let image = manifest(&source, &put(&source, MediaType::CONFIG, b"config"));
        let nest = |n: usize| (0..n).fold(image.clone(), |inner, _| index(&source, &[inner]));
        assert!(copy(&source, &nest(4), Referrers::Leave).is_ok());
        assert!(matches!(copy(&source, &nest(5), Referrers::Leave), Err(Error::TooMany { limit: 4, .. })));
    }
}
