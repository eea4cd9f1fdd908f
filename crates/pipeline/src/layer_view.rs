//! All that a judgement asks of a layer, from one reading of it: the records of packages, what rules of hardening may be
//! about, and copyright files.
//!
//! It is kept by the layer's diff id, so that neither that image nor another one with the same layer is read for it again.
//! What depends on the layers above, on the configuration or on the policy is no part of it.

mod kept;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;

use distil_cache::Values;
use distil_imgcore::tree::ContentSha256;
use distil_imgcore::{Entry, Image, ImagePath, Layer};
use distil_policy::observe::capabilities;
use distil_sbom::Digests;

use crate::contents::{Contents, MAX_KEPT, ReadLayer, Sums, read_layer};
use crate::describe::SeenFile;
use crate::harden::Watched;
use crate::packages::is_record;
use crate::parallel;
use crate::progress::{Phase, Progress};
use crate::read::ReadError;
use crate::records::{self, LayerRecords};

/// What is asked of a layer.
#[derive(Debug, Default, PartialEq, Eq)]
struct LayerView {
    /// All entries, with modes, owners and capabilities; without times and other attributes.
    entries: Vec<Entry>,
    /// The records of packages, and what tells the system.
    files: BTreeMap<ImagePath, Vec<u8>>,
    /// What was seen in each regular file.
    watched: BTreeMap<ImagePath, Watched>,
    copyright: BTreeMap<ImagePath, Copyright>,
}

/// A copyright file.
#[derive(Debug, PartialEq, Eq)]
struct Copyright {
    /// All that is understood of it.
    text: Vec<u8>,
    /// Of the whole file.
    sha256: ContentSha256,
}

/// An image, for a judgement.
pub(crate) struct ImageView {
    /// What a scan is about, as [`records::read`] gives it.
    pub(crate) records: Contents,
    /// All files, with what was seen in them, copyright files, and the records of packages.
    pub(crate) contents: Contents,
}

/// Looks at all layers of an image. Layers that are in the cache are taken from there.
///
/// # Errors
/// [`ReadError`] for a layer that cannot be read, is not the one that the manifest names, or has no single meaning.
pub(crate) fn read(
    image: &Image,
    cache: Option<&Values>,
    jobs: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<ImageView, ReadError> {
    let layers: Vec<(usize, &Layer)> = image.layers().iter().enumerate().collect();
    let known = parallel::map(jobs, &layers, |(number, layer)| {
        Ok::<_, ReadError>(cache.and_then(|cache| Some((*number, kept::find(cache, layer.diff_id())?))))
    })?;
    let mut views: BTreeMap<usize, LayerView> = known.into_iter().flatten().collect();
    let mut unread: Vec<(usize, &Layer)> =
        layers.into_iter().filter(|(number, _)| !views.contains_key(number)).collect();
    // The largest first, so that no thread ends with it alone.
    unread.sort_by_key(|(_, layer)| Reverse(layer.size()));
    let bytes = unread.iter().map(|(_, layer)| layer.size()).sum();
    progress.phase(Phase::Read { layers: unread.len(), bytes });
    let room = AtomicU64::new(MAX_KEPT);
    views.extend(parallel::map(jobs, &unread, |(number, layer)| {
        let view = LayerView::read(layer, &room, progress)?;
        if let Some(cache) = cache {
            kept::keep(&view, cache, layer.diff_id());
            view.records()?.keep(cache, layer.diff_id());
        }
        Ok::<_, ReadError>((*number, view))
    })?);
    let records = views.values().map(LayerView::records).collect::<Result<Vec<_>, _>>()?;
    let mut contents = Contents::default();
    for view in views.into_values() {
        view.stack(&mut contents)?;
    }
    Ok(ImageView { records: records::stacked(records)?, contents })
}

impl LayerView {
    fn read(layer: &Layer, room: &AtomicU64, progress: &dyn Progress) -> Result<Self, ReadError> {
        let name = layer.digest().to_string();
        progress.started(&name);
        let keep = |path: &ImagePath| is_record(path) || records::is_wanted(path);
        let ReadLayer { mut entries, kept, seen, watched, .. } =
            read_layer(layer, keep, Sums::Watch, room, &name, progress)?;
        progress.finished(&name);
        for entry in &mut entries {
            entry.meta.mtime = 0;
            entry.meta.xattrs.retain(|name, _| name == capabilities::ATTRIBUTE);
        }
        let copyright = |(path, seen): (ImagePath, SeenFile)| {
            Some((path, Copyright { text: seen.text?, sha256: seen.digests.sha256? }))
        };
        Ok(Self { entries, files: kept, watched, copyright: seen.into_iter().filter_map(copyright).collect() })
    }

    fn records(&self) -> Result<LayerRecords, ReadError> {
        LayerRecords::of(&self.entries, |path| self.files.get(path).cloned()).map_err(ReadError::Whiteout)
    }

    /// Puts the layer on top of those below.
    fn stack(self, contents: &mut Contents) -> Result<(), ReadError> {
        contents.stack(self.entries)?;
        contents.kept.push(self.files);
        contents.watched.push(self.watched);
        let seen = |(path, Copyright { text, sha256 })| {
            let digests = Digests { sha256: Some(sha256), ..Digests::default() };
            (path, SeenFile { size: text.len() as u64, digests, found: Vec::new(), text: Some(text) })
        };
        contents.seen.push(self.copyright.into_iter().map(seen).collect());
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write plain files")]
mod tests;
