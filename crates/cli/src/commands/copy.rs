//! `distil copy`.

use clap::Args;
use distil_pipeline::{CopyError, Platform, Reference};

use super::Context;
use crate::failure::Failure;
use crate::progress;
use crate::registries::Registries;
use crate::signals::Signals;
use crate::status::Status;

/// Copy an image with all that refers to it: signatures, attestations, SBOMs
///
/// A tag is resolved once, and everything is copied by digest. What the destination has already is not copied again.
#[derive(Debug, Args)]
pub(crate) struct Copy {
    /// The image, as in oci:DIR:TAG
    #[arg(value_name = "SRC", value_parser = super::reference)]
    source: Reference,
    /// Where to copy it to
    #[arg(value_name = "DST", value_parser = super::reference)]
    destination: Reference,
    /// Copy the image for this platform alone; a docker archive holds no more than one
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    #[command(flatten)]
    registries: Registries,
}

impl Copy {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let platform = self.platform.as_ref();
        let machine = self.registries.machine(&context.global, context.environment)?;
        let copied =
            distil_pipeline::copy(&self.source, &self.destination, platform, &machine, &cancelled, progress.as_ref());
        drop(progress);
        match (copied, signals.status()) {
            (Err(CopyError::Cancelled), Some(status)) => Ok(status),
            (copied, _) => super::print_written(&[copied?], context),
        }
    }
}
