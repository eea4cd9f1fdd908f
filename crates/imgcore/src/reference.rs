//! Where an image is, as people write it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::digest::{Digest, DigestError};
use crate::escape::Escaped;
use crate::ref_name::RefName;
use crate::registry_name::RegistryName;
use crate::store::Selector;

/// An image in one of the transports of skopeo, podman and buildah.
///
/// ```
/// use distil_imgcore::Reference;
/// let reference: Reference = "oci:build/image:v1".parse()?;
/// assert!(matches!(&reference, Reference::Layout(at) if at.path().ends_with("image")));
/// assert_eq!(reference.to_string(), "oci:build/image:v1");
/// # Ok::<(), distil_imgcore::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `oci:DIR[:TAG]` or `oci:DIR@DIGEST`: an image layout.
    Layout(PathReference),
    /// `oci-archive:FILE[:TAG]` or `oci-archive:FILE@DIGEST`: an image layout in a tar file.
    Archive(PathReference),
    /// `docker-archive:FILE[:NAME:TAG]`: what `docker save` writes.
    DockerArchive(PathReference),
    /// `docker://HOST[:PORT]/REPO[:TAG][@DIGEST]`, or the same without `docker://`: a registry.
    Registry(RegistryName),
}

/// A directory or file, and which image in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathReference {
    path: PathBuf,
    selector: Selector,
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a reference to an image", Escaped(.text.as_bytes()))]
pub struct ReferenceError {
    /// The text, its first 400 characters at most.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub reason: ReferenceFault,
}

/// What is wrong with a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceFault {
    /// Nothing, or nothing after the transport.
    #[error("the path or name is empty")]
    Empty,
    /// A NUL, which no path has.
    #[error("it has a NUL")]
    Nul,
    /// A transport that is none of the four.
    #[error("the transport \"{}\" is not one of oci, oci-archive, docker-archive, docker", Escaped(.0.as_bytes()))]
    UnknownTransport(String),
    /// A path or a short name where a registry's host must stand.
    #[error("it names no registry: a host with a dot, a port or the name localhost, then a slash")]
    NoHost,
    /// The host or port is none.
    #[error("\"{}\" is not a host with an optional port", Escaped(.0.as_bytes()))]
    Host(String),
    /// The repository's name is none.
    #[error("\"{}\" is not a name of a repository", Escaped(.0.as_bytes()))]
    Repository(String),
    /// The tag is none.
    #[error("\"{}\" is not a tag", Escaped(.0.as_bytes()))]
    Tag(String),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// Docker archives name images by name and tag.
    #[error("an image in a docker archive has no digest of its own")]
    DigestInDockerArchive,
    /// A docker archive's name without a tag.
    #[error("\"{}\" is not of the form NAME:TAG", Escaped(.0.as_bytes()))]
    NameWithoutTag(String),
}

impl Reference {
    /// The same reference with a relative path in it read from `dir`.
    #[must_use]
    pub fn relative_to(&self, dir: &Path) -> Self {
        match self {
            Self::Layout(at) => Self::Layout(at.relative_to(dir)),
            Self::Archive(at) => Self::Archive(at.relative_to(dir)),
            Self::DockerArchive(at) => Self::DockerArchive(at.relative_to(dir)),
            Self::Registry(_) => self.clone(),
        }
    }
}

impl PathReference {
    fn relative_to(&self, dir: &Path) -> Self {
        Self { path: dir.join(&self.path), selector: self.selector.clone() }
    }

    /// The directory of a layout, the file of an archive.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which image in it.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The name to give to an image that is written there; none where the reference states no name.
    #[must_use]
    pub fn name(&self) -> Option<&RefName> {
        match &self.selector {
            Selector::Name(name) => Some(name),
            Selector::Digest(_) | Selector::Only => None,
        }
    }

    /// As skopeo splits it: the path ends at the first colon, so that a tag may have some.
    fn parse(text: &str) -> Result<Self, ReferenceFault> {
        let (path, selector) = match text.rsplit_once('@') {
            Some((path, digest)) if digest.starts_with("sha256:") || digest.starts_with("sha512:") => {
                (path, Selector::Digest(digest.parse::<Digest>()?))
            }
            _ => match text.split_once(':') {
                Some((path, tag)) => {
                    (path, Selector::Name(tag.parse().map_err(|_| ReferenceFault::Tag(tag.to_owned()))?))
                }
                None => (text, Selector::Only),
            },
        };
        if path.is_empty() {
            return Err(ReferenceFault::Empty);
        }
        Ok(Self { path: PathBuf::from(path), selector })
    }

    fn parse_docker(text: &str) -> Result<Self, ReferenceFault> {
        let parsed = Self::parse(text)?;
        match &parsed.selector {
            Selector::Digest(_) => Err(ReferenceFault::DigestInDockerArchive),
            Selector::Name(name) => match name.as_str().rsplit_once(':') {
                Some((_, tag)) if !tag.is_empty() && !tag.contains('/') => Ok(parsed),
                _ => Err(ReferenceFault::NameWithoutTag(name.to_string())),
            },
            Selector::Only => Ok(parsed),
        }
    }
}

