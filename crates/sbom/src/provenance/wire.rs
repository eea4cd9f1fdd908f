//! The predicate as it is written and read.

use std::io;

use distil_imgcore::{Digest, RegistryName};
use serde::{Deserialize, Serialize};

use super::values::{DigestSet, Time, sha256};
use super::{
    BUILD_TYPE, BUILDER, BaseSigners, Byproduct, Deb, DebOrigin, Index, OwnFile, Parameter, Provenance,
    ProvenanceError, Release,
};
use crate::inventory::{BaseImage, ImageFacts, SourcePackage};
use crate::purl::Purl;

const DEB: &str = "application/vnd.debian.binary-package";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The scheme by which keys of OpenPGP are named.
const KEY: &str = "openpgp4fpr:";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Predicate {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: String,
    external_parameters: External,
    internal_parameters: Internal,
    resolved_dependencies: Vec<Resource>,
}

/// What somebody outside asked for. A parameter that a verifier does not know must make it refuse, says SLSA.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<Whole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<Whole>,
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    name: String,
    digest: DigestSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Internal {
    source_date_epoch: i64,
}

#[derive(Serialize, Deserialize)]
struct RunDetails {
    builder: Builder,
    metadata: Metadata,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    byproducts: Vec<Resource>,
}

#[derive(Serialize, Deserialize)]
struct Builder {
    id: String,
    version: Versions,
}

#[derive(Serialize, Deserialize)]
struct Versions {
    distil: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    invocation_id: String,
}

/// A [resource descriptor](https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md).
#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(default, skip_serializing_if = "DigestSet::is_empty")]
    digest: DigestSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    download_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Kind>,
}

/// What a dependency is, and what is known of its kind alone.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Kind {
    Release {
        suite: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
        date: Time,
        key: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<DigestSet>,
    },
    Index {
        suite: String,
        path: String,
    },
    Key,
    Base {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signers: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<usize>,
    },
    Package {
        #[serde(skip_serializing_if = "Option::is_none")]
        suite: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        source_version: Option<String>,
    },
    File,
    #[serde(other)]
    Unknown,
}

impl Predicate {
    pub(super) fn of(all: &Provenance) -> io::Result<Self> {
        let build_definition = BuildDefinition::of(all);
        let mut bytes = Vec::new();
        crate::json::write(&build_definition, &mut bytes)?;
        let builder = Builder { id: BUILDER.to_owned(), version: Versions { distil: all.version.clone() } };
        // Equal builds are one invocation: an identifier by chance would be the one thing that differs between them.
        let metadata = Metadata { invocation_id: Digest::of(&bytes).to_string() };
        let byproducts = all.byproducts.iter().map(Resource::byproduct).collect();
        Ok(Self { build_definition, run_details: RunDetails { builder, metadata, byproducts } })
    }

    pub(super) fn into_provenance(self) -> Result<Provenance, ProvenanceError> {
        let BuildDefinition { external_parameters: asked, internal_parameters, resolved_dependencies, .. } =
            self.build_definition;
        let epoch = internal_parameters.source_date_epoch;
        let mut all = Provenance::new(asked.platform.parse()?, &self.run_details.builder.version.distil, epoch);
        all.recipe = asked.recipe.map(Parameter::try_from).transpose()?;
        all.lock = asked.lock.map(Parameter::try_from).transpose()?;
        all.variant = asked.variant;
        for (number, resource) in resolved_dependencies.into_iter().enumerate() {
            resource.put_into(&mut all, number)?;
        }
        for (number, resource) in self.run_details.byproducts.into_iter().enumerate() {
            let missing = |field| ProvenanceError::Missing { number, field };
            all.byproducts.push(Byproduct {
                name: resource.name.ok_or(missing("name"))?,
                media_type: resource.media_type.ok_or(missing("mediaType"))?,
                sha256: resource.digest.sha256.ok_or(missing("digest"))?.0,
            });
        }
        Ok(all)
    }
}

impl BuildDefinition {
    fn of(all: &Provenance) -> Self {
        let external_parameters = External {
            recipe: all.recipe.as_ref().map(Whole::of),
            lock: all.lock.as_ref().map(Whole::of),
            platform: all.platform.to_string(),
            variant: all.variant.clone(),
        };
        let dependencies = (all.releases.iter().map(Resource::release))
            .chain(all.indices.iter().map(Resource::index))
            .chain(all.keys.iter().map(|key| Resource::key(key)))
            .chain(all.base.iter().map(|base| Resource::base(base, all.base_signers.as_ref())))
            .chain(all.packages.iter().map(Resource::package))
            .chain(all.files.iter().map(Resource::file));
        Self {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters,
            internal_parameters: Internal { source_date_epoch: all.epoch },
            resolved_dependencies: dependencies.collect(),
        }
    }
}

impl Whole {
    fn of(parameter: &Parameter) -> Self {
        let digest = DigestSet::of(parameter.sha256);
        Self { name: told(&parameter.name), digest, text: parameter.text.clone() }
    }
}

impl TryFrom<Whole> for Parameter {
    type Error = ProvenanceError;

    fn try_from(Whole { name, digest, text }: Whole) -> Result<Self, ProvenanceError> {
        match digest.sha256 {
            Some(stated) if text.as_ref().is_none_or(|text| sha256(text) == stated.0) => {
                Ok(Self { name, sha256: stated.0, text })
            }
            _ => Err(ProvenanceError::Text(name)),
        }
    }
}

