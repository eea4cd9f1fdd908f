//! Reading package URLs, as strict as finding their parts needs.

use std::collections::BTreeMap;
use std::str::FromStr;

use distil_imgcore::Escaped;
use percent_encoding::percent_decode_str;

use super::Purl;

/// Why a text is no package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurlError {
    /// It does not begin with `pkg:`.
    #[error("no scheme pkg")]
    Scheme,
    /// What stands between the scheme and the first slash is no type.
    #[error("{} is not a type of package", Escaped(.0.as_bytes()))]
    Kind(String),
    /// Nothing is left for the name.
    #[error("no name")]
    Name,
    /// A qualifier has a key with other characters than letters, digits, `.`, `-` and `_`.
    #[error("{} is not the key of a qualifier", Escaped(.0.as_bytes()))]
    Qualifier(String),
}

/// Takes the parts off in the order of the specification's section on parsing: from the right, since separators may stand
/// unencoded to the left of where they count. Bytes that are not UTF-8 once decoded are replaced.
impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        let (rest, subpath) = cut_last(text, '#');
        let (rest, qualifiers) = cut_last(rest, '?');
        let (scheme, rest) = rest.split_once(':').ok_or(PurlError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(PurlError::Scheme);
        }
        let rest = rest.trim_matches('/');
        let (kind, rest) = rest.split_once('/').ok_or_else(|| PurlError::Kind(rest.to_owned()))?;
        if !is_kind(kind) {
            return Err(PurlError::Kind(kind.to_owned()));
        }
        let (path, version) = cut_version(rest);
        let mut parts: Vec<String> = path.split('/').map(decoded).filter(|part| !part.is_empty()).collect();
        let name = parts.pop().ok_or(PurlError::Name)?;
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: (!parts.is_empty()).then(|| parts.join("/")),
            name,
            version: version.map(decoded).filter(|version| !version.is_empty()),
            qualifiers: pairs(qualifiers.unwrap_or_default())?,
            subpath: subpath.map(within).filter(|path| !path.is_empty()),
        };
        if purl.kind == "deb" {
            purl.take_epoch();
        }
        Ok(purl)
    }
}

impl Purl {
    /// Trivy writes the epoch of a Debian version as a qualifier of its own.
    fn take_epoch(&mut self) {
        let Some(epoch) = self.qualifiers.remove("epoch") else { return };
        match &mut self.version {
            Some(version) if epoch != "0" && !version.contains(':') => *version = format!("{epoch}:{version}"),
            _ => {}
        }
    }
}

/// Whether a type may be called so.
pub(super) fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-'))
}

/// Whether a qualifier may be called so.
pub(super) fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn cut_last(text: &str, separator: char) -> (&str, Option<&str>) {
    text.rsplit_once(separator).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The version stands after the last `@`. One that begins a part with more parts to come is the scope of an npm package
/// which nobody encoded: `pkg:npm/@babel/core`.
fn cut_version(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((before, after)) if (before.is_empty() || before.ends_with('/')) && after.contains('/') => (text, None),
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn pairs(text: &str) -> Result<BTreeMap<String, String>, PurlError> {
    let mut pairs = BTreeMap::new();
    for (key, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
        if !is_key(key) {
            return Err(PurlError::Qualifier(key.to_owned()));
        }
        let value = decoded(value);
        if !value.is_empty() {
            pairs.insert(key.to_ascii_lowercase(), value);
        }
    }
    Ok(pairs)
}

/// A subpath never leaves its package, and has no empty parts.
fn within(text: &str) -> String {
    let parts: Vec<String> =
        text.split('/').map(decoded).filter(|part| !matches!(part.as_str(), "" | "." | "..")).collect();
    parts.join("/")
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
