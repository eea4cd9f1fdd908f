//! Packages onto a merged `/usr`.
//!
//! Debian's systems have had `/bin`, `/sbin` and the `/lib` directories as links into `/usr` since Debian 12, while its
//! packages may go on shipping files under the old names: dpkg writes through the links. A layer cannot be written
//! through a link, so the paths are rewritten, before conflicts are looked for: two packages that own `/bin/x` and
//! `/usr/bin/x` own the same file. `sbin` is not merged into `bin`; Debian does not do so either.

use std::borrow::Cow;

use distil_imgcore::path::MAX_PATH;
use distil_imgcore::{Entry, EntryKind, ImagePath, Metadata, PathError};

/// A top-level directory that is a link into `/usr`, and whether the link is made where nothing needs it.
struct Alias {
    name: &'static str,
    always: bool,
}

const ALIASES: [Alias; 7] = [
    Alias { name: "bin", always: true },
    Alias { name: "lib", always: true },
    Alias { name: "lib32", always: false },
    Alias { name: "lib64", always: false },
    Alias { name: "libo32", always: false },
    Alias { name: "libx32", always: false },
    Alias { name: "sbin", always: true },
];

/// Where a path lies once `/usr` is merged: `bin/sh` is `usr/bin/sh`, and `bin` itself `usr/bin`.
///
/// # Errors
/// [`PathError::TooLong`] where the prefix makes the path longer than Linux allows.
pub fn rewrite(path: &ImagePath) -> Result<Cow<'_, ImagePath>, PathError> {
    if path.components().next().is_some_and(is_alias) {
        return ImagePath::from_archive(&prefixed(path.as_bytes())).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(path))
}

/// An entry of a package as a merged `/usr` has it, the target of a hard link included, or `None` for a link that the
/// merge has made pointless: the package that ships `lib/x` as a link to `/usr/lib/x` means the file that will be there.
///
/// A link that is the merge itself (`bin` to `usr/bin`, as base-files ships them from Debian 13 on) stays what it is.
/// The targets of symbolic links are left alone. Policy wants absolute ones between top-level directories, and those
/// mean the same before and after.
///
/// # Errors
/// [`PathError::TooLong`], as from [`rewrite`].
pub fn merge(mut entry: Entry) -> Result<Option<Entry>, PathError> {
    if is_alias_link(&entry) {
        return Ok(Some(entry));
    }
    if points_at_itself(&entry) {
        return Ok(None);
    }
    if let EntryKind::Hardlink { target } = &mut entry.kind {
        *target = rewrite(target)?.into_owned();
    }
    entry.path = rewrite(&entry.path)?.into_owned();
    Ok(Some(entry))
}

/// Whether an entry is one of the links that merge `/usr`, with a target that says so in any spelling.
#[must_use]
pub fn is_alias_link(entry: &Entry) -> bool {
    let EntryKind::Symlink { target } = &entry.kind else {
        return false;
    };
    let path = entry.path.as_bytes();
    is_alias(path) && ImagePath::from_foreign(target).is_ok_and(|t| t.as_bytes() == prefixed(path))
}

/// Whether a symbolic link leads to its own place once `/usr` is merged, as the links do that packages ship so that
/// one file is found under both names.
#[must_use]
pub fn points_at_itself(entry: &Entry) -> bool {
    let EntryKind::Symlink { target } = &entry.kind else {
        return false;
    };
    let Ok(place) = rewrite(&entry.path) else { return false };
    // A relative target is read from where the package has put the link, and from where the merge puts it.
    [&entry.path, place.as_ref()]
        .iter()
        .filter_map(|from| lexical_target(from, target))
        .any(|to| rewrite(&to).is_ok_and(|to| to == place))
}

/// The links of the merge: `bin`, `lib` and `sbin` always, the others where `has_entries` finds something below
/// `usr/` and their name. Those that a package ships are among them too; the caller leaves out what is there.
pub fn links(has_entries: impl Fn(&ImagePath) -> bool, mtime: i64) -> Vec<Entry> {
    ALIASES
        .iter()
        .filter_map(|alias| {
            let target = prefixed(alias.name.as_bytes());
            let needed = alias.always || has_entries(&ImagePath::from_archive(&target).ok()?);
            needed.then_some(())?;
            Some(Entry {
                path: ImagePath::from_archive(alias.name.as_bytes()).ok()?,
                kind: EntryKind::Symlink { target },
                meta: Metadata::root(0o777, mtime),
            })
        })
        .collect()
}

/// A glob or path with a leading slash, as the merged `/usr` has it: `/lib/firmware/**` is `/usr/lib/firmware/**`.
pub(crate) fn rewrite_absolute(text: &str) -> Cow<'_, str> {
    let first = text.strip_prefix('/').and_then(|rest| rest.split('/').next());
    if first.is_some_and(|c| is_alias(c.as_bytes())) { Cow::Owned(format!("/usr{text}")) } else { Cow::Borrowed(text) }
}

fn is_alias(component: &[u8]) -> bool {
    ALIASES.iter().any(|alias| alias.name.as_bytes() == component)
}

fn prefixed(path: &[u8]) -> Vec<u8> {
    [b"usr/", path].concat()
}

