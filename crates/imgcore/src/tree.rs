//! File trees, and how several of them become one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::entry::{Entry, EntryKind};
use crate::path::ImagePath;

/// Who brought an entry: the name of a package, or what messages call the recipe and the generator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// An origin under the name that messages show.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of one file's content.
pub type ContentSha256 = [u8; 32];

/// An entry in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What is there.
    pub entry: Entry,
    /// The SHA-256 of a regular file's content; for a hard link, of the file it names.
    pub content: Option<ContentSha256>,
    /// Who brought it.
    pub origin: Origin,
}

impl Node {
    /// Whether both are the same for everybody who looks at the unpacked image; times do not count.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (a, b) = (&self.entry.meta, &other.entry.meta);
        let same_kind = match (&self.entry.kind, &other.entry.kind) {
            (
                EntryKind::File { .. } | EntryKind::Hardlink { .. },
                EntryKind::File { .. } | EntryKind::Hardlink { .. },
            ) => self.content.is_some() && self.content == other.content,
            (a, b) => a == b,
        };
        same_kind && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.xattrs == b.xattrs
    }
}

/// Entries by path, in the order of a sorted walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTree(BTreeMap<ImagePath, Node>);

impl FileTree {
    /// A tree without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an entry in, and gives back the one that was at its path.
    pub fn insert(&mut self, node: Node) -> Option<Node> {
        self.0.insert(node.entry.path.clone(), node)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, path: &ImagePath) -> Option<Node> {
        self.0.remove(path)
    }

    /// The entry at a path.
    #[must_use]
    pub fn get(&self, path: &ImagePath) -> Option<&Node> {
        self.0.get(path)
    }

    /// Whether something is at a path.
    #[must_use]
    pub fn contains(&self, path: &ImagePath) -> bool {
        self.0.contains_key(path)
    }

    /// All entries, sorted by path.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.0.values()
    }

    /// The entries below a directory, without itself, sorted by path.
    pub fn below<'a>(&'a self, dir: &'a ImagePath) -> impl Iterator<Item = &'a Node> {
        self.0
            .range(dir.clone()..)
            .map(|(_, node)| node)
            .skip_while(move |node| node.entry.path == *dir)
            .take_while(move |node| node.entry.path.starts_with(dir))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<Node> for FileTree {
    fn extend<T: IntoIterator<Item = Node>>(&mut self, nodes: T) {
        for node in nodes {
            self.insert(node);
        }
    }
}

impl FromIterator<Node> for FileTree {
    fn from_iter<T: IntoIterator<Item = Node>>(nodes: T) -> Self {
        Self(nodes.into_iter().map(|node| (node.entry.path.clone(), node)).collect())
    }
}

/// Two origins want one path, and nothing says which of them is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The entry that was there first.
    pub first: Node,
    /// The entry that came later; below `first` where that is no directory.
    pub second: Node,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |f: &mut fmt::Formatter<'_>, node: &Node| {
            let meta = &node.entry.meta;
            write!(
                f,
                "{} (mode {:04o}, owner {}:{}) of {}",
                node.entry.kind.noun(),
                meta.mode,
                meta.uid,
                meta.gid,
                node.origin
            )
        };
        write!(f, "{} is a ", self.first.entry.path)?;
        side(f, &self.first)?;
        if self.first.entry.path == self.second.entry.path {
            f.write_str(" and another ")?;
            side(f, &self.second)
        } else {
            write!(f, " and {} of {} lies below it", self.second.entry.path, self.second.origin)
        }
    }
}

/// What to do where two origins bring different files, links or file types to one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The first stays, the second is left out of the image.
    First,
    /// The second stays, the first is left out of the image.
    Second,
    /// Neither: the merge reports a [`Conflict`].
    Conflict,
}

/// Several trees as one.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// What the image will hold.
    pub tree: FileTree,
    /// Entries that another origin's entry at the same path stands in for. They must not get into a layer.
    pub left_out: Vec<Node>,
    /// Every conflict; the tree is of no use where there is one.
    pub conflicts: Vec<Conflict>,
    /// Directories that a later tree wanted with another mode or owner; the first tree's stands, as with dpkg.
    pub directories: Vec<Conflict>,
}

/// Merges trees in the order given.
///
/// Directories join: the first tree's mode and owner stand. Entries that are the same but for their time join too, the
/// later one is left out. Everything else at one path is for `resolve` to decide, called with the earlier and the
/// later entry; directories against something else, and entries below something that is no directory, are always
/// conflicts.
pub fn merge(trees: impl IntoIterator<Item = FileTree>, resolve: &dyn Fn(&Node, &Node) -> Resolution) -> Merged {
    merge_onto(FileTree::new(), trees, resolve)
}

/// The same, with `below` as the first tree.
pub fn merge_onto(
    below: FileTree,
    trees: impl IntoIterator<Item = FileTree>,
    resolve: &dyn Fn(&Node, &Node) -> Resolution,
) -> Merged {
    let mut merged = Merged { tree: below, ..Merged::default() };
    for tree in trees {
        for second in tree.0.into_values() {
            let Some(first) = merged.tree.get(&second.entry.path) else {
                merged.tree.insert(second);
                continue;
            };
            let same = first.is_same_as(&second);
            let directories = (first.entry.kind.is_dir(), second.entry.kind.is_dir());
            let resolution = match directories {
                (true, true) => {
                    if !same {
                        merged.directories.push(Conflict { first: first.clone(), second });
                    }
                    continue;
                }
                (false, false) if same => Resolution::First,
                (false, false) => resolve(first, &second),
                _ => Resolution::Conflict,
            };
            match resolution {
                Resolution::First => merged.left_out.push(second),
                Resolution::Second => merged.left_out.extend(merged.tree.insert(second)),
                Resolution::Conflict => merged.conflicts.push(Conflict { first: first.clone(), second }),
            }
        }
    }
    merged.conflicts.extend(below_something_else(&merged.tree));
    merged
}

