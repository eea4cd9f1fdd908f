//! What manifests and indexes have in common: bounds, and the checks that keep one from being read as the other.

use serde_json::{Map, Value};

use crate::descriptor::{Descriptor, DescriptorError};
use crate::digest::Digest;
use crate::escape::Escaped;
use crate::index::IndexDocument;
use crate::json::{self, JsonError};
use crate::manifest::Manifest;
use crate::media_type::{MediaKind, MediaType, MediaTypeError};
use crate::platform::{Platform, PlatformError};
use crate::ref_name::{RefName, RefNameError};

/// Bytes of a manifest, index or config; registries may refuse larger ones.
pub const MAX_DOCUMENT: usize = 4 << 20;
/// Bytes of a layout's `index.json`, which names the images of many builds.
pub const MAX_LAYOUT_INDEX: usize = 16 << 20;
/// Layers of an image: runtimes cannot mount more.
pub const MAX_LAYERS: usize = 127;
/// Signatures and statements of one manifest, which are layers that nobody mounts. Cosign reads no more, since endless ones
/// were [an attack].
///
/// [an attack]: https://github.com/sigstore/cosign/security/advisories/GHSA-vfp6-jrw2-99g9
pub const MAX_ATTESTATIONS: usize = 1000;
/// Descriptors in an index.
pub const MAX_DESCRIPTORS: usize = 1000;
/// Indexes within indexes, that of a layout not counted.
pub const MAX_INDEX_DEPTH: usize = 4;

/// A blob that names other blobs.
#[derive(Debug, Clone)]
pub enum Document {
    /// The manifest of an image or artifact.
    Manifest(Box<Manifest>),
    /// An index.
    Index(Box<IndexDocument>),
}

