//! What is to be stored: a manifest, and the blobs that it names.

use distil_imgcore::{Descriptor, MediaType};
use serde::Serialize;

/// A manifest and blobs, as they are to be put into a store: the blobs first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The manifest.
    pub manifest: Named,
    /// The blobs that it names, but for those that were in the store.
    pub blobs: Vec<Named>,
}

/// Bytes, and what names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Named {
    pub(crate) fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let media_type: MediaType = media_type.parse().expect("the media types of this crate are in the grammar");
        Self { descriptor: Descriptor::of(media_type, &bytes), bytes }
    }
}

/// A descriptor as Go writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireDescriptor<'a> {
    media_type: &'a str,
    size: u64,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
}

impl<'a> WireDescriptor<'a> {
    /// Names a blob by type, size and digest.
    pub(crate) fn bare(descriptor: &'a Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type().as_str(),
            size: descriptor.size(),
            digest: descriptor.digest().to_string(),
            annotations: None,
            artifact_type: None,
        }
    }

    /// The same with annotations.
    pub(crate) fn annotated(descriptor: &'a Descriptor) -> Self {
        Self { annotations: Some(descriptor.annotations()).filter(|all| !all.is_empty()), ..Self::bare(descriptor) }
    }

    /// The same with the type of an artifact.
    pub(crate) fn with_artifact_type(self, artifact_type: &'a str) -> Self {
        Self { artifact_type: Some(artifact_type), ..self }
    }
}
