//! `distil copy`.

use clap::Args;
use distil_pipeline::{CopyError, CopyRequest, Platform, Reference, WrittenDocument};

use super::Context;
use crate::failure::Failure;
use crate::progress;
use crate::registries::Registries;
use crate::signals::Signals;
use crate::status::Status;

/// Copy an image with all that belongs to it: signatures, attestations, SBOMs
///
/// A tag is resolved once, and everything is copied by digest. What a destination has already is not copied again. Where one
/// of several destinations fails, the others are completed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil copy oci:image:latest docker://registry.example.org/team/app:1.0\n  \
    distil copy registry.example.org/team/app:1.0 registry.example.org/live/app:1.0 --to mirror.example.org/app:1.0 --immutable")]
pub(crate) struct Copy {
    /// The image, as in oci:DIR:TAG
    #[arg(value_name = "SRC", value_parser = super::reference)]
    source: Reference,
    /// Where to copy it to
    #[arg(value_name = "DST", value_parser = super::reference)]
    destination: Reference,
    /// Copy it here as well; may be repeated
    #[arg(long, value_name = "DST", value_parser = super::reference)]
    to: Vec<Reference>,
    /// Copy the image for this platform alone; a docker archive holds no more than one
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Refuse to write under a tag that another image has in a layout or registry
    #[arg(long)]
    immutable: bool,
    #[command(flatten)]
    registries: Registries,
}

impl Copy {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let destinations: Vec<Reference> = std::iter::once(self.destination).chain(self.to).collect();
        let request = CopyRequest {
            source: &self.source,
            destinations: &destinations,
            platform: self.platform.as_ref(),
            immutable: self.immutable,
            machine: &self.registries.machine(&context.global, context.environment)?,
            cancelled: &cancelled,
        };
        let copied = distil_pipeline::copy(&request, progress.as_ref());
        drop(progress);
        let copied = match (copied, signals.status()) {
            (Err(CopyError::Cancelled), Some(status)) => return Ok(status),
            (copied, _) => copied?,
        };
        let mut status = super::print_written(&copied.images, &WrittenDocument::of_copy(&copied), context)?;
        for digest in &copied.left {
            context.printer.warning(format!(
                "{digest} says something about the image, and was not copied: only the index of the source ties it to the image"
            ));
        }
        for (reference, source) in copied.failed {
            let failure = Failure::NotCopied { reference: reference.to_string(), source: Box::new(source) };
            context.printer.failure(&failure);
            // The one that is worst for whoever asked.
            status = std::cmp::max_by_key(status, failure.status(), |status| status.code());
        }
        Ok(status)
    }
}
