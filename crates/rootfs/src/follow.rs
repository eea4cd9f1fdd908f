//! Following links inside a file tree, as the kernel does once the image runs.

use distil_imgcore::{EntryKind, FileTree, ImagePath, Node};

/// Links met before a path counts as a loop: what Linux allows, see [path_resolution(7)].
///
/// [path_resolution(7)]: https://manpages.debian.org/bookworm/manpages/path_resolution.7.en.html
const MAX_LINKS: usize = 40;

/// Where a path leads when every symbolic link on the way is followed, the last component's too. Whether something is
/// there is another question. `None` for loops, and for what is too long to be a path.
pub(crate) fn resolve(tree: &FileTree, path: &ImagePath) -> Option<ImagePath> {
    let mut place = ImagePath::root();
    let mut links = 0;
    let mut ahead: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
    while let Some(component) = ahead.pop() {
        match &*component {
            b"" | b"." => continue,
            b".." => {
                place = place.parent().unwrap_or_default();
                continue;
            }
            _ => {}
        }
        let next = place.join(&component).ok()?;
        let Some(EntryKind::Symlink { target }) = tree.get(&next).map(|node| &node.entry.kind) else {
            place = next;
            continue;
        };
        links += 1;
        if links > MAX_LINKS || target.is_empty() || target.len() > distil_imgcore::path::MAX_PATH {
            return None;
        }
        if target.first() == Some(&b'/') {
            place = ImagePath::root();
        }
        ahead.extend(target.split(|b| *b == b'/').rev().map(<[u8]>::to_vec));
    }
    Some(place)
}

/// The regular file that a path leads to, by symbolic and hard links: the entry that holds the content.
pub(crate) fn file<'a>(tree: &'a FileTree, path: &ImagePath) -> Option<&'a Node> {
    let mut node = tree.get(&resolve(tree, path)?)?;
    // An archive's hard link names an earlier member; a chain of them is short, and a loop is nobody's file.
    for _ in 0..MAX_LINKS {
        match &node.entry.kind {
            EntryKind::File { .. } => return Some(node),
            EntryKind::Hardlink { target } => node = tree.get(target)?,
            _ => return None,
        }
    }
    None
}

/// Whether a path leads to a directory, by links as the kernel follows them, be it an entry or only implied by entries
/// below it.
#[must_use]
pub fn is_directory(tree: &FileTree, path: &ImagePath) -> bool {
    resolve(tree, path).is_some_and(|place| match tree.get(&place) {
        Some(node) => node.entry.kind.is_dir(),
        None => place.is_root() || tree.below(&place).next().is_some(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    #[test]
    fn links_are_followed_as_the_kernel_does() {
        let tree = sample::tree(&[
            "bin -> usr/bin",
            "usr/bin/sh -> dash",
            "usr/bin/dash",
            "etc/alternatives/sh -> /bin/sh",
            "up -> ../../etc/../usr/./bin//sh",
            "loop -> loop2",
            "loop2 -> /loop",
            "hard => usr/bin/dash",
        ]);
        for from in ["bin/sh", "etc/alternatives/sh", "up", "usr/bin/dash"] {
            assert_eq!(resolve(&tree, &path(from)), Some(path("usr/bin/dash")), "{from}");
        }
        assert_eq!(resolve(&tree, &path("loop")), None);
        assert_eq!(resolve(&tree, &path("bin/nosuch")), Some(path("usr/bin/nosuch")));
        assert_eq!(file(&tree, &path("hard")).unwrap().entry.path, path("usr/bin/dash"));
        assert!(file(&tree, &path("bin")).is_none());
        assert!(is_directory(&tree, &path("bin")));
        assert!(!is_directory(&tree, &path("bin/sh")));
    }

    proptest! {
        #[test]
        fn any_links_come_to_an_end(links in proptest::collection::vec(("[ab](/[ab])?", "/?[ab.]{0,2}(/[ab.]{1,2}){0,2}"), 0..6), from in "[ab](/[ab]){0,2}") {
            let lines: Vec<_> = links.iter().filter(|(name, to)| name != to).map(|(name, to)| format!("{name} -> {to}")).collect();
            let tree = sample::tree(&lines);
            if let Some(place) = resolve(&tree, &path(&from)) {
                // What is resolved holds no link any more, so it resolves to itself.
                prop_assert_eq!(resolve(&tree, &place), Some(place));
            }
        }
    }
}
