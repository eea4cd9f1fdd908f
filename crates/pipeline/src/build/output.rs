//! Writing an image to where it was asked for.

use distil_imgcore::{Artifact, Compression, Image, Index, Platform, Progress as Copied, Reference};

use super::error::BuildError;
use super::{BuiltImage, BuiltPlatform};
use crate::places::Places;
use crate::progress::Progress;
use crate::stores::{self, StoreError};

/// zstd; gzip where all that is written are docker archives, whose readers may know no zstd.
pub(super) fn default_compression(outputs: &[Reference]) -> Compression {
    let docker = |reference: &Reference| matches!(reference, Reference::DockerArchive(_));
    if !outputs.is_empty() && outputs.iter().all(docker) { Compression::GZIP } else { Compression::ZSTD }
}

/// Refuses destinations that cannot be written, before any work is done.
pub(super) fn check(outputs: &[Reference], places: &Places<'_>) -> Result<(), BuildError> {
    for output in outputs {
        if matches!(output, Reference::Registry(_)) && places.machine.offline {
            return Err(StoreError::Offline { reference: output.to_string() }.into());
        }
    }
    Ok(())
}

/// Writes the image, and what is said `about` it, to every destination, one after the other. Each is complete or as it was, and none is written to where
/// one asks for another image.
pub(super) fn write(
    index: &Index,
    about: &[Artifact],
    outputs: &[Reference],
    host: &Platform,
    places: &Places<'_>,
) -> Result<Vec<BuiltImage>, BuildError> {
    outputs.iter().try_for_each(|output| stores::check_digest(output, index.digest()))?;
    outputs.iter().map(|output| write_one(index, about, output, host, places)).collect()
}

fn write_one(
    index: &Index,
    about: &[Artifact],
    output: &Reference,
    host: &Platform,
    places: &Places<'_>,
) -> Result<BuiltImage, BuildError> {
    let mut report = |copied: Copied<'_>| tell(copied, places.progress);
    let to = places.destination(output)?;
    let (root, images) = if let Reference::DockerArchive(_) = output {
        let image = only(index, output, host)?;
        (image.write_to(to.store(), &mut report)?, std::slice::from_ref(image))
    } else {
        (index.write_to(to.store(), &mut report)?, index.images())
    };
    let mut refers = Vec::new();
    // Docker's archives have no place for what refers to an image.
    if !matches!(output, Reference::DockerArchive(_)) {
        for artifact in about {
            refers.push(artifact.write_to(to.store(), &mut report)?);
        }
    }
    let found = to.finish(&root, &refers)?;
    let platforms = images
        .iter()
        .map(|image| BuiltPlatform {
            platform: image.platform().clone(),
            digest: image.digest().clone(),
            diff_ids: image.layers().iter().map(|layer| layer.diff_id().clone()).collect(),
        })
        .collect();
    Ok(BuiltImage::new(output, &root, &found, platforms))
}

/// The one image that a docker archive holds: the only one, or that for this machine.
fn only<'a>(index: &'a Index, output: &Reference, host: &Platform) -> Result<&'a Image, BuildError> {
    match index.images() {
        [image] => Ok(image),
        images => images.iter().find(|image| image.platform() == host).ok_or_else(|| BuildError::OnePlatform {
            reference: Box::new(output.clone()),
            platforms: images.iter().map(|image| image.platform().clone()).collect(),
        }),
    }
}

fn tell(copied: Copied<'_>, progress: &dyn Progress) {
    match copied {
        Copied::Started(blob) => progress.started(&blob.digest().to_string()),
        Copied::Finished(blob) | Copied::Present(blob) => progress.finished(&blob.digest().to_string()),
        Copied::Bytes(blob, n) => progress.advanced(&blob.digest().to_string(), n),
        _ => {}
    }
}
