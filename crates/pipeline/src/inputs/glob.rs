//! Finds the files that patterns stand for.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::{Failed, is_missing, plain, sorted_names};
use crate::file_pattern::{Component, FilePattern};

/// The regular files that a pattern stands for.
pub(super) fn find(pattern: &FilePattern, dir: &Path) -> Result<BTreeSet<PathBuf>, Failed> {
    let start = if pattern.is_absolute() { PathBuf::from("/") } else { dir.to_owned() };
    let mut found = BTreeSet::new();
    walk(start, pattern.components(), &mut found)?;
    Ok(found)
}

fn walk(path: PathBuf, components: &[Component], found: &mut BTreeSet<PathBuf>) -> Result<(), Failed> {
    let Some((first, rest)) = components.split_first() else {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => _ = found.insert(plain(&path)),
            Ok(_) => {}
            Err(e) if is_missing(&e) => {}
            Err(e) => return Err(Failed::at(&path)(e)),
        }
        return Ok(());
    };
    match first {
        Component::Name(name) => walk(path.join(name), rest, found),
        Component::Pattern(pattern) => {
            let hidden = pattern.glob().glob().starts_with('.');
            for name in names(&path)? {
                let candidate = Path::new(&name);
                if pattern.is_match(candidate) && (hidden || !name.as_bytes().starts_with(b".")) {
                    walk(path.join(candidate), rest, found)?;
                }
            }
            Ok(())
        }
        Component::Directories => {
            for name in names(&path)? {
                let inner = path.join(&name);
                // Links to directories are not followed, since they may lead back up.
                let is_dir = fs::symlink_metadata(&inner).is_ok_and(|m| m.is_dir());
                if is_dir && !name.as_bytes().starts_with(b".") {
                    walk(inner, components, found)?;
                }
            }
            walk(path, rest, found)
        }
    }
}

/// The names in a directory; none where there is no such directory.
fn names(dir: &Path) -> Result<Vec<OsString>, Failed> {
    match sorted_names(dir) {
        Err(failed) if is_missing(&failed.source) => Ok(Vec::new()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{self, InputError};
    use crate::recipe::Recipe;

    fn found(names: &[&str], patterns: &str) -> Result<Vec<String>, InputError> {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            tempfile::NamedTempFile::new_in(dir.path()).unwrap().persist(path).unwrap();
        }
        let recipe = Recipe::parse(&format!("[debian]\ndebs = {patterns}")).unwrap();
        let relative = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().display().to_string();
        Ok(inputs::find(&recipe, dir.path())?.debs.into_iter().map(relative).collect())
    }

    #[test]
    fn patterns_find_files_in_order_and_once() {
        let names = ["d/b.deb", "d/a.deb", "d/.c.deb", "d/x.txt", "d/e/f.deb", "d/.g/h.deb"];
        let check = |patterns: &str, expected: &[&str]| assert_eq!(found(&names, patterns).unwrap(), expected);
        check("['d/*.deb']", &["d/a.deb", "d/b.deb"]);
        check("['d/b.deb', 'd/*.deb']", &["d/a.deb", "d/b.deb"]);
        check("['**/*.deb']", &["d/a.deb", "d/b.deb", "d/e/f.deb"]);
        check("['d/.*.deb']", &["d/.c.deb"]);
        check("['d/[ax].*', './d/e/?.deb']", &["d/a.deb", "d/e/f.deb", "d/x.txt"]);
        check("['*/{a,b}.deb']", &["d/a.deb", "d/b.deb"]);
    }

    #[test]
    fn a_pattern_without_a_file_is_an_error() {
        for patterns in ["['*.deb']", "['d/a.deb', 'd/none.deb']", "['d']", "['x/*/y.deb']", "['d/a.deb/*']"] {
            assert!(matches!(found(&["d/a.deb"], patterns), Err(InputError::Recipe(_))), "{patterns}");
        }
    }
}
