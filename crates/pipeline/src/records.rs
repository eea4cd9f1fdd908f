//! What tells an image's packages and system, without all else that is in its layers.
//!
//! What was found in a layer is kept by its diff id, which is the digest of all that was looked at: the next time, the layer is
//! not read, nor even fetched. It is a file of some kilobytes for most layers. A build keeps the same of the layers that it
//! makes, and never reads them for it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;

use distil_cache::Values;
use distil_debunpack::records::STATUS_DIRECTORY;
use distil_imgcore::entry::{BadWhiteout, Whiteout};
use distil_imgcore::{DiffId, Entry, EntryKind, Image, ImagePath, Layer, Metadata};
use distil_sbom::System;
use serde::{Deserialize, Serialize};

use crate::contents::{Contents, MAX_KEPT, Sums, read_layer};
use crate::describe::is_os_release;
use crate::packages::is_record;
use crate::parallel;
use crate::progress::{Phase, Progress};
use crate::read::ReadError;

/// The kind of derived values of the cache. Its number is that of [`Kept`]'s form.
const KIND: &str = "layer-records-2";
const DEBIAN_VERSION: &[u8] = b"etc/debian_version";
/// The folders whose files are looked at, and those above.
const FOLDERS: [&[u8]; 6] = [b"etc", b"usr", b"usr/lib", b"var", b"var/lib", b"var/lib/dpkg"];

/// What is taken of an entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    path: Vec<u8>,
    is_dir: bool,
    content: Option<Vec<u8>>,
}

/// What is taken of a layer, sorted by path: a layer has one entry at a path, and nothing below what is no directory, so
/// that their order in its archive says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LayerRecords(Vec<Kept>);

impl LayerRecords {
    /// Takes it from the entries of a layer, and the content of the files that [`is_wanted`] names. Files without content,
    /// and all that is no file, have none.
    ///
    /// # Errors
    /// [`BadWhiteout`] where an entry looks like a whiteout and is none.
    pub(crate) fn of<'a>(
        entries: impl IntoIterator<Item = &'a Entry>,
        mut content: impl FnMut(&ImagePath) -> Option<Vec<u8>>,
    ) -> Result<Self, BadWhiteout> {
        let mut kept = Vec::new();
        for entry in entries {
            if matters(entry)? {
                let content = if entry.kind.size() > 0 { content(&entry.path) } else { None };
                kept.push(Kept { path: entry.path.as_bytes().to_vec(), is_dir: entry.kind.is_dir(), content });
            }
        }
        kept.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self(kept))
    }

    /// Those that were kept.
    fn find(cache: &Values, diff_id: &DiffId) -> Option<Self> {
        postcard::from_bytes(&cache.get(KIND, &diff_id.to_string()).ok()??).ok()
    }

    /// Whether some were kept.
    pub(crate) fn are_kept(cache: &Values, diff_id: &DiffId) -> bool {
        cache.has(KIND, &diff_id.to_string())
    }

    /// Keeps them. They are only a shorter way the next time, so that nothing depends on whether that can be done.
    pub(crate) fn keep(&self, cache: &Values, diff_id: &DiffId) {
        if let Ok(bytes) = postcard::to_stdvec(self) {
            let _ = cache.put(KIND, &diff_id.to_string(), &bytes);
        }
    }
}

