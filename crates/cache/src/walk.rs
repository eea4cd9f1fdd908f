//! Every file in the directory of the cache.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::area::Area;
use crate::error::CacheError;
use crate::kind::{Kind, Place};
use crate::session::{SESSIONS, Sessions};
use crate::used::Moment;
use crate::values;

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the root.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Whether it is a lock on a key, which may have outlived its holder.
    pub(crate) is_key_lock: bool,
    pub(crate) size: u64,
    /// When it was last used.
    pub(crate) used: Moment,
}

/// What is in the directory of the cache. Others may change it meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Found>,
    pub(crate) sessions: Sessions,
}

impl Walk {
    /// Looks at every file; links are not followed. Nothing is there where the directory is missing.
    pub(crate) fn below(root: &Path) -> Result<Self, CacheError> {
        let mut walk = Self { sessions: Sessions::find(&root.join(SESSIONS))?, ..Self::default() };
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let full = root.join(&folder);
            let entries = match fs::read_dir(&full) {
                Ok(entries) => entries,
                // Removed meanwhile, or never there.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                // Such as the `lost+found` of a cache that is a file system of its own.
                Err(_) if !may_be_ours(&folder) => continue,
                Err(e) => return Err(CacheError::at("read the directory", &full)(e)),
            };
            for entry in entries {
                let entry = entry.map_err(CacheError::at("read the directory", &full))?;
                let path = folder.join(entry.file_name());
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => folders.push(path),
                    Ok(metadata) => walk.file(path, &metadata),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => return Err(CacheError::at("look at", &root.join(path))(e)),
                }
            }
        }
        Ok(walk)
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) {
        let place = if metadata.is_file() { Place::of(&path) } else { Place::Elsewhere };
        let is_key_lock = place == Place::KeyLock;
        let kind = match place {
            Place::Kept(kind) => kind,
            Place::Session(name) if self.sessions.living.contains_key(name) => Kind::Temporary,
            Place::Session(_) => Kind::Abandoned,
            Place::KeyLock | Place::Lock => Kind::Temporary,
            Place::Elsewhere => Kind::Other,
        };
        self.files.push(Found { path, kind, is_key_lock, size: metadata.len(), used: Moment::of(metadata) });
    }
}

/// Whether a folder is the root, or lies where we make folders.
fn may_be_ours(folder: &Path) -> bool {
    let ours = [SESSIONS, values::FOLDER, Area::Packages.folder(), Area::Fragments.folder()];
    folder.components().next().is_none_or(|first| ours.iter().any(|name| first.as_os_str() == *name))
}
