//! `[debian] sources` and `host-suites`: the repositories that packages come from.

use distil_settings::{Keys, Place, Section, Value, ValueProblem};

use super::problem::{ProblemKind, Problems};
use std::fmt;
use std::path::{Path, PathBuf};

use distil_aptrepo::{Fingerprint, Snapshot};
use distil_debunpack::Architecture;
use url::Url;

pub(super) const KEYS: Keys = Keys {
    known: &["uris", "suites", "components", "architectures", "signed-by", "snapshot"],
    // What apt calls so switches off a part of the proof that a lock rests on.
    never: &[
        "trusted",
        "allow-insecure",
        "allow-weak",
        "allow-downgrade-to-insecure",
        "check-valid-until",
        "check-date",
        "date-max-future",
    ],
    why_never: "nothing is taken from a repository unproved",
};

/// The repositories that packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// The apt sources of the machine on which packages are resolved.
    Host {
        /// Which of their suites; left out, all of them.
        suites: Option<Vec<String>>,
        /// Where the recipe names the suites.
        place: Option<Place>,
        /// Whether the recipe says so, or it is only the default.
        stated: bool,
    },
    /// Repositories that the recipe describes itself; at least one.
    Tables(Vec<SourceTable>),
}

/// One table of `sources`: some suites of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTable {
    /// The mirrors, in the order in which they are tried.
    pub uris: Vec<SourceUri>,
    /// The suites. One that ends with a slash is a directory of packages without components.
    pub suites: Vec<String>,
    /// The components; none where suites are directories.
    pub components: Vec<String>,
    /// The architectures that the repository is asked for; left out, all that are built.
    pub architectures: Option<Vec<Architecture>>,
    /// Whose signature the repository must have.
    pub signed_by: SignedBy,
    /// The time at which the repository is looked at; left out, now.
    pub snapshot: Option<Snapshot>,
    /// Where the table stands in the recipe.
    pub place: Place,
}

/// Whose signature a repository must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// One of the keys in a file, by its path relative to the recipe.
    File(PathBuf),
    /// One of these keys, out of the keyrings of the machine.
    Fingerprints(Vec<Fingerprint>),
}

/// Where a mirror is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceUri {
    /// An `http:`, `https:` or `file:` URL that says all.
    Absolute(Url),
    /// `file:` with a path relative to the recipe.
    Relative(RelativeFile),
}

/// A `file:` URL with a relative path, as in `file:repository`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelativeFile(String);

impl SourceUri {
    /// The URL for a recipe in a directory; none where that directory is not given by its absolute path.
    #[must_use]
    pub fn url(&self, dir: &Path) -> Option<Url> {
        match self {
            Self::Absolute(url) => Some(url.clone()),
            // The prefix keeps a path with a colon in its first component from being read as another URL.
            Self::Relative(path) => Url::from_directory_path(dir).ok()?.join(&format!("./{}", path.0)).ok(),
        }
    }

    fn parse(text: &str) -> Result<Self, UriFault> {
        // Before anything else is said about the text: what a parser refuses may hold a password, too.
        let authority = text.split_once("//").map_or("", |(_, rest)| rest).split(['/', '?', '#']).next();
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(UriFault::Credentials);
        }
        // The URL parser drops these from the middle of a text.
        if text.contains(|c: char| c.is_control() || c == ' ' || c == '\\') {
            return Err(UriFault::Malformed);
        }
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.starts_with('/')) {
            let fits = !path.is_empty() && !path.contains(['?', '#']);
            return if fits { Ok(Self::Relative(RelativeFile(path.to_owned()))) } else { Err(UriFault::Malformed) };
        }
        let url = Url::parse(text).map_err(|_| UriFault::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UriFault::Credentials);
        }
        let host = url.host_str().is_some_and(|host| !host.is_empty());
        let fits = match url.scheme() {
            "http" | "https" => host,
            "file" => !host,
            _ => false,
        };
        // A path is put behind the URL, so nothing may stand behind its own.
        if fits && url.query().is_none() && url.fragment().is_none() {
            Ok(Self::Absolute(url))
        } else {
            Err(UriFault::Malformed)
        }
    }
}

impl fmt::Display for SourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(url) => url.fmt(f),
            Self::Relative(path) => write!(f, "file:{}", path.0),
        }
    }
}

