//! What a scan asks of a layer, kept when the layer is made, so that not even the first scan reads it.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::{Digest, Entry, Fragment, Image, ImagePath, Index, Layer, Node, Reference};
use distil_rootfs::Generated;

use super::own::OwnFiles;
use super::{BuiltImage, Jobs};
use crate::contents::{Contents, MAX_FILE};
use crate::places::Places;
use crate::read::{Named, ReadError};
use crate::records::{self, LayerRecords, is_wanted};
use crate::shelf::Shelf;

/// The content of files that need not be read out of a fragment, by their paths.
pub(super) type AtHand = BTreeMap<ImagePath, Vec<u8>>;

/// What a layer was made of.
#[derive(Debug)]
pub(super) struct MadeOf<'a> {
    /// The files of packages.
    pub(super) packages: &'a [&'a Fragment],
    /// Other files, whose content is at hand.
    pub(super) others: &'a [&'a Fragment],
    pub(super) directories: &'a [Entry],
}

impl MadeOf<'_> {
    /// Keeps what reading the layer would give. Where that cannot be told for certain nothing is kept, and a scan reads the
    /// layer.
    pub(super) fn keep(&self, layer: &Layer, at_hand: &[&AtHand], kept: &Shelf) {
        if let Some(records) = self.records(at_hand, kept) {
            records.keep(kept.values(), layer.diff_id());
        }
    }

    fn records(&self, at_hand: &[&AtHand], kept: &Shelf) -> Option<LayerRecords> {
        let mut files = AtHand::new();
        for fragment in self.packages {
            let paths: BTreeSet<ImagePath> = wanted(fragment).map(|node| node.entry.path.clone()).collect();
            files.extend(kept.files(fragment, &paths, MAX_FILE).ok()?);
        }
        for path in self.others.iter().flat_map(|fragment| wanted(fragment)).map(|node| &node.entry.path) {
            let content = at_hand.iter().find_map(|files| files.get(path))?;
            files.insert(path.clone(), content.clone());
        }
        let fragments = || self.packages.iter().chain(self.others);
        // A file of the user's may have been written since it was put into the layer.
        let is_in_layer = |node: &Node| {
            let found = files.get(&node.entry.path).map(|content| Digest::of(content));
            node.entry.kind.size() <= MAX_FILE && found.is_some_and(|found| found.as_sha256() == node.content.as_ref())
        };
        if !fragments().flat_map(|fragment| wanted(fragment)).all(is_in_layer) {
            return None;
        }
        let nodes = fragments().flat_map(|fragment| fragment.tree().iter()).map(|node| &node.entry);
        let entries = nodes.filter(|entry| !entry.kind.is_dir()).chain(self.directories);
        LayerRecords::of(entries, |path| files.remove(path)).ok()
    }
}

/// Makes anew what was lost of it since an earlier build made these images, where one of the places is on this machine.
pub(super) fn make_again(index: &Index, images: &[BuiltImage], shelf: &Shelf, jobs: Jobs, places: &Places<'_>) {
    let mut layers = index.images().iter().flat_map(Image::layers);
    if layers.all(|layer| LayerRecords::are_kept(shelf.values(), layer.diff_id())) {
        return;
    }
    let Some(local) = images.iter().find(|image| matches!(image.reference, Reference::Layout(_))) else { return };
    let Ok(named) = Named::open(&local.reference, places) else { return };
    for image in named.platforms.iter().filter_map(|(_, manifest)| Image::read(&named.store, manifest).ok()) {
        // A scan tells what is wrong with a layer.
        let _: Result<Contents, ReadError> = records::read(&image, Some(shelf.values()), jobs, places.progress);
    }
}

/// The files of a fragment that a scan reads.
fn wanted(fragment: &Fragment) -> impl Iterator<Item = &Node> {
    fragment.tree().iter().filter(|node| node.entry.kind.size() > 0 && is_wanted(&node.entry.path))
}

/// Those of the recipe's own files and of the generated ones that a scan reads.
pub(super) fn own(own: &OwnFiles, generated: &[Generated]) -> AtHand {
    let wanted = own.files.iter().map(|input| &input.entry.path).filter(|path| is_wanted(path)).cloned().collect();
    // What cannot be read again is not at hand.
    let mut files = own.read(&wanted).unwrap_or_default();
    let generated = generated.iter().filter(|file| is_wanted(&file.entry.path));
    files.extend(generated.map(|file| (file.entry.path.clone(), file.bytes.clone())));
    files
}
