//! What an image has beside packages: the recipe's own files, generated ones, and archives of the user's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use distil_imgcore::compression::decompress;
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{
    Codec, Compression, Entry, FileTree, Fragment, FragmentWriter, ImagePath, Layer, LayerWriter, Node, Origin,
};
use distil_rootfs::{Generated, usr_merge};

use super::convert::{Stoppable, Workshop};
use super::error::BuildError;
use super::layer_records::{AtHand, MadeOf};
use super::tree::RECIPE;
use crate::contents::MAX_FILE;
use crate::inputs::{Input, InputError};
use crate::recipe::{FileSource, Recipe};
use crate::records::is_wanted;
use crate::regular_file;
use crate::spool::MaybeSpool;

/// The recipe's own files.
#[derive(Debug, Default)]
pub(super) struct OwnFiles {
    pub(super) files: Vec<Input>,
    /// Directories that the recipe states, not merely copies.
    pub(super) wishes: BTreeSet<ImagePath>,
}

/// The largest file that is read whole, to make something of it: a certificate, a copyright file. In bytes.
pub(super) const MAX_READ: u64 = 16 << 20;

impl OwnFiles {
    /// The own files as a merged `/usr` has them, all with the time of the image.
    pub(super) fn new(recipe: &Recipe, inputs: &[Input], dir: &Path, epoch: i64) -> Result<Self, BuildError> {
        let path = |source| BuildError::Path { path: dir.to_owned(), source };
        let mut files = Vec::new();
        for input in inputs {
            if let Some(mut entry) = usr_merge::merge(input.entry.clone()).map_err(path)? {
                entry.meta.mtime = epoch;
                files.push(Input { entry, ..input.clone() });
            }
        }
        let stated = recipe.files.iter().filter(|(_, file)| matches!(file.source, FileSource::Directory));
        let wishes = stated.map(|(path, _)| usr_merge::rewrite(path).map(std::borrow::Cow::into_owned));
        Ok(Self { files, wishes: wishes.collect::<Result<_, _>>().map_err(path)? })
    }

    pub(super) fn tree(&self) -> FileTree {
        let node = |input: &Input| Node { entry: input.entry.clone(), content: None, origin: Origin::new(RECIPE) };
        self.files.iter().map(node).collect()
    }

    /// Reads some of the files whole.
    pub(super) fn read(&self, wanted: &BTreeSet<ImagePath>) -> Result<BTreeMap<ImagePath, Vec<u8>>, BuildError> {
        let mut found = BTreeMap::new();
        for input in self.files.iter().filter(|input| wanted.contains(&input.entry.path)) {
            let Some(path) = &input.content else { continue };
            let mut bytes = Vec::new();
            let failed = |error| named(BuildError::read(path)(error), input);
            let file = regular_file::open(path).map_err(failed)?;
            file.take(MAX_READ + 1).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 > MAX_READ {
                return Err(failed(io::ErrorKind::FileTooLarge.into()));
            }
            found.insert(input.entry.path.clone(), bytes);
        }
        Ok(found)
    }
}

/// An error of reading a file, with the key of the recipe that the file comes from.
fn named(error: BuildError, input: &Input) -> BuildError {
    match error {
        BuildError::Read { path, source } => InputError::Unreadable { path, place: input.place.clone(), source }.into(),
        other => other,
    }
}

/// Own and generated files as one fragment, own ones without those at the paths `left_out`.
pub(super) fn fragment(
    own: &OwnFiles,
    left_out: Option<&BTreeSet<ImagePath>>,
    generated: &[Generated],
    compression: Compression,
    workshop: Workshop<'_>,
) -> Result<Fragment, BuildError> {
    let sink = MaybeSpool::new(workshop.session);
    let layer = BuildError::Layer;
    let mut writer = FragmentWriter::new(sink, compression, Origin::new(RECIPE), None).map_err(layer)?;
    for file in generated {
        writer.add(file.entry.clone(), &mut file.bytes.as_slice()).map_err(layer)?;
    }
    for input in &own.files {
        let path = &input.entry.path;
        if left_out.is_some_and(|paths| paths.contains(path)) {
            continue;
        }
        match &input.content {
            None => writer.add(input.entry.clone(), &mut io::empty()).map_err(layer)?,
            Some(source) => {
                let failed = |error| named(BuildError::stream(source)(error), input);
                let mut file = regular_file::open(source).map_err(failed)?;
                writer.add(input.entry.clone(), &mut file).map_err(failed)?;
            }
        }
    }
    let (sink, index) = writer.finish().map_err(layer)?;
    Ok(index.with_content(sink.content().map_err(layer)?))
}