/// A text that is no place of a repository.
enum UriFault {
    /// It has a user name or a password, which must not be repeated.
    Credentials,
    /// It is something else.
    Malformed,
}

impl Default for Sources {
    fn default() -> Self {
        Self::Host { suites: None, place: None, stated: false }
    }
}

const SOURCES: &str = "\"host\" or a list of tables";
const SUITE: &str = "a suite, as in bookworm-updates, or a directory with a slash at its end";
const SUITES: &str = "a suite with components, or else all of the table's suites end with a slash";
const COMPONENT: &str = "a component, as in main or non-free-firmware";
const URI: &str = "an http:, https: or file: URL without a query";
const ARCHITECTURE: &str = "an architecture that packages are built for, as in amd64";
const KEY_FILE: &str = "a file of keys, relative to the recipe, or a fingerprint of 40 digits";
const FINGERPRINT: &str = "a fingerprint of 40 hexadecimal digits";
const SNAPSHOT: &str = "a time of the form 20260818T205150Z";
const SOME: &str = "a list of at least one";

impl Sources {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let (sources, suites) = (section.value("sources"), section.value("host-suites"));
        if let Some(value) = sources.as_ref().filter(|v| !v.is_string()) {
            if let Some(suites) = suites {
                let beside = "the tables of debian.sources";
                suites.problem::<(), _, _>(problems, |key| ValueProblem::Useless { key, beside });
            }
            let tables = value.elements(problems).unwrap_or_default();
            if value.is_empty_array() {
                value.malformed::<(), _>("[]", SOURCES, problems);
            }
            return Self::Tables(tables.iter().filter_map(|v| SourceTable::read(v, problems)).collect());
        }
        if let Some(value) = &sources
            && let Some(text) = value.string(problems)
            && text != "host"
        {
            value.one_of(text, &["host"], &[()], problems);
        }
        let stated = sources.is_some() || suites.is_some();
        let place = suites.as_ref().map(|v| v.place(problems));
        Self::Host { suites: suites.and_then(|v| distinct(&v, SUITE, suite, problems)), place, stated }
    }
}

impl SourceTable {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(KEYS, problems)?;
        let uris = section.required("uris", problems).and_then(|v| read_uris(&v, problems));
        let suites = section.required("suites", problems).and_then(|v| distinct(&v, SUITE, suite, problems));
        let components = section.value("components").and_then(|v| distinct(&v, COMPONENT, component, problems));
        if let Some(suites) = &suites {
            components_fit(&section, suites, problems);
        }
        let architectures =
            section.value("architectures").and_then(|v| distinct(&v, ARCHITECTURE, architecture, problems));
        let signed_by = section.required("signed-by", problems).and_then(|v| SignedBy::read(&v, problems));
        let snapshot = section.value("snapshot").and_then(|v| {
            let text = v.string(problems)?;
            text.parse().ok().or_else(|| v.malformed(text, SNAPSHOT, problems))
        });
        Some(Self {
            uris: uris?,
            suites: suites?,
            components: components.unwrap_or_default(),
            architectures,
            signed_by: signed_by?,
            snapshot,
            place: value.place(problems),
        })
    }
}

/// Suites have components, directories have none; a table is about the one or the other.
fn components_fit(section: &Section<'_, '_>, suites: &[String], problems: &mut Problems<'_>) {
    let directories = suites.iter().filter(|suite| suite.ends_with('/')).count();
    match section.value("components") {
        _ if directories != 0 && directories != suites.len() => {
            let first = suites.iter().find(|suite| suite.ends_with('/')).map_or("", String::as_str);
            section.value("suites").and_then(|v| v.malformed::<(), _>(first, SUITES, problems));
        }
        None if directories == 0 => {
            section.required("components", problems);
        }
        Some(value) if directories != 0 => {
            let beside = "a suite that ends with a slash";
            value.problem::<(), _, _>(problems, |key| ValueProblem::Useless { key, beside });
        }
        _ => {}
    }
}

impl SignedBy {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        if !value.is_string() {
            return distinct(value, FINGERPRINT, fingerprint, problems).map(Self::Fingerprints);
        }
        let text = value.string(problems)?;
        if let Some(fingerprint) = fingerprint(text) {
            return Some(Self::Fingerprints(vec![fingerprint]));
        }
        let fits = !text.is_empty() && !text.contains('\0');
        if fits { Some(Self::File(text.into())) } else { value.malformed(text, KEY_FILE, problems) }
    }
}

