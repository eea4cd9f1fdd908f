//! Media types, and what they say about a blob.

use std::fmt;
use std::str::FromStr;

use crate::compression::Codec;
use crate::escape::Escaped;

/// The media type of a blob, in the grammar of [RFC 6838], which descriptors use.
///
/// [RFC 6838]: https://www.rfc-editor.org/rfc/rfc6838#section-4.2
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(String);

/// What a blob of some media type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// An index of manifests, OCI's or Docker's.
    Index,
    /// The manifest of an image or an artifact, OCI's or Docker's.
    Manifest,
    /// The configuration of an image, OCI's or Docker's.
    Config,
    /// A layer, to be read through this decoder.
    Layer(Codec),
    /// A layer that lies at a URL and not in the store. Distil never follows these.
    ForeignLayer,
    /// A signature, statement or SBOM of an image, as cosign and `BuildKit` store them under a config of images.
    Attestation,
    /// Docker's manifest of 2014, which has no usable digest.
    Schema1,
    /// Anything else.
    Unknown,
}

/// A text that is no media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a media type", Escaped(.0.as_bytes()))]
pub struct MediaTypeError(pub String);

/// Every type with a meaning here, under the name that it has as a constant.
macro_rules! known {
    ($($(#[$doc:meta])* $name:ident = $text:literal => $kind:expr;)*) => {
        impl MediaType {
            $($(#[$doc])* pub const $name: &'static str = $text;)*

            /// What a blob of this type is for.
            #[must_use]
            pub fn kind(&self) -> MediaKind {
                match self.0.as_str() {
                    $($text => $kind,)*
                    _ => MediaKind::Unknown,
                }
            }
        }
    };
}

known! {
    /// An OCI image index.
    INDEX = "application/vnd.oci.image.index.v1+json" => MediaKind::Index;
    /// An OCI image manifest.
    MANIFEST = "application/vnd.oci.image.manifest.v1+json" => MediaKind::Manifest;
    /// An OCI image configuration.
    CONFIG = "application/vnd.oci.image.config.v1+json" => MediaKind::Config;
    /// A plain layer.
    LAYER = "application/vnd.oci.image.layer.v1.tar" => MediaKind::Layer(Codec::None);
    /// A layer compressed with gzip.
    LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip" => MediaKind::Layer(Codec::Gzip);
    /// A layer compressed with zstd.
    LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd" => MediaKind::Layer(Codec::Zstd);
    /// A plain layer that may not be distributed.
    LAYER_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar" => MediaKind::ForeignLayer;
    /// A layer compressed with gzip that may not be distributed.
    LAYER_FOREIGN_GZIP = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" => MediaKind::ForeignLayer;
    /// A layer compressed with zstd that may not be distributed.
    LAYER_FOREIGN_ZSTD = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => MediaKind::ForeignLayer;
    /// The two bytes `{}` where an artifact needs no configuration.
    EMPTY = "application/vnd.oci.empty.v1+json" => MediaKind::Unknown;
    /// Docker's index.
    DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json" => MediaKind::Index;
    /// Docker's manifest, version 2 schema 2.
    DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json" => MediaKind::Manifest;
    /// Docker's image configuration.
    DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json" => MediaKind::Config;
    /// Docker's plain layer.
    DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar" => MediaKind::Layer(Codec::None);
    /// Docker's compressed layer; the name says nothing of gzip, but that is what it is.
    DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip" => MediaKind::Layer(Codec::Gzip);
    /// Docker's layer compressed with zstd.
    DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd" => MediaKind::Layer(Codec::Zstd);
    /// Docker's layer that lies at a URL.
    DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar" => MediaKind::ForeignLayer;
    /// Docker's compressed layer that lies at a URL.
    DOCKER_FOREIGN_GZIP = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => MediaKind::ForeignLayer;
    /// Docker's schema 1, unsigned.
    DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json" => MediaKind::Schema1;
    /// Docker's schema 1, signed.
    DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws" => MediaKind::Schema1;
    /// What a cosign signature signs.
    SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json" => MediaKind::Attestation;
    /// A DSSE envelope.
    DSSE = "application/vnd.dsse.envelope.v1+json" => MediaKind::Attestation;
    /// An in-toto statement.
    IN_TOTO = "application/vnd.in-toto+json" => MediaKind::Attestation;
    /// What a manifest of `BuildKit`'s statements about an image says it is.
    ATTESTATION_MANIFEST = "application/vnd.docker.attestation.manifest.v1+json" => MediaKind::Unknown;
    /// An SBOM in SPDX's JSON, under the type that SPDX registered.
    SPDX_JSON = "application/spdx+json" => MediaKind::Attestation;
    /// An SBOM in SPDX's tags, as cosign attached it.
    SBOM_SPDX = "text/spdx" => MediaKind::Attestation;
    /// The same in JSON, as cosign attached it.
    SBOM_SPDX_JSON = "text/spdx+json" => MediaKind::Attestation;
    /// An SBOM in `CycloneDX`'s JSON.
    SBOM_CYCLONEDX_JSON = "application/vnd.cyclonedx+json" => MediaKind::Attestation;
    /// The same in XML.
    SBOM_CYCLONEDX_XML = "application/vnd.cyclonedx+xml" => MediaKind::Attestation;
    /// An SBOM in syft's JSON, as cosign attached it.
    SBOM_SYFT = "application/vnd.syft+json" => MediaKind::Attestation;
}

impl MediaType {
    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes one of the constants of this type a value.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The type of a layer in an image that distil writes.
    #[must_use]
    pub fn of_layer(compression: Codec) -> Self {
        Self::known(match compression {
            Codec::None => Self::LAYER,
            Codec::Gzip => Self::LAYER_GZIP,
            Codec::Zstd => Self::LAYER_ZSTD,
        })
    }

    /// Whether a blob of this type is an index or a manifest: a document that names other blobs.
    #[must_use]
    pub fn is_index_or_manifest(&self) -> bool {
        matches!(self.kind(), MediaKind::Index | MediaKind::Manifest)
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let part = |part: &str| {
            part.len() <= 127
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        match text.split_once('/') {
            Some((kind, name)) if part(kind) && part(name) => Ok(Self(text.to_owned())),
            _ => Err(MediaTypeError(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaType({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_a_blob_is_for() {
        let check = |text: &str, kind| assert_eq!(text.parse::<MediaType>().unwrap().kind(), kind, "{text}");
        check(MediaType::INDEX, MediaKind::Index);
        check(MediaType::DOCKER_MANIFEST, MediaKind::Manifest);
        check(MediaType::DOCKER_LAYER_GZIP, MediaKind::Layer(Codec::Gzip));
        check(MediaType::LAYER_ZSTD, MediaKind::Layer(Codec::Zstd));
        check(MediaType::DOCKER_FOREIGN, MediaKind::ForeignLayer);
        check(MediaType::DOCKER_SCHEMA1_SIGNED, MediaKind::Schema1);
        // A type that is nearly a layer's is not a layer's.
        check("application/vnd.oci.image.layer.v1.tar+lzma", MediaKind::Unknown);
        check("Application/vnd.oci.image.layer.v1.tar", MediaKind::Unknown);
    }

    #[test]
    fn only_the_grammar_is_a_media_type() {
        for bad in ["", "a", "a/", "/b", "a/b/c", "a/b;q=1", "a/b\n", "-a/b", &format!("a/{}", "b".repeat(128))] {
            assert!(bad.parse::<MediaType>().is_err(), "{bad:?}");
        }
    }
}
