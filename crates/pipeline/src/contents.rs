//! The files of an image: all layers on top of each other, as a container sees them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use distil_imgcore::compression::decompress;
use distil_imgcore::digest::{DigestWriter, VerifyingReader};
use distil_imgcore::entry::Whiteout;
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::tree::ContentSha256;
use distil_imgcore::{Entry, EntryKind, Image, ImagePath, Layer};

use crate::describe::{Look, Looking, SeenFile, copyright_of};
use crate::harden::{Watch, Watched, Watching};
use crate::parallel;
use crate::progress::{Phase, Progress};
use crate::read::ReadError;

/// The files of an image.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What stands at each path, and which layer put it there. Directories that no layer names are not listed.
    pub(crate) entries: BTreeMap<ImagePath, Located>,
    /// For each layer the files that were kept, by path, whether a later layer hides them or not.
    pub(crate) kept: Vec<BTreeMap<ImagePath, Vec<u8>>>,
    /// For each layer the SHA-256 of the content of regular files and of other names for them, where it was asked for.
    pub(crate) sums: Vec<BTreeMap<ImagePath, ContentSha256>>,
    /// For each layer what its regular files tell of themselves, where it was asked for.
    pub(crate) seen: Vec<BTreeMap<ImagePath, SeenFile>>,
    /// For each layer what rules may be about in its regular files, where it was asked for.
    pub(crate) watched: Vec<BTreeMap<ImagePath, Watched>>,
}

/// What is done with the content of every file, beside what is hashed to check the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sums {
    /// It is hashed, for who compares files.
    Compute,
    /// It is hashed in every way, and looked into for packages.
    Survey,
    /// It is looked into for what rules of hardening are about; copyright files are seen as well.
    Watch,
    /// Nothing.
    Leave,
}

/// An entry with the layer that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The number of the layer, the lowest being 0.
    pub(crate) layer: usize,
    pub(crate) entry: Entry,
}

/// The largest file that is kept, and the most that is kept of one image, in bytes.
pub(crate) const MAX_FILE: u64 = 16 << 20;
pub(crate) const MAX_KEPT: u64 = 512 << 20;
const READ_BUFFER: usize = 256 << 10;

impl Contents {
    /// Reads all layers, and keeps the content of the regular files that `keep` names.
    pub(crate) fn read(
        image: &Image,
        keep: impl Fn(&ImagePath) -> bool + Sync,
        sums: Sums,
        progress: &dyn Progress,
    ) -> Result<Self, ReadError> {
        Self::read_on(NonZeroUsize::MIN, image, keep, sums, progress)
    }

    /// The same, several layers at once.
    pub(crate) fn read_on(
        jobs: NonZeroUsize,
        image: &Image,
        keep: impl Fn(&ImagePath) -> bool + Sync,
        sums: Sums,
        progress: &dyn Progress,
    ) -> Result<Self, ReadError> {
        Self::read_telling(jobs, image, keep, sums, progress, |_, _| ())
    }

    /// The same; `tell` is given what was read of each layer, by itself.
    pub(crate) fn read_telling(
        jobs: NonZeroUsize,
        image: &Image,
        keep: impl Fn(&ImagePath) -> bool + Sync,
        sums: Sums,
        progress: &dyn Progress,
        tell: impl Fn(&Layer, &ReadLayer) + Sync,
    ) -> Result<Self, ReadError> {
        let bytes = image.layers().iter().map(Layer::size).sum();
        progress.phase(Phase::Read { layers: image.layers().len(), bytes });
        let room = AtomicU64::new(MAX_KEPT);
        // The largest first, so that no thread ends with it alone.
        let mut largest_first: Vec<(usize, &Layer)> = image.layers().iter().enumerate().collect();
        largest_first.sort_by_key(|(_, layer)| Reverse(layer.size()));
        let mut layers = parallel::map(jobs, &largest_first, |(number, layer)| {
            let name = layer.digest().to_string();
            progress.started(&name);
            let read = read_layer(layer, &keep, sums, &room, &name, progress)?;
            tell(layer, &read);
            progress.finished(&name);
            Ok::<_, ReadError>((*number, read))
        })?;
        layers.sort_by_key(|(number, _)| *number);
        let mut contents = Self::default();
        for (_, read) in layers {
            contents.stack(read.entries)?;
            contents.kept.push(read.kept);
            contents.sums.push(read.sums);
            contents.seen.push(read.seen);
            contents.watched.push(read.watched);
        }
        Ok(contents)
    }

