//! Names under which a store keeps an image.

use std::fmt;
use std::str::FromStr;

use crate::escape::Escaped;

/// The name of an image in a store: a registry's tag, a layout's `org.opencontainers.image.ref.name`, a name and tag of
/// a docker archive.
///
/// The grammars of these three ([tag], [ref name], [reference]) differ in corners; this type takes what any of them
/// does: parts divided by `/`, each of letters, digits and `._-:@+`, starting with a letter, a digit or `_`. So no part
/// is ever `..`, and no name starts with a slash or an option's dash.
///
/// [tag]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
/// [ref name]: https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
/// [reference]: https://github.com/distribution/reference/blob/main/reference.go
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

/// A text that is no name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a name that an image can have", Escaped(.0.as_bytes()))]
pub struct RefNameError(pub String);

/// The longest name: a registry's name has at most 255 bytes, a tag 128.
const MAX_LENGTH: usize = 384;

impl RefName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a registry takes it as a tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.0.len() <= 128 && self.0.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    }
}

impl FromStr for RefName {
    type Err = RefNameError;

    fn from_str(text: &str) -> Result<Self, RefNameError> {
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:@+".contains(&b))
        };
        if text.len() <= MAX_LENGTH && text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RefNameError(text.chars().take(200).collect()))
        }
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tags_layouts_and_archives_are_taken() {
        let check = |text: &str, tag: bool| assert_eq!(text.parse::<RefName>().unwrap().is_tag(), tag, "{text}");
        check("latest", true);
        check("_v1.2-", true);
        check("sha256-0123.sig", true);
        check("a__b", true);
        check("registry.example.org:5000/a/b_c:1.0", false);
        check("v1.0+build@x", false);
        check(&"a".repeat(129), false);
    }

    #[test]
    fn what_could_be_a_path_or_steer_a_terminal_is_refused() {
        for bad in
            ["", "/", "a/", "/a", "a//b", "..", "../../tmp/x", "a/../b", ".a", "-a", "a b", "a\n", "ä", "a\u{1b}[m"]
        {
            assert_eq!(bad.parse::<RefName>(), Err(RefNameError(bad.to_owned())));
        }
        assert!("a".repeat(385).parse::<RefName>().is_err());
    }
}
