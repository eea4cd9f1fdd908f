//! Copying an image with all that belongs to it from one store to another.

mod at_once;
mod attached;
mod belonging;
mod delivery;
mod graph;

pub use attached::Attached;
pub use graph::Graph;
pub(crate) use delivery::{Bytes, Parcel, Rank, deliver};

use crate::descriptor::Descriptor;
use crate::error::Error;
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
    Bytes(&'a Descriptor, u64),
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

/// Copies what `root` names from one store to another: [`Graph::read`] and [`Graph::copy_to`].
///
/// # Errors
/// Those of the two.
pub fn copy_graph(
    source: &dyn Store,
    destination: &dyn Store,
    root: &Descriptor,
    referrers: Referrers,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Attached, Error> {
    let graph = Graph::read(source, root, referrers)?;
    graph.copy_to(destination, progress)?;
    Ok(graph.attached())
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
        let attached = copy_graph(source, &destination, root, referrers, &mut |p| {
            copied += usize::from(matches!(p, Progress::Finished(_)));
        })?;
        attached.name_in(&destination)?;
        attached.referrers().iter().try_for_each(|referrer| destination.tag(None, referrer))?;
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
        let attached = copy_graph(&source, &destination, &image, Referrers::Copy, &mut |p| {
            if let Progress::Present(blob) = p {
                present.push(blob.media_type().clone());
            }
        });
        assert!(attached.unwrap().referrers().is_empty());
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
