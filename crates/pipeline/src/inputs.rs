//! The files that a recipe names, looked for on disk: the step between a recipe, which is text, and a build.

mod glob;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use distil_imgcore::{Entry, EntryKind, Escaped, ImagePath, Metadata};

use crate::file_pattern::FilePattern;
use crate::recipe::{FileSource, MAX_RECIPE, OwnFile, Place, Problem, ProblemKind, Recipe, RecipeError, reserved};
use crate::regular_file;

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
    /// Where the recipe names it, or the directory that it is copied with.
    pub place: Place,
}

/// Why the files of a recipe cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The recipe itself is not there or cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    Read {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The recipe names what is not there, or what no image can hold.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file or directory that the recipe names is there and cannot be read.
    #[error("cannot read {}, named by {place}", Escaped::path(.path))]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Where the recipe names it.
        place: Place,
        /// What the system said.
        source: io::Error,
    },
}

impl InputError {
    /// Whether the recipe asks for what is not there, rather than the disk failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read { source, .. } => matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData),
            Self::Recipe(_) => true,
            Self::Unreadable { .. } => false,
        }
    }
}

/// What a search stops at; it becomes an [`InputError`] where it is known who asked for it.
struct Failed {
    path: PathBuf,
    source: io::Error,
}

impl Failed {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { path: path.to_owned(), source }
    }

    fn named(self, place: &Place) -> InputError {
        InputError::Unreadable { path: self.path, place: place.clone(), source: self.source }
    }
}

/// Reads the text of a recipe, and of a longer one only so much that [`Recipe::parse`] refuses it.
///
/// # Errors
/// [`InputError::Read`] where it cannot be read or is not UTF-8.
pub fn read_recipe(path: &Path) -> Result<String, InputError> {
    let failed = |source| InputError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_RECIPE as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_RECIPE {
        // The end may cut a character in two, which is no mistake of the recipe.
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidData, e)))
}

/// Looks for the files that a recipe names, relative to `dir`.
///
/// Nothing of the disk but names, contents and the owner's permission to execute gets into the result: two checkouts of
/// one repository give the same, whatever the umask. The time of all entries is 0. A symbolic link inside a source
/// directory stays one, with its target as it is; a source that is itself a link is followed.
///
/// # Errors
/// [`InputError::Recipe`] with every mistake, or [`InputError::Unreadable`] at the first file that cannot be read.
pub fn find(recipe: &Recipe, dir: &Path) -> Result<Inputs, InputError> {
    // The directory of a recipe that is named without one.
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let mut found = Found::default();
    let mut problems = Vec::new();
    for (target, file) in &recipe.files {
        found.own_file(target, file, dir).map_err(|failed| failed.named(&file.place))?;
        problems.extend(found.problems.drain(..).map(|kind| file.place.problem(kind)));
    }
    let debs = matching(recipe, dir, &mut problems)?;
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.span.start);
        return Err(RecipeError { problems }.into());
    }
    let files = found.entries.into_values().map(|(_, input)| input).collect();
    Ok(Inputs { debs: debs.into_iter().collect(), files })
}

/// Looks for the local packages that a recipe names, relative to `dir`, and for nothing else.
///
/// # Errors
/// As for [`find`].
pub(crate) fn debs(recipe: &Recipe, dir: &Path) -> Result<BTreeSet<PathBuf>, InputError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let mut problems = Vec::new();
    let debs = matching(recipe, dir, &mut problems)?;
    if problems.is_empty() { Ok(debs) } else { Err(RecipeError { problems }.into()) }
}

/// Looks for the regular files that a pattern stands for, relative to `dir`.
///
/// # Errors
/// The path that cannot be read, and what the system said.
pub(crate) fn matches(pattern: &FilePattern, dir: &Path) -> Result<BTreeSet<PathBuf>, (PathBuf, io::Error)> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    glob::find(pattern, dir).map_err(|Failed { path, source }| (path, source))
}

fn matching(recipe: &Recipe, dir: &Path, problems: &mut Vec<Problem>) -> Result<BTreeSet<PathBuf>, InputError> {
    let mut debs = BTreeSet::new();
    for pattern in &recipe.debian.debs {
        let mut matched = glob::find(pattern.files(), dir).map_err(|failed| failed.named(pattern.place()))?;
        if matched.is_empty() {
            let place = pattern.place();
            let (key, pattern) = (place.key.clone(), pattern.as_str().to_owned());
            problems.push(place.problem(ProblemKind::NoMatch { key, pattern }));
        }
        debs.append(&mut matched);
    }
    Ok(debs)
}

/// What was found so far: for each path of the image the key of `[files]` that it comes from, and the entry.
#[derive(Default)]
struct Found {
    entries: BTreeMap<ImagePath, (ImagePath, Input)>,
    /// What is wrong with the entry of `[files]` that is being looked at.
    problems: Vec<ProblemKind>,
}

