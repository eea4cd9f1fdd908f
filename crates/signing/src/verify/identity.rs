//! Who must have signed, where a certificate says who did.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Bytes of a pattern, and bytes that it may grow to once it is compiled: a name and an address are matched, not a text.
const MAX_PATTERN: usize = 4096;
const MAX_COMPILED: usize = 1 << 20;

/// The identity and the issuer that a certificate must name, both. One without the other says nothing: whoever runs an
/// issuer of his own can have any name in it.
#[derive(Debug, Clone)]
pub struct Identity {
    subject: Pattern,
    issuer: Pattern,
}

/// What a name must be: exactly this text, or a whole match of a regular expression.
///
/// cosign looks for its expressions anywhere in the name, so that `https://example.com/.*` is found in
/// `https://evil.test/?https://example.com/`. Here an expression has to match the name from its first to its last character.
///
/// ```
/// use distil_signing::verify::Pattern;
///
/// let ours = Pattern::regex("https://example.com/.*")?;
/// assert!(ours.matches("https://example.com/app"));
/// assert!(!ours.matches("https://evil.test/?https://example.com/app"));
/// assert!(!Pattern::exact("release@example.com")?.matches("x.release@example.com"));
/// # Ok::<(), distil_signing::verify::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Exact(String),
    Regex { text: String, whole: Regex },
}

/// Why a text says nothing about who must have signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// No name at all: what a script passes where a variable is not set.
    #[error("the identity or issuer that is asked for is empty")]
    Empty,
    /// Longer than a pattern may be.
    #[error("the pattern has {found} bytes where at most {limit} may be")]
    TooLong {
        /// The limit.
        limit: usize,
        /// The length.
        found: usize,
    },
    /// Not a regular expression, or one that is too large once compiled.
    #[error("{pattern:?} cannot be used as a pattern")]
    Regex {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
}

impl Identity {
    /// Asks for a subject alternative name and an issuer.
    #[must_use]
    pub fn new(subject: Pattern, issuer: Pattern) -> Self {
        Self { subject, issuer }
    }

    /// What the certificate's subject alternative name must be.
    #[must_use]
    pub fn subject(&self) -> &Pattern {
        &self.subject
    }

    /// What the issuer of the identity must be.
    #[must_use]
    pub fn issuer(&self) -> &Pattern {
        &self.issuer
    }
}

impl Pattern {
    /// This text and no other, upper and lower case told apart.
    ///
    /// # Errors
    /// [`PatternError::Empty`].
    pub fn exact(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        Ok(Self(Kind::Exact(text.to_owned())))
    }

    /// Whatever this expression matches as a whole, in the [syntax of the crate `regex`].
    ///
    /// # Errors
    /// [`PatternError`].
    ///
    /// [syntax of the crate `regex`]: https://docs.rs/regex/latest/regex/#syntax
    pub fn regex(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_PATTERN {
            return Err(PatternError::TooLong { limit: MAX_PATTERN, found: text.len() });
        }
        let compile = |pattern: &str| {
            RegexBuilder::new(pattern)
                .size_limit(MAX_COMPILED)
                .build()
                .map_err(|source| PatternError::Regex { pattern: text.to_owned(), source })
        };
        // By itself first: `a)|(?:b` is no expression, but between the anchors it would be one without anchors.
        compile(text)?;
        let whole = compile(&format!(r"\A(?:{text})\z"))?;
        Ok(Self(Kind::Regex { text: text.to_owned(), whole }))
    }

    /// Whether a name is what is asked for.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match &self.0 {
            Kind::Exact(text) => text == name,
            Kind::Regex { whole, .. } => whole.is_match(name),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Exact(text) => write!(f, "{text:?}"),
            Kind::Regex { text, .. } => write!(f, "what matches {text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_name_counts() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(Pattern::regex(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        };
        check("a|b", "b", true);
        check("a|b", "ab", false);
        check("a.*", "ba", false);
        check("(?m)^a$", "x\na\ny", false);
        check("a", "a\n", false);
        check("(?i)A@X", "a@x", true);
    }

    #[test]
    fn what_would_leave_the_anchors_is_refused() {
        for bad in ["a)|(?:b", ")", "(", "(?x)a # b"] {
            assert!(matches!(Pattern::regex(bad), Err(PatternError::Regex { .. })), "{bad}");
        }
        assert!(matches!(Pattern::regex(""), Err(PatternError::Empty)));
        assert!(matches!(Pattern::exact(""), Err(PatternError::Empty)));
        assert!(matches!(Pattern::regex(&"a".repeat(4097)), Err(PatternError::TooLong { found: 4097, .. })));
        assert!(matches!(Pattern::regex("(?:a{1000}){1000}"), Err(PatternError::Regex { .. })));
    }
}
