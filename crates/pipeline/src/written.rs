//! What `build` and `copy` wrote, as a document.

use std::error::Error;

use schemars::JsonSchema;
use serde::Serialize;

use crate::build::{BuiltImage, BuiltPlatform};
use crate::copy::Copied;

/// The JSON document of `build` and `copy`: the images that were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WrittenDocument {
    /// `distil.written/v1`.
    pub schema: String,
    /// One for each reference that was written to.
    pub images: Vec<ImageDocument>,
    /// One for each reference that was to be written to and was not, where there were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedDocument>,
}

/// A reference that was not written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FailedDocument {
    /// Where the image is not.
    pub reference: String,
    /// Why not, with all causes.
    pub error: String,
}

/// An image that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImageDocument {
    /// Where it was written.
    pub reference: String,
    /// The digest of its index, or of its manifest where there is no index.
    pub digest: String,
    /// The images of its platforms.
    pub platforms: Vec<PlatformDocument>,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlatformDocument {
    /// The platform, as in `linux/amd64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The digests of its layers' uncompressed bytes, lowest first.
    pub diff_ids: Vec<String>,
}

impl WrittenDocument {
    /// The document about these images.
    #[must_use]
    pub fn new(images: &[BuiltImage]) -> Self {
        let platform = |p: &BuiltPlatform| PlatformDocument {
            platform: p.platform.to_string(),
            digest: p.digest.to_string(),
            diff_ids: p.diff_ids.iter().map(ToString::to_string).collect(),
        };
        let image = |i: &BuiltImage| ImageDocument {
            reference: i.reference.to_string(),
            digest: i.digest.to_string(),
            platforms: i.platforms.iter().map(platform).collect(),
        };
        Self { schema: "distil.written/v1".to_owned(), images: images.iter().map(image).collect(), failed: Vec::new() }
    }

    /// The document about a copy.
    #[must_use]
    pub fn of_copy(copied: &Copied) -> Self {
        let failed = copied
            .failed
            .iter()
            .map(|(reference, error)| FailedDocument { reference: reference.to_string(), error: with_causes(error) });
        Self { failed: failed.collect(), ..Self::new(&copied.images) }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
