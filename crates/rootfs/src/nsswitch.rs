//! `/etc/nsswitch.conf`: where the C library looks up users and hosts.

use std::collections::BTreeSet;

use distil_imgcore::{FileTree, ImagePath};

use crate::finish::Error;
use crate::follow;
use crate::places::{NSSWITCH, NSSWITCH_DEFAULT, at};
use crate::plan::Plan;

/// For an image with a C library but without libc-bin, whose maintainer script would have made the file. Without it
/// glibc asks for hosts in the order that it was compiled with, which has not always begun with `/etc/hosts`.
const MINIMAL: &str = "\
passwd:         files
group:          files
shadow:         files
hosts:          files dns
networks:       files
protocols:      files
services:       files
";

/// The default that libc-bin ships, where it is to be copied.
pub(crate) fn wanted(tree: &FileTree, wanted: &mut BTreeSet<ImagePath>) {
    wanted.extend(default_file(tree));
}

/// Copies libc-bin's default as its maintainer script does, or writes a minimal file.
pub(crate) fn add(plan: &mut Plan<'_>) -> Result<(), Error> {
    let tree = plan.tree();
    if let Some(default) = default_file(tree) {
        let bytes = plan.content(&default)?.to_vec();
        return plan.file(at(NSSWITCH), bytes);
    }
    if has_c_library(tree) { plan.file(at(NSSWITCH), MINIMAL.into()) } else { Ok(()) }
}

fn default_file(tree: &FileTree) -> Option<ImagePath> {
    let needed = !tree.contains(&at(NSSWITCH));
    needed.then(|| follow::file(tree, &at(NSSWITCH_DEFAULT)))?.map(|node| node.entry.path.clone())
}

/// Whether glibc is there; musl does not read the file.
fn has_c_library(tree: &FileTree) -> bool {
    tree.below(&at("usr")).any(|node| node.entry.path.file_name().is_some_and(|name| name == b"libc.so.6"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sample;

    fn content(lines: &[&str]) -> Option<String> {
        let tree = sample::tree(lines);
        let mut paths = BTreeSet::new();
        wanted(&tree, &mut paths);
        let contents: BTreeMap<_, _> = paths.into_iter().map(|p| (p, b"default\n".to_vec())).collect();
        let mut plan = Plan::new(&tree, &contents, 7);
        add(&mut plan).unwrap();
        let files = plan.finish().files;
        files.into_iter().find(|f| f.entry.path == at(NSSWITCH)).map(|f| String::from_utf8(f.bytes).unwrap())
    }

    #[test]
    fn the_default_of_libc_bin_is_copied() {
        assert_eq!(content(&[NSSWITCH_DEFAULT]).as_deref(), Some("default\n"));
    }

    #[test]
    fn a_file_that_is_there_stays() {
        assert_eq!(content(&[NSSWITCH_DEFAULT, NSSWITCH]), None);
    }

    #[test]
    fn a_c_library_alone_gets_a_minimal_file() {
        let text = content(&["usr/lib/x86_64-linux-gnu/libc.so.6"]).unwrap();
        assert!(text.contains("hosts:          files dns\n"));
        assert_eq!(content(&["usr/lib/libc.musl-x86_64.so.1"]), None);
    }
}
