//! What is to be added to a tree, collected piece by piece.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::{Entry, EntryKind, FileTree, ImagePath, Metadata, Node};

use crate::finish::{Error, Finished, Generated, Warning};

/// Collects what a tree lacks. What the tree has is never overwritten, unless it was said to be replaced.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    tree: &'a FileTree,
    base: Option<&'a FileTree>,
    contents: &'a BTreeMap<ImagePath, Vec<u8>>,
    epoch: i64,
    files: BTreeMap<ImagePath, Generated>,
    replaced: BTreeSet<ImagePath>,
    warnings: Vec<Warning>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(tree: &'a FileTree, contents: &'a BTreeMap<ImagePath, Vec<u8>>, epoch: i64) -> Self {
        let (files, replaced) = (BTreeMap::new(), BTreeSet::new());
        Self { tree, base: None, contents, epoch, files, replaced, warnings: Vec::new() }
    }

    /// The same plan for a tree that has another image below it.
    pub(crate) fn on(self, base: &'a FileTree) -> Self {
        Self { base: Some(base), ..self }
    }

    /// The tree as the packages and the recipe have it.
    pub(crate) fn tree(&self) -> &'a FileTree {
        self.tree
    }

    /// What is below the tree.
    pub(crate) fn base(&self) -> Option<&'a FileTree> {
        self.base
    }

    /// The entry at a path, where it comes from below and stays.
    pub(crate) fn kept_from_base(&self, path: &ImagePath) -> Option<&'a Node> {
        from_base(self.tree, self.base, path).filter(|_| !self.replaced.contains(path))
    }

    /// The content of a file of the tree.
    pub(crate) fn content(&self, path: &ImagePath) -> Result<&'a [u8], Error> {
        self.contents.get(path).map(Vec::as_slice).ok_or_else(|| Error::MissingContent { path: path.clone() })
    }

    /// The time of everything that is generated.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Whether the image will have something at a path.
    pub(crate) fn has(&self, path: &ImagePath) -> bool {
        self.files.contains_key(path) || self.shipped(path).is_some()
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// Takes an entry of the tree out of the image.
    pub(crate) fn replace(&mut self, path: &ImagePath) {
        self.replaced.insert(path.clone());
    }

    /// Adds a file for all to read, where nothing is yet.
    pub(crate) fn file(&mut self, path: ImagePath, bytes: Vec<u8>) -> Result<(), Error> {
        let size = bytes.len() as u64;
        let entry = Entry { path, kind: EntryKind::File { size }, meta: Metadata::root(0o644, self.epoch) };
        self.add(Generated { entry, bytes })
    }

    /// Puts other content in the place of a file of the tree, which keeps its mode and owner.
    pub(crate) fn rewrite(&mut self, node: &Node, bytes: Vec<u8>) -> Result<(), Error> {
        let path = node.entry.path.clone();
        self.replace(&path);
        let kind = EntryKind::File { size: bytes.len() as u64 };
        let meta = Metadata { mtime: self.epoch, ..node.entry.meta.clone() };
        self.add(Generated { entry: Entry { path, kind, meta }, bytes })
    }

    /// Adds a symbolic link, where nothing is yet.
    pub(crate) fn symlink(&mut self, path: ImagePath, target: &str) -> Result<(), Error> {
        let kind = EntryKind::Symlink { target: target.as_bytes().to_vec() };
        self.entry(Entry { path, kind, meta: Metadata::root(0o777, self.epoch) })
    }

    /// Adds a directory of root, where nothing is yet.
    pub(crate) fn directory(&mut self, path: ImagePath, mode: u32) -> Result<(), Error> {
        self.entry(Entry { path, kind: EntryKind::Directory, meta: Metadata::root(mode, self.epoch) })
    }

    /// Adds an entry without content, where nothing is yet.
    pub(crate) fn entry(&mut self, entry: Entry) -> Result<(), Error> {
        self.add(Generated { entry, bytes: Vec::new() })
    }

    /// Adds an entry, and the directories above it that are nobody's yet.
    fn add(&mut self, generated: Generated) -> Result<(), Error> {
        let path = &generated.entry.path;
        if self.has(path) {
            return Ok(());
        }
        for above in path.ancestors().filter(|above| !above.is_root()) {
            let planned = self.files.get(&above).map(|file| &file.entry);
            match self.shipped(&above).or(planned) {
                Some(entry) if entry.kind.is_dir() => {}
                Some(_) => return Err(Error::NotADirectory { path: path.clone(), above }),
                None => {
                    let meta = Metadata::root(0o755, self.epoch);
                    let entry = Entry { path: above.clone(), kind: EntryKind::Directory, meta };
                    self.files.insert(above, Generated { entry, bytes: Vec::new() });
                }
            }
        }
        self.files.insert(path.clone(), generated);
        Ok(())
    }

    fn shipped(&self, path: &ImagePath) -> Option<&'a Entry> {
        self.tree.get(path).filter(|_| !self.replaced.contains(path)).map(|node| &node.entry)
    }

    pub(crate) fn finish(self) -> Finished {
        Finished {
            files: self.files.into_values().collect(),
            replaced: self.replaced.into_iter().collect(),
            warnings: self.warnings,
        }
    }
}

/// The entry of a tree at a path, where it is that of the image below.
pub(crate) fn from_base<'a>(tree: &'a FileTree, base: Option<&FileTree>, path: &ImagePath) -> Option<&'a Node> {
    let below = base?.get(path)?;
    tree.get(path).filter(|node| node.origin == below.origin)
}
