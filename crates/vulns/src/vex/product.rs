//! What a statement is about, and whether that is an image or a package at hand.

use distil_imgcore::{Digest, Escaped};
use distil_sbom::purl::Purl;

/// Characters of an identifier.
const MAX_IDENTIFIER: usize = 2048;

/// An image or a package, and what within it is meant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Product {
    /// Names of one and the same thing.
    pub identifiers: Vec<Identifier>,
    /// The packages in it that are meant, each by its names; none for all of it.
    pub subcomponents: Vec<Vec<Identifier>>,
}

/// A name of a product.
#[derive(Debug, Clone, PartialEq)]
pub enum Identifier {
    /// A package URL.
    Purl(Box<Purl>),
    /// The digest of a manifest.
    Digest(Digest),
    /// A reference to an image, as in `registry.example.org/team/app:1.0`.
    Reference(ImageName),
    /// Anything else, which names nothing here.
    Other(String),
}

impl Identifier {
    /// What a text names.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        if text.len() > MAX_IDENTIFIER {
            return Self::Other(text.chars().take(60).collect());
        }
        if text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:")) {
            return text.parse().map_or_else(|_| Self::Other(text.to_owned()), |purl| Self::Purl(Box::new(purl)));
        }
        if let Ok(digest) = text.parse() {
            return Self::Digest(digest);
        }
        ImageName::of(text).map_or_else(|| Self::Other(text.to_owned()), Self::Reference)
    }

    /// Whether it is a Debian package, or one of the vendor where one is given.
    pub(super) fn is_package_of(&self, vendor: Option<&str>) -> bool {
        let Self::Purl(purl) = self else { return false };
        let is_of = |namespace: &str| vendor.is_none_or(|vendor| namespace.eq_ignore_ascii_case(vendor));
        purl.kind() == "deb" && purl.namespace().is_none_or(is_of)
    }

    fn is_image(&self) -> bool {
        match self {
            Self::Purl(purl) => purl.kind() == "oci",
            Self::Digest(_) | Self::Reference(_) => true,
            Self::Other(_) => false,
        }
    }
}

impl Product {
    /// Whether anything can be found by it.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.why_not_bound(None).is_none()
    }

    /// Whether it names an image and no package in it.
    #[must_use]
    pub fn is_whole_image(&self) -> bool {
        self.subcomponents.is_empty() && self.identifiers.iter().any(Identifier::is_image)
    }

    /// Why it can be found in no image with packages of this vendor; without one, in no image at all.
    pub(super) fn why_not_bound(&self, vendor: Option<&str>) -> Option<String> {
        let is_package = |identifier: &Identifier| identifier.is_package_of(vendor);
        let is_whole = self.subcomponents.is_empty();
        let is_named = |identifier: &Identifier| match identifier {
            Identifier::Purl(_) => identifier.is_image() || is_package(identifier) || !is_whole,
            Identifier::Digest(_) | Identifier::Reference(_) => true,
            Identifier::Other(_) => false,
        };
        if !self.identifiers.iter().any(is_named) {
            let package =
                vendor.map_or_else(|| "a Debian package".to_owned(), |vendor| format!("a package of {vendor}"));
            let product = match self.identifiers.first() {
                Some(Identifier::Other(text)) => text.clone(),
                Some(Identifier::Purl(purl)) => purl.to_string(),
                _ => return Some("its product has no package URL, digest or reference".to_owned()),
            };
            let product = Escaped(product.as_bytes());
            return Some(format!("the product {product} is neither an image nor {package}"));
        }
        if self.subcomponents.is_empty() {
            return None;
        }
        if !self.identifiers.iter().any(Identifier::is_image) {
            return Some("it is about a component as part of another package, which an image does not show".to_owned());
        }
        let is_part = |identifier: &Identifier| matches!(identifier, Identifier::Purl(_)) && !identifier.is_image();
        if self.subcomponents.iter().flatten().any(is_part) {
            return None;
        }
        Some("the part of the product that it is about has no package URL".to_owned())
    }
}

/// A reference with what it leaves out filled in, so that two of them compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// Registry and path: `docker.io/library/debian`.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<String>,
}

impl ImageName {
    /// The parts of a reference; none for what is no reference.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.strip_prefix("docker://").unwrap_or(text);
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<Digest>().ok()?.to_string())),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let is_tag = |tag: &str| {
            tag.len() <= 128
                && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
                && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return None;
        }
        let repository = repository(name)?;
        Some(Self { repository, tag: tag.map(str::to_owned), digest })
    }
}

/// A repository with its registry, or none for what cannot be one. The rule of what is a registry is docker's: a dot, a colon,
/// or `localhost`.
pub(super) fn repository(name: &str) -> Option<String> {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        _ => ("docker.io", name),
    };
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    if !is_host || !path.split('/').all(is_part) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    Some(match host.as_str() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" if !path.contains('/') => {
            format!("docker.io/library/{path}")
        }
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => format!("docker.io/{path}"),
        _ => format!("{host}/{path}"),
    })
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}
