//! The machine that an image runs on.

use std::fmt;
use std::str::FromStr;

use crate::escape::Escaped;

/// Operating system, architecture and its variant, in the words of the [image index specification]: Go's names for both.
///
/// Two spellings of one platform are equal: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`, and
/// `linux/amd64/v1` is `linux/amd64`, as containerd has it.
///
/// ```
/// use distil_imgcore::Platform;
/// let platform: Platform = "linux/arm64/v8".parse()?;
/// assert_eq!(platform.to_string(), "linux/arm64");
/// assert_eq!(platform.debian_architecture(), Some("arm64"));
/// # Ok::<(), distil_imgcore::PlatformError>(())
/// ```
///
/// [image index specification]: https://github.com/opencontainers/image-spec/blob/main/image-index.md
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
    os_version: Option<String>,
}

/// A text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// Not two or three parts of lower-case letters, digits, `.`, `_` and `-`.
    #[error("\"{}\" is not a platform of the form OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT", Escaped(.0.as_bytes()))]
    Form(String),
    /// No platform is known for a Debian architecture.
    #[error("no platform is known for Debian's architecture \"{}\"", Escaped(.0.as_bytes()))]
    UnknownDebian(String),
}

/// Debian's name, the architecture, its variant. Debian's name is found by both, so each pair stands once.
const DEBIAN: [(&str, &str, Option<&str>); 10] = [
    ("amd64", "amd64", None),
    ("arm64", "arm64", None),
    ("armhf", "arm", Some("v7")),
    ("armel", "arm", Some("v5")),
    ("i386", "386", None),
    ("ppc64el", "ppc64le", None),
    ("s390x", "s390x", None),
    ("riscv64", "riscv64", None),
    ("mips64el", "mips64le", None),
    ("loong64", "loong64", None),
];

impl Platform {
    /// Puts a platform together from the parts that a document has.
    ///
    /// # Errors
    /// [`PlatformError::Form`] where a part is empty, longer than 64 bytes or has a character that no such name has.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Result<Self, PlatformError> {
        let variant = variant.filter(|v| !v.is_empty());
        let name = |part: &str| {
            (1..=64).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        };
        if !name(os) || !name(architecture) || !variant.is_none_or(name) {
            let all = [Some(os), Some(architecture), variant].into_iter().flatten().collect::<Vec<_>>().join("/");
            return Err(PlatformError::Form(all.chars().take(200).collect()));
        }
        let variant = match (architecture, variant) {
            ("arm64", Some("v8" | "8")) | ("amd64", Some("v1")) => None,
            ("arm", None) => Some("v7"),
            (_, variant) => variant,
        };
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: None,
        })
    }

    /// The same platform for one version of its operating system; Windows needs that to tell images apart.
    #[must_use]
    pub fn with_os_version(self, version: Option<String>) -> Self {
        Self { os_version: version.filter(|v| !v.is_empty()), ..self }
    }

    /// The platform of Linux packages for one of Debian's architectures.
    ///
    /// # Errors
    /// [`PlatformError::UnknownDebian`] for names without a platform, `all` among them.
    pub fn from_debian_architecture(name: &str) -> Result<Self, PlatformError> {
        let (_, architecture, variant) = DEBIAN
            .into_iter()
            .find(|(debian, ..)| *debian == name)
            .ok_or_else(|| PlatformError::UnknownDebian(name.chars().take(200).collect()))?;
        Self::new("linux", architecture, variant)
    }

    /// What Debian calls this platform's architecture; none where Debian has no port for it.
    #[must_use]
    pub fn debian_architecture(&self) -> Option<&'static str> {
        let same = |(_, architecture, variant): &&(&str, &str, Option<&str>)| {
            self.os == "linux" && self.architecture == *architecture && self.variant.as_deref() == *variant
        };
        DEBIAN.iter().find(same).map(|(debian, ..)| *debian)
    }

    /// The operating system: `linux`.
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture: `amd64`, `arm`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant of the architecture, where it says something: `v7`.
    #[must_use]
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// The version of the operating system, where a document states one.
    #[must_use]
    pub fn os_version(&self) -> Option<&str> {
        self.os_version.as_deref()
    }

    /// The platform of what runs nowhere.
    pub(crate) fn unknown() -> Self {
        Self { os: "unknown".into(), architecture: "unknown".into(), variant: None, os_version: None }
    }

    /// Whether this is `unknown/unknown`, with which `BuildKit` marks entries of an index that are no images.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        match parts.as_slice() {
            [os, architecture] => Self::new(os, architecture, None),
            [os, architecture, variant] if !variant.is_empty() => Self::new(os, architecture, Some(variant)),
            _ => Err(PlatformError::Form(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_platform_are_equal() {
        let check = |text: &str, shown: &str| assert_eq!(text.parse::<Platform>().unwrap().to_string(), shown);
        check("linux/amd64", "linux/amd64");
        check("linux/amd64/v1", "linux/amd64");
        check("linux/amd64/v3", "linux/amd64/v3");
        check("linux/arm64/v8", "linux/arm64");
        check("linux/arm", "linux/arm/v7");
        check("linux/arm/v6", "linux/arm/v6");
    }

    #[test]
    fn other_texts_are_no_platform() {
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/arm/", "Linux/amd64", "linux/amd64\n"] {
            assert_eq!(bad.parse::<Platform>(), Err(PlatformError::Form(bad.to_owned())));
        }
    }

    #[test]
    fn every_debian_architecture_comes_back() {
        for (debian, ..) in DEBIAN {
            assert_eq!(Platform::from_debian_architecture(debian).unwrap().debian_architecture(), Some(debian));
        }
        assert!(Platform::from_debian_architecture("all").is_err());
        assert_eq!("windows/amd64".parse::<Platform>().unwrap().debian_architecture(), None);
    }
}
