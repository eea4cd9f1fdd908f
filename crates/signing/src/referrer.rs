//! Bundles as referrers of an image: one manifest with the image as its subject, and the bundle as its only layer.
//!
//! What is written is what cosign 3 writes, byte for byte, the stray type in the config included. The older spellings of a
//! bundle's media type have a parameter, which descriptors cannot have: they are found in bundles alone.

use std::collections::BTreeMap;

use distil_imgcore::{Descriptor, Manifest, MediaType, time};
use serde::Serialize;

use crate::bundle::{MEDIA_TYPE, MEDIA_TYPE_PREFIX};
use crate::legacy::MAX_LAYER;
use crate::wire;
use crate::written::{Named, WireDescriptor, Written};

/// The annotation that says what is in the bundle: [`ENVELOPE`], or the signature of a message.
pub const CONTENT: &str = "dev.sigstore.bundle.content";
/// The value of [`CONTENT`] of every bundle about an image.
pub const ENVELOPE: &str = "dsse-envelope";
/// The annotation with the type of the predicate. It is not signed: nothing is to be believed for it.
pub const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

const CREATED: &str = "org.opencontainers.image.created";

/// Why a manifest has no bundle to read, or none can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferrerError {
    /// No layer, or several.
    #[error("the manifest has {0} layers where one has to be the bundle")]
    Layers(usize),
    /// The layer is something else.
    #[error("the only layer is \"{0}\" and no bundle")]
    NoBundle(MediaType),
    /// The bundle is larger than [`MAX_LAYER`].
    #[error("the bundle has {0} bytes, where at most {MAX_LAYER} may be")]
    TooLarge(u64),
    /// A time that has no form.
    #[error("{0} seconds since 1970 is no time that can be written")]
    Time(i64),
}

/// The bundle of a referrer. What the manifest says of its own type is not looked at: cosign states another one where a
/// registry cannot list referrers.
///
/// # Errors
/// [`ReferrerError`], but for its last.
pub fn bundle(manifest: &Manifest) -> Result<&Descriptor, ReferrerError> {
    let [layer] = manifest.layers() else { return Err(ReferrerError::Layers(manifest.layers().len())) };
    if !layer.media_type().as_str().starts_with(MEDIA_TYPE_PREFIX) {
        return Err(ReferrerError::NoBundle(layer.media_type().clone()));
    }
    if layer.size() > MAX_LAYER as u64 {
        return Err(ReferrerError::TooLarge(layer.size()));
    }
    Ok(layer)
}

/// Writes the manifest of a bundle about `subject`, whose statement has a predicate of this type. `created` is in seconds
/// since 1970.
///
/// # Errors
/// [`ReferrerError::TooLarge`] and [`ReferrerError::Time`].
pub fn manifest(
    bundle: Vec<u8>,
    subject: &Descriptor,
    predicate_type: &str,
    created: i64,
) -> Result<Written, ReferrerError> {
    if bundle.len() > MAX_LAYER {
        return Err(ReferrerError::TooLarge(bundle.len() as u64));
    }
    let created = time::rfc3339(created).ok_or(ReferrerError::Time(created))?;
    let config = Named::new(MediaType::EMPTY, b"{}".to_vec());
    let bundle = Named::new(MEDIA_TYPE, bundle);
    let manifest = wire::go(&Wire {
        schema_version: 2,
        media_type: MediaType::MANIFEST,
        config: WireDescriptor::bare(&config.descriptor).with_artifact_type(MEDIA_TYPE),
        layers: [WireDescriptor::bare(&bundle.descriptor)],
        annotations: [(CONTENT, ENVELOPE), (PREDICATE_TYPE, predicate_type), (CREATED, &created)].into(),
        subject: WireDescriptor::bare(subject),
        artifact_type: MEDIA_TYPE,
    });
    Ok(Written { manifest: Named::new(MediaType::MANIFEST, manifest), blobs: vec![config, bundle] })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: WireDescriptor<'a>,
    layers: [WireDescriptor<'a>; 1],
    annotations: BTreeMap<&'static str, &'a str>,
    subject: WireDescriptor<'a>,
    artifact_type: &'static str,
}

#[cfg(test)]
mod tests;
