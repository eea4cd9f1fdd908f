//! Writing an image to where it was asked for, signed where that was asked for.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use distil_imgcore::{
    Artifact, Attestation, Compression, Descriptor, Image, Index, Platform, Progress as Step, Reference,
};

use super::error::BuildError;
use super::{BuildRequest, BuildSigning, BuiltImage, BuiltPlatform};
use crate::destination::{self, Destination, Names};
use crate::places::{Places, StoreError};
use crate::progress::tell;
use crate::signing::SignError;
use crate::signing::attest::attest_attached;
use crate::signing::beside::Beside;
use crate::signing::name;

/// zstd; gzip where all that is written are docker archives, whose readers may know no zstd.
pub(super) fn default_compression(outputs: &[Reference]) -> Compression {
    let docker = |reference: &Reference| matches!(reference, Reference::DockerArchive(_));
    if !outputs.is_empty() && outputs.iter().all(docker) { Compression::GZIP } else { Compression::ZSTD }
}

/// Refuses destinations that cannot be written, or not with signatures, before any work is done.
pub(super) fn check(request: &BuildRequest<'_>, places: &Places<'_>) -> Result<(), BuildError> {
    for output in &request.outputs {
        if matches!(output, Reference::Registry(_)) && places.machine.offline {
            return Err(StoreError::Offline { reference: output.to_string() }.into());
        }
        if let Some(signing) = &request.signing {
            signed_name(output, signing)?;
        }
    }
    Ok(())
}

/// The repository that the image is signed for in a place.
fn signed_name(output: &Reference, signing: &BuildSigning<'_>) -> Result<String, SignError> {
    if let Reference::DockerArchive(_) = output {
        return Err(SignError::DockerArchive { reference: output.to_string() });
    }
    // Statements name it in every form.
    name::of_image(output, signing.name)?.ok_or_else(|| SignError::NoName { reference: output.to_string() })
}

/// Writes the image, and what is said `about` it, to every destination, one after the other. Each is complete or as it was,
/// and none is written to where one asks for another image, or has another one under a name that stays.
pub(super) fn write(
    index: &Index,
    about: &[Artifact],
    names: Names,
    request: &BuildRequest<'_>,
    places: &Places<'_>,
) -> Result<Vec<BuiltImage>, BuildError> {
    let outputs = &request.outputs;
    outputs.iter().try_for_each(|output| destination::check_digest(output, index.digest()))?;
    if names == Names::Stay {
        outputs.iter().try_for_each(|output| places.destination(output)?.check(index.digest(), names))?;
    }
    let write = |output| write_one(index, about, (output, names), request, places);
    let written: Result<_, _> = outputs.iter().map(write).collect();
    // Whatever it was that failed then, that was the reason.
    if written.is_err() && places.cancelled.load(Ordering::Relaxed) { Err(BuildError::Cancelled) } else { written }
}

fn write_one(
    index: &Index,
    about: &[Artifact],
    (output, names): (&Reference, Names),
    request: &BuildRequest<'_>,
    places: &Places<'_>,
) -> Result<BuiltImage, BuildError> {
    let mut report = |step: Step<'_>| tell(places.progress, step);
    let to = places.destination(output)?;
    let (found, root, images) = if let Reference::DockerArchive(_) = output {
        // These have no place for what refers to an image.
        let image = only(index, output, &request.host)?;
        let root = image.write_to(to.store(), &mut report)?;
        (to.finish(&root, &[], names)?, root, std::slice::from_ref(image))
    } else {
        let root = index.write_with(about, to.store(), &mut report)?;
        if let Some(signing) = &request.signing {
            sign(index, about, (output, &to), signing, places)?;
        }
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

/// Signs the index, its images and what is said about them, all of which the place has by now: whoever finds the image there
/// finds it signed.
fn sign(
    index: &Index,
    about: &[Artifact],
    (output, to): (&Reference, &Destination),
    signing: &BuildSigning<'_>,
    places: &Places<'_>,
) -> Result<(), SignError> {
    let name = signed_name(output, signing)?;
    let beside = Beside::new(to.store(), signing.signer, signing.formats, places.machine.now);
    let beside = beside.undisturbed(!matches!(output, Reference::Registry(_)));
    let images =
        index.images().iter().map(|image| (Some(image.platform().clone()), image.manifest().descriptor().bare()));
    let manifests: Vec<_> = [(None, index.descriptor().bare())].into_iter().chain(images).collect();
    for (_, manifest) in &manifests {
        beside.sign(manifest, &name, &BTreeMap::new())?;
    }
    attest_attached(&manifests, about, None, (&beside, &name), &places.cancelled).map(drop)
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
