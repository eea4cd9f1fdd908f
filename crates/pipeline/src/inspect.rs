//! `inspect`: what an image is.

use std::collections::BTreeMap;

use distil_imgcore::{
    Attachment, AttachmentKind, Descriptor, Digest, Error, ImagePath, MediaType, Reference, Selector,
};
use distil_signing::predicate::PredicateType;
use distil_signing::referrer::PREDICATE_TYPE;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contents::{Contents, Sums};
use crate::machine::Machine;
use crate::packages::{Packages, is_record};
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};

/// What an image is: the JSON document of `inspect`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    /// `distil.inspect/v1`.
    pub schema: String,
    /// The digest that the reference stands for: of the index, or of the manifest where there is none.
    pub digest: String,
    /// The media type of what has that digest.
    pub media_type: String,
    /// The platforms that the image is for.
    pub platforms: Vec<PlatformSummary>,
    /// The platform that all that follows is about.
    pub platform: String,
    /// The configuration of the image, as it stands in it.
    pub config: serde_json::Value,
    /// Annotations of the image's manifest.
    pub annotations: BTreeMap<String, String>,
    /// The layers, lowest first.
    pub layers: Vec<LayerSummary>,
    /// The packages, by name.
    pub packages: Vec<PackageSummary>,
    /// Artifacts about the index and the image: signatures, statements, SBOMs. Nothing of them was verified.
    pub referrers: Vec<ReferrerSummary>,
    /// Records of packages that are broken, so that packages may be missing from the list.
    pub unreadable: Vec<String>,
}

/// An image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlatformSummary {
    /// The platform, as in `linux/amd64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: String,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LayerSummary {
    /// The digest of the bytes as they are stored.
    pub digest: String,
    /// The digest of the uncompressed bytes.
    pub diff_id: String,
    /// The media type.
    pub media_type: String,
    /// Bytes as they are stored.
    pub size: u64,
    /// The packages that it brought, by name.
    pub packages: Vec<String>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PackageSummary {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Debian's name of the architecture, or `all`.
    pub architecture: String,
    /// The source package that it was built from.
    pub source: String,
    /// The version of that.
    pub source_version: String,
}

/// An artifact about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReferrerSummary {
    /// The digest that it is about.
    pub subject: String,
    /// The digest of its manifest.
    pub digest: String,
    /// What it is.
    pub artifact_type: Option<String>,
    /// What it says of itself: a description, or else a title.
    pub description: Option<String>,
    /// Bytes of its manifest.
    pub size: u64,
}

/// Tells what an image is. Of an image for several platforms, all but the list of platforms is about the one chosen.
///
/// # Errors
/// [`ReadError`] where the image cannot be read, or is not there for that platform.
pub fn inspect(
    reference: &Reference,
    platform: Choice<'_>,
    machine: &Machine,
    progress: &dyn Progress,
) -> Result<Inspection, ReadError> {
    let named = Named::open(reference, &Places::uncancelled(machine, progress))?;
    let (platform, image) = named.image(platform)?;
    let packages = Packages::read(&Contents::read(&image, is_record, Sums::Leave, progress)?);
    let config = serde_json::from_slice(image.config().bytes()).unwrap_or_default();
    let layers = image.layers().iter().zip(image.manifest().layers()).enumerate();
    let in_layer = |number: usize| {
        let here = packages.installed.iter().filter(move |p| p.layer == number);
        here.map(|p| p.control.package().to_string()).collect()
    };
    let layers = layers.map(|(number, (layer, descriptor))| LayerSummary {
        digest: layer.digest().to_string(),
        diff_id: layer.diff_id().to_string(),
        media_type: descriptor.media_type().as_str().to_owned(),
        size: layer.size(),
        packages: in_layer(number),
    });
    let installed = packages.installed.iter().map(|p| PackageSummary {
        name: p.control.package().to_string(),
        version: p.control.version().to_string(),
        architecture: p.control.architecture().to_string(),
        source: p.control.source().name.to_string(),
        source_version: p.control.source().version.to_string(),
    });
    let platforms = named.platforms.iter().map(|(platform, manifest)| PlatformSummary {
        platform: platform.to_string(),
        digest: manifest.digest().to_string(),
    });
    Ok(Inspection {
        schema: "distil.inspect/v1".to_owned(),
        digest: named.root.digest().to_string(),
        media_type: named.root.media_type().as_str().to_owned(),
        platforms: platforms.collect(),
        platform: platform.to_string(),
        config,
        annotations: image.manifest().annotations().clone(),
        layers: layers.collect(),
        packages: installed.collect(),
        referrers: referrers(&named, image.manifest().descriptor())?,
        unreadable: packages.unreadable.iter().map(ImagePath::to_string).collect(),
    })
}