impl Found {
    fn own_file(&mut self, target: &ImagePath, file: &OwnFile, dir: &Path) -> Result<(), Failed> {
        match &file.source {
            FileSource::Directory => {
                let input = input(target, EntryKind::Directory, file, file.mode.unwrap_or(0o755), None);
                self.add(target, input);
            }
            FileSource::Symlink { target: to } => {
                let kind = EntryKind::Symlink { target: to.clone().into_bytes() };
                let input = input(target, kind, file, 0o777, None);
                self.add(target, input);
            }
            FileSource::Copy { source } => {
                let path = plain(&dir.join(source));
                let key = || file.place.key.clone();
                match fs::metadata(&path) {
                    Ok(metadata) if source.ends_with('/') && !metadata.is_dir() => {
                        self.problems.push(ProblemKind::NotADirectory { key: key(), path });
                    }
                    Ok(metadata) => self.copy(target, target.clone(), &path, &metadata, file)?,
                    Err(e) if is_missing(&e) => self.problems.push(ProblemKind::NoSource { key: key(), path }),
                    Err(e) => return Err(Failed::at(&path)(e)),
                }
            }
        }
        Ok(())
    }

    /// Adds a file or a directory with all that is in it.
    fn copy(
        &mut self,
        key: &ImagePath,
        target: ImagePath,
        path: &Path,
        metadata: &fs::Metadata,
        file: &OwnFile,
    ) -> Result<(), Failed> {
        if let Some(what) = reserved(&target) {
            self.problems.push(ProblemKind::ReservedTarget { path: path.to_owned(), target, what });
        } else if metadata.is_symlink() {
            let to = fs::read_link(path).map_err(Failed::at(path))?;
            let kind = EntryKind::Symlink { target: to.into_os_string().into_vec() };
            let input = input(&target, kind, file, 0o777, None);
            self.add(key, input);
        } else if metadata.is_file() {
            // Who may not read it should hear so before packages are converted for minutes.
            regular_file::open(path).map_err(Failed::at(path))?;
            let executable = metadata.permissions().mode() & 0o100 != 0;
            let mode = file.mode.unwrap_or(if executable { 0o755 } else { 0o644 });
            let kind = EntryKind::File { size: metadata.len() };
            let input = input(&target, kind, file, mode, Some(path.to_owned()));
            self.add(key, input);
        } else if metadata.is_dir() {
            self.copy_directory(key, &target, path, file)?;
        } else {
            self.problems.push(ProblemKind::Special { path: path.to_owned() });
        }
        Ok(())
    }

    fn copy_directory(
        &mut self,
        key: &ImagePath,
        target: &ImagePath,
        path: &Path,
        file: &OwnFile,
    ) -> Result<(), Failed> {
        // The root of the image belongs to nobody's source.
        if !target.is_root() {
            let input = input(target, EntryKind::Directory, file, 0o755, None);
            self.add(key, input);
        }
        for name in sorted_names(path)? {
            let inner = path.join(&name);
            match target.join(name.as_bytes()) {
                Ok(below) => {
                    let metadata = fs::symlink_metadata(&inner).map_err(Failed::at(&inner))?;
                    self.copy(key, below, &inner, &metadata, file)?;
                }
                Err(cause) => self.problems.push(ProblemKind::Name { path: inner, cause }),
            }
        }
        Ok(())
    }

    /// Adds an entry. Two directories at one path are one, and have mode and owner of the one that the recipe names.
    fn add(&mut self, key: &ImagePath, input: Input) {
        let path = input.entry.path.clone();
        if let Some((first, before)) = self.entries.get(&path) {
            if !(before.entry.kind.is_dir() && input.entry.kind.is_dir()) {
                let (first, second) = (first.clone(), key.clone());
                self.problems.push(ProblemKind::TargetTwice { target: path, first, second });
                return;
            }
            if *key != path {
                return;
            }
        }
        self.entries.insert(path, (key.clone(), input));
    }
}

fn input(path: &ImagePath, kind: EntryKind, file: &OwnFile, mode: u32, content: Option<PathBuf>) -> Input {
    let meta = Metadata { uid: file.owner.uid, gid: file.owner.gid, ..Metadata::root(mode, 0) };
    Input { entry: Entry { path: path.clone(), kind, meta }, content, place: file.place.clone() }
}

/// The names in a directory, sorted by their bytes.
fn sorted_names(dir: &Path) -> Result<Vec<OsString>, Failed> {
    let names = fs::read_dir(dir).map_err(Failed::at(dir))?.map(|entry| entry.map(|e| e.file_name()));
    let mut names: Vec<_> = names.collect::<Result<_, _>>().map_err(Failed::at(dir))?;
    names.sort();
    Ok(names)
}