/// Why bytes are not the document that they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON with one meaning.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing or of another type.
    #[error("the document is not of the form that the specification gives")]
    Form(#[from] serde_json::Error),
    /// A descriptor in it is wrong.
    #[error(transparent)]
    Descriptor(DescriptorError),
    /// Not an object.
    #[error("the document is not an object")]
    NoObject,
    /// Not an array.
    #[error("the document is not an array")]
    NoArray,
    /// A field that some readers take for a known one.
    #[error("the field \"{}\" differs from {known} in case alone", Escaped(.found.as_bytes()))]
    Respelled {
        /// The name of the field.
        found: String,
        /// What it is nearly.
        known: &'static str,
    },
    /// A field of another kind of document, so that this could be read as either.
    #[error("the field \"{}\" has no place in {noun}", Escaped(.field.as_bytes()))]
    Confused {
        /// The name of the field.
        field: String,
        /// What the document is.
        noun: &'static str,
    },
    /// Another version of the schema than 2.
    #[error("schema version {0}, not 2")]
    SchemaVersion(u64),
    /// The document says another type than who names it.
    #[error("media type {found} where {expected} was stated")]
    MediaType {
        /// What the descriptor says.
        expected: MediaType,
        /// What the document says.
        found: String,
    },
    /// The media type is of nothing that names other blobs, Docker's schema 1 among them.
    #[error("{0} is neither a manifest nor an index")]
    NotADocument(MediaType),
    /// The media type is of something other than a manifest.
    #[error("{0} is not a manifest")]
    NotAManifest(MediaType),
    /// A docker archive names a file that is not in it.
    #[error("the archive has no file \"{}\"", Escaped(.0.as_bytes()))]
    NoMember(String),
    /// A media type is none.
    #[error(transparent)]
    MediaTypeGrammar(#[from] MediaTypeError),
    /// Too many layers or descriptors.
    #[error("{found} {what} where at most {limit} may be")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// The config has another number of diff ids than the manifest has layers.
    #[error("{diff_ids} diff ids for {layers} layers")]
    DiffIdCount {
        /// In the config.
        diff_ids: usize,
        /// In the manifest.
        layers: usize,
    },
    /// The root file system of a config is not made of layers.
    #[error("root file system of type \"{}\", not \"layers\"", Escaped(.0.as_bytes()))]
    RootFsType(String),
    /// A diff id is no digest.
    #[error("a diff id is not a digest")]
    DiffId(#[from] crate::digest::DigestError),
    /// The config is for another platform than was stated.
    #[error("the config is for {found}, not for {expected}")]
    Platform {
        /// What the index says.
        expected: Box<Platform>,
        /// What the config says.
        found: Box<Platform>,
    },
    /// A platform is none.
    #[error(transparent)]
    PlatformGrammar(#[from] PlatformError),
    /// Two images of one index are for one platform: clients pick different ones.
    #[error("two images for {0}")]
    PlatformTwice(Box<Platform>),
    /// Statements for an index are about an image that is not in it.
    #[error("the index has no image {0}")]
    NotAnImageOfIt(Digest),
    /// A layer of a type that cannot be read.
    #[error("{0} is not a layer that can be read")]
    LayerType(MediaType),
    /// The config of an image is of another type.
    #[error("{0} is not the type of an image's configuration")]
    ConfigType(MediaType),
    /// A name that no image can have.
    #[error(transparent)]
    RefName(#[from] RefNameError),
    /// Two entries of a layout under one name.
    #[error("two images under the name {0}")]
    NameTwice(RefName),
    /// Another version of the layout than 1.0.0.
    #[error("layout version \"{}\", not 1.0.0", Escaped(.0.as_bytes()))]
    LayoutVersion(String),
    /// A time that RFC 3339 cannot say.
    #[error("{0} seconds since 1970 is before the year 0 or after 9999")]
    Time(i64),
    /// A variable of the environment with `=` in its name, no name, or a NUL.
    #[error("\"{}\" is not the name of an environment variable", Escaped(.0.as_bytes()))]
    EnvName(String),
    /// A port that is not `NUMBER` with an optional `/tcp`, `/udp` or `/sctp`.
    #[error("\"{}\" is not a port of the form NUMBER/tcp, NUMBER/udp or NUMBER/sctp", Escaped(.0.as_bytes()))]
    Port(String),
}

impl Document {
    /// Parses a blob as what its descriptor says it is.
    ///
    /// # Errors
    /// [`DocumentError`] for everything that the specification forbids or two readers would understand differently.
    pub fn parse(descriptor: &Descriptor, bytes: Vec<u8>) -> Result<Self, DocumentError> {
        match descriptor.kind() {
            MediaKind::Manifest => Manifest::parse(bytes, descriptor.media_type()).map(|m| Self::Manifest(Box::new(m))),
            MediaKind::Index => IndexDocument::parse(bytes, descriptor.media_type()).map(|i| Self::Index(Box::new(i))),
            _ => Err(DocumentError::NotADocument(descriptor.media_type().clone())),
        }
    }

    /// The bytes that its digest is over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Manifest(manifest) => manifest.bytes(),
            Self::Index(index) => index.bytes(),
        }
    }

    /// The image or index that this one is about, where it is a referrer.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Manifest(manifest) => manifest.subject(),
            Self::Index(index) => index.subject(),
        }
    }

    /// This document's descriptor as registries list referrers: with the type of the artifact and the annotations of the
    /// document. The descriptor as it is where the document is about nothing.
    #[must_use]
    pub fn as_referrer(&self, descriptor: &Descriptor) -> Descriptor {
        let (artifact_type, annotations) = match self {
            Self::Manifest(m) if m.subject().is_some() => (Some(m.artifact_type().clone()), m.annotations()),
            Self::Index(i) if i.subject().is_some() => (i.artifact_type().cloned(), i.annotations()),
            _ => return descriptor.clone(),
        };
        descriptor.bare().with_artifact_type(artifact_type).with_annotations(annotations.clone())
    }

    /// All blobs that it names, in order; the subject is not one of them.
    #[must_use]
    pub fn children(&self) -> Vec<&Descriptor> {
        match self {
            Self::Manifest(manifest) => std::iter::once(manifest.config()).chain(manifest.layers()).collect(),
            Self::Index(index) => index.manifests().iter().collect(),
        }
    }
}