impl fmt::Display for PathReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string_lossy();
        match &self.selector {
            Selector::Only => write!(f, "{path}"),
            Selector::Name(name) => write!(f, "{path}:{name}"),
            Selector::Digest(digest) => write!(f, "{path}@{digest}"),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|reason| ReferenceError { text: text.chars().take(400).collect(), reason })
    }
}

fn parse(text: &str) -> Result<Reference, ReferenceFault> {
    if text.is_empty() {
        return Err(ReferenceFault::Empty);
    }
    if text.contains('\0') {
        return Err(ReferenceFault::Nul);
    }
    if let Some(name) = text.strip_prefix("docker://") {
        return name.parse().map(Reference::Registry);
    }
    match text.split_once(':') {
        Some(("oci", rest)) => PathReference::parse(rest).map(Reference::Layout),
        Some(("oci-archive", rest)) => PathReference::parse(rest).map(Reference::Archive),
        Some(("docker-archive", rest)) => PathReference::parse_docker(rest).map(Reference::DockerArchive),
        // A host may be followed by a port; another word before a colon can only be meant as a transport.
        Some((word, rest)) if !word.contains(['/', '.']) && !rest.starts_with(|c: char| c.is_ascii_digit()) => {
            Err(ReferenceFault::UnknownTransport(word.to_owned()))
        }
        _ => text.parse().map(Reference::Registry),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(at) => write!(f, "oci:{at}"),
            Self::Archive(at) => write!(f, "oci-archive:{at}"),
            Self::DockerArchive(at) => write!(f, "docker-archive:{at}"),
            Self::Registry(name) => write!(f, "docker://{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn relative_paths_are_read_from_a_directory() {
        for (text, expected) in [
            ("oci:image:v1", "oci:dir/image:v1"),
            ("oci-archive:../a.tar", "oci-archive:dir/../a.tar"),
            ("docker-archive:/abs/a.tar:x:y", "docker-archive:/abs/a.tar:x:y"),
            ("docker://registry.example.org/a:v1", "docker://registry.example.org/a:v1"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.relative_to(Path::new("dir")).to_string(), expected);
        }
    }

    #[test]
    fn every_transport_comes_back() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for good in [
            "oci:dir",
            "oci:/a/b.c/d:v1",
            "oci:dir:registry.example.org/a/b:1.0",
            &format!("oci:a@b@{digest}"),
            "oci-archive:x.tar",
            "oci-archive:x.tar:latest",
            "docker-archive:x.tar",
            "docker-archive:x.tar:example.org/app:1.0",
            "docker://localhost/a",
            &format!("docker://registry.example.org:5000/a/b__c:1.0@{digest}"),
        ] {
            assert_eq!(good.parse::<Reference>().unwrap().to_string(), good);
        }
        let bare: Reference = "localhost:5000/a:1".parse().unwrap();
        assert_eq!(bare.to_string(), "docker://localhost:5000/a:1");
    }

    #[test]
    fn parts_are_where_they_belong() {
        let Ok(Reference::Layout(at)) = "oci:a/b:c:d".parse() else { panic!() };
        assert_eq!(at.path(), Path::new("a/b"));
        assert_eq!(at.name().map(RefName::as_str), Some("c:d"));
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        let check = |text: &str, fault: ReferenceFault| {
            assert_eq!(text.parse::<Reference>().unwrap_err().reason, fault, "{text}");
        };
        check("", ReferenceFault::Empty);
        check("oci:", ReferenceFault::Empty);
        check("oci::tag", ReferenceFault::Empty);
        check("oci:a\0b", ReferenceFault::Nul);
        check("oci:a:", ReferenceFault::Tag(String::new()));
        check("oci:a:../x", ReferenceFault::Tag("../x".into()));
        check("oci:a@sha256:00", ReferenceFault::Digest(DigestError("sha256:00".into())));
        check("dir:/tmp/x", ReferenceFault::UnknownTransport("dir".into()));
        check("oci-layout:a", ReferenceFault::UnknownTransport("oci-layout".into()));
        check("docker-archive:a:app", ReferenceFault::NameWithoutTag("app".into()));
        check("./image.tar", ReferenceFault::NoHost);
        check("busybox", ReferenceFault::NoHost);
        check("library/busybox", ReferenceFault::NoHost);
        check("docker://a_b.example/x", ReferenceFault::Host("a_b.example".into()));
        check("docker://localhost/A", ReferenceFault::Repository("A".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(text in "(oci|oci-archive|docker-archive|docker|localhost)(:|://|/)[a-z0-9/:@._-]{0,30}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
            }
        }
    }
}
