//! The directories that a layer brings with it.

use std::collections::BTreeMap;

use distil_imgcore::{Entry, EntryKind, FileTree, ImagePath, Metadata};

/// The directories that the entries of a layer's trees lie in or are, sorted by path and without the root.
///
/// Mode and owner are those of the whole image, so that no layer changes what another one set. The time is that of the
/// first tree of this layer that has the directory, or `time`: the bytes of a layer depend on no other layer.
pub(super) fn directories(image: &FileTree, trees: &[&FileTree], time: i64) -> Vec<Entry> {
    let mut found: BTreeMap<ImagePath, Option<i64>> = BTreeMap::new();
    for node in trees.iter().flat_map(|tree| tree.iter()) {
        if node.entry.kind.is_dir() {
            let mtime = found.entry(node.entry.path.clone()).or_default();
            *mtime = mtime.or(Some(node.entry.meta.mtime));
        }
        for above in node.entry.path.ancestors() {
            if found.contains_key(&above) {
                // It is not the first to be met, so what is above it is there as well.
                break;
            }
            found.insert(above, None);
        }
    }
    let entry = |(path, mtime): (ImagePath, Option<i64>)| {
        let stated = image.get(&path).filter(|node| node.entry.kind.is_dir());
        let meta = stated.map_or_else(|| Metadata::root(0o755, time), |node| node.entry.meta.clone());
        Entry { path, kind: EntryKind::Directory, meta: Metadata { mtime: mtime.unwrap_or(time), ..meta } }
    };
    found.into_iter().filter(|(path, _)| !path.is_root()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use distil_imgcore::{Node, Origin};

    use super::*;

    fn node(path: &str, kind: EntryKind, mode: u32, mtime: i64) -> Node {
        let path = ImagePath::from_archive(path.as_bytes()).unwrap();
        Node { entry: Entry { path, kind, meta: Metadata::root(mode, mtime) }, content: None, origin: Origin::new("p") }
    }

    #[test]
    fn mode_is_the_images_and_time_the_layers() {
        let dir = EntryKind::Directory;
        let image: FileTree =
            [node("a", dir.clone(), 0o700, 1), node("a/b", dir.clone(), 0o750, 2)].into_iter().collect();
        let layer: FileTree =
            [node("a/b", dir, 0o755, 7), node("a/b/c/f", EntryKind::File { size: 0 }, 0o644, 3)].into_iter().collect();
        let made: Vec<_> = directories(&image, &[&layer], 9)
            .into_iter()
            .map(|e| format!("{} {:o} {}", e.path, e.meta.mode, e.meta.mtime))
            .collect();
        assert_eq!(made, ["/a 700 9", "/a/b 750 7", "/a/b/c 755 9"]);
    }
}
