//! Writing an image to where it was asked for.

use std::time::Duration;

use distil_imgcore::{Compression, Index, Layout, Progress as Copied, Reference, Store};

use super::convert::Workshop;
use super::error::BuildError;
use super::{BuiltImage, BuiltPlatform};

/// How long to wait for another process that writes to the same layout.
const WAIT: Duration = Duration::from_secs(60);

/// zstd; gzip where all that is written are docker archives, whose readers may know no zstd.
pub(super) fn default_compression(outputs: &[Reference]) -> Compression {
    let docker = |reference: &Reference| matches!(reference, Reference::DockerArchive(_));
    if !outputs.is_empty() && outputs.iter().all(docker) { Compression::GZIP } else { Compression::ZSTD }
}

/// Refuses destinations that cannot be written, before any work is done.
pub(super) fn check(outputs: &[Reference]) -> Result<(), BuildError> {
    for output in outputs {
        if let Reference::Registry(name) = output {
            return Err(BuildError::Registry(name.to_string()));
        }
    }
    Ok(())
}

/// Writes the image to every destination, one after the other. Each is complete or as it was.
pub(super) fn write(
    index: &Index,
    outputs: &[Reference],
    workshop: Workshop<'_>,
) -> Result<Vec<BuiltImage>, BuildError> {
    outputs.iter().map(|output| write_one(index, output, workshop)).collect()
}

fn write_one(index: &Index, output: &Reference, workshop: Workshop<'_>) -> Result<BuiltImage, BuildError> {
    let platforms = index
        .images()
        .iter()
        .map(|image| BuiltPlatform {
            platform: image.platform().clone(),
            digest: image.digest().clone(),
            diff_ids: image.layers().iter().map(|layer| layer.diff_id().clone()).collect(),
        })
        .collect();
    let mut report = |copied: Copied<'_>| tell(copied, workshop);
    let digest = match output {
        Reference::Layout(at) => {
            let layout = Layout::create(at.path(), WAIT)?;
            let root = index.write_to(&layout, &mut report)?;
            layout.tag(at.name(), &root)?;
            index.digest().clone()
        }
        Reference::Archive(_) | Reference::DockerArchive(_) => todo!(),
        Reference::Registry(name) => return Err(BuildError::Registry(name.to_string())),
    };
    Ok(BuiltImage { reference: output.clone(), digest, platforms })
}

fn tell(copied: Copied<'_>, workshop: Workshop<'_>) {
    match copied {
        Copied::Started(blob) => workshop.progress.started(&blob.digest().to_string()),
        Copied::Finished(blob) | Copied::Present(blob) => workshop.progress.finished(&blob.digest().to_string()),
        Copied::Bytes(n) => workshop.progress.advanced("", n),
        _ => {}
    }
}
