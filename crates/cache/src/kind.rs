//! What files of the cache are, told by where they lie.

use std::path::{Component, Path};

use crate::area::Area;
use crate::content::{LOCKS, OBJECTS};
use crate::gate::LOCK;
use crate::key::ContentKey;
use crate::session::{PREFIX, SESSIONS, SUFFIX};
use crate::values::{self, Worth};

/// What a file in the directory of the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A file that was fetched ([`Area::Packages`]).
    Package,
    /// Packed bytes of a fragment ([`Area::Fragments`]).
    Fragment,
    /// A part of an image that others start from ([`Area::Images`]).
    Image,
    /// A value that can be made again ([`crate::Values::put`]).
    Derived,
    /// A value that cannot ([`crate::Values::update`]).
    Remembered,
    /// A file of a living session, or a lock.
    Temporary,
    /// What a process left behind that was killed.
    Abandoned,
    /// Nothing of the cache's. It is left alone.
    Other,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Package,
        Self::Fragment,
        Self::Image,
        Self::Derived,
        Self::Remembered,
        Self::Temporary,
        Self::Abandoned,
        Self::Other,
    ];

    /// Whether it can be fetched or made again, and is removed to keep the cache within bounds.
    #[must_use]
    pub fn is_prunable(self) -> bool {
        matches!(self, Self::Package | Self::Fragment | Self::Image | Self::Derived)
    }
}

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Its kind says all.
    Kept(Kind),
    /// In the session of this name.
    Session(&'a str),
    /// One of the locks that [`crate::Content::lock`] makes.
    KeyLock,
    /// One of the locks that always stay.
    Lock,
    Elsewhere,
}

impl<'a> Place<'a> {
    /// The place of a regular file by its path below the root. What has no place that we give to files is elsewhere.
    pub(crate) fn of(path: &'a Path) -> Self {
        let names: Option<Vec<&str>> = path.components().map(name).collect();
        match names.as_deref() {
            Some([SESSIONS | values::FOLDER, LOCK]) => Self::Lock,
            Some([SESSIONS, session, _, ..]) if session.starts_with(PREFIX) => Self::Session(session),
            Some([SESSIONS, lock]) if lock.starts_with(PREFIX) => {
                lock.strip_suffix(SUFFIX).map_or(Self::Elsewhere, Self::Session)
            }
            Some([values::FOLDER, worth, _, file]) if is_key(file) => match *worth {
                worth if worth == Worth::Derived.folder() => Self::Kept(Kind::Derived),
                worth if worth == Worth::Remembered.folder() => Self::Kept(Kind::Remembered),
                _ => Self::Elsewhere,
            },
            Some([area, OBJECTS, shard, file]) if is_key(file) && file.get(..2) == Some(shard) => match *area {
                area if area == Area::Packages.folder() => Self::Kept(Kind::Package),
                area if area == Area::Fragments.folder() => Self::Kept(Kind::Fragment),
                area if area == Area::Images.folder() => Self::Kept(Kind::Image),
                _ => Self::Elsewhere,
            },
            Some([area, LOCKS, file]) if is_key(file) && Area::ALL.iter().any(|known| known.folder() == *area) => {
                Self::KeyLock
            }
            _ => Self::Elsewhere,
        }
    }
}

fn name(component: Component<'_>) -> Option<&str> {
    match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    }
}

fn is_key(name: &str) -> bool {
    name.parse::<ContentKey>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_name_so_is_ours() {
        let key = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let cases = [
            (format!("content/sha256/2c/{key}"), Place::Kept(Kind::Package)),
            (format!("fragments/sha256/2c/{key}"), Place::Kept(Kind::Fragment)),
            (format!("images/sha256/2c/{key}"), Place::Kept(Kind::Image)),
            (format!("values/derived/index-1/{key}"), Place::Kept(Kind::Derived)),
            (format!("values/remembered/date-1/{key}"), Place::Kept(Kind::Remembered)),
            (format!("content/locks/{key}"), Place::KeyLock),
            ("sessions/session-a/0".to_owned(), Place::Session("session-a")),
            ("sessions/session-a.lock".to_owned(), Place::Session("session-a")),
            ("sessions/lock".to_owned(), Place::Lock),
            ("values/lock".to_owned(), Place::Lock),
            (format!("content/sha256/2d/{key}"), Place::Elsewhere),
            (format!("content/sha256/{key}"), Place::Elsewhere),
            (format!("content/sha256/2c/{key}/{key}"), Place::Elsewhere),
            (format!("content/sha256/2c/{}", key.to_uppercase()), Place::Elsewhere),
            (format!("blobs/sha256/2c/{key}"), Place::Elsewhere),
            (format!("values/index-1/{key}"), Place::Elsewhere),
            (format!("values/other/index-1/{key}"), Place::Elsewhere),
            ("values/derived/index-1/readme".to_owned(), Place::Elsewhere),
            ("sessions/session-a".to_owned(), Place::Elsewhere),
            ("sessions/other/0".to_owned(), Place::Elsewhere),
            (key.to_owned(), Place::Elsewhere),
        ];
        for (path, place) in cases {
            assert_eq!(Place::of(Path::new(&path)), place, "{path}");
        }
    }
}