    /// Reads some of the files again, whole, by their paths. Those that are no regular files are left out.
    pub(crate) fn files(
        &self,
        image: &Image,
        wanted: &BTreeSet<ImagePath>,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<ImagePath, Vec<u8>>, ReadError> {
        let mut found = BTreeMap::new();
        let mut far: BTreeMap<usize, BTreeSet<&ImagePath>> = BTreeMap::new();
        for path in wanted {
            let Some(Located { layer, entry }) = self.entries.get(path) else { continue };
            // Those that were kept when all was read are at hand.
            match (&entry.kind, self.kept.get(*layer).and_then(|kept| kept.get(path))) {
                (EntryKind::File { size: 0 }, _) => drop(found.insert(path.clone(), Vec::new())),
                (EntryKind::File { .. }, Some(bytes)) => drop(found.insert(path.clone(), bytes.clone())),
                (EntryKind::File { .. }, None) => drop(far.entry(*layer).or_default().insert(path)),
                _ => {}
            }
        }
        let room = AtomicU64::new(MAX_KEPT);
        for (number, paths) in far {
            let Some(layer) = image.layers().get(number) else { continue };
            let name = layer.digest().to_string();
            let read = read_layer(layer, |path| paths.contains(path), Sums::Leave, &room, &name, progress)?;
            found.extend(read.kept);
        }
        Ok(found)
    }

    /// Puts a layer on top of those below.
    ///
    /// What a layer deletes it deletes from the layers below alone, wherever in its archive the whiteout stands: see the
    /// [image specification].
    ///
    /// [image specification]: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
    pub(crate) fn stack(&mut self, entries: Vec<Entry>) -> Result<(), ReadError> {
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

/// What was read of one layer.
#[derive(Default)]
pub(crate) struct ReadLayer {
    pub(crate) entries: Vec<Entry>,
    pub(crate) kept: BTreeMap<ImagePath, Vec<u8>>,
    sums: BTreeMap<ImagePath, ContentSha256>,
    pub(crate) seen: BTreeMap<ImagePath, SeenFile>,
    pub(crate) watched: BTreeMap<ImagePath, Watched>,
}

impl ReadLayer {
    fn look(&mut self, entry: &Entry, content: &mut dyn Read) -> std::io::Result<()> {
        let mut look = Look::whole(entry);
        std::io::copy(&mut Looking { inner: content, look: &mut look }, &mut std::io::sink())?;
        self.seen.insert(entry.path.clone(), look.finish());
        Ok(())
    }

    fn watch(&mut self, entry: &Entry, content: &mut dyn Read) -> std::io::Result<()> {
        let mut watch = Watch::new(entry);
        let mut watching = Watching { inner: content, watch: &mut watch };
        if copyright_of(&entry.path).is_some() {
            self.look(entry, &mut watching)?;
        } else {
            std::io::copy(&mut watching, &mut std::io::sink())?;
        }
        self.watched.insert(entry.path.clone(), watch.finish());
        Ok(())
    }
}

pub(crate) fn read_layer(
    layer: &Layer,
    keep: impl Fn(&ImagePath) -> bool,
    sums: Sums,
    room: &AtomicU64,
    name: &str,
    progress: &dyn Progress,
) -> Result<ReadLayer, ReadError> {
    let failed = |source| ReadError::Layer { digest: layer.digest().clone(), source };
    let packed = Told { inner: layer.content().open().map_err(failed)?, name, progress };
    let tar = decompress(layer.codec(), BufReader::with_capacity(READ_BUFFER, packed)).map_err(failed)?;
    let tar = VerifyingReader::of_unknown_size(tar, layer.diff_id().as_digest().clone());
    let mut reader = TarReader::new(tar, Dialect::Foreign, Limits::default());
    let broken = |source| ReadError::Archive { digest: layer.digest().clone(), source: Box::new(source) };
    let mut read = ReadLayer::default();
    while let Some(entry) = reader.next_entry().map_err(broken)? {
        let size = entry.kind.size();
        if size > 0 && keep(&entry.path) {
            let taken = if size > MAX_FILE {
                Err(MAX_FILE)
            } else {
                room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size))
            };
            if let Err(left) = taken {
                return Err(ReadError::RecordTooLarge { path: entry.path, size, allowed: MAX_FILE.min(left) });
            }
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map_err(failed)?;
            match sums {
                Sums::Compute => {
                    let sum = sha256(&mut content.as_slice()).map_err(failed)?;
                    read.sums.extend(sum.map(|sum| (entry.path.clone(), sum)));
                }
                Sums::Survey => read.look(&entry, &mut content.as_slice()).map_err(failed)?,
                Sums::Watch => read.watch(&entry, &mut content.as_slice()).map_err(failed)?,
                Sums::Leave => {}
            }
            read.kept.insert(entry.path.clone(), content);
        } else if sums == Sums::Compute {
            let sum = match &entry.kind {
                EntryKind::File { .. } => sha256(&mut reader).map_err(failed)?,
                EntryKind::Hardlink { target } => read.sums.get(target).copied(),
                _ => None,
            };
            read.sums.extend(sum.map(|sum| (entry.path.clone(), sum)));
        } else if sums == Sums::Survey && matches!(entry.kind, EntryKind::File { .. }) {
            read.look(&entry, &mut reader).map_err(failed)?;
        } else if sums == Sums::Watch && matches!(entry.kind, EntryKind::File { .. }) {
            read.watch(&entry, &mut reader).map_err(failed)?;
        }
        read.entries.push(entry);
    }
    Ok(read)
}

fn sha256(content: &mut dyn Read) -> std::io::Result<Option<ContentSha256>> {
    let mut writer = DigestWriter::new(std::io::sink());
    std::io::copy(content, &mut writer)?;
    Ok(writer.finish().1.as_sha256().copied())
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
    use distil_imgcore::Metadata;

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
