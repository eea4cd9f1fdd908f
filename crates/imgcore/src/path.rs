//! Normalised paths of entries in an image.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::escape::Escaped;

/// Longest path accepted, in bytes: Linux's `PATH_MAX`.
pub const MAX_PATH: usize = 4096;
/// Longest path component accepted, in bytes: Linux's `NAME_MAX`.
pub const MAX_COMPONENT: usize = 255;

/// The path of an entry, relative to the root of the image and normalised: no leading slash, no `.`, no `..`, no
/// empty component, no NUL. Paths are bytes, since Debian packages hold names that are not UTF-8.
///
/// The root itself is the empty path. The order is that of a walk with sorted directories: `a/b` comes before `a-b`,
/// so that everything below a directory follows it directly. A clone shares the bytes: trees and their merged form hold
/// the same paths many times.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ImagePath(Arc<[u8]>);

/// Why bytes are not a path of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A name that starts with a slash where a relative one is wanted.
    #[error("absolute path {}", Escaped(.0))]
    Absolute(Vec<u8>),
    /// A name that does not start with a slash where an absolute one is wanted.
    #[error("path {} does not start with /", Escaped(.0))]
    Relative(Vec<u8>),
    /// A `..` component, even one that stays inside the root.
    #[error("path {} has a .. component", Escaped(.0))]
    Parent(Vec<u8>),
    /// A NUL byte.
    #[error("path {} holds a NUL byte", Escaped(.0))]
    Nul(Vec<u8>),
    /// The empty name, which GNU tar and Go's reader understand differently.
    #[error("empty path")]
    Empty,
    /// Over [`MAX_PATH`] bytes, or over [`MAX_COMPONENT`] in one component.
    #[error("path of {length} bytes starting {} is longer than Linux allows ({MAX_PATH}, {MAX_COMPONENT} a component)", Escaped(.start))]
    TooLong {
        /// Length in bytes of the whole path.
        length: usize,
        /// The first 64 bytes.
        start: Vec<u8>,
    },
}

impl ImagePath {
    /// The root of the image.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a name as archives hold them: `./usr/bin/x`, `usr/bin/`, `.`.
    ///
    /// # Errors
    /// [`PathError`] where the name is absolute, empty, too long, or has a `..` or a NUL.
    pub fn from_archive(name: &[u8]) -> Result<Self, PathError> {
        if name.first() == Some(&b'/') {
            return Err(PathError::Absolute(name.to_vec()));
        }
        Self::normalise(name)
    }

    /// Reads a name of somebody else's layer, where a leading slash occurs and means nothing.
    ///
    /// # Errors
    /// As [`ImagePath::from_archive`], but for absolute names.
    pub fn from_foreign(name: &[u8]) -> Result<Self, PathError> {
        Self::normalise(name)
    }

    /// Reads a name as people write it: `/usr/bin/x`.
    ///
    /// # Errors
    /// [`PathError`] where the name is not absolute, is too long, or has a `..` or a NUL.
    pub fn from_absolute(name: &[u8]) -> Result<Self, PathError> {
        if name.first() != Some(&b'/') {
            return Err(PathError::Relative(name.to_vec()));
        }
        Self::normalise(name)
    }

    fn normalise(name: &[u8]) -> Result<Self, PathError> {
        if name.is_empty() {
            return Err(PathError::Empty);
        }
        if name.contains(&0) {
            return Err(PathError::Nul(name.to_vec()));
        }
        let mut out = Vec::with_capacity(name.len());
        for component in name.split(|b| *b == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err(PathError::Parent(name.to_vec())),
                _ => {}
            }
            if component.len() > MAX_COMPONENT {
                return Err(Self::too_long(name));
            }
            if !out.is_empty() {
                out.push(b'/');
            }
            out.extend_from_slice(component);
        }
        if out.len() > MAX_PATH {
            return Err(Self::too_long(name));
        }
        Ok(Self(out.into()))
    }

    fn too_long(name: &[u8]) -> PathError {
        PathError::TooLong { length: name.len(), start: name.iter().take(64).copied().collect() }
    }

    /// The path without a leading slash; empty for the root.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root of the image.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components from the root down; none for the root.
    #[must_use]
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|c| !c.is_empty())
    }

    /// The last component; `None` for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&[u8]> {
        self.components().next_back()
    }

    /// The directory that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(Self(self.0.iter().take(end).copied().collect()))
    }

    /// Every directory above this path, the nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Whether this path is `other` or lies below it.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        other.is_root() || self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
    }

    /// What follows `base` in this path; `None` where this path is not below `base`.
    #[must_use]
    pub fn strip_prefix(&self, base: &Self) -> Option<Self> {
        if !self.starts_with(base) {
            return None;
        }
        let rest = self.0.strip_prefix(&*base.0)?;
        Some(Self(rest.strip_prefix(b"/").unwrap_or(rest).into()))
    }

    /// This path with a relative name below it.
    ///
    /// # Errors
    /// As [`ImagePath::from_archive`], for the name and for the whole.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        let below = Self::from_archive(name)?;
        if self.is_root() {
            return Ok(below);
        }
        let mut whole = self.0.to_vec();
        whole.push(b'/');
        whole.extend_from_slice(&below.0);
        Self::normalise(&whole)
    }
}

