//! `[debian]`: which packages, and how their presence is recorded.

use std::fmt;

use distil_aptrepo::Request;
use distil_debunpack::PackageName;
use distil_debunpack::records::Database;

use distil_settings::{Keys, Place, Section, Value, ValueProblem};

use super::problem::{ProblemKind, Problems};
use super::sources::Sources;
use crate::file_pattern::FilePattern;

pub(super) const KEYS: Keys =
    Keys::all(&["sources", "host-suites", "packages", "debs", "exclude", "recommends", "database"]);
pub(super) const EXCLUDE_KEYS: Keys = Keys::all(&["package", "reason"]);

/// Packages of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Debian {
    /// The repositories that packages come from.
    pub sources: Sources,
    /// The packages that are asked for by name.
    pub packages: Vec<PackageRequest>,
    /// Local packages.
    pub debs: Vec<DebPattern>,
    /// The packages that stay out, whoever depends on them.
    pub exclude: Vec<Exclude>,
    /// Whether packages that others recommend are added, too.
    pub recommends: bool,
    /// How the image records which packages it holds; `None` for the form of its base, and for the default without one.
    pub database: Option<Database>,
}

/// A package that is asked for by name.
#[derive(Debug, Clone)]
pub struct PackageRequest {
    /// What is asked for.
    pub request: Request,
    /// Where it stands in the recipe.
    pub place: Place,
}

/// A package that stays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// The package.
    pub package: PackageName,
    /// Why it is not needed, for those who read the recipe later.
    pub reason: String,
    /// Where it stands in the recipe.
    pub place: Place,
}

const DATABASES: &[&str] = &["status.d", "status"];
const REQUEST: &str = "a package, as in libssl3, libssl3=3.0.*, libssl3>=3.0 or libssl3/bookworm";
const PACKAGE: &str = "the name of a package";
const REASON: &str = "the reason, in words";

impl Debian {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let exclude = section.value("exclude").and_then(|v| read_exclude(&v, problems)).unwrap_or_default();
        let database = section
            .value("database")
            .and_then(|v| v.choice(DATABASES, &[Database::StatusDirectory, Database::StatusFile], problems));
        Self {
            sources: Sources::read(section, problems),
            packages: read_packages(section, &exclude, problems),
            debs: read_debs(section, problems),
            recommends: section.value("recommends").and_then(|v| v.boolean(problems)).unwrap_or_default(),
            exclude,
            database,
        }
    }
}

/// Reads `packages`, here or in a variant.
pub(super) fn read_packages(
    section: &Section<'_, '_>,
    exclude: &[Exclude],
    problems: &mut Problems<'_>,
) -> Vec<PackageRequest> {
    let Some(value) = section.value("packages") else { return Vec::new() };
    let mut packages: Vec<PackageRequest> = Vec::new();
    value.list(problems, |v, text, problems| {
        let request: Request = text.parse().ok().or_else(|| v.malformed(text, REQUEST, problems))?;
        if let Some(excluded) = exclude.iter().find(|excluded| excluded.package == *request.package()) {
            let (package, excluded) = (excluded.package.clone(), excluded.place.key.clone());
            return v.problem(problems, |key| ProblemKind::Excluded { key, package, excluded });
        }
        let wanted = PackageRequest { request, place: v.place(problems) };
        if let Some(first) = packages.iter().find(|first| **first == wanted) {
            let first = first.place.key.clone();
            return v.problem(problems, |key| ValueProblem::Twice { key, first });
        }
        packages.push(wanted);
        Some(())
    });
    packages
}

fn read_exclude(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<Exclude>> {
    let mut excluded: Vec<Exclude> = Vec::new();
    for element in value.elements(problems)? {
        let Some(section) = element.section(EXCLUDE_KEYS, problems) else { continue };
        let package = section.required("package", problems).and_then(|v| {
            let text = v.string(problems)?;
            text.parse().ok().or_else(|| v.malformed(text, PACKAGE, problems))
        });
        let reason = section.required("reason", problems).and_then(|v| {
            let text = v.string(problems)?;
            if text.trim().is_empty() { v.malformed(text, REASON, problems) } else { Some(text.to_owned()) }
        });
        let (Some(package), Some(reason)) = (package, reason) else { continue };
        if let Some(first) = excluded.iter().find(|first| first.package == package) {
            let first = first.place.key.clone();
            element.problem::<(), _, _>(problems, |key| ValueProblem::Twice { key, first });
            continue;
        }
        excluded.push(Exclude { package, reason, place: element.place(problems) });
    }
    Some(excluded)
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
    pattern: FilePattern,
    place: Place,
}

impl DebPattern {
    fn new(text: &str, place: Place) -> Option<Self> {
        Some(Self { pattern: FilePattern::new(text)?, place })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }

    /// Where it stands in the recipe.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The files that it stands for.
    pub(crate) fn files(&self) -> &FilePattern {
        &self.pattern
    }
}

/// Wherever they stand, equal requests ask for the same.
impl PartialEq for PackageRequest {
    fn eq(&self, other: &Self) -> bool {
        self.request == other.request
    }
}

impl Eq for PackageRequest {}

/// Wherever they stand, equal texts stand for the same files.
impl PartialEq for DebPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for DebPattern {}

impl fmt::Debug for DebPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebPattern({:?})", self.as_str())
    }
}
