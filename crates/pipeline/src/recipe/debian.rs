//! `[debian]`: which packages, and how their presence is recorded.

use std::fmt;

use distil_debunpack::records::Database;
use globset::{Glob, GlobBuilder, GlobMatcher};

use super::problem::{Place, ProblemKind};
use super::reader::{Keys, Problems, Section};

pub(super) const KEYS: Keys =
    Keys { known: &["debs", "database", "packages", "exclude", "recommends"], not_yet: &["sources", "host-suites"] };

/// Packages of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Debian {
    /// Local packages.
    pub debs: Vec<DebPattern>,
    /// How the image records which packages it holds.
    pub database: Database,
}

const DATABASES: &[&str] = &["status.d", "status"];

impl Debian {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        for key in ["packages", "exclude"] {
            refuse_elements(section, key, problems);
        }
        if let Some(value) = section.value("recommends")
            && value.boolean(problems) == Some(true)
        {
            value.problem::<()>(problems, |key| ProblemKind::NotYet { key: format!("{key} = true") });
        }
        let database = section
            .value("database")
            .and_then(|v| v.choice(DATABASES, &[Database::StatusDirectory, Database::StatusFile], problems));
        Self { debs: read_debs(section, problems), database: database.unwrap_or_default() }
    }
}

/// Refuses a list that asks for a resolver, unless it asks for nothing.
pub(super) fn refuse_elements(section: &Section<'_, '_>, key: &str, problems: &mut Problems<'_>) {
    let Some(value) = section.value(key) else { return };
    if value.elements(problems).is_some_and(|elements| !elements.is_empty()) {
        value.problem::<()>(problems, |key| ProblemKind::NotYet { key });
    }
}

/// Reads `debs`, here or in a variant.
pub(super) fn read_debs(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Vec<DebPattern> {
    let Some(value) = section.value("debs") else { return Vec::new() };
    let expected = "a file name of a package, in which *, ?, [ab] and ** stand for others";
    value
        .list(problems, |v, text, problems| {
            DebPattern::new(text, v.place(problems)).or_else(|| v.malformed(text, expected, problems))
        })
        .unwrap_or_default()
}

/// A pattern for file names of packages, relative to the recipe, as in `dist/*.deb`.
///
/// `*` and `?` do not cross a slash, `**` as a whole component stands for any number of directories, and a name that
/// starts with a dot is matched only by a component that does.
#[derive(Clone)]
pub struct DebPattern {
    text: String,
    components: Vec<Component>,
    place: Place,
}

/// One component of a [`DebPattern`].
#[derive(Debug, Clone)]
pub(crate) enum Component {
    /// A name, `.` and `..` among them.
    Name(String),
    /// A pattern for one name.
    Pattern(GlobMatcher),
    /// Any number of directories.
    Directories,
}

impl DebPattern {
    fn new(text: &str, place: Place) -> Option<Self> {
        if text.is_empty() || text.ends_with('/') || text.contains('\0') {
            return None;
        }
        let components =
            text.split('/').filter(|c| !matches!(*c, "" | ".")).map(Component::new).collect::<Option<_>>()?;
        Some(Self { text: text.to_owned(), components, place })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it stands in the recipe.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
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

/// Wherever they stand, equal texts stand for the same files.
impl PartialEq for DebPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for DebPattern {}

impl fmt::Debug for DebPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebPattern({:?})", self.text)
    }
}
