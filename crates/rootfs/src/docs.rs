//! Copyright files behind links.
//!
//! A package may ship `/usr/share/doc/NAME` as a link to the folder of another package of the same source. Not every
//! scanner follows it, and then reports a package without licence: such a link becomes a real folder.

use std::collections::BTreeSet;

use distil_imgcore::{EntryKind, FileTree, ImagePath, Node};

use crate::finish::{Error, Warning};
use crate::follow;
use crate::places::{DOCS, at};
use crate::plan::{Plan, from_base};

/// The copyright files that links lead to.
pub(crate) fn wanted(tree: &FileTree, base: Option<&FileTree>, wanted: &mut BTreeSet<ImagePath>) {
    wanted.extend(
        links(tree, base).iter().filter_map(|(link, _)| copyright(tree, link)).map(|node| node.entry.path.clone()),
    );
}

/// Puts a folder with the copyright file in the place of each link. A link that leads nowhere is left out, one to a
/// folder without a copyright file stays; a warning tells of both. What a base has is the base's affair.
pub(crate) fn add(plan: &mut Plan<'_>) -> Result<(), Error> {
    let tree = plan.tree();
    for (link, target) in links(tree, plan.base()) {
        if let Some(copyright) = copyright(tree, &link) {
            let bytes = plan.content(&copyright.entry.path)?.to_vec();
            plan.replace(&link);
            plan.file(link.join(b"copyright")?, bytes)?;
            continue;
        }
        let leads = |place: ImagePath| tree.contains(&place) || follow::is_directory(tree, &place);
        if !follow::resolve(tree, &link).is_some_and(leads) {
            plan.replace(&link);
            plan.warn(Warning::DanglingDocs { path: link, target });
        } else if follow::is_directory(tree, &link) {
            plan.warn(Warning::NoCopyright { path: link, target });
        }
    }
    Ok(())
}

/// The links right below the folder of all documentation, with their targets.
fn links(tree: &FileTree, base: Option<&FileTree>) -> Vec<(ImagePath, Vec<u8>)> {
    let docs = at(DOCS);
    let below = tree.below(&docs).filter(|node| node.entry.path.parent().as_ref() == Some(&docs));
    below
        .filter(|node| from_base(tree, base, &node.entry.path).is_none())
        .filter_map(|node| match &node.entry.kind {
            EntryKind::Symlink { target } => Some((node.entry.path.clone(), target.clone())),
            _ => None,
        })
        .collect()
}

fn copyright<'a>(tree: &'a FileTree, link: &ImagePath) -> Option<&'a Node> {
    follow::file(tree, &link.join(b"copyright").ok()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finish::Finished;
    use crate::sample;

    fn finished(lines: &[&str]) -> Finished {
        let tree = sample::tree(lines);
        let mut paths = BTreeSet::new();
        wanted(&tree, None, &mut paths);
        let contents: BTreeMap<_, _> = paths.into_iter().map(|p| (p.clone(), p.to_string().into_bytes())).collect();
        let mut plan = Plan::new(&tree, &contents, 7);
        add(&mut plan).unwrap();
        plan.finish()
    }

    #[test]
    fn a_link_becomes_a_folder_with_the_copyright_file() {
        let finished = finished(&[
            "usr/share/doc/gcc-12-base/",
            "usr/share/doc/gcc-12-base/copyright",
            "usr/share/doc/libgcc-s1 -> gcc-12-base",
            "usr/share/doc/libstdc++6 -> /usr/share/doc/libgcc-s1",
        ]);
        assert_eq!(finished.replaced, [at("usr/share/doc/libgcc-s1"), at("usr/share/doc/libstdc++6")]);
        assert!(finished.warnings.is_empty());
        for name in ["usr/share/doc/libgcc-s1", "usr/share/doc/libstdc++6"] {
            let folder = finished.files.iter().find(|f| f.entry.path == at(name)).unwrap();
            assert!(folder.entry.kind.is_dir());
            let copyright = folder.entry.path.join(b"copyright").unwrap();
            let file = finished.files.iter().find(|f| f.entry.path == copyright).unwrap();
            assert_eq!(file.bytes, b"/usr/share/doc/gcc-12-base/copyright");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_left_out() {
        let finished = finished(&["usr/share/doc/libgcc-s1 -> gcc-12-base"]);
        let path = at("usr/share/doc/libgcc-s1");
        assert_eq!(finished.replaced, std::slice::from_ref(&path));
        assert_eq!(finished.warnings, [Warning::DanglingDocs { path, target: b"gcc-12-base".to_vec() }]);
        assert!(finished.files.is_empty());
    }

    #[test]
    fn links_of_a_base_are_left_to_it() {
        let tree = sample::tree(&["usr/share/doc/a -> b", "usr/share/doc/b/copyright", "usr/share/doc/c -> nowhere"]);
        let mut paths = BTreeSet::new();
        wanted(&tree, Some(&tree), &mut paths);
        let contents = BTreeMap::new();
        let mut plan = Plan::new(&tree, &contents, 7).on(&tree);
        add(&mut plan).unwrap();
        assert_eq!((paths, plan.finish()), (BTreeSet::new(), Finished::default()));
    }

    #[test]
    fn other_links_stay() {
        let finished = finished(&["usr/share/doc/a -> b", "usr/share/doc/b/NEWS", "usr/share/doc/c.txt -> b/NEWS"]);
        assert!(finished.replaced.is_empty() && finished.files.is_empty());
        let path = at("usr/share/doc/a");
        assert_eq!(finished.warnings, [Warning::NoCopyright { path, target: b"b".to_vec() }]);
    }
}
