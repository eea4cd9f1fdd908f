//! The form in which views of layers are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use distil_cache::Values;
use distil_debunpack::Md5Sum;
use distil_imgcore::tree::ContentSha256;
use distil_imgcore::{DiffId, Entry, EntryKind, ImagePath, Metadata};
use distil_policy::observe::capabilities;
use distil_policy::observe::{Looked, SOURCES, fingerprint};
use serde::{Deserialize, Serialize};

use super::{Copyright, LayerView};
use crate::harden::Watched;

/// Bytes of what is kept of one layer at most: some hundred thousand files. What is larger is read anew each time.
const MAX_KEPT: usize = 64 << 20;

/// Part of the kind of derived values: what another program saw, or wrote in another form, is never taken for what this one
/// would see.
const SEEN_BY: u64 = fingerprint(&[
    &SOURCES.to_le_bytes(),
    include_bytes!("../contents.rs"),
    include_bytes!("../harden/watch.rs"),
    include_bytes!("../layer_view.rs"),
    include_bytes!("kept.rs"),
]);

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    entries: Vec<KeptEntry<'a>>,
    /// By path.
    files: Vec<(&'a [u8], &'a [u8])>,
    /// By path, with the SHA-256.
    copyright: Vec<(&'a [u8], ContentSha256, &'a [u8])>,
}

#[derive(Serialize, Deserialize)]
struct KeptEntry<'a> {
    path: &'a [u8],
    mode: u32,
    uid: u32,
    gid: u32,
    capabilities: Option<&'a [u8]>,
    #[serde(borrow)]
    kind: Kind<'a>,
}

#[derive(Serialize, Deserialize)]
enum Kind<'a> {
    /// Size, MD5, and what else was seen in it.
    File(u64, [u8; 16], Option<Cow<'a, Looked>>),
    Directory,
    Symlink(&'a [u8]),
    Hardlink(&'a [u8]),
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
    Fifo,
}

/// What was kept of a layer.
pub(super) fn find(cache: &Values, diff_id: &DiffId) -> Option<LayerView> {
    from_bytes(&cache.get(&kind(), &diff_id.to_string()).ok()??)
}

/// Keeps it. It is only a shorter way the next time, so that nothing depends on whether that can be done.
pub(super) fn keep(view: &LayerView, cache: &Values, diff_id: &DiffId) {
    if let Some(bytes) = to_bytes(view) {
        let _ = cache.put(&kind(), &diff_id.to_string(), &bytes);
    }
}

/// The kind of derived values.
pub(super) fn kind() -> String {
    format!("layer-view-{SEEN_BY:016x}")
}

pub(super) fn to_bytes(view: &LayerView) -> Option<Vec<u8>> {
    let texts = view.files.values().chain(view.copyright.values().map(|copyright| &copyright.text));
    if texts.map(Vec::len).sum::<usize>() > MAX_KEPT {
        return None;
    }
    let kept = Kept {
        entries: view.entries.iter().map(|entry| kept_entry(entry, view)).collect::<Option<_>>()?,
        files: view.files.iter().map(|(path, bytes)| (path.as_bytes(), bytes.as_slice())).collect(),
        copyright: view.copyright.iter().map(|(path, c)| (path.as_bytes(), c.sha256, c.text.as_slice())).collect(),
    };
    postcard::to_stdvec(&kept).ok().filter(|bytes| bytes.len() <= MAX_KEPT)
}

fn kept_entry<'a>(entry: &'a Entry, view: &'a LayerView) -> Option<KeptEntry<'a>> {
    let kind = match &entry.kind {
        EntryKind::File { size } => {
            let Watched { md5, looked } = view.watched.get(&entry.path)?;
            Kind::File(*size, md5.0, (!looked.is_empty()).then_some(Cow::Borrowed(looked)))
        }
        EntryKind::Directory => Kind::Directory,
        EntryKind::Symlink { target } => Kind::Symlink(target),
        EntryKind::Hardlink { target } => Kind::Hardlink(target.as_bytes()),
        EntryKind::CharDevice { major, minor } => Kind::CharDevice(*major, *minor),
        EntryKind::BlockDevice { major, minor } => Kind::BlockDevice(*major, *minor),
        EntryKind::Fifo => Kind::Fifo,
    };
    let Metadata { mode, uid, gid, xattrs, .. } = &entry.meta;
    let capabilities = xattrs.get(capabilities::ATTRIBUTE).map(Vec::as_slice);
    Some(KeptEntry { path: entry.path.as_bytes(), mode: *mode, uid: *uid, gid: *gid, capabilities, kind })
}

/// What [`to_bytes`] gave, if it is that.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<LayerView> {
    let kept: Kept<'_> = postcard::from_bytes(bytes).ok()?;
    let mut view = LayerView::default();
    for entry in kept.entries {
        let path = path(entry.path)?;
        let kind = match entry.kind {
            Kind::File(size, md5, looked) => {
                let looked = looked.map(Cow::into_owned).unwrap_or_default();
                view.watched.insert(path.clone(), Watched { looked, md5: Md5Sum(md5) });
                EntryKind::File { size }
            }
            Kind::Directory => EntryKind::Directory,
            Kind::Symlink(target) => EntryKind::Symlink { target: target.to_vec() },
            Kind::Hardlink(target) => EntryKind::Hardlink { target: self::path(target)? },
            Kind::CharDevice(major, minor) => EntryKind::CharDevice { major, minor },
            Kind::BlockDevice(major, minor) => EntryKind::BlockDevice { major, minor },
            Kind::Fifo => EntryKind::Fifo,
        };
        let xattrs: BTreeMap<Vec<u8>, Vec<u8>> =
            entry.capabilities.map(|value| (capabilities::ATTRIBUTE.to_vec(), value.to_vec())).into_iter().collect();
        let meta = Metadata { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: 0, xattrs };
        view.entries.push(Entry { path, kind, meta });
    }
    for (at, bytes) in kept.files {
        view.files.insert(path(at)?, bytes.to_vec());
    }
    for (at, sha256, text) in kept.copyright {
        view.copyright.insert(path(at)?, Copyright { text: text.to_vec(), sha256 });
    }
    Some(view)
}

fn path(bytes: &[u8]) -> Option<ImagePath> {
    if bytes.is_empty() { Some(ImagePath::root()) } else { ImagePath::from_archive(bytes).ok() }
}
