//! The index document: images of several platforms under one digest.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{DocumentError, Fields, MAX_DESCRIPTORS, MAX_DOCUMENT};
use crate::json;
use crate::media_type::MediaType;

/// An [index]: its bytes, and what they say.
///
/// [index]: https://github.com/opencontainers/image-spec/blob/main/image-index.md
#[derive(Debug, Clone)]
pub struct IndexDocument {
    bytes: Vec<u8>,
    descriptor: Descriptor,
    manifests: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
    artifact_type: Option<MediaType>,
    subject: Option<Descriptor>,
}

pub(crate) const FIELDS: &[&str] =
    &["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"];
pub(crate) const FOREIGN: &[&str] = &["config", "layers", "fsLayers", "signatures"];

impl IndexDocument {
    /// Parses the bytes of an index that was stated to be of type `media_type`.
    ///
    /// # Errors
    /// [`DocumentError`] for everything that the specification forbids or two readers would understand differently.
    pub fn parse(bytes: Vec<u8>, media_type: &MediaType) -> Result<Self, DocumentError> {
        let value = json::parse(&bytes, MAX_DOCUMENT)?;
        let fields = Fields::of(&value, "an index", FIELDS, FOREIGN)?;
        fields.check_type(media_type)?;
        Ok(Self {
            descriptor: Descriptor::of(media_type.clone(), &bytes),
            manifests: fields.descriptors("manifests", MAX_DESCRIPTORS)?,
            annotations: fields.annotations()?,
            artifact_type: fields.artifact_type()?,
            subject: fields.descriptor("subject")?,
            bytes,
        })
    }

    /// Writes an index of these manifests, in this order.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`] and [`crate::json::JsonError::TooLarge`] where it goes over a bound.
    pub fn new(manifests: &[Descriptor], annotations: &BTreeMap<String, String>) -> Result<Self, DocumentError> {
        let mut out = Map::new();
        out.insert("schemaVersion".into(), 2.into());
        out.insert("mediaType".into(), MediaType::INDEX.into());
        out.insert("manifests".into(), manifests.iter().map(Descriptor::to_json).collect());
        if !annotations.is_empty() {
            out.insert("annotations".into(), json!(annotations));
        }
        Self::parse(json::to_canonical(&Value::Object(out)), &MediaType::known(MediaType::INDEX))
    }

    /// The bytes that its digest is over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names this index.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.descriptor.digest()
    }

    /// What it names: manifests, sometimes further indexes.
    #[must_use]
    pub fn manifests(&self) -> &[Descriptor] {
        &self.manifests
    }

    /// The annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// What the index is, where it is no image.
    #[must_use]
    pub fn artifact_type(&self) -> Option<&MediaType> {
        self.artifact_type.as_ref()
    }

    /// The image or index that this one is about, where it is a referrer.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": MediaType::INDEX,
            "manifests": [{"mediaType": MediaType::MANIFEST, "digest": Digest::of(b"x").to_string(), "size": 1}],
        })
    }

    fn refused(key: &str, value: Value) -> DocumentError {
        let mut document = good();
        document[key] = value;
        IndexDocument::parse(json::to_canonical(&document), &MediaType::known(MediaType::INDEX)).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        let manifests = [Descriptor::of(MediaType::known(MediaType::MANIFEST), b"x")];
        let annotations = BTreeMap::from([("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]);
        let index = IndexDocument::new(&manifests, &annotations).unwrap();
        assert_eq!(index.manifests(), manifests);
        assert_eq!(index.annotations(), &annotations);
        assert!(index.bytes().starts_with(br#"{"annotations":{"a":"2","b":"1"},"manifests":[{"digest":"#));
    }

    #[test]
    fn an_index_that_is_also_something_else_is_refused() {
        for field in ["layers", "Layers", "config", "fsLayers"] {
            assert!(matches!(refused(field, json!([])), DocumentError::Confused { .. }), "{field}");
        }
        assert!(matches!(refused("Manifests", json!([])), DocumentError::Json(_)));
        assert!(matches!(refused("mediaType", json!(MediaType::MANIFEST)), DocumentError::MediaType { .. }));
        assert!(matches!(refused("schemaVersion", json!("2")), DocumentError::Form(_)));
    }

    #[test]
    fn descriptors_are_counted() {
        let one = good()["manifests"][0].clone();
        assert!(matches!(refused("manifests", json!(vec![one; 1001])), DocumentError::TooMany { found: 1001, .. }));
    }
}
