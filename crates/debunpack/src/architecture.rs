//! Names of architectures.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::Escaped;

/// An architecture as packages name it: `amd64`, `arm64`, `all`; in lists of source packages also a wildcard, such as
/// `linux-any`. Lower-case letters, digits and hyphens, and no hyphen at the start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Architecture(Box<str>);

const MAX_LENGTH: usize = 64;

/// Text that is not the name of an architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not an architecture", Escaped(.text.as_bytes()))]
pub struct ArchitectureError {
    /// The text, at most its first 128 characters.
    pub text: String,
}

impl Architecture {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a package of this architecture suits every machine.
    #[must_use]
    pub fn is_all(&self) -> bool {
        &*self.0 == "all"
    }

    /// Whether the name stands for several architectures, so that no built package can have it.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        &*self.0 == "any" || self.0.starts_with("any-") || self.0.ends_with("-any")
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        let allowed = (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-');
        if allowed { Ok(Self(text.into())) } else { Err(ArchitectureError { text: text.chars().take(128).collect() }) }
    }
}

impl AsRef<str> for Architecture {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for (name, all, wildcard) in [
            ("amd64", false, false),
            ("all", true, false),
            ("any", false, true),
            ("linux-any", false, true),
            ("any-amd64", false, true),
            ("kfreebsd-i386", false, false),
        ] {
            let architecture: Architecture = name.parse().unwrap();
            assert_eq!((architecture.is_all(), architecture.is_wildcard()), (all, wildcard), "{name}");
            assert_eq!(architecture.to_string(), name);
        }
        for bad in ["", "-a", "AMD64", "a b", "amd64 arm64", "../x", "a/b", "x86_64", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Architecture>().is_err(), "{bad:?}");
        }
    }
}
