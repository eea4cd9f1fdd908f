//! The files that a recipe names, looked for on disk: the step between a recipe, which is text, and a build.

mod glob;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use distil_imgcore::{Entry, EntryKind, Escaped, ImagePath, Metadata, PathError};

use crate::recipe::{FileSource, MAX_RECIPE, OwnFile, Recipe, reserved};

/// Files on disk that a recipe asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The packages, sorted by path, each once.
    pub debs: Vec<PathBuf>,
    /// The own files in the order of their paths in the image. Directories above them are not listed.
    pub files: Vec<Input>,
}

/// One own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What it is in the image.
    pub entry: Entry,
    /// Where its content lies; `None` for all but regular files.
    pub content: Option<PathBuf>,
}

/// Why the files of a recipe are not there as it names them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// A pattern of packages that stands for no file.
    #[error("{} matches no file in {}", Escaped(.pattern.as_bytes()), Escaped(.dir.as_os_str().as_bytes()))]
    NoMatch {
        /// The pattern as written.
        pattern: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A file or directory that is not there or cannot be read.
    #[error("cannot read {}", Escaped(.path.as_os_str().as_bytes()))]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A source with a slash at the end that is no directory.
    #[error("{} is not a directory", Escaped(.path.as_os_str().as_bytes()))]
    NotADirectory {
        /// Its path.
        path: PathBuf,
    },
    /// A socket, a pipe or a device.
    #[error("{} is neither a file nor a directory nor a symbolic link", Escaped(.path.as_os_str().as_bytes()))]
    Special {
        /// Its path.
        path: PathBuf,
    },
    /// A name in a source directory that no image can hold.
    #[error("{} has a name that no image can hold", Escaped(.path.as_os_str().as_bytes()))]
    Name {
        /// Its path.
        path: PathBuf,
        /// What is wrong with the name.
        #[source]
        cause: PathError,
    },
    /// A file in a source directory that would come to a reserved path.
    #[error("{} would become {target}, which is reserved for {what}", Escaped(.path.as_os_str().as_bytes()))]
    Reserved {
        /// Its path.
        path: PathBuf,
        /// The path in the image.
        target: ImagePath,
        /// Whose that is.
        what: &'static str,
    },
    /// One path in the image that two entries of the recipe fill.
    #[error("{target} is filled by both {first} and {second} of the recipe's files")]
    Twice {
        /// The path in the image.
        target: ImagePath,
        /// One key of `[files]`.
        first: ImagePath,
        /// The other.
        second: ImagePath,
    },
}

impl InputError {
    /// Whether the recipe asks for what is not there, rather than the disk failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read { source, .. } => matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData),
            _ => true,
        }
    }
}