impl Resource {
    fn release(release: &Release) -> Self {
        let file = if release.signature.is_some() { "Release" } else { "InRelease" };
        Self {
            name: Some(format!("{} {file}", release.suite)),
            digest: DigestSet::of(release.sha256),
            download_location: release.download.clone(),
            annotations: Some(Kind::Release {
                suite: release.suite.clone(),
                origin: release.origin.clone(),
                date: Time(release.date),
                key: release.key.clone(),
                signature: release.signature.map(DigestSet::of),
            }),
            ..Self::default()
        }
    }

    fn index(index: &Index) -> Self {
        Self {
            name: Some(format!("{} {}", index.suite, index.path)),
            digest: DigestSet::of(index.sha256),
            download_location: index.download.clone(),
            annotations: Some(Kind::Index { suite: index.suite.clone(), path: index.path.clone() }),
            ..Self::default()
        }
    }

    fn key(fingerprint: &str) -> Self {
        Self { uri: Some(format!("{KEY}{fingerprint}")), annotations: Some(Kind::Key), ..Self::default() }
    }

    fn base(base: &BaseImage, signers: Option<&BaseSigners>) -> Self {
        Self {
            name: base.name.clone(),
            uri: base.name.as_ref().and_then(|name| image_url(name, &base.digest)),
            digest: DigestSet::of_image(&base.digest),
            media_type: Some(MANIFEST.to_owned()),
            annotations: Some(Kind::Base {
                signers: signers.map(|signers| signers.names.clone()),
                threshold: signers.map(|signers| signers.threshold),
            }),
            ..Self::default()
        }
    }

    fn package(deb: &Deb) -> Self {
        Self {
            name: Some(told(&deb.file_name)),
            uri: Some(deb.purl.clone()),
            digest: DigestSet::of(deb.sha256).with_sha512(deb.sha512),
            media_type: Some(DEB.to_owned()),
            download_location: deb.download.clone(),
            annotations: Some(Kind::Package {
                suite: deb.origin.as_ref().map(|origin| origin.suite.clone()),
                path: deb.origin.as_ref().map(|origin| origin.path.clone()),
                source: deb.source.as_ref().map(|source| source.name.clone()),
                source_version: deb.source.as_ref().map(|source| source.version.clone()),
            }),
        }
    }

    fn file(file: &OwnFile) -> Self {
        Self {
            name: Some(told(&file.path)),
            digest: DigestSet::of(file.sha256),
            annotations: Some(Kind::File),
            ..Self::default()
        }
    }

    fn byproduct(byproduct: &Byproduct) -> Self {
        Self {
            name: Some(byproduct.name.clone()),
            digest: DigestSet::of(byproduct.sha256),
            media_type: Some(byproduct.media_type.clone()),
            ..Self::default()
        }
    }

    /// Takes a dependency in where its kind belongs.
    fn put_into(self, all: &mut Provenance, number: usize) -> Result<(), ProvenanceError> {
        let missing = |field| ProvenanceError::Missing { number, field };
        let sha256 = self.digest.sha256.map(|bytes| bytes.0).ok_or(missing("sha256"));
        let download = self.download_location;
        match self.annotations {
            Some(Kind::Release { suite, origin, date: Time(date), key, signature }) => {
                let signature = signature.map(|set| set.sha256.ok_or(missing("signature"))).transpose()?;
                let signature = signature.map(|bytes| bytes.0);
                all.releases.push(Release { suite, origin, sha256: sha256?, signature, date, key, download });
            }
            Some(Kind::Index { suite, path }) => all.indices.push(Index { suite, path, sha256: sha256?, download }),
            Some(Kind::Key) => {
                let fingerprint = self.uri.as_deref().and_then(|uri| uri.strip_prefix(KEY));
                all.keys.push(fingerprint.ok_or(missing("fingerprint"))?.to_owned());
            }
            Some(Kind::Base { signers, threshold }) => {
                let signers = signers.zip(threshold);
                all.base_signers = signers.map(|(names, threshold)| BaseSigners { names, threshold });
                let digest = self.digest.into_image().ok_or(missing("digest"))?;
                if all.base.replace(BaseImage { name: self.name, digest }).is_some() {
                    return Err(ProvenanceError::TwoBases(number));
                }
            }
            Some(Kind::Package { suite, path, source, source_version }) => all.packages.push(Deb {
                purl: self.uri.ok_or(missing("uri"))?,
                file_name: self.name.ok_or(missing("name"))?,
                sha256: sha256?,
                sha512: self.digest.sha512.map(|bytes| bytes.0),
                origin: suite.zip(path).map(|(suite, path)| DebOrigin { suite, path }),
                source: source.zip(source_version).map(|(name, version)| SourcePackage { name, version }),
                download,
            }),
            Some(Kind::File) => {
                all.files.push(OwnFile { path: self.name.ok_or(missing("name"))?, sha256: sha256? });
            }
            Some(Kind::Unknown) | None => {}
        }
        Ok(())
    }
}

/// The package URL of an image, where its name is one that a registry can have.
fn image_url(name: &str, digest: &Digest) -> Option<String> {
    let name: RegistryName = name.parse().ok()?;
    let (host, repository) = (name.host(), name.repository());
    let facts = ImageFacts { name: repository.to_owned(), digest: Some(digest.clone()), ..ImageFacts::default() };
    let purl = Purl::of_image(&facts).with_qualifier("repository_url", &format!("{host}/{repository}"));
    Some(match name.tag() {
        Some(tag) => purl.with_qualifier("tag", tag.as_str()).to_string(),
        None => purl.to_string(),
    })
}

/// What may be told of a path: where it leads from the recipe, and nothing of the machine.
fn told(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(absolute) => absolute.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned(),
        None => path.to_owned(),
    }
}
