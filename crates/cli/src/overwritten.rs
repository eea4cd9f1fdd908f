//! Files that a command is told to write, though it reads them, or writes something else there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Refuses to write over what is read, and to write twice to one file. What is no file, as a terminal, takes everything.
pub(crate) fn refuse<'a>(
    written: impl IntoIterator<Item = &'a Path>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let read: Vec<PathBuf> = read.into_iter().filter_map(place).collect();
    let mut places = Vec::new();
    for path in written {
        let Some(place) = place(path) else { continue };
        if read.contains(&place) {
            return Err(Failure::WrittenOver { path: path.to_owned() });
        }
        if places.contains(&place) {
            return Err(Failure::WrittenTwice { path: path.to_owned() });
        }
        places.push(place);
    }
    Ok(())
}

/// Where a file is or will be, with all links followed.
fn place(path: &Path) -> Option<PathBuf> {
    if let Ok(found) = fs::metadata(path) {
        return found.is_file().then(|| fs::canonicalize(path).ok())?;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_read_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        distil_pipeline::whole_file::create(&at("ledger"), b"").unwrap();
        symlink("ledger", at("link")).unwrap();
        let refused = |written: &[PathBuf], read: &[PathBuf]| {
            refuse(written.iter().map(PathBuf::as_path), read.iter().map(PathBuf::as_path)).is_err()
        };
        assert!(!refused(&[at("new"), at("other")], &[at("ledger"), at("absent/x")]));
        assert!(!refused(&["/dev/null".into(), "/dev/null".into()], &["/dev/null".into()]));
        for written in ["ledger", "link", "below/../ledger"] {
            assert!(refused(&[at(written)], &[at("ledger")]), "{written}");
            assert!(refused(&[at(written), at("ledger")], &[]), "{written}");
        }
        assert!(refused(&[at("new"), at("below/../new")], &[]));
    }
}
