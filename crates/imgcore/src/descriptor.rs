//! Descriptors: how one document names a blob.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::base64;
use crate::digest::{Digest, DigestError};
use crate::media_type::{MediaKind, MediaType, MediaTypeError};
use crate::platform::{Platform, PlatformError};

/// Media type, digest and size of a blob, and what else its [descriptor] says. Values do not change: `with_…` gives a
/// new one.
///
/// [descriptor]: https://github.com/opencontainers/image-spec/blob/main/descriptor.md
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    media_type: MediaType,
    digest: Digest,
    size: u64,
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
    artifact_type: Option<MediaType>,
    data: Option<Vec<u8>>,
}

/// The [blob] of artifacts that need no configuration.
///
/// [blob]: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor
pub(crate) const EMPTY: &[u8] = b"{}";

/// Why a part of a document is no descriptor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// A field is missing or of another type.
    #[error("a descriptor is not of the form that the specification gives")]
    Form(#[from] serde_json::Error),
    /// The media type is none.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The platform is none.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// A size that no file can have: signed 64-bit integers hold sizes everywhere else.
    #[error("a blob of {0} bytes is larger than a file can be")]
    Size(u64),
    /// The blob lies at a URL. Following it would let a document choose whom this machine talks to.
    #[error("the blob {0} lies at a URL, which is never followed")]
    Urls(Digest),
    /// A copy of the blob inside the descriptor is not the blob.
    #[error("the data inside the descriptor of {0} is not that blob")]
    Data(Digest),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: String,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
    platform: Option<RawPlatform>,
    artifact_type: Option<String>,
    data: Option<String>,
    urls: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
}

impl Descriptor {
    /// Names a blob.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self { media_type, digest, size, annotations: BTreeMap::new(), platform: None, artifact_type: None, data: None }
    }

    /// Names bytes in memory.
    #[must_use]
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Names the two bytes `{}` and carries them, as the specification has it for artifacts without a configuration.
    #[must_use]
    pub(crate) fn empty() -> Self {
        let media_type = MediaType::known(MediaType::EMPTY);
        Self { data: Some(EMPTY.to_vec()), ..Self::of(media_type, EMPTY) }
    }

    /// Reads a descriptor out of a document that [`crate::json::parse`] gave.
    ///
    /// # Errors
    /// [`DescriptorError`] where a field is wrong, embedded data is not the blob, or the blob lies at a URL and is no layer
    /// that may not be distributed: of that one the URL is dropped.
    pub fn from_json(value: &Value) -> Result<Self, DescriptorError> {
        let raw = Raw::deserialize(value)?;
        let digest: Digest = raw.digest.parse()?;
        if i64::try_from(raw.size).is_err() {
            return Err(DescriptorError::Size(raw.size));
        }
        let media_type: MediaType = raw.media_type.parse()?;
        // Layers that may not be distributed cannot be read anyway; their documents can be passed on as they are.
        if media_type.kind() != MediaKind::ForeignLayer && raw.urls.is_some_and(|urls| !urls.is_empty()) {
            return Err(DescriptorError::Urls(digest));
        }
        let data = match raw.data {
            Some(text) => {
                let data = base64::decode(&text).filter(|data| {
                    let mut hasher = digest.hasher();
                    hasher.update(data);
                    data.len() as u64 == raw.size && hasher.finish() == digest
                });
                Some(data.ok_or_else(|| DescriptorError::Data(digest.clone()))?)
            }
            None => None,
        };
        // Some writers put two empty texts where they know no platform.
        let platform = raw.platform.filter(|p| !(p.os.is_empty() && p.architecture.is_empty())).map(|p| {
            Platform::new(&p.os, &p.architecture, p.variant.as_deref())
                .map(|platform| platform.with_os_version(p.os_version))
        });
        Ok(Self {
            media_type,
            digest,
            size: raw.size,
            annotations: raw.annotations.unwrap_or_default(),
            platform: platform.transpose()?,
            // Some writers put an empty text where they have no type.
            artifact_type: raw.artifact_type.filter(|t| !t.is_empty()).map(|t| t.parse()).transpose()?,
            data,
        })
    }

    /// The descriptor as it stands in the documents that distil writes.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("mediaType".into(), self.media_type.as_str().into());
        out.insert("digest".into(), self.digest.to_string().into());
        out.insert("size".into(), self.size.into());
        if !self.annotations.is_empty() {
            out.insert("annotations".into(), json!(self.annotations));
        }
        if let Some(platform) = &self.platform {
            out.insert("platform".into(), platform_json(platform));
        }
        if let Some(artifact_type) = &self.artifact_type {
            out.insert("artifactType".into(), artifact_type.as_str().into());
        }
        if let Some(data) = &self.data {
            out.insert("data".into(), base64::encode(data).into());
        }
        Value::Object(out)
    }

    /// What the blob is.
    #[must_use]
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// What the blob is for.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.media_type.kind()
    }

    /// The digest of the blob.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Bytes of the blob.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Annotations of the descriptor, not of the blob.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The platform, which indexes state for each manifest.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// The type of an artifact, where the blob is the manifest of one.
    #[must_use]
    pub fn artifact_type(&self) -> Option<&MediaType> {
        self.artifact_type.as_ref()
    }

    /// The whole blob, where the descriptor carries it; it was compared with size and digest.
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same with other annotations.
    #[must_use]
    pub fn with_annotations(self, annotations: BTreeMap<String, String>) -> Self {
        Self { annotations, ..self }
    }

    /// The same for a platform.
    #[must_use]
    pub fn with_platform(self, platform: Option<Platform>) -> Self {
        Self { platform, ..self }
    }

    /// The same with a type of artifact.
    #[must_use]
    pub fn with_artifact_type(self, artifact_type: Option<MediaType>) -> Self {
        Self { artifact_type, ..self }
    }

    /// Media type, digest and size alone: what says which blob is meant.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self::new(self.media_type.clone(), self.digest.clone(), self.size)
    }
}

