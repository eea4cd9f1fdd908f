//! Which files of packages get into the image.

use std::collections::BTreeMap;
use std::fmt;

use distil_imgcore::{Escaped, ImagePath};
use globset::{Candidate, Glob, GlobBuilder, GlobSet};

use crate::locale::LocaleName;
use crate::usr_merge;

/// What stays of `/usr/share/doc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Docs {
    /// The copyright file of each package: `/usr/share/doc/NAME/copyright`, nothing else that lies in there.
    #[default]
    Copyright,
    /// All of it.
    All,
    /// Nothing, not even the folder.
    None,
}

/// What a recipe says on files, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterRules {
    /// Globs over absolute paths. `*`, `?` and classes stay inside one component, `**` spans several.
    pub exclude: Vec<String>,
    /// What stays of the documentation.
    pub docs: Docs,
    /// The languages to keep; `None` keeps all. `C` is always kept, and has no translations of its own.
    pub locales: Option<Vec<String>>,
}

/// Decides for each path of a package whether it gets into the image.
///
/// - A glob takes what it matches away, and whatever lies below that. `/usr/share/man/**` leaves the folder,
///   `/usr/share/man` does not. Globs into `/bin`, `/lib` and so on mean the merged `/usr`, as the paths asked for do.
/// - [`Docs`] decides on `/usr/share/doc` alone. `/usr/share/doc/NAME` itself stays, be it a folder or a link to the
///   folder of another package.
/// - Languages decide on `/usr/share/locale/LANGUAGE` (translated messages) and `/usr/lib/locale/LANGUAGE` (compiled
///   locales), and on nothing else: `/usr/share/i18n` comes with the package `locales`, which one installs for just
///   that. `/usr/lib/locale/C.utf8`, files beside the languages (`locale.alias`, `locale-archive`) and names that are
///   no locale's stay. A language without territory keeps all its territories, `de_AT` keeps `de` too, since gettext
///   falls back to it; code set and modifier do not count.
///
/// ```
/// use distil_imgcore::ImagePath;
/// use distil_rootfs::{Filter, FilterRules};
///
/// let rules = FilterRules { exclude: vec!["/usr/share/man/**".into()], ..FilterRules::default() };
/// let filter = Filter::new(&rules)?;
/// assert!(!filter.keeps(&ImagePath::from_absolute(b"/usr/share/man/man1/ls.1.gz")?));
/// assert!(filter.keeps(&ImagePath::from_absolute(b"/usr/share/doc/coreutils/copyright")?));
/// assert!(!filter.keeps(&ImagePath::from_absolute(b"/usr/share/doc/coreutils/NEWS.gz")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Filter {
    globs: GlobSet,
    patterns: Vec<String>,
    docs: Docs,
    locales: Option<Vec<LocaleName>>,
}

/// Why rules are no filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A glob that cannot be read.
    #[error("{} is not a glob", Escaped(.pattern.as_bytes()))]
    Glob {
        /// The glob as the recipe has it.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A glob that does not start with a slash. It would match nothing, or, read as relative, too much.
    #[error("glob {} does not start with /", Escaped(.pattern.as_bytes()))]
    NotAbsolute {
        /// The glob as the recipe has it.
        pattern: String,
    },
    /// Globs that are too large to be compiled together.
    #[error("the globs are too large")]
    TooLarge {
        /// What the limit says.
        source: globset::Error,
    },
    /// A language that has no locale's form.
    #[error("{} is not a locale: wanted are C or a language such as de, de_AT, sr@latin", Escaped(.name.as_bytes()))]
    Locale {
        /// The language as the recipe has it.
        name: String,
    },
}

/// Part of every cache key that a filter gets into; raised when a rule changes what it keeps.
const FINGERPRINT_VERSION: &str = "filter-1";

