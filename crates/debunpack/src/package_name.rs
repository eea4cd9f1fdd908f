//! Names of packages.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::Escaped;

/// The name of a binary or source package, by [Debian Policy 5.6.7]: at least two of `a-z0-9+.-`, the first of them a
/// letter or digit.
///
/// A name becomes a file name in `var/lib/dpkg/status.d`, beside `NAME.md5sums`. So it is no longer than a file name
/// with that ending can be, and does not itself end in `.md5sums`.
///
/// [Debian Policy 5.6.7]: https://www.debian.org/doc/debian-policy/ch-controlfields.html#package
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Box<str>);

/// The ending of the file beside a record, which no name may have.
pub(crate) const MD5SUMS: &str = ".md5sums";
const MAX_LENGTH: usize = distil_imgcore::path::MAX_COMPONENT - MD5SUMS.len();

/// Text that is not the name of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a package name", Escaped(.text.as_bytes()))]
pub struct PackageNameError {
    /// The text, at most its first 128 characters.
    pub text: String,
}

impl PackageName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageName {
    type Err = PackageNameError;

    fn from_str(text: &str) -> Result<Self, PackageNameError> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let allowed = (2..=MAX_LENGTH).contains(&text.len())
            && text.bytes().next().is_some_and(letter)
            && text.bytes().all(|b| letter(b) || matches!(b, b'+' | b'.' | b'-'))
            && !text.ends_with(MD5SUMS);
        if allowed { Ok(Self(text.into())) } else { Err(PackageNameError { text: text.chars().take(128).collect() }) }
    }
}

impl AsRef<str> for PackageName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_follow_policy() {
        for good in ["libstdc++6", "0ad", "a.b", "g++-12", "python3.11-minimal", &"a".repeat(247)] {
            assert_eq!(good.parse::<PackageName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(248);
        for bad in ["", "a", "-ab", ".ab", "+ab", "Ab", "a_b", "a/b", "../x", "a b", "ab\n", "openssl.md5sums", &long] {
            assert!(bad.parse::<PackageName>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_a_plain_file_name(text in "[a-b./+\\x00 -]{0,8}") {
            if let Ok(name) = text.parse::<PackageName>() {
                let path = distil_imgcore::ImagePath::from_archive(name.as_str().as_bytes()).unwrap();
                prop_assert_eq!(path.components().count(), 1);
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
