//! Fragments that were compressed file by file, kept beside those that they were made of.

use std::sync::Arc;

use distil_cache::{CacheError, DerivedWriter};
use distil_imgcore::chunked::{Chunking, Composition, Run};
use distil_imgcore::{Content, Fragment, LayerSums};

use super::{Packed, Shelf, content_key};

/// The forms in which values are kept. They change with the form, and with every change to the bytes of runs.
const RUN: &str = "run-1";
const LAYER: &str = "layer-of-runs-1";

impl Shelf {
    /// A fragment as an earlier build compressed it.
    pub(crate) fn run(&self, fragment: &Fragment, chunking: Chunking) -> Option<(Run, Arc<dyn Content>)> {
        let bytes = self.values.get(RUN, &key(fragment, chunking)).ok()??;
        let run = Run::from_bytes(&bytes, fragment.tree())?;
        let file = self.trusted(&run.digest, run.packed)?;
        self.give(&file);
        Some((run, Arc::new(Packed(file))))
    }

    /// Keeps a fragment that was compressed anew.
    pub(crate) fn keep_run(
        &self,
        fragment: &Fragment,
        chunking: Chunking,
        (writer, run): (DerivedWriter<'_>, Run),
    ) -> Result<(Run, Arc<dyn Content>), CacheError> {
        let file = writer.commit_as(content_key(&run.digest))?;
        self.give(&file);
        self.values.put(RUN, &key(fragment, chunking), &run.to_bytes())?;
        Ok((run, Arc::new(Packed(file))))
    }

    /// The sums of a layer of runs, where it was composed before.
    pub(crate) fn sums_of_runs(&self, composition: &Composition) -> Option<LayerSums> {
        LayerSums::from_bytes(&self.values.get(LAYER, &composition.id().to_string()).ok()??)
    }

    pub(crate) fn keep_sums_of_runs(&self, composition: &Composition, sums: &LayerSums) -> Result<(), CacheError> {
        self.values.put(LAYER, &composition.id().to_string(), &sums.to_bytes())
    }
}

fn key(fragment: &Fragment, chunking: Chunking) -> String {
    format!("{} {chunking}", fragment.id())
}
