//! The manifest of an image or an artifact.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{DocumentError, Fields, MAX_ATTESTATIONS, MAX_DOCUMENT, MAX_LAYERS};
use crate::json;
use crate::media_type::{MediaKind, MediaType};

/// A [manifest]: its bytes, and what they say.
///
/// [manifest]: https://github.com/opencontainers/image-spec/blob/main/manifest.md
#[derive(Debug, Clone)]
pub struct Manifest {
    bytes: Vec<u8>,
    descriptor: Descriptor,
    config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
    artifact_type: Option<MediaType>,
    subject: Option<Descriptor>,
}

const FIELDS: &[&str] = &["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];
const FOREIGN: &[&str] = &["manifests", "fsLayers", "signatures"];

impl Manifest {
    /// Parses the bytes of a manifest that was stated to be of type `media_type`.
    ///
    /// # Errors
    /// [`DocumentError`] for everything that the specification forbids or two readers would understand differently.
    pub fn parse(bytes: Vec<u8>, media_type: &MediaType) -> Result<Self, DocumentError> {
        let value = json::parse(&bytes, MAX_DOCUMENT)?;
        let fields = Fields::of(&value, "a manifest", FIELDS, FOREIGN)?;
        fields.check_type(media_type)?;
        let config = fields.descriptor("config")?;
        let layers = fields.descriptors("layers", MAX_ATTESTATIONS)?;
        if layers.len() > MAX_LAYERS && layers.iter().any(|layer| layer.kind() != MediaKind::Attestation) {
            return Err(DocumentError::TooMany { what: "layers", limit: MAX_LAYERS, found: layers.len() });
        }
        Ok(Self {
            descriptor: Descriptor::of(media_type.clone(), &bytes),
            config: config.ok_or_else(|| serde::de::Error::missing_field("config")).map_err(DocumentError::Form)?,
            layers,
            annotations: fields.annotations()?,
            artifact_type: fields.artifact_type()?,
            subject: fields.descriptor("subject")?,
            bytes,
        })
    }

    /// Writes the manifest of an image.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`] and [`crate::json::JsonError::TooLarge`] where it goes over a bound.
    pub fn new(
        config: &Descriptor,
        layers: &[Descriptor],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, DocumentError> {
        Self::write(config, layers, annotations, Map::new())
    }

    /// Writes the manifest of an [artifact]: it has no configuration, and is about `subject`.
    ///
    /// # Errors
    /// As [`Manifest::new`].
    ///
    /// [artifact]: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
    pub(crate) fn of_artifact(
        artifact_type: &MediaType,
        blobs: &[Descriptor],
        subject: &Descriptor,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, DocumentError> {
        let mut out = Map::new();
        out.insert("artifactType".into(), artifact_type.as_str().into());
        out.insert("subject".into(), subject.bare().to_json());
        Self::write(&Descriptor::empty(), blobs, annotations, out)
    }

    fn write(
        config: &Descriptor,
        layers: &[Descriptor],
        annotations: &BTreeMap<String, String>,
        mut out: Map<String, Value>,
    ) -> Result<Self, DocumentError> {
        out.insert("schemaVersion".into(), 2.into());
        out.insert("mediaType".into(), MediaType::MANIFEST.into());
        out.insert("config".into(), config.to_json());
        out.insert("layers".into(), layers.iter().map(Descriptor::to_json).collect());
        if !annotations.is_empty() {
            out.insert("annotations".into(), json!(annotations));
        }
        Self::parse(json::to_canonical(&Value::Object(out)), &MediaType::known(MediaType::MANIFEST))
    }

    /// The bytes that its digest is over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names this manifest.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.descriptor.digest()
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The layers, lowest first; the blobs of an artifact.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// The annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// What an artifact is: its own type, else that of its config, as the [specification] has it.
    ///
    /// [specification]: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
    #[must_use]
    pub fn artifact_type(&self) -> &MediaType {
        self.artifact_type.as_ref().unwrap_or(self.config.media_type())
    }

    /// The image or index that this one is about, where it is a referrer.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }

    /// Whether this is no image but something about one, or something else altogether. A manifest whose layers cannot be
    /// read is not taken for one: only what says that it is an artifact, or holds signatures and statements alone.
    #[must_use]
    pub fn is_artifact(&self) -> bool {
        let attestations = |layer: &Descriptor| layer.kind() == MediaKind::Attestation;
        self.artifact_type.is_some()
            || self.config.kind() != MediaKind::Config
            || (!self.layers.is_empty() && self.layers.iter().all(attestations))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn good() -> Value {
        let digest = Digest::of(b"x").to_string();
        json!({
            "schemaVersion": 2,
            "mediaType": MediaType::MANIFEST,
            "config": {"mediaType": MediaType::CONFIG, "digest": digest, "size": 1},
            "layers": [{"mediaType": MediaType::LAYER, "digest": digest, "size": 1}],
        })
    }

    fn parse(value: &Value) -> Result<Manifest, DocumentError> {
        Manifest::parse(json::to_canonical(value), &MediaType::known(MediaType::MANIFEST))
    }

    fn refused(key: &str, value: Value) -> DocumentError {
        let mut document = good();
        document[key] = value;
        parse(&document).unwrap_err()
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let bytes = serde_json::to_vec_pretty(&good()).unwrap();
        let manifest = Manifest::parse(bytes.clone(), &MediaType::known(MediaType::MANIFEST)).unwrap();
        assert_eq!(manifest.bytes(), bytes);
        assert_eq!(manifest.digest(), &Digest::of(&bytes));
        assert!(!manifest.is_artifact());
    }

    #[test]
    fn a_manifest_that_is_also_something_else_is_refused() {
        for field in ["manifests", "Manifests", "fsLayers", "fslayers"] {
            assert!(matches!(refused(field, json!([])), DocumentError::Confused { .. }), "{field}");
        }
        assert!(matches!(refused("schemaVersion", json!(1)), DocumentError::SchemaVersion(1)));
        assert!(matches!(refused("mediaType", json!(MediaType::INDEX)), DocumentError::MediaType { .. }));
    }

    #[test]
    fn a_field_in_other_case_is_refused() {
        let mut document = good();
        let layers = document.as_object_mut().unwrap().remove("layers").unwrap();
        document["Layers"] = layers;
        assert!(matches!(parse(&document), Err(DocumentError::Respelled { known: "layers", .. })));
    }

    #[test]
    fn layers_are_counted() {
        let layer = good()["layers"][0].clone();
        assert!(matches!(
            refused("layers", json!(vec![layer.clone(); 128])),
            DocumentError::TooMany { found: 128, .. }
        ));
        let signature = |size| json!({"mediaType": MediaType::SIMPLE_SIGNING, "digest": layer["digest"], "size": size});
        let mut document = good();
        document["layers"] = json!(vec![signature(1); 1000]);
        assert_eq!(parse(&document).unwrap().layers().len(), 1000);
        document["layers"][0] = layer.clone();
        assert!(matches!(parse(&document), Err(DocumentError::TooMany { found: 1000, .. })));
        let many = json!(vec![signature(1); 1001]);
        assert!(matches!(refused("layers", many), DocumentError::TooMany { found: 1001, .. }));
        assert!(matches!(refused("layers", Value::Null), DocumentError::Form(_)));
        assert!(matches!(refused("config", Value::Null), DocumentError::Form(_)));
    }

    #[test]
    fn only_what_says_so_is_an_artifact() {
        let check = |key: &str, value: Value, expected: bool| {
            let mut document = good();
            document[key] = value;
            assert_eq!(parse(&document).unwrap().is_artifact(), expected);
        };
        let digest = Digest::of(b"x").to_string();
        check("artifactType", json!("application/x"), true);
        check("artifactType", json!(""), false);
        check("layers", json!([{"mediaType": MediaType::SIMPLE_SIGNING, "digest": digest, "size": 1}]), true);
        check("layers", json!([{"mediaType": "application/x", "digest": digest, "size": 1}]), false);
        check("layers", json!([]), false);
    }
}