impl Ord for ImagePath {
    fn cmp(&self, other: &Self) -> Ordering {
        // Neighbours in a tree share most of their bytes, which are passed by eight at a time.
        const WORD: usize = 8;
        let words = self.0.chunks_exact(WORD).zip(other.0.chunks_exact(WORD));
        let same = WORD * words.take_while(|(a, b)| a == b).count();
        // The slash sorts before every other byte, which is the order of a walk with sorted directories.
        let key = |b: &u8| if *b == b'/' { 0 } else { *b };
        self.0.iter().skip(same).map(key).cmp(other.0.iter().skip(same).map(key))
    }
}

impl PartialOrd for ImagePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// With a leading slash, and with control characters and bytes that are not UTF-8 escaped: fit for a terminal.
impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", Escaped(&self.0))
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImagePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_normalised_or_refused() {
        for (name, expected) in [("./", ""), (".", ""), ("usr//bin/./x", "usr/bin/x"), ("etc/", "etc"), ("..a", "..a")]
        {
            assert_eq!(path(name).as_bytes(), expected.as_bytes(), "{name}");
        }
        let refused = |name: &[u8]| ImagePath::from_archive(name).unwrap_err();
        assert!(matches!(refused(b"/etc"), PathError::Absolute(_)));
        assert!(matches!(refused(b"a/../b"), PathError::Parent(_)));
        assert!(matches!(refused(b"a\0b"), PathError::Nul(_)));
        assert!(matches!(refused(b""), PathError::Empty));
        assert!(matches!(refused(&[b'a'; 256]), PathError::TooLong { .. }));
        assert!(matches!(refused(&b"ab/".repeat(1366)), PathError::TooLong { .. }));
        assert!(ImagePath::from_archive(&[b'a'; 255]).is_ok());
    }

    #[test]
    fn order_is_that_of_a_sorted_walk() {
        let mut paths: Vec<_> = ["a-b", "a", "a/z", "a.b", "a/b/c", ""].map(|p| ImagePath(p.as_bytes().into())).into();
        paths.sort();
        let names: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["/", "/a", "/a/b/c", "/a/z", "/a-b", "/a.b"]);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(once) = ImagePath::from_foreign(&name) {
                if !once.is_root() {
                    prop_assert_eq!(ImagePath::from_archive(once.as_bytes()).unwrap(), once.clone());
                }
                for c in once.components() {
                    prop_assert!(c != b"." && c != b".." && !c.is_empty() && !c.contains(&0));
                }
            }
        }

        #[test]
        fn order_is_that_of_the_components(a in "[a-c./-]{1,8}", b in "[a-c./-]{1,8}") {
            if let (Ok(a), Ok(b)) = (ImagePath::from_foreign(a.as_bytes()), ImagePath::from_foreign(b.as_bytes())) {
                prop_assert_eq!(a.cmp(&b), a.components().cmp(b.components()));
            }
        }

        #[test]
        fn a_parent_joined_with_the_name_is_the_path(name in "[a-z]{1,3}(/[a-z]{1,3}){0,4}") {
            let whole = path(&name);
            let back = whole.parent().unwrap().join(whole.file_name().unwrap()).unwrap();
            prop_assert_eq!(&back, &whole);
            prop_assert!(whole.starts_with(&whole.parent().unwrap()));
        }
    }
}
