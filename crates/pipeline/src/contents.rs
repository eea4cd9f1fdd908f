//! The files of an image: all layers on top of each other, as a container sees them.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::ops::Bound;

use distil_imgcore::compression::decompress;
use distil_imgcore::digest::VerifyingReader;
use distil_imgcore::entry::Whiteout;
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{Entry, Image, ImagePath, Layer};

use crate::progress::{Phase, Progress};
use crate::read::ReadError;

/// The files of an image.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What stands at each path, and which layer put it there. Directories that no layer names are not listed.
    pub(crate) entries: BTreeMap<ImagePath, Located>,
    /// For each layer the files that were kept, by path, whether a later layer hides them or not.
    pub(crate) kept: Vec<BTreeMap<ImagePath, Vec<u8>>>,
}

/// An entry with the layer that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The number of the layer, the lowest being 0.
    pub(crate) layer: usize,
    pub(crate) entry: Entry,
}

/// The largest file that is kept, and the most that is kept of one image, in bytes.
const MAX_FILE: u64 = 16 << 20;
const MAX_KEPT: u64 = 512 << 20;
const READ_BUFFER: usize = 256 << 10;

impl Contents {
    /// Reads all layers, and keeps the content of the regular files that `keep` names.
    pub(crate) fn read(
        image: &Image,
        keep: impl Fn(&ImagePath) -> bool,
        progress: &dyn Progress,
    ) -> Result<Self, ReadError> {
        let bytes = image.layers().iter().map(Layer::size).sum();
        progress.phase(Phase::Read { layers: image.layers().len(), bytes });
        let mut contents = Self::default();
        let mut room = MAX_KEPT;
        for layer in image.layers() {
            let name = layer.digest().to_string();
            progress.started(&name);
            let (entries, kept) = read_layer(layer, &keep, &mut room, &name, progress)?;
            contents.stack(entries)?;
            contents.kept.push(kept);
            progress.finished(&name);
        }
        Ok(contents)
    }

    /// Puts a layer on top of those below.
    ///
    /// What a layer deletes it deletes from the layers below alone, wherever in its archive the whiteout stands: see the
    /// [image specification].
    ///
    /// [image specification]: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
    fn stack(&mut self, entries: Vec<Entry>) -> Result<(), ReadError> {
        let layer = self.kept.len();
        let mut added = Vec::new();
        for entry in entries {
            match entry.whiteout().map_err(ReadError::Whiteout)? {
                Some(Whiteout::Entry(path)) => {
                    self.entries.remove(&path);
                    self.remove_below(&path);
                }
                Some(Whiteout::Opaque(dir)) => self.remove_below(&dir),
                None => added.push(entry),
            }
        }
        for entry in added {
            if !entry.kind.is_dir() {
                self.remove_below(&entry.path);
            }
            self.entries.insert(entry.path.clone(), Located { layer, entry });
        }
        Ok(())
    }

    fn remove_below(&mut self, dir: &ImagePath) {
        let below = self.entries.range((Bound::Excluded(dir.clone()), Bound::Unbounded));
        let below: Vec<ImagePath> = below.map(|(path, _)| path).take_while(|p| p.starts_with(dir)).cloned().collect();
        for path in below {
            self.entries.remove(&path);
        }
    }
}

type Kept = BTreeMap<ImagePath, Vec<u8>>;

fn read_layer(
    layer: &Layer,
    keep: impl Fn(&ImagePath) -> bool,
    room: &mut u64,
    name: &str,
    progress: &dyn Progress,
) -> Result<(Vec<Entry>, Kept), ReadError> {
    let failed = |source| ReadError::Layer { digest: layer.digest().clone(), source };
    let packed = Told { inner: layer.content().open().map_err(failed)?, name, progress };
    let tar = decompress(layer.codec(), BufReader::with_capacity(READ_BUFFER, packed)).map_err(failed)?;
    let tar = VerifyingReader::of_unknown_size(tar, layer.diff_id().as_digest().clone());
    let mut reader = TarReader::new(tar, Dialect::Foreign, Limits::default());
    let broken = |source| ReadError::Archive { digest: layer.digest().clone(), source: Box::new(source) };
    let (mut entries, mut kept) = (Vec::new(), BTreeMap::new());
    while let Some(entry) = reader.next_entry().map_err(broken)? {
        let size = entry.kind.size();
        if size > 0 && keep(&entry.path) {
            let allowed = MAX_FILE.min(*room);
            if size > allowed {
                return Err(ReadError::RecordTooLarge { path: entry.path, size, allowed });
            }
            *room -= size;
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map_err(failed)?;
            kept.insert(entry.path.clone(), content);
        }
        entries.push(entry);
    }
    Ok((entries, kept))
}

/// Tells how much of a layer was read.
struct Told<'a, R> {
    inner: R,
    name: &'a str,
    progress: &'a dyn Progress,
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.progress.advanced(self.name, n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use distil_imgcore::{EntryKind, Metadata};

    use super::*;

    fn entry(name: &str) -> Entry {
        let (name, kind) = match name.strip_suffix('/') {
            Some(dir) => (dir, EntryKind::Directory),
            None => (name, EntryKind::File { size: 0 }),
        };
        Entry { path: ImagePath::from_archive(name.as_bytes()).unwrap(), kind, meta: Metadata::root(0o755, 0) }
    }

    #[track_caller]
    fn check(layers: &[&[&str]], expected: &[&str]) {
        let mut contents = Contents::default();
        for layer in layers {
            contents.stack(layer.iter().map(|name| entry(name)).collect()).unwrap();
            contents.kept.push(BTreeMap::new());
        }
        let shown: Vec<String> = contents.entries.iter().map(|(path, at)| format!("{} {path}", at.layer)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn upper_layers_replace_and_delete() {
        check(&[&["a/", "a/x", "a/y"], &["a/x"]], &["0 /a", "1 /a/x", "0 /a/y"]);
        check(&[&["a/", "a/x", "a/b/", "a/b/c"], &["a/.wh.b"]], &["0 /a", "0 /a/x"]);
        check(&[&["a/", "a/x", "a-b"], &["a"]], &["1 /a", "0 /a-b"]);
        check(&[&["a/", "a/x"], &[".wh.a"], &["a/", "a/y"]], &["2 /a", "2 /a/y"]);
    }

    #[test]
    fn a_whiteout_spares_its_own_layer_wherever_it_stands() {
        check(&[&["a/", "a/x"], &["a/", "a/y", "a/.wh..wh..opq"]], &["1 /a", "1 /a/y"]);
        check(&[&["a/", "a/x"], &["a/x", "a/.wh.x"]], &["0 /a", "1 /a/x"]);
    }
}