/// A path without components `.` and a slash at the end: a recipe in the current directory names `x` and not `./x`.
fn plain(path: &Path) -> PathBuf {
    let plain: PathBuf = path.components().filter(|component| *component != Component::CurDir).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::recipe::Problem;

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
            find(&Recipe::parse(recipe).unwrap(), self.0.path())
        }

        /// Path, mode and owner of each entry, as text.
        fn files(&self, recipe: &str) -> Vec<String> {
            let line = |input: Input| {
                let Entry { path, kind, meta } = input.entry;
                format!("{} {path} {:o} {}:{}", kind.noun(), meta.mode, meta.uid, meta.gid)
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
                "directory /app 755 65532:65532",
                "file /app/a 644 65532:65532",
                "directory /app/bin 755 65532:65532",
                "file /app/bin/b 755 65532:65532",
                "symbolic link /app/bin/l 777 65532:65532",
                "file /etc/c 600 0:0",
            ]
        );
    }

    #[test]
    fn a_directory_that_the_recipe_names_has_its_mode_there() {
        let dir = Dir::new(&[("root/var/lib/app/x", 0o644)]);
        let files =
            dir.files("[files]\n'/' = { source = 'root' }\n'/var/lib/app' = { directory = true, mode = '0750' }");
        assert!(files.contains(&"directory /var/lib/app 750 0:0".to_owned()), "{files:?}");
        assert!(!files.iter().any(|f| f.starts_with("directory / ")), "{files:?}");
    }

    #[track_caller]
    fn mistakes(found: Result<Inputs, InputError>) -> Vec<Problem> {
        match found {
            Err(InputError::Recipe(error)) => error.problems,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_path_has_one_source() {
        let dir = Dir::new(&[("root/etc/x", 0o644), ("y", 0o644)]);
        let found = mistakes(dir.find("[files]\n'/' = { source = 'root' }\n'/etc/x' = { source = 'y' }"));
        assert!(matches!(&*found, [Problem { line: 3, kind: ProblemKind::TargetTwice { .. }, .. }]), "{found:?}");
    }

    #[test]
    fn what_is_not_there_or_cannot_be_copied_is_a_mistake_of_the_recipe() {
        let dir = Dir::new(&[("x", 0o644), ("bad/.wh.x", 0o644), ("db/status.d/x", 0o644)]);
        let _socket = std::os::unix::net::UnixListener::bind(dir.0.path().join("socket")).unwrap();
        let find = |file: &str, source: &str| {
            let mut found = mistakes(dir.find(&format!("files.'{file}' = {{ source = '{source}' }}")));
            assert_eq!(found.len(), 1, "{found:?}");
            found.remove(0).kind
        };
        assert!(matches!(find("/a", "none"), ProblemKind::NoSource { .. }));
        assert!(matches!(find("/a", "x/none"), ProblemKind::NoSource { .. }));
        assert!(matches!(find("/a", "x/"), ProblemKind::NotADirectory { .. }));
        assert!(matches!(find("/a", "socket"), ProblemKind::Special { .. }));
        assert!(matches!(find("/a", "bad"), ProblemKind::ReservedTarget { .. }));
        assert!(matches!(find("/var/lib/dpkg", "db"), ProblemKind::ReservedTarget { .. }));
    }

    #[test]
    fn all_mistakes_are_reported_with_their_keys_and_places() {
        let dir = Dir::new(&[]);
        let recipe = "[debian]\ndebs = ['*.deb']\n[files]\n'/b' = { source = './b' }\n'/a' = { source = 'a' }\n";
        let found = mistakes(dir.find(recipe));
        let places: Vec<_> = found.iter().map(|problem| (problem.line, problem.column)).collect();
        assert_eq!(places, [(2, 9), (4, 19), (5, 19)]);
        let [none, b, _] = found.as_slice() else { panic!("{found:?}") };
        let (key, pattern) = ("debian.debs[0]".to_owned(), "*.deb".to_owned());
        assert_eq!(none.kind, ProblemKind::NoMatch { key, pattern });
        let (key, path) = ("files.\"/b\".source".to_owned(), dir.0.path().join("b"));
        assert_eq!(b.kind, ProblemKind::NoSource { key, path });
    }

    #[test]
    fn what_cannot_be_read_has_failed_and_is_named_with_its_key() {
        let dir = Dir::new(&[]);
        // Too many links lead on from it, for root, too.
        symlink("x", dir.0.path().join("x")).unwrap();
        let error = dir.find("files.'/a' = { source = 'x' }").unwrap_err();
        assert!(!error.is_mistake());
        let InputError::Unreadable { place, .. } = error else { panic!("{error}") };
        assert_eq!(place.to_string(), "files.\"/a\".source in line 1, column 25");
    }

    #[test]
    fn paths_are_shown_as_people_write_them() {
        for (path, shown) in [("./x", "x"), ("./a/./b/", "a/b"), ("../x", "../x"), ("/", "/"), (".", "."), ("", ".")] {
            assert_eq!(plain(Path::new(path)), Path::new(shown));
        }
    }
}
