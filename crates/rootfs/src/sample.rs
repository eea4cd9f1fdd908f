//! Small file trees for tests.

use distil_imgcore::{Entry, EntryKind, FileTree, ImagePath, Metadata, Node, Origin};

/// A tree from lines: `path` is a file, `path/` a directory, `path -> target` a symbolic and `path => target` a hard
/// link.
pub(crate) fn tree<T: AsRef<str>>(lines: &[T]) -> FileTree {
    lines.iter().map(|line| node(line.as_ref())).collect()
}

fn node(line: &str) -> Node {
    let path = |name: &str| ImagePath::from_archive(name.as_bytes()).unwrap();
    let (name, kind, mode) = if let Some((name, target)) = line.split_once(" -> ") {
        (name, EntryKind::Symlink { target: target.as_bytes().to_vec() }, 0o777)
    } else if let Some((name, target)) = line.split_once(" => ") {
        (name, EntryKind::Hardlink { target: path(target) }, 0o644)
    } else if line.ends_with('/') {
        (line, EntryKind::Directory, 0o755)
    } else {
        (line, EntryKind::File { size: 1 }, 0o644)
    };
    Node {
        entry: Entry { path: path(name), kind, meta: Metadata::root(mode, 1) },
        content: None,
        origin: Origin::new("sample"),
    }
}