/// Where a link's target leads when no other link is met on the way; `None` where that is no path of an image.
fn lexical_target(link: &ImagePath, target: &[u8]) -> Option<ImagePath> {
    if target.len() > MAX_PATH {
        return None;
    }
    let mut place: Vec<&[u8]> = Vec::new();
    if target.first() != Some(&b'/') {
        place.extend(link.components());
        place.pop();
    }
    for component in target.split(|b| *b == b'/') {
        match component {
            b"" | b"." => {}
            b".." => drop(place.pop()),
            name => place.push(name),
        }
    }
    ImagePath::from_archive(&place.join(&b'/')).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    fn link(name: &str, target: &str) -> Entry {
        let kind = EntryKind::Symlink { target: target.as_bytes().to_vec() };
        Entry { path: path(name), kind, meta: Metadata::root(0o777, 1) }
    }

    #[test]
    fn only_the_aliased_directories_move() {
        for (from, to) in [
            ("bin/sh", "usr/bin/sh"),
            ("bin", "usr/bin"),
            ("lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
            ("libo32/x", "usr/libo32/x"),
            ("usr/bin/sh", "usr/bin/sh"),
            ("binary/x", "binary/x"),
            ("libexec/x", "libexec/x"),
            ("etc/bin/x", "etc/bin/x"),
            ("usr/lib/bin/x", "usr/lib/bin/x"),
        ] {
            assert_eq!(*rewrite(&path(from)).unwrap(), path(to), "{from}");
        }
        assert!(rewrite(&ImagePath::root()).unwrap().is_root());
    }

    #[test]
    fn a_path_that_grows_too_long_is_refused() {
        let long = format!("lib64{}", "/abcdefg".repeat(511));
        assert!(matches!(rewrite(&path(&long)), Err(PathError::TooLong { .. })));
    }

    #[test]
    fn hard_link_targets_move_too() {
        let kind = EntryKind::Hardlink { target: path("bin/gunzip") };
        let entry = Entry { path: path("bin/uncompress"), kind, meta: Metadata::root(0o755, 1) };
        let merged = merge(entry).unwrap().unwrap();
        assert_eq!(merged.path, path("usr/bin/uncompress"));
        assert_eq!(merged.kind, EntryKind::Hardlink { target: path("usr/bin/gunzip") });
    }

    #[test]
    fn links_between_both_names_of_one_file_go() {
        for (name, target) in [
            ("lib/x", "/usr/lib/x"),
            ("lib/x", "../usr/lib/x"),
            ("usr/bin/which", "/bin/which"),
            ("usr/bin/which", "../../bin/which"),
        ] {
            assert_eq!(merge(link(name, target)), Ok(None), "{name} -> {target}");
        }
        for (name, target) in [("bin/sh", "dash"), ("lib/x", "/usr/lib/y"), ("sbin/x", "/usr/bin/x"), ("lib/x", "/lib")]
        {
            let merged = merge(link(name, target)).unwrap().unwrap();
            assert_eq!(merged.path.as_bytes(), format!("usr/{name}").as_bytes());
            assert_eq!(merged.kind, link(name, target).kind);
        }
    }

    #[test]
    fn the_links_that_base_files_ships_stay_and_agree_with_ours() {
        let ours = links(|_| true, 1);
        for (name, target) in [("bin", "usr/bin"), ("lib", "/usr/lib"), ("lib64", "./usr/lib64"), ("sbin", "usr/sbin/")]
        {
            let theirs = link(name, target);
            assert!(is_alias_link(&theirs), "{name} -> {target}");
            assert_eq!(merge(theirs.clone()), Ok(Some(theirs)));
            assert!(ours.contains(&link(name, &format!("usr/{name}"))));
        }
        assert!(!is_alias_link(&link("bin", "usr/sbin")));
        assert!(!is_alias_link(&link("usr/bin", "usr/usr/bin")));
    }

    #[test]
    fn links_are_made_where_something_needs_them() {
        let names = |entries: Vec<Entry>| entries.iter().map(|e| e.path.to_string()).collect::<Vec<_>>();
        assert_eq!(names(links(|_| false, 0)), ["/bin", "/lib", "/sbin"]);
        assert_eq!(names(links(|p| *p == path("usr/lib64"), 0)), ["/bin", "/lib", "/lib64", "/sbin"]);
    }

    #[test]
    fn globs_follow_their_files() {
        assert_eq!(rewrite_absolute("/lib/firmware/**"), "/usr/lib/firmware/**");
        assert_eq!(rewrite_absolute("/lib*/x"), "/lib*/x");
        assert_eq!(rewrite_absolute("/usr/lib/x"), "/usr/lib/x");
    }

    proptest! {
        #[test]
        fn rewriting_twice_changes_nothing(name in "(bin|sbin|lib|lib64|usr|etc)(/(bin|lib|x)){0,3}") {
            let once = rewrite(&path(&name)).unwrap().into_owned();
            prop_assert_eq!(rewrite(&once).unwrap().into_owned(), once.clone());
            prop_assert!(!once.components().next().is_some_and(is_alias));
        }

        #[test]
        fn no_link_is_left_that_names_itself(name in "(bin|lib|usr/bin|usr/lib)/[ab]", target in "(/|\\.\\./|\\.\\./\\.\\./)?(usr/)?(bin/|lib/)?[ab]") {
            if let Some(merged) = merge(link(&name, &target)).unwrap() {
                prop_assert!(!points_at_itself(&merged));
            }
        }
    }
}