fn read_uris(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<SourceUri>> {
    let uris = value.list(problems, |v, text, problems| match SourceUri::parse(text) {
        Ok(uri) => Some(uri),
        Err(UriFault::Credentials) => v.problem(problems, |key| ProblemKind::Credentials { key }),
        Err(UriFault::Malformed) => v.malformed(text, URI, problems),
    });
    at_least_one(value, uris, problems)
}

/// A list of at least one text, none of them twice.
fn distinct<T: PartialEq + fmt::Display>(
    value: &Value<'_, '_>,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    problems: &mut Problems<'_>,
) -> Option<Vec<T>> {
    let mut seen: Vec<T> = Vec::new();
    let items = value.list(problems, |v, text, problems| {
        let item = parse(text).or_else(|| v.malformed(text, expected, problems))?;
        if seen.contains(&item) {
            let first = format!("{item} before it");
            return v.problem(problems, |key| ValueProblem::Twice { key, first });
        }
        seen.push(item);
        Some(())
    });
    at_least_one(value, items.map(|_| seen), problems)
}

fn at_least_one<T>(value: &Value<'_, '_>, items: Option<Vec<T>>, problems: &mut Problems<'_>) -> Option<Vec<T>> {
    if value.is_empty_array() {
        return value.malformed("[]", SOME, problems);
    }
    items.filter(|items| !items.is_empty())
}

fn suite(text: &str) -> Option<String> {
    let (name, directory) = text.strip_suffix('/').map_or((text, false), |name| (name, true));
    // apt's names for the directory of the URL itself.
    let itself = directory && matches!(name, "" | ".");
    (itself || is_relative_name(name.strip_prefix("./").filter(|_| directory).unwrap_or(name))).then(|| text.to_owned())
}

fn component(text: &str) -> Option<String> {
    is_relative_name(text).then(|| text.to_owned())
}

/// Whether a text can be put into a URL as it is: plain names with slashes between them.
fn is_relative_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'~');
    let name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(plain);
    text.len() <= 200 && text.split('/').all(name)
}

fn architecture(text: &str) -> Option<Architecture> {
    text.parse().ok().filter(|a: &Architecture| !a.is_all() && !a.is_wildcard())
}

fn fingerprint(text: &str) -> Option<Fingerprint> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_file_is_below_the_recipe() {
        let check = |text: &str, dir: &str, expected: Option<&str>| {
            let uri = SourceUri::parse(text).ok().unwrap();
            assert_eq!(uri.url(Path::new(dir)).map(String::from).as_deref(), expected, "{text}");
            assert_eq!(SourceUri::parse(&uri.to_string()).ok(), Some(uri));
        };
        check("file:repo", "/a b", Some("file:///a%20b/repo"));
        check("file:../c:d/e", "/a/b", Some("file:///a/c:d/e"));
        check("file:c:d", "/a", Some("file:///a/c:d"));
        check("file:repo", "a", None);
        check("file:///srv/repo", "a", Some("file:///srv/repo"));
        check("file:/srv/repo/", "/a", Some("file:///srv/repo/"));
        check("https://[::1]:8080/debian", "/a", Some("https://[::1]:8080/debian"));
    }

    #[test]
    fn a_password_is_found_in_whatever_is_no_url_otherwise() {
        for text in ["http://u:p@h/", "https://u@h/d", "htp://u:p@", "http://u:p@h:x/", "file://u:p@h/", "//u:p@h"] {
            assert!(matches!(SourceUri::parse(text), Err(UriFault::Credentials)), "{text}");
        }
        for text in ["", "file:", "file:a?b", "ftp://h/", "http:///", "http://h/?q", "http://h/#f", "file://h/x", "h/d"]
        {
            assert!(matches!(SourceUri::parse(text), Err(UriFault::Malformed)), "{text}");
        }
    }

    #[test]
    fn suites_are_names_or_directories() {
        for good in ["bookworm", "bookworm/updates", "stable-security", "./", "/", "x/", "./x/", "1.0~rc1", "a/b/"] {
            assert_eq!(suite(good).as_deref(), Some(good));
        }
        for bad in ["", "..", "../x", "x/../y", "/x", "//", "a b", "a?b", "a%2e", ".", "./x", "x//", "\u{e4}"] {
            assert_eq!(suite(bad), None, "{bad}");
        }
    }
}
