//! The paths of an image, to follow links among them.

use std::collections::BTreeMap;

use distil_imgcore::{Entry, EntryKind, ImagePath};

/// What a path holds, as far as rules ask.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File { mode: u32 },
    Directory { mode: u32 },
    Link(Vec<u8>),
    Other,
}

/// The paths of an image. Directories that no layer names are there all the same.
#[derive(Debug, Default)]
pub(super) struct View {
    nodes: BTreeMap<ImagePath, Node>,
}

/// Links that are followed for one path, as the kernel does.
const MAX_LINKS: usize = 40;

impl View {
    pub(super) fn add(&mut self, entry: &Entry) {
        let node = match &entry.kind {
            EntryKind::File { .. } | EntryKind::Hardlink { .. } => Node::File { mode: entry.meta.mode },
            EntryKind::Directory => Node::Directory { mode: entry.meta.mode },
            EntryKind::Symlink { target } => Node::Link(target.clone()),
            _ => Node::Other,
        };
        self.nodes.insert(entry.path.clone(), node);
    }

    /// Where a path leads, with all links followed; none where it leads nowhere.
    pub(super) fn resolve(&self, path: &[u8]) -> Option<(ImagePath, Option<&Node>)> {
        let mut left: Vec<Vec<u8>> = path.split(|b| *b == b'/').rev().map(<[u8]>::to_vec).collect();
        let (mut at, mut links) = (ImagePath::root(), 0);
        while let Some(part) = left.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = at.parent().unwrap_or_else(ImagePath::root);
                    continue;
                }
                _ => {}
            }
            let next = at.join(&part).ok()?;
            if let Some(Node::Link(target)) = self.nodes.get(&next) {
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                if target.starts_with(b"/") {
                    at = ImagePath::root();
                }
                left.extend(target.split(|b| *b == b'/').rev().map(<[u8]>::to_vec));
            } else {
                at = next;
            }
        }
        let node = self.nodes.get(&at);
        (node.is_some() || self.is_implied(&at)).then_some((at, node))
    }

    /// Whether something lies below a path.
    fn is_implied(&self, path: &ImagePath) -> bool {
        let mut below = self.nodes.range(path.clone()..);
        path.is_root() || below.next().is_some_and(|(next, _)| next.starts_with(path))
    }

    /// The mode of the file that a path leads to.
    pub(super) fn file(&self, path: &[u8]) -> Option<u32> {
        match self.resolve(path) {
            Some((_, Some(Node::File { mode }))) => Some(*mode),
            _ => None,
        }
    }
}