/// Entries whose nearest ancestor in the tree is not a directory.
fn below_something_else(tree: &FileTree) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut blocker: Option<&Node> = None;
    for node in tree.iter() {
        match blocker {
            Some(above) if node.entry.path.starts_with(&above.entry.path) => {
                found.push(Conflict { first: above.clone(), second: node.clone() });
            }
            _ => blocker = (!node.entry.kind.is_dir()).then_some(node),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Metadata;

    fn node(path: &str, kind: EntryKind, content: Option<u8>, origin: &str) -> Node {
        Node {
            entry: Entry {
                path: ImagePath::from_archive(path.as_bytes()).unwrap(),
                kind,
                meta: Metadata::root(0o755, 0),
            },
            content: content.map(|b| [b; 32]),
            origin: Origin::new(origin),
        }
    }

    fn file(path: &str, content: u8, origin: &str) -> Node {
        node(path, EntryKind::File { size: 1 }, Some(content), origin)
    }

    fn dir(path: &str, origin: &str) -> Node {
        node(path, EntryKind::Directory, None, origin)
    }

    fn tree(nodes: impl IntoIterator<Item = Node>) -> FileTree {
        nodes.into_iter().collect()
    }

    fn merge_two(a: FileTree, b: FileTree) -> Merged {
        merge([a, b], &|_, _| Resolution::Conflict)
    }

    #[test]
    fn same_files_join_and_different_ones_conflict() {
        let merged =
            merge_two(tree([file("a", 1, "x"), file("b", 1, "x")]), tree([file("a", 1, "y"), file("b", 2, "y")]));
        assert_eq!(merged.left_out, [file("a", 1, "y")]);
        assert_eq!(merged.conflicts, [Conflict { first: file("b", 1, "x"), second: file("b", 2, "y") }]);
    }

    #[test]
    fn a_rule_decides_which_file_stays() {
        let both = [tree([file("a", 1, "x")]), tree([file("a", 2, "y")])];
        let merged = merge(both, &|_, _| Resolution::Second);
        assert_eq!(merged.tree.iter().collect::<Vec<_>>(), [&file("a", 2, "y")]);
        assert_eq!(merged.left_out, [file("a", 1, "x")]);
        assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn directories_join_and_other_attributes_are_told() {
        let mut other = dir("d", "y");
        other.entry.meta.mode = 0o700;
        let merged = merge_two(tree([dir("d", "x")]), tree([other]));
        assert_eq!(merged.tree.iter().collect::<Vec<_>>(), [&dir("d", "x")]);
        assert_eq!(merged.directories.len(), 1);
        assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn a_directory_against_a_link_is_a_conflict_whatever_the_rule() {
        let link = node("d", EntryKind::Symlink { target: b"e".to_vec() }, None, "y");
        let merged = merge([tree([dir("d", "x")]), tree([link])], &|_, _| Resolution::Second);
        assert_eq!(merged.conflicts.len(), 1);
    }

    #[test]
    fn nothing_lies_below_a_file_or_a_link() {
        let link = node("d", EntryKind::Symlink { target: b"e".to_vec() }, None, "x");
        let merged = merge_two(tree([link, file("d-other", 1, "x")]), tree([file("d/f", 1, "y")]));
        assert_eq!(merged.conflicts.len(), 1);
        let text = merged.conflicts.first().unwrap().to_string();
        assert!(text.contains("/d/f of y lies below it"), "{text}");
    }

    #[test]
    fn below_gives_what_a_directory_holds() {
        let tree = tree([dir("a", "x"), file("a/b", 1, "x"), file("a-b", 1, "x"), file("b", 1, "x")]);
        let a = ImagePath::from_archive(b"a").unwrap();
        let names: Vec<_> = tree.below(&a).map(|n| n.entry.path.to_string()).collect();
        assert_eq!(names, ["/a/b"]);
        assert_eq!(tree.below(&ImagePath::root()).count(), 4);
    }

    fn any_tree(origin: &'static str) -> impl Strategy<Value = FileTree> {
        proptest::collection::vec(("[ab](/[ab]){0,2}", 0u8..3), 0..8).prop_map(move |list| {
            list.into_iter()
                .map(|(path, content)| if content == 0 { dir(&path, origin) } else { file(&path, content, origin) })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_entry_is_kept_left_out_joined_or_reported(a in any_tree("a"), b in any_tree("b")) {
            let merged = merge_two(a.clone(), b.clone());
            let at = |path: &ImagePath| merged.tree.get(path);
            for node in a.iter().chain(b.iter()) {
                let kept = at(&node.entry.path).is_some_and(|n| n == node);
                let joined = node.entry.kind.is_dir() && at(&node.entry.path).is_some_and(|n| n.entry.kind.is_dir());
                let left_out = merged.left_out.contains(node);
                let reported = merged.conflicts.iter().any(|c| c.first == *node || c.second == *node);
                prop_assert!(kept || joined || left_out || reported, "{node:?}");
            }
        }

        #[test]
        fn conflicts_do_not_depend_on_the_order(a in any_tree("a"), b in any_tree("b")) {
            let forth = merge_two(a.clone(), b.clone());
            let back = merge_two(b, a);
            prop_assert_eq!(forth.conflicts.is_empty(), back.conflicts.is_empty());
        }

        #[test]
        fn merging_a_tree_with_itself_gives_itself(a in any_tree("a")) {
            let merged = merge_two(a.clone(), a.clone());
            prop_assert_eq!(merged.tree, a);
        }
    }
}