pub(crate) fn platform_json(platform: &Platform) -> Value {
    let mut out = Map::new();
    out.insert("os".into(), platform.os().into());
    out.insert("architecture".into(), platform.architecture().into());
    if let Some(variant) = platform.variant() {
        out.insert("variant".into(), variant.into());
    }
    if let Some(version) = platform.os_version() {
        out.insert("os.version".into(), version.into());
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Value {
        json!({
            "mediaType": MediaType::EMPTY,
            "digest": Digest::of(b"{}").to_string(),
            "size": 2,
            "data": "e30=",
            "artifactType": "application/x",
            "platform": {"os": "linux", "architecture": "arm", "variant": "v6"},
            "annotations": {"a": "b"}
        })
    }

    #[test]
    fn a_descriptor_comes_back() {
        let descriptor = Descriptor::from_json(&good()).unwrap();
        assert_eq!(descriptor.to_json(), good());
        assert_eq!(descriptor.data(), Some(&b"{}"[..]));
        assert_eq!(descriptor.bare(), Descriptor::of(MediaType::known(MediaType::EMPTY), b"{}"));
    }

    #[test]
    fn each_field_is_checked() {
        let refused = |key: &str, value: Value| {
            let mut document = good();
            document[key] = value;
            Descriptor::from_json(&document).unwrap_err()
        };
        assert!(matches!(refused("mediaType", json!("x")), DescriptorError::MediaType(_)));
        assert!(matches!(refused("digest", json!("sha256:../../../etc/hostname")), DescriptorError::Digest(_)));
        assert!(matches!(refused("size", json!(-1)), DescriptorError::Form(_)));
        assert!(matches!(refused("size", json!(u64::MAX)), DescriptorError::Size(u64::MAX)));
        assert!(matches!(refused("size", json!(3)), DescriptorError::Data(_)));
        assert!(matches!(refused("data", json!("e31=")), DescriptorError::Data(_)));
        assert!(matches!(refused("urls", json!(["http://127.0.0.1:9/x"])), DescriptorError::Urls(_)));
        assert!(matches!(
            refused("platform", json!({"os": "../x", "architecture": "a"})),
            DescriptorError::Platform(_)
        ));
        assert!(matches!(refused("annotations", json!({"a": 1})), DescriptorError::Form(_)));
    }
}