fn referrers(named: &Named, manifest: &Descriptor) -> Result<Vec<ReferrerSummary>, ReadError> {
    let mut subjects = vec![named.root.digest()];
    if manifest.digest() != named.root.digest() {
        subjects.push(manifest.digest());
    }
    let mut found = Vec::new();
    for subject in &subjects {
        found.extend(named.store.referrers(subject)?.iter().map(|referrer| ReferrerSummary {
            subject: subject.to_string(),
            digest: referrer.digest().to_string(),
            artifact_type: referrer.artifact_type().map(|t| t.as_str().to_owned()),
            description: description(referrer),
            size: referrer.size(),
        }));
        for name in Attachment::names_for(subject) {
            let Some(kind) = Attachment::named(&name).map(|attachment| attachment.kind()) else { continue };
            match named.store.resolve(&Selector::Name(name.clone())) {
                Ok(manifest) => found.extend(attached(subject, kind, &manifest, &format!("under the tag {name}"))),
                Err(Error::NoImage { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    // They are about the image of the layout, as far as anybody can tell who does not read them.
    for (kind, manifest) in named.store.unnamed_attachments()? {
        found.extend(attached(named.root.digest(), kind, &manifest, "without a name"));
    }
    Ok(found)
}

/// What an artifact says of itself. Of a bundle nobody looked yet whether it is good.
fn description(referrer: &Descriptor) -> Option<String> {
    let annotations = referrer.annotations();
    if let Some(kind) = annotations.get(PREDICATE_TYPE) {
        let is_signature = PredicateType::SIGN.is(kind);
        let what = if is_signature { "signature".to_owned() } else { format!("attestation of type {kind}") };
        return Some(format!("{what}, not verified"));
    }
    let keys = ["description", "title"].map(|key| format!("org.opencontainers.image.{key}"));
    keys.iter().find_map(|key| annotations.get(key).cloned())
}

/// What cosign keeps about an image beside its referrers.
fn attached(subject: &Digest, kind: AttachmentKind, manifest: &Descriptor, place: &str) -> Option<ReferrerSummary> {
    let (what, artifact_type) = match kind {
        AttachmentKind::Signatures => ("signatures", MediaType::SIMPLE_SIGNING),
        AttachmentKind::Attestations => ("attestations", MediaType::DSSE),
        AttachmentKind::Sbom => return None,
    };
    Some(ReferrerSummary {
        subject: subject.to_string(),
        digest: manifest.digest().to_string(),
        artifact_type: Some(artifact_type.to_owned()),
        description: Some(format!("{what} {place}, not verified")),
        size: manifest.size(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::testimage;

    #[test]
    fn an_image_tells_its_platforms_layers_and_packages() {
        let dir = tempfile::tempdir().unwrap();
        let record = testimage::record("aa", "2-1", "Source: ss (1-1)\n");
        let layers: [&[(&str, &str)]; 2] =
            [&[("usr/bin/aa", "a"), ("var/lib/dpkg/status.d/aa", &record)], &[("etc/x", "x")]];
        let reference = testimage::write(dir.path(), &["linux/arm64", "linux/amd64"], &layers);
        let found = inspect(&reference, Choice::First, &Machine::new(0), &Silent).unwrap();
        let platforms: Vec<&str> = found.platforms.iter().map(|p| p.platform.as_str()).collect();
        assert_eq!((platforms, found.platform.as_str()), (vec!["linux/amd64", "linux/arm64"], "linux/amd64"));
        assert_eq!(found.config["config"]["Entrypoint"][0], "/usr/bin/aa");
        let packages: Vec<&[String]> = found.layers.iter().map(|layer| layer.packages.as_slice()).collect();
        assert_eq!(packages, [&["aa".to_owned()][..], &[]]);
        let package = PackageSummary {
            name: "aa".into(),
            version: "2-1".into(),
            architecture: "amd64".into(),
            source: "ss".into(),
            source_version: "1-1".into(),
        };
        assert_eq!(found.packages, [package]);
        assert!(found.unreadable.is_empty() && found.referrers.is_empty());
        let arm = "linux/arm64".parse().unwrap();
        let other = "linux/s390x".parse().unwrap();
        for (choice, platform) in [
            (Choice::Exactly(&arm), "linux/arm64"),
            (Choice::Preferably(&arm), "linux/arm64"),
            (Choice::Preferably(&other), "linux/amd64"),
        ] {
            assert_eq!(
                inspect(&reference, choice, &Machine::new(0), &Silent).unwrap().platform,
                platform,
                "{choice:?}"
            );
        }
    }

    #[test]
    fn a_platform_that_is_not_there_is_named_with_those_that_are() {
        let dir = tempfile::tempdir().unwrap();
        let reference = testimage::write(dir.path(), &["linux/amd64"], &[]);
        let wanted = "linux/s390x".parse().unwrap();
        let error = inspect(&reference, Choice::Exactly(&wanted), &Machine::new(0), &Silent).unwrap_err();
        assert!(matches!(error, ReadError::NoPlatform { known, .. } if known.len() == 1));
    }

    #[test]
    fn the_documents_fields_are_those_of_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        let record = testimage::record("aa", "1", "");
        let reference = testimage::write(dir.path(), &["linux/amd64"], &[&[("var/lib/dpkg/status.d/aa", &record)]]);
        let found =
            serde_json::to_value(inspect(&reference, Choice::First, &Machine::new(0), &Silent).unwrap()).unwrap();
        for pointer in ["/schema", "/digest", "/media-type", "/platforms", "/config", "/referrers"] {
            assert!(found.pointer(pointer).is_some(), "{pointer}");
        }
        for key in ["digest", "diff-id", "size", "packages"] {
            assert!(found["layers"][0].get(key).is_some(), "{key}");
        }
        for key in ["name", "version", "architecture", "source", "source-version"] {
            assert!(found["packages"][0].get(key).is_some(), "{key}");
        }
        let schema = serde_json::from_str(&crate::schema::inspection()).unwrap();
        assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&found));
    }
}
