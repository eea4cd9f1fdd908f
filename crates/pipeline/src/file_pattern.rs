//! Patterns for names of files on disk.

use globset::{Glob, GlobBuilder, GlobMatcher};

/// A pattern for names of files, relative to some folder, as in `dist/*.deb`.
///
/// `*` and `?` do not cross a slash, `**` as a whole component stands for any number of directories, and a name that
/// starts with a dot is matched only by a component that does.
#[derive(Debug, Clone)]
pub(crate) struct FilePattern {
    text: String,
    components: Vec<Component>,
}

/// One component of a [`FilePattern`].
#[derive(Debug, Clone)]
pub(crate) enum Component {
    /// A name, `.` and `..` among them.
    Name(String),
    /// A pattern for one name.
    Pattern(GlobMatcher),
    /// Any number of directories.
    Directories,
}

impl FilePattern {
    pub(crate) fn new(text: &str) -> Option<Self> {
        if text.is_empty() || text.ends_with('/') || text.contains('\0') {
            return None;
        }
        let components =
            text.split('/').filter(|c| !matches!(*c, "" | ".")).map(Component::new).collect::<Option<_>>()?;
        Some(Self { text: text.to_owned(), components })
    }

    /// The pattern as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_absolute(&self) -> bool {
        self.text.starts_with('/')
    }

    pub(crate) fn components(&self) -> &[Component] {
        &self.components
    }
}

impl Component {
    fn new(text: &str) -> Option<Self> {
        if text == "**" {
            return Some(Self::Directories);
        }
        if !text.contains(['*', '?', '[', ']', '{', '}', '\\']) {
            return Some(Self::Name(text.to_owned()));
        }
        let glob: Glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build().ok()?;
        Some(Self::Pattern(glob.compile_matcher()))
    }
}