/// An archive of the user's as a layer of its own, whiteouts and all. It may be compressed with gzip or zstd.
pub(super) fn archive(
    path: &Path,
    compression: Compression,
    clamp: Option<i64>,
    workshop: Workshop<'_>,
) -> Result<Layer, BuildError> {
    let file = regular_file::open(path).map_err(BuildError::read(path))?;
    let mut file = BufReader::with_capacity(256 << 10, file);
    let codec = match file.fill_buf().map_err(BuildError::read(path))? {
        [0x1f, 0x8b, ..] => Codec::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Codec::Zstd,
        _ => Codec::None,
    };
    let tar = decompress(codec, file).map_err(BuildError::read(path))?;
    let tar = Stoppable { inner: tar, cancelled: workshop.cancelled };
    let mut reader = TarReader::new(tar, Dialect::Own, Limits::default());
    let sink = MaybeSpool::new(workshop.session);
    let origin = Origin::new(&path.to_string_lossy());
    let mut writer = LayerWriter::new(sink, compression, origin, clamp).map_err(BuildError::Layer)?;
    let mut at_hand = AtHand::new();
    while let Some(entry) = reader.next_entry().map_err(BuildError::tar(path))? {
        if is_wanted(&entry.path) && (1..=MAX_FILE).contains(&entry.kind.size()) {
            let (at, mut content) = (entry.path.clone(), Vec::new());
            reader.read_to_end(&mut content).map_err(BuildError::stream(path))?;
            writer.add(entry, &mut content.as_slice()).map_err(BuildError::stream(path))?;
            at_hand.insert(at, content);
        } else {
            writer.add(entry, &mut reader).map_err(BuildError::stream(path))?;
        }
    }
    let (layer, fragment) = writer.finish(MaybeSpool::content).map_err(BuildError::Layer)?;
    let directories: Vec<Entry> =
        fragment.tree().iter().map(|n| &n.entry).filter(|e| e.kind.is_dir()).cloned().collect();
    MadeOf { packages: &[], others: &[&fragment], directories: &directories }.keep(&layer, &[&at_hand], workshop.shelf);
    Ok(layer.with_created_by("distil: an archive of its own"))
}

/// An entry for each generated file in a tree.
pub(super) fn nodes(generated: &[Generated]) -> impl Iterator<Item = Node> {
    generated.iter().map(|file| Node { entry: file.entry.clone(), content: None, origin: Origin::new("distil") })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use distil_cache::Session;
    use distil_imgcore::Press;

    use super::*;
    use crate::progress::Silent;
    use crate::shelf::Shelf;

    #[test]
    fn an_archive_is_left_where_somebody_asks_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let (session, cancelled) = (Session::start(dir.path()).unwrap(), AtomicBool::new(false));
        let (shelf, press) = (Shelf::open(&session).unwrap(), Press::new(Compression::ZSTD, 0));
        let (session, shelf, press) = (&session, &shelf, &press);
        let decoding = std::num::NonZeroUsize::MIN;
        let workshop = Workshop { session, shelf, press, decoding, progress: &Silent, cancelled: &cancelled };
        let path = dir.path().join("a.tar");
        let mut file = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
        io::Write::write_all(&mut file, &[0; 1024]).unwrap();
        file.persist(&path).unwrap();
        let read = || archive(&path, Compression::ZSTD, None, workshop);
        assert!(read().is_ok());
        cancelled.store(true, Ordering::Relaxed);
        assert!(matches!(read(), Err(BuildError::Cancelled)));
    }
}
