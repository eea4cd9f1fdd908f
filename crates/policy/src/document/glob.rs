//! Patterns of names and paths.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// A pattern in which `*`, `?`, `[ab]` and `{one,two}` stand for others.
#[derive(Clone)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
}

/// No pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no pattern")]
pub struct GlobError;

impl Glob {
    /// A pattern of names, in which `*` stands for anything.
    ///
    /// # Errors
    /// [`GlobError`].
    pub fn of_names(text: &str) -> Result<Self, GlobError> {
        Self::new(text.to_owned(), false)
    }

    /// A pattern of paths, in which `*` stays within a name and `**` does not. It is absolute, with or without a slash at its
    /// start.
    ///
    /// # Errors
    /// [`GlobError`].
    pub fn of_paths(text: &str) -> Result<Self, GlobError> {
        Self::new(format!("/{}", text.strip_prefix('/').unwrap_or(text)), true)
    }

    fn new(text: String, of_paths: bool) -> Result<Self, GlobError> {
        // The longest that makes sense, and far from what makes the expression behind it costly.
        const LONGEST: usize = 1000;
        if text.trim_start_matches('/').is_empty() || text.len() > LONGEST {
            return Err(GlobError);
        }
        let built = GlobBuilder::new(&text).literal_separator(of_paths).backslash_escape(true).build();
        let matcher = built.map_err(|_| GlobError)?.compile_matcher();
        Ok(Self { text, matcher })
    }

    /// Whether it stands for a name, or an absolute path.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    /// The pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.matcher.glob() == other.matcher.glob()
    }
}

impl Eq for Glob {}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_name_of_a_path_and_stands_for_anything_in_a_name() {
        let paths = Glob::of_paths("usr/lib/python3*/test/*.pem").unwrap();
        assert_eq!(paths.as_str(), "/usr/lib/python3*/test/*.pem");
        assert!(paths.matches("/usr/lib/python3.11/test/a.pem"));
        assert!(!paths.matches("/usr/lib/python3.11/test/sub/a.pem"));
        assert_eq!(paths, Glob::of_paths("/usr/lib/python3*/test/*.pem").unwrap());
        assert!(Glob::of_paths("**/test/**").unwrap().matches("/usr/lib/test/a/b"));
        assert!(Glob::of_names("@scope/*").unwrap().matches("@scope/a"));
        assert!(Glob::of_names("*").unwrap().matches("a/b/c"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "[", "{a", "a".repeat(1001).as_str()] {
            assert!(Glob::of_names(text).is_err(), "{text}");
        }
        assert!(Glob::of_paths("/").is_err());
        assert!(Glob::of_paths("//").is_err());
    }
}
