//! The name of an image in a registry.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::ref_name::RefName;
use crate::reference::ReferenceFault;

/// `HOST[:PORT]/REPO[:TAG][@DIGEST]`, after the [grammar of the distribution project]. The host is never left out: what
/// a short name means depends on who reads it.
///
/// [grammar of the distribution project]: https://github.com/distribution/reference/blob/main/reference.go
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryName {
    host: String,
    repository: String,
    tag: Option<RefName>,
    digest: Option<Digest>,
}

impl RegistryName {
    /// The host, with its port where one is given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository: `team/app`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is given.
    #[must_use]
    pub fn tag(&self) -> Option<&RefName> {
        self.tag.as_ref()
    }

    /// The digest, where one is given; it decides then, and the tag is only a comment.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same name for the image of this digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }
}

impl FromStr for RegistryName {
    type Err = ReferenceFault;

    fn from_str(text: &str) -> Result<Self, ReferenceFault> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(ReferenceFault::Empty);
        }
        let (host, path) = name.split_once('/').ok_or(ReferenceFault::NoHost)?;
        if !host.contains(['.', ':', '[']) && host != "localhost" || host.starts_with('.') || host.is_empty() {
            return Err(ReferenceFault::NoHost);
        }
        if !is_host(host) {
            return Err(ReferenceFault::Host(host.to_owned()));
        }
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if repository.len() + host.len() > 254 || !repository.split('/').all(is_component) {
            return Err(ReferenceFault::Repository(repository.to_owned()));
        }
        let tag = tag
            .map(|tag| match tag.parse::<RefName>() {
                Ok(name) if name.is_tag() => Ok(name),
                _ => Err(ReferenceFault::Tag(tag.to_owned())),
            })
            .transpose()?;
        Ok(Self { host: host.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let name_fits = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(label),
    };
    let port_fits = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    name_fits && port.is_none_or(port_fits)
}

/// Letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let separator = |run: &str| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|b| b == b'-');
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(word) && text.ends_with(word) && text.split(word).all(separator)
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let text = format!("registry.example.org:5000/team/app:1.0@sha256:{}", "0a".repeat(32));
        let name: RegistryName = text.parse().unwrap();
        assert_eq!(name.host(), "registry.example.org:5000");
        assert_eq!(name.repository(), "team/app");
        assert_eq!(name.tag().map(RefName::as_str), Some("1.0"));
        assert_eq!(name.digest().map(ToString::to_string), Some(format!("sha256:{}", "0a".repeat(32))));
        assert!("[::1]:5000/app".parse::<RegistryName>().is_ok());
    }

    #[test]
    fn each_part_has_its_grammar() {
        let refused = |text: &str| text.parse::<RegistryName>().unwrap_err();
        for host in ["a..b", "-a.b", "a.b:", "a.b:0", "a.b:99999", "a.b:5:6", "[::x]", "user@host.example"] {
            assert!(!matches!(refused(&format!("{host}/x")), ReferenceFault::Tag(_)), "{host}");
        }
        for repository in ["", "a//b", "a/", ".a", "a.", "a___b", "a..b", "A", "a%2fb"] {
            assert_eq!(refused(&format!("a.b/{repository}")), ReferenceFault::Repository(repository.into()));
        }
        for tag in ["", "-a", ".a", "a/b", "a:b", "a+b"] {
            assert_eq!(refused(&format!("a.b/c:{tag}")), ReferenceFault::Tag(tag.into()));
        }
        assert!(matches!(refused("a.b/c@sha256:0"), ReferenceFault::Digest(_)));
    }
}
