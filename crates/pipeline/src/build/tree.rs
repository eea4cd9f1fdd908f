//! All packages and own files as one tree.

use std::collections::{BTreeMap, BTreeSet};

use distil_debunpack::{Control, Group, Relation, RelationField};
use distil_imgcore::tree::{Conflict, Resolution, merge_onto};
use distil_imgcore::{EntryKind, FileTree, ImagePath, Node, Origin, Platform};

use super::error::BuildError;
use crate::base::BaseImage;
use crate::package::Package;
use crate::shelf::Converted;

/// The name under which the recipe's own files stand in trees and messages. No package can have it.
pub(super) const RECIPE: &str = "[files]";

/// What the image will hold, and what has to go for it.
#[derive(Debug, Default)]
pub(super) struct ImageTree {
    pub(super) tree: FileTree,
    /// Paths that must not come from an origin, though it has them.
    pub(super) left_out: BTreeMap<Origin, BTreeSet<ImagePath>>,
    /// Directories that packages want with different modes or owners.
    pub(super) directories: Vec<Conflict>,
}

/// Merges packages, given in the order of their names, on what the image starts from, and lays the recipe's own files
/// over them.
///
/// One path of two packages goes to the one that Replaces the other, be it of the base. The recipe's own files go before any package's;
/// `wishes` are the directories among them whose mode and owner count.
pub(super) fn image_tree(
    platform: &Platform,
    packages: &[(&Package, &Converted)],
    base: Option<&BaseImage>,
    own: FileTree,
    wishes: &BTreeSet<ImagePath>,
) -> Result<ImageTree, BuildError> {
    let by_name: BTreeMap<&str, &Control> = packages.iter().map(|(p, _)| (p.name(), p.control())).collect();
    let control = |node: &Node| {
        let below = || base.and_then(|base| base.owner(&node.origin));
        by_name.get(node.origin.as_str()).copied().or_else(below)
    };
    let replaces = |winner: &Node, loser: &Node| {
        control(winner).zip(control(loser)).is_some_and(|(winner, loser)| replaces(winner, loser))
    };
    let resolve = |first: &Node, second: &Node| match (replaces(first, second), replaces(second, first)) {
        (true, false) => Resolution::First,
        (false, true) => Resolution::Second,
        _ => Resolution::Conflict,
    };
    let below = base.map(BaseImage::tree);
    let mut linked = Vec::new();
    // Each is copied when it is its turn, so that not all of them are there twice.
    let trees = packages.iter().map(|(_, converted)| {
        let mut tree = converted.fragment.tree().clone();
        linked.extend(below.map(|below| take_linked(&mut tree, below)).unwrap_or_default());
        tree
    });
    let mut merged = merge_onto(below.cloned().unwrap_or_default(), trees, &resolve);
    let mut left_out = std::mem::take(&mut merged.left_out);
    left_out.append(&mut linked);
    let mut found = std::mem::take(&mut merged.conflicts);
    // How the base is in itself is not for this build to judge.
    found.retain(|c| !base.is_some_and(|base| base.brought(&c.first) && base.brought(&c.second)));
    // Own files replace whole paths of packages on purpose; a directory over a file, or the other way round, is a slip.
    let over = merge_onto(merged.tree, [own], &|_, _| Resolution::Second);
    left_out.extend(over.left_out);
    found.extend(
        over.conflicts.into_iter().filter(|c| [&c.first, &c.second].iter().any(|n| n.origin.as_str() == RECIPE)),
    );
    if !found.is_empty() {
        return Err(BuildError::Conflicts { platform: Box::new(platform.clone()), conflicts: found });
    }
    let mut image = ImageTree { tree: over.tree, directories: merged.directories, ..ImageTree::default() };
    for node in left_out {
        image.left_out.entry(node.origin).or_default().insert(node.entry.path);
    }
    // The merge has kept the directories of packages. Those that came with a copied tree may not change them, or a folder
    // `tmp` in it would close /tmp; those that the recipe states may.
    for wish in over.directories.into_iter().filter(|c| wishes.contains(&c.second.entry.path)) {
        image.tree.insert(wish.second);
    }
    Ok(image)
}

/// Whether a package says that it takes files over from another one.
fn replaces(winner: &Control, loser: &Control) -> bool {
    let names = |relation: &Relation| {
        relation.package == *loser.package()
            && relation.constraint.as_ref().is_none_or(|bound| bound.allows(loser.version()))
    };
    // A field that cannot be read gives no right to anything.
    winner
        .relations(RelationField::Replaces)
        .is_ok_and(|field| field.groups().iter().flat_map(Group::alternatives).any(names))
}

/// Takes the directories out of a package's tree in whose place the base has a link to a directory. The link stays, as
/// with dpkg; what the package has below it is in conflict with the link, since a layer cannot be written through one.
fn take_linked(tree: &mut FileTree, below: &FileTree) -> Vec<Node> {
    let is_link = |path: &ImagePath| {
        let link = below.get(path).is_some_and(|node| matches!(node.entry.kind, EntryKind::Symlink { .. }));
        link && distil_rootfs::is_directory(below, path)
    };
    let directories = tree.iter().filter(|node| node.entry.kind.is_dir()).map(|node| node.entry.path.clone());
    let linked: Vec<ImagePath> = directories.filter(is_link).collect();
    linked.iter().filter_map(|path| tree.remove(path)).collect()
}
