//! Layers of which single files can be fetched.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use distil_imgcore::chunked::{Chunking, Composition, Run};
use distil_imgcore::{Content, Entry, Fragment, Layer};

use super::Jobs;
use super::convert::Workshop;
use super::error::BuildError;
use crate::parallel;
use crate::spool::MaybeSpool;

/// What comes into a layer.
pub(super) struct Parts<'a> {
    /// Of packages: worth keeping when they are compressed anew.
    pub(super) packages: &'a [&'a Fragment],
    /// Of this image alone.
    pub(super) others: &'a [&'a Fragment],
    pub(super) directories: &'a [Entry],
}

/// The layer, and nothing of it read or compressed where an earlier build made the same.
pub(super) fn layer(
    parts: &Parts<'_>,
    chunking: Chunking,
    threads: Jobs,
    workshop: Workshop<'_>,
) -> Result<Layer, BuildError> {
    let shelf = workshop.shelf;
    let mut runs = parallel::map(threads, parts.packages, |fragment| {
        if let Some(run) = shelf.run(fragment, chunking) {
            return Ok(run);
        }
        let made = compressed(fragment, chunking, shelf.writer()?, workshop)?;
        Ok::<_, BuildError>(shelf.keep_run(fragment, chunking, made)?)
    })?;
    for fragment in parts.others {
        let (sink, run) = compressed(fragment, chunking, MaybeSpool::new(workshop.session), workshop)?;
        let content: Arc<dyn Content> = sink.content().map_err(BuildError::Layer)?;
        runs.push((run, content));
    }
    let composition = Composition::new(runs, parts.directories, chunking).map_err(|error| match error.downcast() {
        Ok(source) => BuildError::Table { form: chunking.form().as_str(), source },
        Err(other) => BuildError::Layer(other),
    })?;
    if let Some(sums) = shelf.sums_of_runs(&composition) {
        return Ok(composition.layer(sums));
    }
    let sums = composition.hash().map_err(BuildError::Layer)?;
    shelf.keep_sums_of_runs(&composition, &sums)?;
    Ok(composition.layer(sums))
}

fn compressed<W: Write>(
    fragment: &Fragment,
    chunking: Chunking,
    sink: W,
    workshop: Workshop<'_>,
) -> Result<(W, Run), BuildError> {
    if workshop.cancelled.load(Ordering::Relaxed) {
        return Err(BuildError::Cancelled);
    }
    Run::of_fragment(fragment, chunking, sink).map_err(BuildError::Layer)
}