/// Reads the records of packages, and what tells the system; every other file is left out of the contents. Layers that are in
/// the cache are taken from there.
pub(crate) fn read(
    image: &Image,
    cache: Option<&Values>,
    jobs: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<Contents, ReadError> {
    let known = |layer: &Layer| LayerRecords::find(cache?, layer.diff_id());
    let mut layers: Vec<(&Layer, Option<LayerRecords>)> = image.layers().iter().map(|l| (l, known(l))).collect();
    let unread: Vec<&Layer> = layers.iter().filter(|(_, known)| known.is_none()).map(|(layer, _)| *layer).collect();
    let bytes = unread.iter().map(|layer| layer.size()).sum();
    progress.phase(Phase::Read { layers: unread.len(), bytes });
    let room = AtomicU64::new(MAX_KEPT);
    let mut fresh = parallel::map(jobs, &unread, |layer| {
        let name = layer.digest().to_string();
        progress.started(&name);
        let mut read = read_layer(layer, is_wanted, Sums::Leave, &room, &name, progress)?;
        progress.finished(&name);
        let records = LayerRecords::of(&read.entries, |path| read.kept.remove(path)).map_err(ReadError::Whiteout)?;
        if let Some(cache) = cache {
            records.keep(cache, layer.diff_id());
        }
        Ok::<_, ReadError>(records)
    })?
    .into_iter();
    stacked(layers.iter_mut().map(|(_, known)| known.take().or_else(|| fresh.next()).unwrap_or_default()))
}

/// The records of layers on top of each other, the lowest first.
pub(crate) fn stacked(layers: impl IntoIterator<Item = LayerRecords>) -> Result<Contents, ReadError> {
    let mut contents = Contents::default();
    for LayerRecords(kept) in layers {
        stack(&mut contents, kept)?;
    }
    Ok(contents)
}

/// The files that are read.
pub(crate) fn is_wanted(path: &ImagePath) -> bool {
    let is_package = is_record(path) && !path.as_bytes().ends_with(b".md5sums");
    is_package || is_os_release(path) || path.as_bytes() == DEBIAN_VERSION
}

/// Whether an entry is such a file, or may hide one of a lower layer.
fn matters(entry: &Entry) -> Result<bool, BadWhiteout> {
    let is_of_it = |path: &ImagePath| {
        let bytes = path.as_bytes();
        is_wanted(path) || FOLDERS.contains(&bytes) || bytes == STATUS_DIRECTORY.as_bytes()
    };
    Ok(match entry.whiteout()? {
        Some(Whiteout::Entry(path) | Whiteout::Opaque(path)) => is_of_it(&path) || path.as_bytes().is_empty(),
        // Another kind of file in the place of a folder hides all that was in it.
        None => is_wanted(&entry.path) || (!entry.kind.is_dir() && is_of_it(&entry.path)),
    })
}

fn stack(contents: &mut Contents, kept: Vec<Kept>) -> Result<(), ReadError> {
    let mut files = BTreeMap::new();
    let mut entries = Vec::new();
    for Kept { path, is_dir, content } in kept {
        // It was a path before it was kept.
        let Ok(path) = ImagePath::from_archive(&path) else { continue };
        let size = content.as_ref().map_or(0, |content| content.len() as u64);
        let kind = if is_dir { EntryKind::Directory } else { EntryKind::File { size } };
        entries.push(Entry { path: path.clone(), kind, meta: Metadata::root(0o644, 0) });
        files.extend(content.map(|content| (path, content)));
    }
    contents.stack(entries)?;
    contents.kept.push(files);
    Ok(())
}

/// The system that an image says it has: by `os-release`, which images of old releases and some made by hand lack, or without
/// a release in it, by `debian_version`.
pub(crate) fn system(contents: &Contents) -> Option<System> {
    let text = |path: &[u8]| {
        let path = ImagePath::from_archive(path).ok()?;
        let at = contents.entries.get(&path)?;
        contents.kept.get(at.layer)?.get(&path).map(Vec::as_slice)
    };
    let found = [b"etc/os-release".as_slice(), b"usr/lib/os-release"].into_iter().find_map(text).map(System::parse);
    // It names testing and unstable alike, as `trixie/sid`, so that only numbers tell.
    let number = || {
        let version = String::from_utf8_lossy(text(DEBIAN_VERSION)?).trim().to_owned();
        let major = version.split('.').next().filter(|major| major.bytes().all(|b| b.is_ascii_digit()))?.to_owned();
        (!major.is_empty()).then_some(major)
    };
    match found {
        Some(Some(system)) if system.id == "debian" && system.version_id.is_none() && system.codename.is_none() => {
            Some(System { version_id: number(), ..system })
        }
        Some(system) => system,
        None => {
            let version_id = Some(number()?);
            Some(System { id: "debian".to_owned(), version_id, codename: None, pretty_name: None })
        }
    }
}