/// Reads the text of a recipe, and of a longer one only so much that [`Recipe::parse`] refuses it.
///
/// # Errors
/// [`InputError::Read`] where it cannot be read or is not UTF-8.
pub fn read_recipe(path: &Path) -> Result<String, InputError> {
    let file = fs::File::open(path).map_err(|e| read_error(path, e))?;
    let mut bytes = Vec::new();
    file.take(MAX_RECIPE as u64 + 1).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
    if bytes.len() > MAX_RECIPE {
        // The end may cut a character in two, which is no mistake of the recipe.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|e| read_error(path, io::Error::new(io::ErrorKind::InvalidData, e)))
}

/// Looks for the files that a recipe names, relative to `dir`.
///
/// Nothing of the disk but names, contents and the owner's permission to execute gets into the result: two checkouts of
/// one repository give the same, whatever the umask. All entries get the time `mtime`. A symbolic link inside a source
/// directory stays one, with its target as it is; a source that is itself a link is followed.
///
/// # Errors
/// [`InputError`], the first in the order of the recipe's keys.
pub fn find(recipe: &Recipe, dir: &Path, mtime: i64) -> Result<Inputs, InputError> {
    let mut found = Found { entries: BTreeMap::new(), mtime };
    for (target, file) in &recipe.files {
        found.own_file(target, file, dir)?;
    }
    let files = found.entries.into_values().map(|(_, input)| input).collect();
    Ok(Inputs { debs: glob::find(&recipe.debian.debs, dir)?, files })
}

/// What was found so far: for each path of the image the key of `[files]` that it comes from, and the entry.
struct Found {
    entries: BTreeMap<ImagePath, (ImagePath, Input)>,
    mtime: i64,
}

impl Found {
    fn own_file(&mut self, target: &ImagePath, file: &OwnFile, dir: &Path) -> Result<(), InputError> {
        match &file.source {
            FileSource::Directory => {
                let input = self.input(target, EntryKind::Directory, file, file.mode.unwrap_or(0o755), None);
                self.add(target, input)
            }
            FileSource::Symlink { target: to } => {
                let kind = EntryKind::Symlink { target: to.clone().into_bytes() };
                let input = self.input(target, kind, file, 0o777, None);
                self.add(target, input)
            }
            FileSource::Copy { source } => {
                let path = dir.join(source.trim_end_matches('/'));
                let metadata = fs::metadata(&path).map_err(|e| read_error(&path, e))?;
                if source.ends_with('/') && !metadata.is_dir() {
                    return Err(InputError::NotADirectory { path });
                }
                self.copy(target, target.clone(), &path, &metadata, file)
            }
        }
    }

    /// Adds a file or a directory with all that is in it.
    fn copy(
        &mut self,
        key: &ImagePath,
        target: ImagePath,
        path: &Path,
        metadata: &fs::Metadata,
        file: &OwnFile,
    ) -> Result<(), InputError> {
        if let Some(what) = reserved(&target) {
            return Err(InputError::Reserved { path: path.to_owned(), target, what });
        }
        if metadata.is_symlink() {
            let to = fs::read_link(path).map_err(|e| read_error(path, e))?;
            let kind = EntryKind::Symlink { target: to.into_os_string().into_vec() };
            let input = self.input(&target, kind, file, 0o777, None);
            return self.add(key, input);
        }
        if metadata.is_file() {
            let executable = metadata.permissions().mode() & 0o100 != 0;
            let mode = file.mode.unwrap_or(if executable { 0o755 } else { 0o644 });
            let kind = EntryKind::File { size: metadata.len() };
            let input = self.input(&target, kind, file, mode, Some(path.to_owned()));
            return self.add(key, input);
        }
        if !metadata.is_dir() {
            return Err(InputError::Special { path: path.to_owned() });
        }
        // The root of the image belongs to nobody's source.
        if !target.is_root() {
            let input = self.input(&target, EntryKind::Directory, file, 0o755, None);
            self.add(key, input)?;
        }
        for name in sorted_names(path)? {
            let inner = path.join(&name);
            let below = target.join(name.as_bytes());
            let below = below.map_err(|cause| InputError::Name { path: inner.clone(), cause })?;
            let metadata = fs::symlink_metadata(&inner).map_err(|e| read_error(&inner, e))?;
            self.copy(key, below, &inner, &metadata, file)?;
        }
        Ok(())
    }

    fn input(&self, path: &ImagePath, kind: EntryKind, file: &OwnFile, mode: u32, content: Option<PathBuf>) -> Input {
        let meta = Metadata { uid: file.owner.uid, gid: file.owner.gid, ..Metadata::root(mode, self.mtime) };
        Input { entry: Entry { path: path.clone(), kind, meta }, content }
    }

    /// Adds an entry. Two directories at one path are one, and have mode and owner of the one that the recipe names.
    fn add(&mut self, key: &ImagePath, input: Input) -> Result<(), InputError> {
        let path = input.entry.path.clone();
        if let Some((first, before)) = self.entries.get(&path) {
            if !(before.entry.kind.is_dir() && input.entry.kind.is_dir()) {
                return Err(InputError::Twice { target: path, first: first.clone(), second: key.clone() });
            }
            if *key != path {
                return Ok(());
            }
        }
        self.entries.insert(path, (key.clone(), input));
        Ok(())
    }
}

/// The names in a directory, sorted by their bytes.
fn sorted_names(dir: &Path) -> Result<Vec<std::ffi::OsString>, InputError> {
    let fail = |e| read_error(dir, e);
    let names = fs::read_dir(dir).map_err(fail)?.map(|entry| entry.map(|e| e.file_name()));
    let mut names: Vec<_> = names.collect::<Result<_, _>>().map_err(fail)?;
    names.sort();
    Ok(names)
}

fn read_error(path: &Path, source: io::Error) -> InputError {
    InputError::Read { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Dir(tempfile::TempDir);

    impl Dir {
        fn new(files: &[(&str, u32)]) -> Self {
            let dir = Self(tempfile::tempdir().unwrap());
            for (name, mode) in files {
                let path = dir.0.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                tempfile::NamedTempFile::new_in(dir.0.path()).unwrap().persist(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
            dir
        }

        fn find(&self, recipe: &str) -> Result<Inputs, InputError> {
            find(&Recipe::parse(recipe).unwrap(), self.0.path(), 7)
        }

        /// Path, mode and owner of each entry, as text.
        fn files(&self, recipe: &str) -> Vec<String> {
            let line = |input: Input| {
                let Entry { path, kind, meta } = input.entry;
                format!("{} {path} {:o} {}:{} {}", kind.noun(), meta.mode, meta.uid, meta.gid, meta.mtime)
            };
            self.find(recipe).unwrap().files.into_iter().map(line).collect()
        }
    }

    #[test]
    fn only_the_owners_right_to_execute_is_taken_from_the_disk() {
        let dir = Dir::new(&[("src/a", 0o600), ("src/bin/b", 0o4711), ("c", 0o640)]);
        symlink("../a", dir.0.path().join("src/bin/l")).unwrap();
        assert_eq!(
            dir.files(
                "[files]\n'/app' = { source = 'src/', owner = 'nonroot' }\n'/etc/c' = { source = 'c', mode = '0600' }"
            ),
            [
                "directory /app 755 65532:65532 7",
                "file /app/a 644 65532:65532 7",
                "directory /app/bin 755 65532:65532 7",
                "file /app/bin/b 755 65532:65532 7",
                "symbolic link /app/bin/l 777 65532:65532 7",
                "file /etc/c 600 0:0 7",
            ]
        );
    }

    #[test]
    fn a_directory_that_the_recipe_names_has_its_mode_there() {
        let dir = Dir::new(&[("root/var/lib/app/x", 0o644)]);
        let files =
            dir.files("[files]\n'/' = { source = 'root' }\n'/var/lib/app' = { directory = true, mode = '0750' }");
        assert!(files.contains(&"directory /var/lib/app 750 0:0 7".to_owned()), "{files:?}");
        assert!(!files.iter().any(|f| f.starts_with("directory / ")), "{files:?}");
    }

    #[test]
    fn one_path_has_one_source() {
        let dir = Dir::new(&[("root/etc/x", 0o644), ("y", 0o644)]);
        let error = dir.find("[files]\n'/' = { source = 'root' }\n'/etc/x' = { source = 'y' }").unwrap_err();
        assert!(matches!(error, InputError::Twice { .. }), "{error}");
    }

    #[test]
    fn what_is_not_there_or_cannot_be_copied_is_refused() {
        let dir = Dir::new(&[("x", 0o644), ("bad/.wh.x", 0o644), ("db/status.d/x", 0o644)]);
        let _socket = std::os::unix::net::UnixListener::bind(dir.0.path().join("socket")).unwrap();
        let find = |file: &str, source: &str| dir.find(&format!("[files]\n'{file}' = {{ source = '{source}' }}"));
        assert!(matches!(find("/a", "none"), Err(e @ InputError::Read { .. }) if e.is_mistake()));
        assert!(matches!(find("/a", "x/"), Err(InputError::NotADirectory { .. })));
        assert!(matches!(find("/a", "socket"), Err(InputError::Special { .. })));
        assert!(matches!(find("/a", "bad"), Err(InputError::Reserved { .. })));
        assert!(matches!(find("/var/lib/dpkg", "db"), Err(InputError::Reserved { .. })));
    }
}
