//! Packages that Debian supports for a shorter time than their release, or not against everything: what the package
//! debian-security-support lists.
//!
//! Its lists are under the GPL, so that none is part of the crate: they are read where somebody has them.

use jiff::civil::Date;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// What a list says of source packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageSupport {
    /// The name of a source package, or a regular expression that a whole name fits, as in `php-horde.*`.
    pub pattern: String,
    /// How much support there is.
    pub extent: Extent,
    /// Why, or where to read more, in one line as somebody wrote it: not fit for a terminal or a page as it is.
    pub text: Option<String>,
}

/// How much support there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Extent {
    /// It ends before that of the release.
    Ended {
        /// The last version that had support; `0` where none had.
        last: String,
        /// The day on which it ends, or did.
        day: Date,
    },
    /// It is not against everything, or not everywhere.
    Limited,
}

impl PackageSupport {
    /// Whether it is about a source package: a test that may be asked many times. A pattern that is no regular expression is a
    /// name alone.
    pub fn about(&self) -> impl Fn(&str) -> bool {
        let expression = expression(&self.pattern);
        move |source| self.pattern == source || expression.as_ref().is_some_and(|found| found.is_match(source))
    }
}

/// The expression of a pattern that is more than a name. Names have dots and plus signs too, which mean themselves there: only
/// what no name has makes an expression.
fn expression(pattern: &str) -> Option<Regex> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if pattern.chars().all(is_name) {
        return None;
    }
    let build = |text: &str| RegexBuilder::new(text).size_limit(MAX_EXPRESSION).build().ok();
    // By itself it must be one too: its brackets are not to close ours.
    build(pattern)?;
    build(&format!("^(?:{pattern})$"))
}

/// Bytes of a compiled expression: those of the lists have some hundreds.
const MAX_EXPRESSION: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn about(pattern: &str, source: &str) -> bool {
        let pattern = pattern.to_owned();
        PackageSupport { pattern, extent: Extent::Limited, text: None }.about()(source)
    }

    #[test]
    fn a_pattern_is_a_whole_name() {
        for (pattern, source) in [
            ("php-horde.*", "php-horde"),
            ("php-horde.*", "php-horde-webmail"),
            ("golang.*", "golang-1.19"),
            ("libsoup2.4", "libsoup2.4"),
            ("libsigc++-2.0", "libsigc++-2.0"),
            ("a|b", "b"),
        ] {
            assert!(about(pattern, source), "{pattern} {source}");
        }
        for (pattern, source) in [
            ("php-horde.*", "x-php-horde"),
            ("binutils", "binutils-mingw-w64"),
            ("libsoup2.4", "libsoup2x4"),
            ("a|b", "ab"),
            ("(", "x"),
            ("a{1000}{1000}", "a"),
            ("a)|(.*", "x"),
        ] {
            assert!(!about(pattern, source), "{pattern} {source}");
        }
    }
}