/// The fields of an object that has been checked against those of other documents.
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Takes an object apart. `known` are its fields; `foreign` are those that would make it something else to another
    /// reader. Names are compared as Go's reader does, without case.
    pub(crate) fn of(
        value: &'a Value,
        noun: &'static str,
        known: &'static [&'static str],
        foreign: &'static [&'static str],
    ) -> Result<Self, DocumentError> {
        let map = value.as_object().ok_or(DocumentError::NoObject)?;
        for found in map.keys() {
            let folded = json::fold(found);
            if let Some(known) = known.iter().find(|k| json::fold(k) == folded && *k != found) {
                return Err(DocumentError::Respelled { found: found.clone(), known });
            }
            if foreign.iter().any(|f| json::fold(f) == folded) {
                return Err(DocumentError::Confused { field: found.clone(), noun });
            }
        }
        Ok(Self(map))
    }

    /// A field; null is as good as missing, for Go's reader too.
    pub(crate) fn field(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether the document is of schema 2 and of the stated type, where it says any.
    pub(crate) fn check_type(&self, expected: &MediaType) -> Result<(), DocumentError> {
        let version = self.field("schemaVersion").unwrap_or(&Value::Null);
        let version: u64 = serde::Deserialize::deserialize(version)?;
        if version != 2 {
            return Err(DocumentError::SchemaVersion(version));
        }
        match self.field("mediaType") {
            None => Ok(()),
            Some(Value::String(found)) if found == expected.as_str() => Ok(()),
            Some(found) => Err(DocumentError::MediaType {
                expected: expected.clone(),
                found: found.as_str().map_or_else(|| found.to_string(), str::to_owned),
            }),
        }
    }

    pub(crate) fn descriptor(&self, name: &str) -> Result<Option<Descriptor>, DocumentError> {
        Ok(self.field(name).map(Descriptor::from_json).transpose()?)
    }

    pub(crate) fn descriptors(&self, name: &'static str, limit: usize) -> Result<Vec<Descriptor>, DocumentError> {
        let items: &Vec<Value> = match self.0.get(name) {
            Some(Value::Array(items)) => items,
            other => {
                let missing = if other.is_none() { ", the field is missing" } else { "" };
                let message = format!("{name}: an array is needed{missing}");
                return Err(DocumentError::Form(serde::de::Error::custom(message)));
            }
        };
        if items.len() > limit {
            return Err(DocumentError::TooMany { what: name, limit, found: items.len() });
        }
        items.iter().map(|item| Ok(Descriptor::from_json(item)?)).collect()
    }

    pub(crate) fn artifact_type(&self) -> Result<Option<MediaType>, DocumentError> {
        let text: Option<String> = serde::Deserialize::deserialize(self.field("artifactType").unwrap_or(&Value::Null))?;
        Ok(text.filter(|t| !t.is_empty()).map(|t| t.parse()).transpose()?)
    }

    pub(crate) fn annotations(&self) -> Result<std::collections::BTreeMap<String, String>, DocumentError> {
        let map: Option<_> = serde::Deserialize::deserialize(self.field("annotations").unwrap_or(&Value::Null))?;
        Ok(map.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::listing::Listing;

    fn samples() -> Vec<Vec<u8>> {
        let blob = json!({"mediaType": MediaType::LAYER, "digest": Digest::of(b"x").to_string(), "size": 1,
            "platform": {"os": "linux", "architecture": "arm64"}, "annotations": {"a": "b"}, "data": "eA=="});
        let manifest = json!({"schemaVersion": 2, "config": blob, "layers": [blob], "subject": blob});
        let index = json!({"schemaVersion": 2, "manifests": [blob, blob]});
        let config = json!({"os": "linux", "architecture": "arm64", "config": {"Env": ["A=b"]},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"x").to_string()]}, "history": [{}]});
        [manifest, index, config].iter().map(json::to_canonical).collect()
    }

    #[test]
    fn a_document_is_parsed_as_what_its_descriptor_says() {
        let check = |media_type: &'static str, bytes: &[u8]| {
            Document::parse(&Descriptor::of(MediaType::known(media_type), bytes), bytes.to_vec())
        };
        let [manifest, index, config] = samples().try_into().unwrap();
        assert_eq!(check(MediaType::MANIFEST, &manifest).unwrap().children().len(), 2);
        assert_eq!(check(MediaType::INDEX, &index).unwrap().children().len(), 2);
        assert!(matches!(check(MediaType::INDEX, &manifest), Err(DocumentError::Confused { .. })));
        assert!(matches!(check(MediaType::MANIFEST, &index), Err(DocumentError::Confused { .. })));
        assert!(matches!(check(MediaType::CONFIG, &config), Err(DocumentError::NotADocument(_))));
        assert!(matches!(check(MediaType::DOCKER_SCHEMA1, &manifest), Err(DocumentError::NotADocument(_))));
    }

    proptest! {
        /// No bytes make a parser panic, and what is parsed keeps its bytes.
        #[test]
        fn broken_documents_are_errors(which in 0..3_usize, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)) {
            let mut bytes = samples().swap_remove(which);
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            for media_type in [MediaType::MANIFEST, MediaType::INDEX] {
                let descriptor = Descriptor::of(MediaType::known(media_type), &bytes);
                if let Ok(document) = Document::parse(&descriptor, bytes.clone()) {
                    prop_assert_eq!(document.bytes(), &bytes);
                }
            }
            if let Ok(config) = Config::parse(bytes.clone()) {
                prop_assert_eq!(config.digest(), &Digest::of(&bytes));
            }
            if let Ok(listing) = Listing::parse(&bytes) {
                prop_assert_eq!(Listing::parse(&listing.to_bytes()).unwrap().to_bytes(), listing.to_bytes());
            }
        }
    }
}
