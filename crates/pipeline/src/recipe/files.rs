//! `[files]`: what a user adds beside packages.

use std::collections::BTreeMap;
use std::ops::Range;

use distil_imgcore::ImagePath;
use distil_rootfs::Owner;

use distil_settings::{Keys, Place, Section, Value, ValueProblem};

use super::problem::{ProblemKind, Problems};
use super::users::Users;

pub(super) const KEYS: Keys = Keys::all(&["source", "directory", "symlink", "mode", "owner"]);

/// One entry of `[files]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// What stands at the path.
    pub source: FileSource,
    /// Permission bits. Where the recipe gives none, a directory has 0755, and a file 0755 or 0644 as its owner may
    /// execute it or not. For a source that is a directory it is the mode of the files in it.
    pub mode: Option<u32>,
    /// Whose it is.
    pub owner: Owner,
    /// Where the recipe says what stands at the path.
    pub place: Place,
}

/// Where an own file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// A file, or a directory with all that is in it, relative to the recipe; a slash at the end asks for a directory.
    Copy {
        /// The path as written.
        source: String,
    },
    /// A directory that is made.
    Directory,
    /// A symbolic link that is made.
    Symlink {
        /// Its target, as written.
        target: String,
    },
}

const ROOT: Owner = Owner { uid: 0, gid: 0 };
const CHOICES: &[&str] = &["source", "directory", "symlink"];
const MODE: &str = "an octal number of three or four digits in quotation marks, as in \"0644\"";

/// Reads `[files]`.
pub(super) fn read(
    value: Option<&Value<'_, '_>>,
    users: &Users,
    problems: &mut Problems<'_>,
) -> BTreeMap<ImagePath, OwnFile> {
    let mut files = BTreeMap::new();
    let mut spellings: BTreeMap<ImagePath, String> = BTreeMap::new();
    for entry in value.and_then(|v| v.entries(problems)).unwrap_or_default() {
        let key = &entry.value.key;
        let path = image_path(key, entry.span.clone(), entry.name, problems);
        let file = read_file(&entry.value, users, problems);
        let (Some(path), Some(file)) = (path, file) else { continue };
        let made_root = path.is_root() && !matches!(file.source, FileSource::Copy { .. });
        if let Some(what) = if made_root { Some("the root directory") } else { reserved(&path) } {
            problems.add(entry.span.clone(), ProblemKind::ReservedPath { path: path.to_string(), what });
        }
        if let Some(first) = spellings.insert(path.clone(), key.clone()) {
            problems.add(entry.span.clone(), ValueProblem::Twice { key: key.clone(), first });
        }
        files.insert(path, file);
    }
    files
}

fn read_file(value: &Value<'_, '_>, users: &Users, problems: &mut Problems<'_>) -> Option<OwnFile> {
    let section = value.section(KEYS, problems)?;
    let found = read_source(&section, problems);
    let source = found.as_ref().map(|(source, _)| source);
    let mode = section.value("mode");
    if let (Some(mode), Some(FileSource::Symlink { .. })) = (&mode, source) {
        mode.problem::<(), _, _>(problems, |key| ValueProblem::Useless { key, beside: "symlink" });
    }
    let mode = mode.and_then(|v| {
        let text = v.string(problems)?;
        parse_mode(text).or_else(|| v.malformed(text, MODE, problems))
    });
    let owner = section.value("owner").and_then(|v| users.owner(&v, problems));
    let (source, place) = found?;
    Some(OwnFile { source, mode, owner: owner.unwrap_or(ROOT), place })
}

fn read_source(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<(FileSource, Place)> {
    let only = section.exactly_one(CHOICES, problems)?;
    let value = section.value(only)?;
    let source = match only {
        "directory" if value.boolean(problems)? => FileSource::Directory,
        "directory" => return value.malformed("false", "true, or left out", problems),
        "symlink" => {
            let target = value.string(problems)?;
            if target.is_empty() || target.contains('\0') || target.len() > distil_imgcore::path::MAX_PATH {
                return value.malformed(target, "the target of a link", problems);
            }
            FileSource::Symlink { target: target.to_owned() }
        }
        _ => {
            let source = value.string(problems)?;
            if source.is_empty() || source.contains('\0') {
                return value.malformed(source, "a file or directory beside the recipe", problems);
            }
            FileSource::Copy { source: source.to_owned() }
        }
    };
    Some((source, value.place(problems)))
}

fn parse_mode(text: &str) -> Option<u32> {
    let octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal { u32::from_str_radix(text, 8).ok() } else { None }
}

/// A path of the image in the only spelling that is allowed, so that one path cannot stand in a recipe twice.
pub(super) fn image_path(key: &str, span: Range<usize>, text: &str, problems: &mut Problems<'_>) -> Option<ImagePath> {
    match ImagePath::from_absolute(text.as_bytes()) {
        Ok(path) if format!("/{}", String::from_utf8_lossy(path.as_bytes())) == text => Some(path),
        Ok(_) => {
            let expected = "an absolute path without //, /./ or / at the end";
            problems.add(span, ValueProblem::Malformed { key: key.to_owned(), found: text.to_owned(), expected });
            None
        }
        Err(cause) => {
            problems.add(span, ProblemKind::Path { key: key.to_owned(), cause });
            None
        }
    }
}

/// What a path stands for, where a recipe must not write it.
#[must_use]
pub(crate) fn reserved(path: &ImagePath) -> Option<&'static str> {
    let below = |dir: &[u8]| {
        let rest = path.as_bytes().strip_prefix(dir);
        rest.is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
    };
    if path.components().any(|c| c.starts_with(b".wh.")) {
        Some("whiteouts, which delete files of lower layers")
    } else if below(b"var/lib/dpkg/status.d") || below(b"var/lib/dpkg/status") {
        Some("the records of packages")
    } else {
        None
    }
}
