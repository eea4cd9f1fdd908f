//! Writing an image to where it was asked for.

use std::sync::atomic::Ordering;

use distil_imgcore::{
    Artifact, Attestation, Compression, Descriptor, Image, Index, Platform, Progress as Step, Reference,
};

use super::error::BuildError;
use super::{BuiltImage, BuiltPlatform};
use crate::destination::{self, Names};
use crate::places::{Places, StoreError};
use crate::progress::tell;

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

/// Writes the image, and what is said `about` it, to every destination, one after the other. Each is complete or as it was,
/// and none is written to where one asks for another image, or has another one under a name that stays.
pub(super) fn write(
    index: &Index,
    about: &[Artifact],
    (outputs, names): (&[Reference], Names),
    host: &Platform,
    places: &Places<'_>,
) -> Result<Vec<BuiltImage>, BuildError> {
    outputs.iter().try_for_each(|output| destination::check_digest(output, index.digest()))?;
    if names == Names::Stay {
        outputs.iter().try_for_each(|output| places.destination(output)?.check(index.digest(), names))?;
    }
    let write = |output| write_one(index, about, (output, names), host, places);
    let written: Result<_, _> = outputs.iter().map(write).collect();
    // Whatever it was that failed then, that was the reason.
    if written.is_err() && places.cancelled.load(Ordering::Relaxed) { Err(BuildError::Cancelled) } else { written }
}

fn write_one(
    index: &Index,
    about: &[Artifact],
    (output, names): (&Reference, Names),
    host: &Platform,
    places: &Places<'_>,
) -> Result<BuiltImage, BuildError> {
    let mut report = |step: Step<'_>| tell(places.progress, step);
    let to = places.destination(output)?;
    let (found, root, images) = if let Reference::DockerArchive(_) = output {
        // These have no place for what refers to an image.
        let image = only(index, output, host)?;
        let root = image.write_to(to.store(), &mut report)?;
        (to.finish(&root, &[], names)?, root, std::slice::from_ref(image))
    } else {
        let root = index.write_with(about, to.store(), &mut report)?;
        let inside = index.attestations().iter().map(Attestation::artifact).filter(|_| to.wants_all_referrers());
        let about: Vec<Descriptor> = about.iter().chain(inside).map(Artifact::descriptor).collect();
        (to.finish(&root, &about, names)?, root, index.images())
    };
    if let Reference::Registry(name) = output {
        // The next one may take from there what it needs.
        places.reads(name);
    }
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