impl Filter {
    /// Checks the rules.
    ///
    /// # Errors
    /// [`FilterError`], with the first glob or language that is none.
    pub fn new(rules: &FilterRules) -> Result<Self, FilterError> {
        let mut globs = BTreeMap::new();
        for pattern in &rules.exclude {
            if !pattern.starts_with('/') {
                return Err(FilterError::NotAbsolute { pattern: pattern.clone() });
            }
            let merged = usr_merge::rewrite_absolute(pattern).into_owned();
            let bad = |source| FilterError::Glob { pattern: pattern.clone(), source };
            globs.insert(merged.clone(), read_glob(&merged).map_err(bad)?);
        }
        let locales = rules.locales.as_ref().map(|names| read_locales(names)).transpose()?;
        let patterns = globs.keys().cloned().collect();
        let globs = GlobSet::new(globs.into_values()).map_err(|source| FilterError::TooLarge { source })?;
        Ok(Self { globs, patterns, docs: rules.docs, locales })
    }

    /// Names the rules: filters with the same name decide alike.
    #[must_use]
    pub fn id(&self) -> String {
        let Self { patterns, docs, locales, .. } = self;
        format!("{docs:?} {patterns:?} {locales:?}")
    }

    /// Whether the entry at a path gets into the image. The path is one of the merged `/usr`.
    #[must_use]
    pub fn keeps(&self, path: &ImagePath) -> bool {
        self.keeps_docs(path) && self.keeps_locale(path) && !self.is_excluded(path)
    }

    fn is_excluded(&self, path: &ImagePath) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        let absolute = [b"/", path.as_bytes()].concat();
        let ends = absolute.iter().enumerate().skip(1).filter(|(_, b)| **b == b'/').map(|(i, _)| i);
        ends.chain([absolute.len()])
            .filter_map(|end| absolute.get(..end))
            .any(|prefix| self.globs.is_match_candidate(&Candidate::from_bytes(prefix)))
    }

    fn keeps_docs(&self, path: &ImagePath) -> bool {
        let Some(inside) = path.as_bytes().strip_prefix(b"usr/share/doc") else {
            return true;
        };
        if !matches!(inside.first(), None | Some(b'/')) {
            return true;
        }
        match self.docs {
            Docs::All => true,
            Docs::None => false,
            Docs::Copyright => {
                let mut components = inside.split(|b| *b == b'/').skip(2);
                let file = components.next();
                file.is_none_or(|name| name == b"copyright") && components.next().is_none()
            }
        }
    }

    fn keeps_locale(&self, path: &ImagePath) -> bool {
        let Some(wanted) = &self.locales else { return true };
        let folder = [b"usr/share/locale/".as_slice(), b"usr/lib/locale/"];
        let Some(inside) = folder.iter().find_map(|f| path.as_bytes().strip_prefix(*f)) else {
            return true;
        };
        let name = inside.split(|b| *b == b'/').next().and_then(|c| str::from_utf8(c).ok());
        let Some(found) = name.and_then(LocaleName::parse) else {
            return true;
        };
        found.is_c() || wanted.iter().any(|w| w.covers(&found))
    }

    /// The rules as text for cache keys: the same for all rules that are sure to keep the same files, and never the
    /// same for two that do not.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.to_string()
    }
}

/// One rule a line; patterns with everything escaped that could pass for another line.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FINGERPRINT_VERSION}")?;
        let docs = match self.docs {
            Docs::Copyright => "copyright",
            Docs::All => "all",
            Docs::None => "none",
        };
        writeln!(f, "docs {docs}")?;
        match &self.locales {
            None => writeln!(f, "locales all")?,
            Some(names) => {
                f.write_str("locales")?;
                for name in names {
                    write!(f, " {name}")?;
                }
                writeln!(f)?;
            }
        }
        self.patterns.iter().try_for_each(|pattern| writeln!(f, "exclude {pattern:?}"))
    }
}

