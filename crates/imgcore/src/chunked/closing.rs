//! What follows the runs of a layer.

use std::collections::BTreeMap;
use std::io;

use super::members::MemberEncoder;
use super::{Chunking, Form, Record, Run, RunWriter, TableError, estargz, zstd_chunked};

/// The end of a layer: its last entries, the end of the archive, and the table of contents of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The bytes that follow the runs.
    pub packed: Vec<u8>,
    /// What the layer's descriptor must state, or no reader knows that there is a table.
    pub annotations: BTreeMap<String, String>,
}

/// Closes a layer of runs in a row.
///
/// # Errors
/// [`TableError`] where an entry cannot be in such a layer; where the encoder fails.
pub fn close(chunking: Chunking, runs: &[&Run]) -> io::Result<Closing> {
    let mut encoder = MemberEncoder::new(chunking.members())?;
    if chunking.form() == Form::ZstdChunked {
        return zstd_chunked::end(&mut encoder, runs);
    }
    for special in [estargz::TABLE, estargz::LANDMARK] {
        let taken = |record: &Record| record.entry.path.as_bytes() == special;
        if let Some(record) = runs.iter().flat_map(|run| &run.records).find(|record| taken(record)) {
            return Err(TableError::Taken(record.entry.path.clone()).into());
        }
    }
    let content = estargz::LANDMARK_CONTENT;
    let entry = estargz::special(estargz::LANDMARK, content.len() as u64)?;
    let mut landmark = RunWriter::new(Vec::new(), chunking)?;
    landmark.append(entry, &mut &*content)?;
    let (mut packed, run) = landmark.finish()?;
    let runs: Vec<&Run> = runs.iter().copied().chain([&run]).collect();
    let end = estargz::end(&mut encoder, &runs)?;
    packed.extend(end.packed);
    Ok(Closing { packed, ..end })
}

#[cfg(test)]
mod tests;