fn read_locales(names: &[String]) -> Result<Vec<LocaleName>, FilterError> {
    let read = |name: &String| LocaleName::parse(name).ok_or_else(|| FilterError::Locale { name: name.clone() });
    let mut locales = names.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // C is kept whether it is named or not, so it must not make two fingerprints of one filter.
    locales.retain(|locale| !locale.is_c());
    locales.sort_unstable();
    locales.dedup();
    Ok(locales)
}

/// Every option is set here, since some of the library's defaults depend on the machine.
fn read_glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .case_insensitive(false)
        .empty_alternates(false)
        .allow_unclosed_class(false)
        .build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(exclude: &[&str], docs: Docs, locales: Option<&[&str]>) -> Filter {
        let text = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Filter::new(&FilterRules { exclude: text(exclude), docs, locales: locales.map(text) }).unwrap()
    }

    fn keeps(filter: &Filter, path: &str) -> bool {
        filter.keeps(&ImagePath::from_absolute(path.as_bytes()).unwrap())
    }

    #[track_caller]
    fn check(filter: &Filter, kept: &[&str], dropped: &[&str]) {
        for path in kept {
            assert!(keeps(filter, path), "{path} is dropped");
        }
        for path in dropped {
            assert!(!keeps(filter, path), "{path} is kept");
        }
    }

    #[test]
    fn a_glob_takes_what_it_matches_and_all_below() {
        check(
            &filter(&["/usr/share/man/**", "/usr/share/info", "/usr/lib/*.a", "/**/__pycache__"], Docs::All, None),
            &["/usr/share/man", "/usr/share/manual/x", "/usr/share/information", "/usr/lib/x/y.a", "/usr/lib/x.ab"],
            &[
                "/usr/share/man/de",
                "/usr/share/man/man1/ls.1.gz",
                "/usr/share/info",
                "/usr/share/info/dir",
                "/usr/lib/x.a",
                "/usr/lib/python3/__pycache__",
                "/usr/lib/python3/__pycache__/x.pyc",
            ],
        );
    }

    #[test]
    fn a_glob_into_an_aliased_directory_means_the_merged_one() {
        check(&filter(&["/lib/firmware/**"], Docs::All, None), &["/usr/lib/firmware"], &["/usr/lib/firmware/a/b"]);
    }

    #[test]
    fn names_that_are_not_text_are_matched_too() {
        let filter = filter(&["/usr/share/man/**"], Docs::All, None);
        assert!(!filter.keeps(&ImagePath::from_absolute(b"/usr/share/man/\xff").unwrap()));
        assert!(filter.keeps(&ImagePath::from_absolute(b"/usr/share/\xff").unwrap()));
    }

    #[test]
    fn of_the_documentation_the_copyright_stays() {
        let elsewhere = ["/usr/share", "/usr/share/docbook/x", "/usr/share/doc-base/x"];
        let copyright = ["/usr/share/doc", "/usr/share/doc/libc6", "/usr/share/doc/libc6/copyright"];
        let other =
            ["/usr/share/doc/libc6/NEWS.gz", "/usr/share/doc/x/examples/copyright", "/usr/share/doc/x/copyright/y"];
        let by = |docs| filter(&[], docs, None);
        check(&by(Docs::Copyright), &[&elsewhere[..], &copyright].concat(), &other);
        check(&by(Docs::All), &[&elsewhere[..], &copyright, &other].concat(), &[]);
        check(&by(Docs::None), &elsewhere, &[&copyright[..], &other].concat());
    }

    #[test]
    fn without_languages_translations_go_and_the_c_locale_stays() {
        check(
            &filter(&[], Docs::All, Some(&["C"])),
            &[
                "/usr/share/locale",
                "/usr/share/locale/locale.alias",
                "/usr/lib/locale",
                "/usr/lib/locale/C.utf8/LC_CTYPE",
                "/usr/lib/locale/locale-archive",
                "/usr/share/i18n/locales/de_DE",
                "/usr/share/locales/de",
            ],
            &[
                "/usr/share/locale/de",
                "/usr/share/locale/de/LC_MESSAGES/x.mo",
                "/usr/share/locale/ca@valencia/x",
                "/usr/share/locale/zh_Hans/x",
                "/usr/share/locale/es_419/x",
                "/usr/lib/locale/de_DE.utf8/LC_TIME",
            ],
        );
    }

    #[test]
    fn a_language_keeps_what_gettext_would_look_into() {
        check(
            &filter(&[], Docs::All, Some(&["de_AT.UTF-8", "sr"])),
            &["/usr/share/locale/de/x", "/usr/share/locale/de_AT/x", "/usr/share/locale/sr@latin/x"],
            &["/usr/share/locale/de_CH/x", "/usr/share/locale/en/x"],
        );
        check(&filter(&[], Docs::All, None), &["/usr/share/locale/de/x"], &[]);
        check(&filter(&[], Docs::All, Some(&[])), &["/usr/lib/locale/C.utf8"], &["/usr/share/locale/de/x"]);
    }

    #[test]
    fn what_is_no_rule_is_named() {
        let error = |exclude: &str, locale: &str| {
            let rules = FilterRules {
                exclude: vec![exclude.into()],
                locales: Some(vec![locale.into()]),
                ..FilterRules::default()
            };
            Filter::new(&rules).unwrap_err()
        };
        assert!(matches!(error("/usr/[", "C"), FilterError::Glob { pattern, .. } if pattern == "/usr/["));
        assert!(matches!(error("usr/x", "C"), FilterError::NotAbsolute { pattern } if pattern == "usr/x"));
        assert!(matches!(error("/lib/[", "C"), FilterError::Glob { pattern, .. } if pattern == "/lib/["));
        assert!(matches!(error("/x", "german"), FilterError::Locale { name } if name == "german"));
    }

    #[test]
    fn the_fingerprint_is_stable_and_tells_filters_apart() {
        let one = filter(&["/b", "/a", "/lib/x"], Docs::Copyright, Some(&["de", "C"]));
        let same = filter(&["/usr/lib/x", "/a", "/b", "/a"], Docs::Copyright, Some(&["de", "de"]));
        assert_eq!(
            one.fingerprint(),
            "filter-1\ndocs copyright\nlocales de\nexclude \"/a\"\nexclude \"/b\"\nexclude \"/usr/lib/x\"\n"
        );
        assert_eq!(one.fingerprint(), same.fingerprint());
        assert_ne!(
            filter(&["/a\nexclude /b"], Docs::All, None).fingerprint(),
            filter(&["/a", "/b"], Docs::All, None).fingerprint()
        );
        assert_ne!(filter(&[], Docs::All, Some(&[])).fingerprint(), filter(&[], Docs::All, None).fingerprint());
    }

    proptest! {
        #[test]
        fn what_lies_below_an_excluded_path_is_excluded(glob in "/[a-c*?]{1,3}(/([a-c*]{1,2}|\\*\\*)){0,2}", path in "/[a-c]{1,3}(/[a-c]{1,2}){0,3}") {
            let filter = filter(&[&glob], Docs::All, None);
            let path = ImagePath::from_absolute(path.as_bytes()).unwrap();
            if path.ancestors().any(|above| !above.is_root() && !filter.keeps(&above)) {
                prop_assert!(!filter.keeps(&path));
            }
        }

        #[test]
        fn any_text_is_a_filter_or_an_error(glob in any::<String>(), locale in any::<String>(), path in proptest::collection::vec(any::<u8>(), 1..40)) {
            let rules = FilterRules { exclude: vec![format!("/{glob}")], docs: Docs::Copyright, locales: Some(vec![locale]) };
            if let (Ok(filter), Ok(path)) = (Filter::new(&rules), ImagePath::from_foreign(&path)) {
                let _ = filter.keeps(&path);
                prop_assert_eq!(filter.fingerprint().lines().count(), 4);
            }
        }
    }
}
